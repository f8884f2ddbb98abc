/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pattern_desktop.h"

/* What the terminal types, a character every other frame; then it rests, and begins again. */
#define LINE(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}
static const struct line {
	const char *text;
	uint32_t length;
} typed[] = {
	LINE("$ ls /sys/class/mdev_bus"),
	LINE("mplane"),
	LINE("$ planecast list"),
	LINE("DEVICE         TYPE            SCREEN      OWNER"),
	LINE("mdev:6f3a5c1e  mplane-region   1920x1080   qemu 4711"),
	LINE("mdev:b1904d27  mplane-dmabuf   1280x800    free"),
	LINE("$ planecast serve vm:desktop --vnc :1 &"),
	LINE("planecast: 1920x1080, linear, vnc 127.0.0.1:5901"),
	LINE("$ planecast screenshot vm:desktop -o screen.png"),
	LINE("$ file screen.png"),
	LINE("screen.png: PNG image data, 1920 x 1080, 8-bit/color RGB"),
	LINE("$ for n in $(seq 1 5); do echo \"frame $n\"; done"),
	LINE("frame 1"),
	LINE("frame 2"),
	LINE("frame 3"),
	LINE("frame 4"),
	LINE("frame 5"),
	LINE("$ echo 'No OpenGL was needed for this picture.'"),
	LINE("No OpenGL was needed for this picture."),
	LINE("$ "),
};

#define TYPED_LINES (sizeof(typed) / sizeof(typed[0]))
#define TYPED_REST  240u /* frames */

static const char *const notes[] = {
	"A screen without a card",
	"",
	"A virtual GPU keeps its picture in memory. Reading",
	"that memory is all it takes to show it: no window",
	"system, no driver of the guest, no OpenGL.",
	"",
	"Only what changes travels: a letter typed in the",
	"terminal, or the small window that wanders about.",
};

#define NOTES_LINES (sizeof(notes) / sizeof(notes[0]))

static const struct palette {
	uint32_t sky, horizon, sun, hills[3], accent;
} palettes[4] = {
	{0x16213e, 0xe07a5f, 0xf9d89c, {0x6d4c6f, 0x45385f, 0x2a2747}, 0x3d7eea},
	{0x0b3954, 0x8fd6d8, 0xf4f7e8, {0x2f7f86, 0x1c5a68, 0x103d4c}, 0xd9733a},
	{0x27496d, 0xf2d6a2, 0xfff3d0, {0x6b9362, 0x3f6d4e, 0x27493a}, 0x8a56c9},
	{0x2b1b3d, 0xd97ba6, 0xffe2ea, {0x7d4f8f, 0x553a70, 0x352750}, 0x2a9d7c},
};

#define FRAMES_A_SECOND 30u
#define FIRST_SECOND    (10 * 3600u + 9 * 60)
#define OVERLAP         40    /* of the document by the terminal, in units */
#define MOVER_TURN      1024u /* frames until the small window is back */

/* Where everything is in one frame. */
struct desktop {
	int32_t width, height;
	int32_t unit; /* a pixel of the font; all sizes are multiples of it */
	const struct palette *palette;
	uint32_t seed, frame;
	struct box terminal, document, mover, bar, clock;
	struct box text;     /* of the terminal, whole lines and columns */
	uint32_t characters; /* typed */
	uint32_t seconds;
};

static uint32_t typed_length(void)
{
	uint32_t length = 0;

	for (uint32_t i = 0; i < TYPED_LINES; i++)
		length += typed[i].length + 1;
	return length - 1;
}

static struct box mover_box(const struct desktop *desktop)
{
	int32_t width = 196 * desktop->unit, height = 118 * desktop->unit;
	int32_t reach_x = (desktop->width - width) / 2, reach_y = (desktop->bar.y - height) / 2;
	uint32_t phase = (desktop->frame % MOVER_TURN + desktop->seed) * (65536 / MOVER_TURN);
	struct box box = {reach_x, reach_y, width, height};

	/* An eight that leans to the right, where the terminal is not. */
	box.x += reach_x / 2 + (reach_x / 3) * brush_wave(phase) / 32768;
	box.y += reach_y / 4 + (reach_y * 5 / 8) * brush_wave(2 * phase) / 32768;
	return box;
}

