/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card.h"

#include <string.h>

#include "kmod/brush.h"
#include "kmod/font.h"

#define TITLE         "No signal"
#define TITLE_LETTERS (sizeof(TITLE) - 1)
#define TOP_COLOUR    0x1b212bu
#define BOTTOM_COLOUR 0x0d1015u
#define TITLE_COLOUR  0xe6eaf0u
#define REASON_COLOUR 0x93a0b4u
#define SYMBOL_COLOUR 0x4a586cu
#define MAX_LINES     8u
#define LINE_SPACING  20u /* pixels of the font */
#define SYMBOL_WIDTH  64  /* pixels of the title's font */
#define SYMBOL_HEIGHT 48

struct line {
	const char *text;
	uint32_t length;
};

/* Where everything is; computed once a card. */
struct card {
	int32_t width, height;
	uint32_t title_scale, reason_scale;
	int32_t symbol_y, title_y, reason_y;
	struct line lines[MAX_LINES];
	uint32_t line_count;
};

/* The longest start of text that fits: up to the last space, or within a word that is too long. */
static uint32_t break_at(const char *text, uint32_t columns)
{
	uint32_t length = (uint32_t)strnlen(text, columns + 1), at;

	if (length <= columns)
		return length;
	for (at = columns; at > 0; at--)
		if (text[at] == ' ')
			return at;
	return columns;
}

static void wrap(struct card *card, const char *text, uint32_t columns)
{
	while (card->line_count < MAX_LINES) {
		text += strspn(text, " ");
		if (!*text)
			break;
		card->lines[card->line_count].text = text;
		card->lines[card->line_count].length = break_at(text, columns);
		text += card->lines[card->line_count++].length;
	}
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
	return value < low ? low : value > high ? high : value;
}

static struct card card_of(const struct frame *frame, const char *reason)
{
	struct card card = {.width = (int32_t)frame->width, .height = (int32_t)frame->height};
	uint32_t by_width = frame->width / (TITLE_LETTERS * FONT_WIDTH * 3);
	uint32_t by_height = frame->height / 120;
	uint32_t columns;
	int32_t total, symbol = 0;

	card.title_scale = clamp(by_width < by_height ? by_width : by_height, 1, 32);
	card.reason_scale = clamp((card.title_scale + 1) / 3, 1, 16);
	columns = frame->width * 7 / 8 / (FONT_WIDTH * card.reason_scale);
	wrap(&card, reason ? reason : "", columns ? columns : 1);
	total = (int32_t)(card.title_scale * FONT_HEIGHT +
			  card.reason_scale * LINE_SPACING * (card.line_count + 1));
	if (total + SYMBOL_HEIGHT * (int32_t)card.title_scale <= card.height)
		symbol = SYMBOL_HEIGHT * (int32_t)card.title_scale;
	card.symbol_y = (card.height - total - symbol) / 2;
	card.title_y = card.symbol_y + symbol;
	if (card.title_y < 0)
		card.title_y = 0;
	card.reason_y = card.title_y + (int32_t)(card.title_scale * FONT_HEIGHT +
						 card.reason_scale * LINE_SPACING / 2);
	return card;
}

/* A monitor with nothing on it. */
static void draw_symbol(const struct card *card, const struct brush *brush)
{
	int32_t s = (int32_t)card->title_scale, x = (card->width - SYMBOL_WIDTH * s) / 2;
	int32_t y = card->symbol_y;
	const struct box boxes[] = {
		{x, y, SYMBOL_WIDTH * s, 34 * s},                       /* the frame */
		{x + 3 * s, y + 3 * s, (SYMBOL_WIDTH - 6) * s, 28 * s}, /* the screen */
		{x + 28 * s, y + 34 * s, 8 * s, 4 * s},                 /* the foot */
		{x + 20 * s, y + 38 * s, 24 * s, 3 * s},
	};

	if (card->symbol_y == card->title_y)
		return;
	for (uint32_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
		brush_box(brush, boxes[i], i == 1 ? BOTTOM_COLOUR : SYMBOL_COLOUR);
}

static void draw_centred(const struct card *card, const struct brush *brush, int32_t y,
			 uint32_t scale, uint32_t colour, const struct line *line)
{
	int32_t width = (int32_t)(line->length * FONT_WIDTH * scale);

	brush_text(brush, (card->width - width) / 2, y, scale, colour, line->text, line->length);
}

void card_draw(struct frame *frame, const char *reason)
{
	const struct line title = {TITLE, TITLE_LETTERS};
	struct card card = card_of(frame, reason);

	for (int32_t y = 0; y < card.height; y++) {
		struct brush brush = {
			.out = (uint32_t *)(void *)((uint8_t *)frame->pixels +
						    (size_t)y * frame->stride),
			.end = card.width,
			.y = y,
		};

		brush_span(&brush, 0, card.width,
			   brush_mix(TOP_COLOUR, BOTTOM_COLOUR, (uint32_t)y * 256 / frame->height));
		draw_symbol(&card, &brush);
		draw_centred(&card, &brush, card.title_y, card.title_scale, TITLE_COLOUR, &title);
		for (uint32_t i = 0; i < card.line_count; i++)
			draw_centred(&card, &brush,
				     card.reason_y +
					     (int32_t)(i * LINE_SPACING * card.reason_scale),
				     card.reason_scale, REASON_COLOUR, &card.lines[i]);
	}
}
