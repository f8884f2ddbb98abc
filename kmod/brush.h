/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A brush: draws shapes into a piece of one row of a picture. Shapes are given in the picture's
 * pixels and may lie anywhere; what is outside the piece is not touched. Integers only, builds in
 * the kernel and in user space. Coordinates stay below 2^20 in either direction.
 */
#ifndef BRUSH_H
#define BRUSH_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
#endif

struct brush {
	uint32_t *out;  /* pixel `x` of row `y`, XRGB8888 */
	int32_t x, end; /* the piece: x .. end - 1 */
	int32_t y;
};

struct box {
	int32_t x, y, width, height;
};

/* Both colours mixed, `part` of 256 from the second. */
uint32_t brush_mix(uint32_t from, uint32_t to, uint32_t part);

/* The largest root with root * root <= value. */
uint32_t brush_root(uint32_t value);

/* A wave like a sine: a turn is 65536, the result -32768 .. 32768. */
static inline int32_t brush_wave(uint32_t phase)
{
	int32_t t = (int16_t)phase;

	return (t * (32768 - (t < 0 ? -t : t))) >> 13;
}

/* A hash of a counter, so that any pixel can be had without those before it. */
static inline uint32_t brush_scramble(uint32_t value)
{
	value ^= value >> 16;
	value *= 0x7feb352du;
	value ^= value >> 15;
	value *= 0x846ca68bu;
	value ^= value >> 16;
	return value;
}

/* Pixels x1 .. x2 - 1 of the brush's row. */
void brush_span(const struct brush *brush, int32_t x1, int32_t x2, uint32_t colour);
void brush_darken(const struct brush *brush, int32_t x1, int32_t x2); /* to 3/4 */

/* From one colour at x1 to the other at x2. */
void brush_ramp(const struct brush *brush, int32_t x1, int32_t x2, uint32_t from, uint32_t to);

static inline bool brush_crosses(const struct brush *brush, const struct box *box)
{
	return brush->y >= box->y && brush->y - box->y < box->height && box->x < brush->end &&
	       box->x + box->width > brush->x;
}

void brush_box(const struct brush *brush, struct box box, uint32_t colour);
void brush_disc(const struct brush *brush, int32_t x, int32_t y, uint32_t radius, uint32_t colour);

/* `length` characters from (x, y) down and right, each pixel of the font `scale` pixels square. */
void brush_text(const struct brush *brush, int32_t x, int32_t y, uint32_t scale, uint32_t colour,
		const char *text, uint32_t length);

/* A number in the upper left corner: 32 squares of 8x8, the highest bit first, white for 1. */
#define BRUSH_STAMP ((struct box){0, 0, 256, 8})
void brush_stamp(const struct brush *brush, uint32_t number);

#endif