static struct desktop desktop_of(const struct pattern *pattern, uint32_t frame)
{
	struct desktop desktop = {
		.width = (int32_t)pattern->width,
		.height = (int32_t)pattern->height,
		.palette = &palettes[pattern->seed % 4],
		.seed = pattern->seed,
		.frame = frame,
	};
	int32_t w = desktop.width, h = desktop.height, u, bar;
	uint32_t turn = frame % (2 * typed_length() + TYPED_REST);

	u = desktop.unit = 1 + (w < h * 16 / 9 ? w : h * 16 / 9) / 2200;
	bar = 34 * u;
	desktop.bar = (struct box){0, h - bar, w, bar};
	desktop.clock = (struct box){w - 76 * u, h - bar + 9 * u, 64 * u, 16 * u};
	desktop.terminal = (struct box){w / 28, h / 12, w * 9 / 20, h * 5 / 9};
	desktop.document = (struct box){desktop.terminal.x + desktop.terminal.width - OVERLAP * u,
					h / 5, w * 9 / 20, h * 5 / 8};
	desktop.text = (struct box){desktop.terminal.x + 10 * u, desktop.terminal.y + 36 * u,
				    (desktop.terminal.width - 20 * u) / (8 * u) * 8 * u,
				    (desktop.terminal.height - 44 * u) / (18 * u) * 18 * u};
	desktop.mover = mover_box(&desktop);
	desktop.characters = turn / 2 < typed_length() ? turn / 2 : typed_length();
	desktop.seconds = FIRST_SECOND + frame / FRAMES_A_SECOND;
	return desktop;
}

static uint32_t text_length(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	return length;
}

static void draw_wallpaper(const struct desktop *desktop, const struct brush *brush)
{
	const struct palette *palette = desktop->palette;
	int32_t w = desktop->width, h = desktop->height;
	int32_t size = w < h ? w : h;
	uint32_t part = (uint32_t)brush->y * 256 / (uint32_t)h;

	brush_span(brush, brush->x, brush->end, brush_mix(palette->sky, palette->horizon, part));
	brush_disc(brush, w * 3 / 4, h * 9 / 20, (uint32_t)size / 3,
		   brush_mix(palette->sky, palette->sun, 64 + part * 3 / 4));
	brush_disc(brush, w * 3 / 4, h * 9 / 20, (uint32_t)size / 4,
		   brush_mix(palette->horizon, palette->sun, 256 - part / 2));
	brush_disc(brush, w / 5, h * 7 / 4, (uint32_t)(h + w / 16),
		   brush_mix(palette->hills[0], palette->horizon, 255 - part));
	brush_disc(brush, w * 4 / 5, h * 2, (uint32_t)(h * 5 / 4), palette->hills[1]);
	brush_disc(brush, w * 2 / 5, h * 9 / 4, (uint32_t)(h * 7 / 5), palette->hills[2]);
}

/* The frame of a window: a shadow, a title, and the ground of what it shows. */
static void draw_window(const struct desktop *desktop, const struct brush *brush,
			const struct box *box, const char *title, uint32_t head, uint32_t ground)
{
	static const uint8_t corner[5] = {5, 3, 2, 1, 1};
	int32_t u = desktop->unit, inset = 0, row = brush->y - box->y;
	int32_t left = box == &desktop->document ? (OVERLAP + 16) * u : 14 * u;
	uint32_t ink = head > 0x800000 ? 0x2c3138 : 0xe8ecf2;
	struct box shadow = {box->x + 3 * u, box->y + 5 * u, box->width + 3 * u,
			     box->height + 1 * u};

	if (brush_crosses(brush, &shadow))
		brush_darken(brush, shadow.x, shadow.x + shadow.width);
	if (!brush_crosses(brush, box))
		return;
	if (row < 5 * u)
		inset = corner[row / u] * u;
	brush_span(brush, box->x + inset, box->x + box->width - inset,
		   row < 28 * u ? head : ground);
	for (int32_t i = 0; i < 3; i++) {
		static const uint32_t buttons[3] = {0xe05d50, 0xe8b339, 0x5cb85c};

		brush_disc(brush, box->x + box->width - (16 + 20 * i) * u, box->y + 14 * u,
			   (uint32_t)(6 * u), buttons[i]);
	}
	brush_text(brush, box->x + left, box->y + 6 * u, (uint32_t)u, ink, title,
		   text_length(title));
}

