/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pattern_static.h"

/* What is written on the card; the columns of small print repeat it. */
#define TITLE "planecast"
static const char print[] = "The quick brown fox jumps over the lazy dog 0123456789 {[(<>)]} #&@ ";

#define PRINT_LENGTH (sizeof(print) - 1)

struct card {
	int32_t width, height;
	int32_t cell;   /* of the grid */
	int32_t x, y;   /* the middle */
	int32_t radius; /* of the disc */
	uint32_t scale; /* of the small print */
	uint32_t seed;
};

static struct card card_of(const struct pattern *pattern)
{
	struct card card = {
		.width = (int32_t)pattern->width,
		.height = (int32_t)pattern->height,
		.seed = pattern->seed,
	};
	int32_t small = card.width < card.height ? card.width : card.height;

	card.cell = small / 14 > 4 ? small / 14 : 4;
	card.x = card.width / 2;
	card.y = card.height / 2;
	card.radius = card.cell * 6;
	card.scale = (uint32_t)(small / 1440 + 1);
	return card;
}

/* Rings that grow finer outwards: (x, y) from their middle, `reach` where they are finest. */
static uint32_t ring(int32_t x, int32_t y, int32_t reach)
{
	uint32_t phase = (uint32_t)(x * x + y * y) * (32768u / (uint32_t)(reach > 0 ? reach : 1));

	return (uint32_t)(brush_wave(phase + 16384) + 32768) * 255 >> 16;
}

static void draw_grid(const struct card *card, const struct brush *brush)
{
	uint32_t tint = card->seed * 0x050301 & 0x0f0f0f;
	int32_t left = card->x % card->cell, top = card->y % card->cell;
	bool line = (brush->y + card->cell - top) % card->cell == 0;

	brush_span(brush, brush->x, brush->end, (line ? 0xb8bcc4 : 0x4a5058) + tint);
	if (line)
		return;
	for (int32_t x = left; x < card->width; x += card->cell)
		brush_span(brush, x, x + 1, 0xb8bcc4 + tint);
}

/* Rings of a colour each, on black, in a square: the corners of the card. */
static void draw_rings(const struct card *card, const struct brush *brush, int32_t x, int32_t y,
		       uint32_t colour)
{
	int32_t half = card->cell * 2 - card->cell / 2;
	int32_t first = x - half > brush->x ? x - half : brush->x;
	int32_t end = x + half < brush->end ? x + half : brush->end;

	if (brush->y < y - half || brush->y >= y + half)
		return;
	for (int32_t i = first; i < end; i++)
		brush->out[i - brush->x] = brush_mix(0, colour,
						     ring(i - x, brush->y - y, 2 * half));
}

static void draw_print(const struct card *card, const struct brush *brush, int32_t x, int32_t width)
{
	int32_t height = 16 * (int32_t)card->scale, top = card->y - card->cell * 3;
	int32_t line = (brush->y - top) / height;
	uint32_t columns = (uint32_t)(width / (8 * (int32_t)card->scale));
	uint32_t start, room;

	brush_box(brush, (struct box){x, top, width, card->cell * 6}, 0xf4f2ec);
	if (brush->y < top || brush->y >= top + card->cell * 6 / height * height)
		return;
	start = ((uint32_t)line * 11 + card->seed) % PRINT_LENGTH;
	for (uint32_t done = 0; done < columns; done += room, start = 0) {
		room = (uint32_t)PRINT_LENGTH - start;
		if (room > columns - done)
			room = columns - done;
		brush_text(brush, x + (int32_t)(done * 8 * card->scale), top + line * height,
			   card->scale, 0x202428, print + start, room);
	}
}

/* Stripes one, two, three and four pixels wide, and a chessboard. */
static void draw_stripes(const struct card *card, const struct brush *brush, int32_t left,
			 int32_t right)
{
	int32_t origin = card->x - card->radius, part = card->radius * 2 / 5;

	for (int32_t x = left > brush->x ? left : brush->x; x < right && x < brush->end; x++) {
		int32_t wide = (x - origin) / part + 1;
		int32_t bit = wide < 5 ? (x - origin) / wide : x + brush->y;

		brush->out[x - brush->x] = bit & 1 ? 0xffffff : 0;
	}
}

static void draw_title(const struct card *card, const struct brush *brush)
{
	uint32_t letters = sizeof(TITLE) - 1;
	uint32_t scale = (uint32_t)card->cell * 5 / (8 * letters) + 1;
	int32_t width = (int32_t)(letters * 8 * scale);

	brush_text(brush, card->x - width / 2,
		   card->y - card->radius + card->cell * 2 - 8 * (int32_t)scale, scale, 0xffffff,
		   TITLE, letters);
}

/* The inside of the disc, in bands from top to bottom. */
static void draw_disc(const struct card *card, const struct brush *brush)
{
	static const uint32_t colours[8] = {0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
					    0xff00ff, 0xff0000, 0x0000ff, 0x000000};
	int32_t dy = brush->y - card->y, r = card->radius, half, left, right;
	int32_t band = (dy + r) / card->cell;

	if (dy < -r || dy > r)
		return;
	half = (int32_t)brush_root((uint32_t)(r * r - dy * dy));
	left = card->x - half;
	right = card->x + half + 1;
	if (band < 3) {
		brush_span(brush, left, right, 0x14181e);
		draw_title(card, brush);
	} else if (band < 5) {
		for (int32_t i = 0; i < 8; i++) {
			int32_t x = card->x + (i - 4) * r / 4, end = card->x + (i - 3) * r / 4;

			brush_span(brush, x > left ? x : left, end < right ? end : right,
				   colours[i]);
		}
	} else if (band < 7) {
		for (int32_t x = left > brush->x ? left : brush->x; x < right && x < brush->end;
		     x++)
			brush->out[x - brush->x] = ring(x - card->x, dy, 2 * r) * 0x010101;
	} else if (band < 8) {
		struct brush inside = *brush;

		if (inside.x < left) {
			inside.out += left - inside.x;
			inside.x = left;
		}
		if (inside.end > right)
			inside.end = right;
		brush_ramp(&inside, card->x - r, card->x + r + 1, 0x000000, 0xffffff);
	} else if (band < 9) {
		draw_stripes(card, brush, left, right);
	} else {
		brush_ramp(brush, left, card->x, 0xd02020, 0x20b040);
		brush_ramp(brush, card->x, right, 0x20b040, 0x2040d0);
	}
}

void static_row(const struct pattern *pattern, const struct brush *brush)
{
	struct card card = card_of(pattern);
	int32_t corner = card.cell * 2, side = (card.width / 2 - card.radius) - 2 * card.cell;

	draw_grid(&card, brush);
	draw_rings(&card, brush, corner, corner, 0xff8080);
	draw_rings(&card, brush, card.width - corner, corner, 0x80ff80);
	draw_rings(&card, brush, corner, card.height - corner, 0x80a0ff);
	draw_rings(&card, brush, card.width - corner, card.height - corner, 0xffffff);
	if (side > 8) {
		draw_print(&card, brush, card.cell, side);
		draw_print(&card, brush, card.width - card.cell - side, side);
	}
	draw_disc(&card, brush);
}
