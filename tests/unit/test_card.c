/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kmod/font.h"
#include "unit.h"

#define BRIGHT 0x80u /* green of the title and the reason, above that of all else */

static struct frame *card(uint32_t width, uint32_t height, const char *reason)
{
	struct frame *frame = frame_create(width, height);

	assert_non_null(frame);
	memset(frame->pixels, 0xee, frame->stride * height);
	card_draw(frame, reason);
	return frame;
}

static uint32_t pixel(const struct frame *frame, uint32_t x, uint32_t y)
{
	return frame->pixels[y * (frame->stride / 4) + x];
}

static bool is_bright(const struct frame *frame, uint32_t x, uint32_t y)
{
	return (pixel(frame, x, y) >> 8 & 255) >= BRIGHT;
}

/* Whether the text stands somewhere in the frame, letter by letter of the font. */
static bool shows_at(const struct frame *frame, const char *text, uint32_t scale, uint32_t left,
		     uint32_t top)
{
	for (uint32_t y = 0; y < FONT_HEIGHT; y++)
		for (uint32_t x = 0; text[x / FONT_WIDTH]; x++) {
			bool ink = font_row(text[x / FONT_WIDTH], y) & 0x80 >> x % FONT_WIDTH;

			if (is_bright(frame, left + x * scale, top + y * scale) != ink)
				return false;
		}
	return true;
}

static bool shows(const struct frame *frame, const char *text, uint32_t scale)
{
	uint32_t width = (uint32_t)strlen(text) * FONT_WIDTH * scale, height = FONT_HEIGHT * scale;

	for (uint32_t y = 0; y + height <= frame->height; y++)
		for (uint32_t x = 0; x + width <= frame->width; x++)
			if (shows_at(frame, text, scale, x, y))
				return true;
	return false;
}

static void test_the_card_says_what_is_wrong(void **state)
{
	struct frame *frame = card(640, 480, "the guest has no driver");

	(void)state;
	assert_true(shows(frame, "No signal", 2));
	assert_true(shows(frame, "the guest has no driver", 1));
	assert_false(shows(frame, "the guest has no drivel", 1));
	frame_release(frame);
}

static void test_long_reasons_are_wrapped_between_words(void **state)
{
	struct frame *frame = card(200, 200, "one two three four five six seven eight nine ten");

	(void)state;
	/* 21 columns of 8 pixels in 7/8 of 200. */
	assert_true(shows(frame, "one two three four", 1));
	assert_true(shows(frame, "five six seven eight", 1));
	assert_true(shows(frame, "nine ten", 1));
	assert_false(shows(frame, "four five", 1));
	frame_release(frame);
}

static void test_what_the_font_lacks_shows_as_a_question_mark(void **state)
{
	struct frame *frame = card(320, 240, "a\tb\x7f\xc3\xa9z");

	(void)state;
	assert_true(shows(frame, "a?b???z", 1));
	frame_release(frame);
}

static void test_every_size_is_filled_and_nothing_else(void **state)
{
	static const uint32_t sizes[][2] = {{1, 1},     {1, 300},    {300, 1},   {7, 5},
					    {33, 17},   {80, 25},    {64, 2000}, {2000, 64},
					    {720, 400}, {4096, 2160}};
	static const char *const reasons[] = {
		NULL,
		"",
		"   ",
		"x",
		"a reason of several words that has to be wrapped at last",
		"averyveryverylongwordwithoutanyspaceinitthatfitsnolineatallandmustbecutsomewhere"};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t r = 0; r < sizeof(reasons) / sizeof(reasons[0]); r++) {
			struct frame *frame = card(sizes[i][0], sizes[i][1], reasons[r]);
			size_t columns = frame->stride / 4;

			for (uint32_t y = 0; y < frame->height; y++)
				for (uint32_t x = 0; x < columns; x++)
					if ((frame->pixels[y * columns + x] == 0xeeeeeeee) !=
					    (x >= frame->width))
						fail_msg("%ux%u: pixel %u,%u", frame->width,
							 frame->height, x, y);
			frame_release(frame);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_card_says_what_is_wrong),
		cmocka_unit_test(test_long_reasons_are_wrapped_between_words),
		cmocka_unit_test(test_what_the_font_lacks_shows_as_a_question_mark),
		cmocka_unit_test(test_every_size_is_filled_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
