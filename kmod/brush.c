/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "brush.h"

#include "font.h"

uint32_t brush_mix(uint32_t from, uint32_t to, uint32_t part)
{
	uint32_t keep = 256 - part;
	uint32_t red_blue = ((from & 0xff00ff) * keep + (to & 0xff00ff) * part) >> 8;
	uint32_t green = ((from & 0x00ff00) * keep + (to & 0x00ff00) * part) >> 8;

	return (red_blue & 0xff00ff) | (green & 0x00ff00);
}

uint32_t brush_root(uint32_t value)
{
	uint32_t root = 0;

	for (uint32_t bit = 1u << 15; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= value)
			root |= bit;
	return root;
}

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

void brush_span(const struct brush *brush, int32_t x1, int32_t x2, uint32_t colour)
{
	int32_t end = smaller(x2, brush->end);

	for (int32_t x = larger(x1, brush->x); x < end; x++)
		brush->out[x - brush->x] = colour;
}

void brush_darken(const struct brush *brush, int32_t x1, int32_t x2)
{
	int32_t end = smaller(x2, brush->end);

	for (int32_t x = larger(x1, brush->x); x < end; x++) {
		uint32_t colour = brush->out[x - brush->x];

		brush->out[x - brush->x] = colour - ((colour >> 2) & 0x3f3f3f);
	}
}

void brush_ramp(const struct brush *brush, int32_t x1, int32_t x2, uint32_t from, uint32_t to)
{
	int32_t end = smaller(x2, brush->end);
	uint32_t step;

	if (x2 <= x1)
		return;
	step = (256u << 12) / (uint32_t)(x2 - x1);
	for (int32_t x = larger(x1, brush->x); x < end; x++)
		brush->out[x - brush->x] = brush_mix(from, to, (uint32_t)(x - x1) * step >> 12);
}

void brush_box(const struct brush *brush, struct box box, uint32_t colour)
{
	if (brush_crosses(brush, &box))
		brush_span(brush, box.x, box.x + box.width, colour);
}

void brush_disc(const struct brush *brush, int32_t x, int32_t y, uint32_t radius, uint32_t colour)
{
	uint32_t dy = (uint32_t)(brush->y < y ? y - brush->y : brush->y - y);
	int32_t half;

	if (dy > radius)
		return;
	half = (int32_t)brush_root(radius * radius - dy * dy);
	brush_span(brush, x - half, x + half + 1, colour);
}

void brush_text(const struct brush *brush, int32_t x, int32_t y, uint32_t scale, uint32_t colour,
		const char *text, uint32_t length)
{
	int32_t size = (int32_t)scale, advance = size * (int32_t)FONT_WIDTH;
	uint32_t first = 0, row;

	if (brush->y < y || brush->y - y >= size * (int32_t)FONT_HEIGHT)
		return;
	row = (uint32_t)(brush->y - y) / scale;
	if (brush->x > x)
		first = (uint32_t)(brush->x - x) / (uint32_t)advance;
	for (uint32_t i = first; i < length; i++) {
		int32_t left = x + (int32_t)i * advance;

		if (left >= brush->end)
			break;
		for (uint32_t bits = font_row(text[i], row); bits;
		     left += size, bits = bits << 1 & 0xff)
			if (bits & 0x80)
				brush_span(brush, left, left + size, colour);
	}
}

void brush_stamp(const struct brush *brush, uint32_t number)
{
	if (!brush_crosses(brush, &BRUSH_STAMP))
		return;
	for (int32_t i = 0; i < 32; i++)
		brush_span(brush, i * 8, (i + 1) * 8, number >> (31 - i) & 1 ? 0xffffff : 0);
}
