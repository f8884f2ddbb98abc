/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pattern_text.h"

#include "font.h"

#define TOP   16 /* free for the stamp */
#define PIECE 32u
#define PAPER 0xf7f5f0
#define INK   0x22262c

static uint32_t paper(const struct pattern *pattern)
{
	return PAPER - (brush_scramble(pattern->seed) & 0x0f0f0f);
}

/* Character `column` of line `line` of an endless text: words, indented lines of any length. */
static char text_character(uint32_t seed, uint32_t line, uint32_t column)
{
	static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz0123456789ETAOINS().,;:=+-*/<>{}";
	uint32_t key = brush_scramble(line * 2654435761u + seed), hash;

	if (column < (key & 3) * 4 || column > (key >> 8 & 127) + 16)
		return ' ';
	hash = brush_scramble(key + column);
	/* Low letters come more often, and every sixth is a space. */
	if (hash % 6 == 0)
		return ' ';
	return letters[(hash >> 8 & 63) * (hash >> 16 & 63) / 64 % (sizeof(letters) - 1)];
}

/* Columns `first` .. `end` - 1 of a line whose first column would be at x. */
static void draw_text(const struct brush *brush, uint32_t seed, uint32_t line, int32_t x, int32_t y,
		      uint32_t first, uint32_t end)
{
	char text[PIECE];

	for (; first < end; first += PIECE) {
		uint32_t n = end - first < PIECE ? end - first : PIECE;
		int32_t left = x + (int32_t)(first * FONT_WIDTH);

		if (left >= brush->end || left + (int32_t)(n * FONT_WIDTH) <= brush->x)
			continue;
		for (uint32_t i = 0; i < n; i++)
			text[i] = text_character(seed, line, first + i);
		brush_text(brush, left, y, 1, INK, text, n);
	}
}

/* How many characters a page of "typing" has, and in how many columns. */
struct page {
	uint32_t columns, characters, typed;
};

static struct page page_of(const struct pattern *pattern, uint32_t frame)
{
	struct page page = {.columns = pattern->width / FONT_WIDTH};
	uint32_t rows = pattern->height > TOP ? (pattern->height - TOP) / FONT_HEIGHT : 0;

	page.characters = page.columns * rows;
	page.typed = frame % (page.characters + 1);
	return page;
}

static struct box cell_of(const struct page *page, uint32_t character)
{
	return (struct box){(int32_t)(character % page->columns * FONT_WIDTH),
			    TOP + (int32_t)(character / page->columns * FONT_HEIGHT), FONT_WIDTH,
			    FONT_HEIGHT};
}

/* A cursor stands where the next character comes. */
void typing_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	struct page page = page_of(pattern, frame);
	uint32_t line, end;

	brush_span(brush, brush->x, brush->end, paper(pattern));
	brush_stamp(brush, frame);
	if (brush->y < TOP || !page.columns)
		return;
	line = (uint32_t)(brush->y - TOP) / FONT_HEIGHT;
	end = page.typed > line * page.columns ? page.typed - line * page.columns : 0;
	if (end > page.columns)
		end = page.columns;
	draw_text(brush, pattern->seed, line, 0, TOP + (int32_t)(line * FONT_HEIGHT), 0, end);
	if (page.typed < page.characters)
		brush_box(brush, cell_of(&page, page.typed), 0x3d7eea);
}

unsigned int typing_damage(const struct pattern *pattern, uint32_t frame,
			   struct box boxes[PATTERN_MAX_RECTS])
{
	struct page before = page_of(pattern, frame - 1), after = page_of(pattern, frame);

	boxes[0] = BRUSH_STAMP;
	if (!after.characters)
		return 1;
	if (before.typed + 1 != after.typed) {
		boxes[1] = (struct box){0, 0, (int32_t)pattern->width, (int32_t)pattern->height};
		return 2;
	}
	boxes[1] = cell_of(&before, before.typed);
	boxes[2] = cell_of(&after, after.typed);
	return 3;
}

/* A column of text between two margins; frame f begins with line f. */
static struct box scroll_box(const struct pattern *pattern)
{
	int32_t width = (int32_t)pattern->width, margin = width / 8;

	return (struct box){margin, TOP, width - 2 * margin, (int32_t)pattern->height - TOP};
}

void scroll_row(const struct pattern *pattern, uint32_t frame, const struct brush *brush)
{
	struct box box = scroll_box(pattern);
	uint32_t line = (uint32_t)(brush->y - TOP) / FONT_HEIGHT;
	struct brush inside = *brush;

	brush_span(brush, brush->x, brush->end, 0x39414f);
	brush_box(brush, box, paper(pattern));
	brush_stamp(brush, frame);
	if (!brush_crosses(brush, &box))
		return;
	if (inside.end > box.x + box.width)
		inside.end = box.x + box.width;
	draw_text(&inside, pattern->seed, frame + line, box.x, TOP + (int32_t)(line * FONT_HEIGHT),
		  0, (uint32_t)box.width / FONT_WIDTH);
}

unsigned int scroll_damage(const struct pattern *pattern, struct box boxes[PATTERN_MAX_RECTS])
{
	boxes[0] = BRUSH_STAMP;
	boxes[1] = scroll_box(pattern);
	return 2;
}
