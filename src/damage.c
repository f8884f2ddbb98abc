/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "damage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

static size_t words(const struct damage *damage)
{
	return damage->cells.stride * damage->rows;
}

int damage_init(struct damage *damage, uint32_t width, uint32_t height)
{
	damage->width = width;
	damage->height = height;
	damage->columns = (width + DETILE_CELL_WIDTH - 1) / DETILE_CELL_WIDTH;
	damage->rows = (height + DETILE_CELL_HEIGHT - 1) / DETILE_CELL_HEIGHT;
	damage->cells.stride = (damage->columns + WORD_BITS - 1) / WORD_BITS;
	damage->cells.words = calloc(words(damage) ? words(damage) : 1, sizeof(uint64_t));
	return damage->cells.words ? 0 : -ENOMEM;
}

void damage_finish(struct damage *damage)
{
	free(damage->cells.words);
	memset(damage, 0, sizeof(*damage));
}

void damage_clear(struct damage *damage)
{
	memset(damage->cells.words, 0, words(damage) * sizeof(uint64_t));
}

/* Sets bits first .. last of a row of cells. */
static void set_span(uint64_t *row, uint32_t first, uint32_t last)
{
	for (uint32_t word = first / WORD_BITS; word <= last / WORD_BITS; word++) {
		uint64_t bits = UINT64_MAX;

		if (word == first / WORD_BITS)
			bits &= UINT64_MAX << (first % WORD_BITS);
		if (word == last / WORD_BITS)
			bits &= UINT64_MAX >> (WORD_BITS - 1 - last % WORD_BITS);
		row[word] |= bits;
	}
}

void damage_add(struct damage *damage, const struct detile_rect *rect)
{
	uint32_t x2, y2;

	if (rect->x >= damage->width || rect->y >= damage->height || !rect->width || !rect->height)
		return;
	x2 = rect->width > damage->width - rect->x ? damage->width : rect->x + rect->width;
	y2 = rect->height > damage->height - rect->y ? damage->height : rect->y + rect->height;
	for (uint32_t row = rect->y / DETILE_CELL_HEIGHT; row <= (y2 - 1) / DETILE_CELL_HEIGHT;
	     row++)
		set_span(damage->cells.words + row * damage->cells.stride,
			 rect->x / DETILE_CELL_WIDTH, (x2 - 1) / DETILE_CELL_WIDTH);
}

void damage_add_all(struct damage *damage)
{
	damage_add(damage, &(struct detile_rect){0, 0, damage->width, damage->height});
}

void damage_merge(struct damage *damage, const struct damage *other)
{
	for (size_t i = 0; i < words(damage); i++)
		damage->cells.words[i] |= other->cells.words[i];
}

bool damage_is_empty(const struct damage *damage)
{
	for (size_t i = 0; i < words(damage); i++)
		if (damage->cells.words[i])
			return false;
	return true;
}

size_t damage_count(const struct damage *damage)
{
	size_t count = 0;

	for (size_t i = 0; i < words(damage); i++)
		count += (size_t)__builtin_popcountll(damage->cells.words[i]);
	return count;
}

/* The first set (or, with flip all ones, clear) bit of a row from a column on; columns if none. */
static uint32_t next_bit(const struct damage *damage, const uint64_t *row, uint32_t column,
			 uint64_t flip)
{
	while (column < damage->columns) {
		uint64_t word = (row[column / WORD_BITS] ^ flip) >> (column % WORD_BITS);

		if (word) {
			column += (uint32_t)__builtin_ctzll(word);
			break;
		}
		column = (column / WORD_BITS + 1) * WORD_BITS;
	}
	return column < damage->columns ? column : damage->columns;
}

static struct detile_rect span_rect(const struct damage *damage, uint32_t first, uint32_t end,
				    uint32_t top, uint32_t bottom)
{
	uint32_t x1 = first * DETILE_CELL_WIDTH, x2 = end * DETILE_CELL_WIDTH;
	uint32_t y1 = top * DETILE_CELL_HEIGHT, y2 = bottom * DETILE_CELL_HEIGHT;

	if (x2 > damage->width)
		x2 = damage->width;
	if (y2 > damage->height)
		y2 = damage->height;
	return (struct detile_rect){x1, y1, x2 - x1, y2 - y1};
}

size_t damage_each(const struct damage *damage,
		   void (*each)(const struct detile_rect *rect, void *data), void *data)
{
	size_t count = 0;

	for (uint32_t top = 0, bottom; top < damage->rows; top = bottom) {
		const uint64_t *row = damage->cells.words + top * damage->cells.stride;
		size_t bytes = damage->cells.stride * sizeof(uint64_t);

		bottom = top + 1;
		while (bottom < damage->rows &&
		       !memcmp(row, damage->cells.words + bottom * damage->cells.stride, bytes))
			bottom++;
		for (uint32_t first = next_bit(damage, row, 0, 0); first < damage->columns;) {
			uint32_t end = next_bit(damage, row, first, UINT64_MAX);
			struct detile_rect rect = span_rect(damage, first, end, top, bottom);

			each(&rect, data);
			count++;
			first = next_bit(damage, row, end, 0);
		}
	}
	return count;
}