/* Line and column of the character that is typed next. */
static void typed_place(uint32_t characters, uint32_t *line, uint32_t *column)
{
	*line = 0;
	while (*line + 1 < TYPED_LINES && characters > typed[*line].length) {
		characters -= typed[*line].length + 1;
		++*line;
	}
	*column = characters;
}

static void draw_terminal(const struct desktop *desktop, const struct brush *brush)
{
	int32_t u = desktop->unit;
	const struct box *text = &desktop->text;
	struct brush inside = *brush;
	uint32_t line, last, column;

	draw_window(desktop, brush, &desktop->terminal, "operator@host: ~", 0x39414f, 0x1b2028);
	if (!brush_crosses(brush, text))
		return;
	if (inside.end > text->x + text->width)
		inside.end = text->x + text->width;
	typed_place(desktop->characters, &last, &column);
	line = (uint32_t)(brush->y - text->y) / (uint32_t)(18 * u);
	if (line > last)
		return;
	if (line < last)
		column = typed[line].length;
	brush_text(&inside, text->x, text->y + (int32_t)line * 18 * u, (uint32_t)u,
		   typed[line].text[0] == '$' ? 0x9fe08c : 0xd5dae2, typed[line].text, column);
	if (line == last)
		brush_box(&inside,
			  (struct box){text->x + (int32_t)column * 8 * u,
				       text->y + (int32_t)line * 18 * u + u, 8 * u, 15 * u},
			  0xf0f3f6);
}

static void draw_chart(const struct desktop *desktop, const struct brush *brush, struct box area)
{
	int32_t u = desktop->unit, step = area.width / 12;

	if (area.height < 20 * u || step < 4)
		return;
	for (int32_t i = 0; i <= 4; i++)
		brush_box(brush, (struct box){area.x, area.y + area.height * i / 4, area.width, u},
			  0xd8dade);
	for (int32_t i = 0; i < 12; i++) {
		int32_t wave = brush_wave((uint32_t)i * 5200 + desktop->seed * 977) / 256 + 150;
		int32_t height = area.height * wave / 300;
		struct box bar = {area.x + i * step + step / 6, area.y + area.height - height,
				  step * 2 / 3, height};

		brush_box(brush, bar,
			  brush_mix(0xf0a848, desktop->palette->accent, (uint32_t)i * 23));
	}
}

static void draw_document(const struct desktop *desktop, const struct brush *brush)
{
	int32_t u = desktop->unit;
	const struct box *box = &desktop->document;
	int32_t x = box->x + (OVERLAP + 16) * u, y = box->y + 46 * u,
		below = y + (int32_t)NOTES_LINES * 20 * u;
	struct brush inside = *brush;

	draw_window(desktop, brush, box, "Notes", 0xe3e5e9, 0xfbfaf7);
	if (!brush_crosses(brush, box))
		return;
	if (inside.end > box->x + box->width - 8 * u)
		inside.end = box->x + box->width - 8 * u;
	for (uint32_t i = 0; i < NOTES_LINES; i++)
		brush_text(&inside, x, y + (int32_t)i * 20 * u + (i ? 16 * u : 0),
			   (uint32_t)(i ? u : 2 * u), i ? 0x30343a : desktop->palette->accent,
			   notes[i], text_length(notes[i]));
	draw_chart(desktop, brush,
		   (struct box){x, below + 30 * u, box->width - (OVERLAP + 44) * u,
				box->y + box->height - below - 54 * u});
}

/* Two digits of a number below 100. */
static void put_digits(char *text, uint32_t number)
{
	text[0] = (char)('0' + number / 10);
	text[1] = (char)('0' + number % 10);
}

