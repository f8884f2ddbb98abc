/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pattern.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "brush.h"
#include "pattern_desktop.h"
#include "pattern_static.h"
#include "pattern_text.h"
#include "pattern_video.h"

static const char *const names[PATTERN_KINDS] = {
	[PATTERN_OFF] = "off",     [PATTERN_DESKTOP] = "desktop", [PATTERN_BARS] = "bars",
	[PATTERN_VIDEO] = "video", [PATTERN_CLOCK] = "clock",     [PATTERN_STATIC] = "static",
	[PATTERN_NOISE] = "noise", [PATTERN_TYPING] = "typing",   [PATTERN_SCROLL] = "scroll",
	[PATTERN_MOVIE] = "movie", [PATTERN_FILM] = "film",
};

const char *pattern_name(enum pattern_kind kind)
{
	return (unsigned int)kind < PATTERN_KINDS ? names[kind] : NULL;
}

int pattern_kind_from_name(const char *name)
{
	for (int kind = 0; kind < PATTERN_KINDS; kind++)
		if (!strcmp(name, names[kind]))
			return kind;
	return -1;
}

/*
 * bars, so simple that a test can say it again in another language. With F = frame mod 2^32 and
 * S = (4 * F + seed) mod 2^32 mod width:
 * - y < 8 and x < 256: bit 31 - x / 8 of F, white (ffffff) for 1 and black for 0;
 * - else y < height - height / 3: BARS[x * 8 / width];
 * - else y < height - height / 4: BARS[7 - x * 8 / width];
 * - else grey (three bytes g) with g = (x + S) mod width * 256 / width.
 */
static const uint32_t bars[8] = {0xc0c0c0, 0xc0c000, 0x00c0c0, 0x00c000,
				 0xc000c0, 0xc00000, 0x0000c0, 0x101010};

static void bars_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	uint32_t width = pattern->width, height = pattern->height, y = (uint32_t)brush->y;

	if (y < height - height / 4) {
		bool mirror = y >= height - height / 3;

		/* Bar i begins at the first x with x * 8 / width == i. */
		for (uint32_t i = 0; i < 8; i++)
			brush_span(brush, (int32_t)((i * width + 7) / 8),
				   (int32_t)(((i + 1) * width + 7) / 8), bars[mirror ? 7 - i : i]);
	} else {
		uint32_t shifted = ((4 * frame + pattern->seed) % width + (uint32_t)brush->x) %
				   width;

		for (int32_t x = brush->x; x < brush->end; x++) {
			brush->out[x - brush->x] = shifted * 256 / width * 0x010101;
			if (++shifted == width)
				shifted = 0;
		}
	}
	brush_stamp(brush, frame);
}

static unsigned int bars_damage(const struct pattern *pattern, struct box *boxes)
{
	int32_t width = (int32_t)pattern->width, height = (int32_t)pattern->height;

	boxes[0] = BRUSH_STAMP;
	boxes[1] = (struct box){0, height - height / 4, width, height / 4};
	return 2;
}

/* noise: a hash of a counter, so that any pixel can be had without those before it. */
static void noise_row(const struct pattern *pattern, uint64_t frame, const struct brush *brush)
{
	uint32_t key = brush_scramble((uint32_t)frame +
				      brush_scramble((uint32_t)(frame >> 32) + pattern->seed));

	key = brush_scramble(key + (uint32_t)brush->y);
	for (int32_t x = brush->x; x < brush->end; x++)
		brush->out[x - brush->x] = brush_scramble(key + (uint32_t)x * 0x9e3779b9u) &
					   0xffffff;
}

/* clock: eight digits of seven segments each, frame mod 10^8. */
#define CLOCK_DIGITS  8u
#define CLOCK_NUMBERS 100000000u

struct clock {
	int32_t x, y;          /* of the first digit */
	int32_t width, height; /* of a digit */
	int32_t advance;       /* from a digit to the next */
	int32_t thick;         /* of a segment */
};

static struct clock clock_of(const struct pattern *pattern)
{
	int32_t width = (int32_t)pattern->width, height = (int32_t)pattern->height;
	struct clock clock;

	clock.advance = width / (int32_t)(CLOCK_DIGITS + 2);
	if (clock.advance > height / 2)
		clock.advance = height / 2;
	if (clock.advance < 6)
		clock.advance = 6;
	clock.width = clock.advance * 3 / 4;
	clock.height = clock.width * 7 / 4;
	clock.thick = clock.width / 6 + 1;
	clock.x = (width - clock.advance * (int32_t)CLOCK_DIGITS + clock.advance / 4) / 2;
	clock.y = (height - clock.height) / 2;
	return clock;
}

static void clock_digit(const struct brush *brush, const struct clock *clock, int32_t x,
			uint32_t digit)
{
	/* Bits 0 .. 6: top, upper left, upper right, middle, lower left, lower right, bottom. */
	static const uint8_t segments[10] = {0x77, 0x24, 0x5d, 0x6d, 0x2e,
					     0x6b, 0x7b, 0x25, 0x7f, 0x6f};
	int32_t w = clock->width, h = clock->height, t = clock->thick, y = clock->y;
	int32_t half = (h - t) / 2;
	const struct box boxes[7] = {
		{x + t, y, w - 2 * t, t},
		{x, y + t, t, half - t},
		{x + w - t, y + t, t, half - t},
		{x + t, y + half, w - 2 * t, t},
		{x, y + half + t, t, h - half - 2 * t},
		{x + w - t, y + half + t, t, h - half - 2 * t},
		{x + t, y + h - t, w - 2 * t, t},
	};

	for (uint32_t i = 0; i < 7; i++)
		brush_box(brush, boxes[i], segments[digit] >> i & 1 ? 0xffb454 : 0x2a2622);
}