static void draw_bar(const struct desktop *desktop, const struct brush *brush)
{
	static const char *const tasks[] = {"Terminal", "Notes", "Frames"};
	const struct box *bar = &desktop->bar, *clock = &desktop->clock;
	int32_t u = desktop->unit, x = 48 * u;
	char time[8] = {0, 0, ':', 0, 0, ':', 0, 0};

	if (!brush_crosses(brush, bar))
		return;
	brush_span(brush, 0, bar->width, brush->y < bar->y + u ? 0x3a404b : 0x20242c);
	for (int32_t i = 0; i < 4; i++)
		brush_box(brush,
			  (struct box){12 * u + i % 2 * 10 * u, bar->y + 8 * u + i / 2 * 10 * u,
				       8 * u, 8 * u},
			  i == 1 ? 0xf0a848 : desktop->palette->accent);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t length = text_length(tasks[i]);
		int32_t width = (int32_t)(length * 8 + 24) * u;

		brush_box(brush, (struct box){x, bar->y + 5 * u, width, 24 * u}, 0x343a46);
		brush_box(brush, (struct box){x, bar->y + 29 * u, width, 2 * u},
			  i == 0 ? desktop->palette->accent : 0x565e6c);
		brush_text(brush, x + 12 * u, bar->y + 9 * u, (uint32_t)u, 0xdfe3ea, tasks[i],
			   length);
		x += width + 8 * u;
	}
	put_digits(time, desktop->seconds / 3600 % 24);
	put_digits(time + 3, desktop->seconds / 60 % 60);
	put_digits(time + 6, desktop->seconds % 60);
	brush_box(brush, *clock, 0x20242c);
	brush_text(brush, clock->x, clock->y, (uint32_t)u, 0xf0f3f6, time, sizeof(time));
}

/* The small window: a picture of colours and the number of the frame. */
static void draw_mover(const struct desktop *desktop, const struct brush *brush)
{
	const struct box *box = &desktop->mover;
	int32_t u = desktop->unit, y = brush->y - box->y;
	uint32_t number = desktop->frame % 100000000;
	char text[14] = {'f', 'r', 'a', 'm', 'e', ' '};

	draw_window(desktop, brush, box, "Frames", 0xe3e5e9, 0x2a303a);
	if (y >= 28 * u && y < 84 * u) {
		uint32_t part = (uint32_t)((y - 28 * u) * 4 / u);

		brush_ramp(brush, box->x, box->x + box->width / 2,
			   brush_mix(0xf25c54, 0x2a303a, part),
			   brush_mix(0xf4d35e, 0x2a303a, part));
		brush_ramp(brush, box->x + box->width / 2, box->x + box->width,
			   brush_mix(0xf4d35e, 0x2a303a, part),
			   brush_mix(0x3fa7d6, 0x2a303a, part));
	}
	for (uint32_t i = 13; i > 5; i--, number /= 10)
		text[i] = (char)('0' + number % 10);
	brush_text(brush, box->x + 42 * u, box->y + 92 * u, (uint32_t)u, 0xe8ecf2, text,
		   sizeof(text));
}

void desktop_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	struct desktop desktop = desktop_of(pattern, frame);

	draw_wallpaper(&desktop, brush);
	draw_document(&desktop, brush);
	draw_terminal(&desktop, brush);
	draw_bar(&desktop, brush);
	draw_mover(&desktop, brush);
}

/* One box around both. */
static struct box around(const struct box *a, const struct box *b)
{
	int32_t right = a->x + a->width, bottom = a->y + a->height;
	struct box box = {a->x < b->x ? a->x : b->x, a->y < b->y ? a->y : b->y, 0, 0};

	if (right < b->x + b->width)
		right = b->x + b->width;
	if (bottom < b->y + b->height)
		bottom = b->y + b->height;
	box.width = right - box.x;
	box.height = bottom - box.y;
	return box;
}

/* The cell of the character that is typed next. */
static struct box cursor_box(const struct desktop *desktop)
{
	uint32_t line, column;

	typed_place(desktop->characters, &line, &column);
	return (struct box){desktop->text.x + (int32_t)column * 8 * desktop->unit,
			    desktop->text.y + (int32_t)line * 18 * desktop->unit, 8 * desktop->unit,
			    18 * desktop->unit};
}

unsigned int desktop_damage(const struct pattern *pattern, uint32_t frame,
			    struct box boxes[PATTERN_MAX_RECTS])
{
	struct desktop before = desktop_of(pattern, frame - 1), after = desktop_of(pattern, frame);
	unsigned int count = 0;

	boxes[count] = around(&before.mover, &after.mover);
	boxes[count].width += 6 * after.unit; /* the shadow */
	boxes[count++].height += 6 * after.unit;
	if (before.seconds != after.seconds)
		boxes[count++] = after.clock;
	if (before.characters + 1 == after.characters) {
		boxes[count++] = cursor_box(&before);
		boxes[count++] = cursor_box(&after);
	} else if (before.characters != after.characters) {
		boxes[count++] = after.text;
	}
	return count;
}