static void clock_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	struct clock clock = clock_of(pattern);
	uint32_t number = frame % CLOCK_NUMBERS;
	int32_t margin = clock.advance / 2;
	const struct box panel = {clock.x - margin, clock.y - margin,
				  clock.advance * (int32_t)CLOCK_DIGITS - clock.advance / 4 +
					  2 * margin,
				  clock.height + 2 * margin};
	uint32_t tint = brush_scramble(pattern->seed) & 0x1f1f1f;
	uint32_t part = (uint32_t)brush->y * 256 / pattern->height;

	brush_span(brush, brush->x, brush->end, brush_mix(0x405068 + tint, 0x101820 + tint, part));
	brush_box(brush, panel, 0x1c1a18);
	if (brush->y < clock.y || brush->y >= clock.y + clock.height)
		return;
	for (uint32_t i = CLOCK_DIGITS; i-- > 0; number /= 10)
		clock_digit(brush, &clock, clock.x + (int32_t)i * clock.advance, number % 10);
}

/* From the first digit that turns to the last one. */
static unsigned int clock_damage(const struct pattern *pattern, uint32_t frame, struct box *boxes)
{
	struct clock clock = clock_of(pattern);
	uint32_t before = (frame - 1) % CLOCK_NUMBERS, after = frame % CLOCK_NUMBERS;
	int32_t first = (int32_t)CLOCK_DIGITS;

	for (; before != after; before /= 10, after /= 10)
		first--;
	boxes[0] = (struct box){clock.x + first * clock.advance, clock.y,
				((int32_t)CLOCK_DIGITS - first) * clock.advance, clock.height};
	return 1;
}

void pattern_row(const struct pattern *pattern, uint64_t frame, uint32_t y, uint32_t x, uint32_t n,
		 uint32_t *out)
{
	const struct brush brush = {out, (int32_t)x, (int32_t)(x + n), (int32_t)y};

	switch (pattern->kind) {
	case PATTERN_DESKTOP:
		desktop_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_BARS:
		bars_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_VIDEO:
		video_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_CLOCK:
		clock_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_STATIC:
		static_row(pattern, &brush);
		break;
	case PATTERN_TYPING:
		typing_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_SCROLL:
		scroll_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_MOVIE:
		movie_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_FILM:
		film_row(pattern, (uint32_t)frame, &brush);
		break;
	case PATTERN_NOISE:
		noise_row(pattern, frame, &brush);
		break;
	default:
		brush_span(&brush, brush.x, brush.end, 0);
		break;
	}
}

/* Cuts boxes to the picture and drops what is left empty. */
static unsigned int clip(const struct pattern *pattern, const struct box *boxes, unsigned int count,
			 struct pattern_rect *rects)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < count; i++) {
		int32_t x1 = boxes[i].x < 0 ? 0 : boxes[i].x;
		int32_t y1 = boxes[i].y < 0 ? 0 : boxes[i].y;
		int32_t x2 = boxes[i].x + boxes[i].width;
		int32_t y2 = boxes[i].y + boxes[i].height;

		if (x2 > (int32_t)pattern->width)
			x2 = (int32_t)pattern->width;
		if (y2 > (int32_t)pattern->height)
			y2 = (int32_t)pattern->height;
		if (x1 < x2 && y1 < y2)
			rects[kept++] = (struct pattern_rect){(uint32_t)x1, (uint32_t)y1,
							      (uint32_t)(x2 - x1),
							      (uint32_t)(y2 - y1)};
	}
	return kept;
}

unsigned int pattern_damage(const struct pattern *pattern, uint64_t frame,
			    struct pattern_rect rects[PATTERN_MAX_RECTS])
{
	struct box boxes[PATTERN_MAX_RECTS] = {
		{0, 0, (int32_t)pattern->width, (int32_t)pattern->height},
	};
	unsigned int count = 0;

	if (frame == 0)
		return clip(pattern, boxes, 1, rects);
	switch (pattern->kind) {
	case PATTERN_DESKTOP:
		count = desktop_damage(pattern, (uint32_t)frame, boxes);
		break;
	case PATTERN_BARS:
		count = bars_damage(pattern, boxes);
		break;
	case PATTERN_CLOCK:
		count = clock_damage(pattern, (uint32_t)frame, boxes);
		break;
	case PATTERN_TYPING:
		count = typing_damage(pattern, (uint32_t)frame, boxes);
		break;
	case PATTERN_SCROLL:
		count = scroll_damage(pattern, boxes);
		break;
	case PATTERN_MOVIE:
		count = movie_damage(pattern, boxes);
		break;
	case PATTERN_VIDEO:
	case PATTERN_NOISE:
	case PATTERN_FILM:
		count = 1;
		break;
	default:
		break;
	}
	return clip(pattern, boxes, count, rects);
}
