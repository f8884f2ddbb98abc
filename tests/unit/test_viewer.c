/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The viewer that tests and measurements trust: messages by hand, and what it must refuse. */
#include "viewer.h"

#include <string.h>
#include <zlib.h>

#include "unit.h"
#include "wire.h"

#define WIDTH  8u
#define HEIGHT 4u

/* A message in the making: one update of one rectangle, pixels x8r8g8b8. */
struct message {
	uint8_t bytes[512];
	size_t length;
};

static void add(struct message *message, const void *bytes, size_t length)
{
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static struct message begin(int32_t encoding, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	struct message message = {{VIEWER_UPDATE, 0, 0, 1}, 16};

	wire_put_u16(message.bytes + 4, x);
	wire_put_u16(message.bytes + 6, y);
	wire_put_u16(message.bytes + 8, w);
	wire_put_u16(message.bytes + 10, h);
	wire_put_u32(message.bytes + 12, (uint32_t)encoding);
	return message;
}

/* Compressed, behind its length: four bytes for ZRLE, one for Tight. */
static void add_deflated(struct message *message, const void *bytes, size_t length, bool tight)
{
	uint8_t packed[256];
	uLongf size = sizeof(packed);

	assert_int_equal(compress(packed, &size, bytes, length), Z_OK);
	assert_in_range(size, 1, 127);
	add(message, tight ? &(uint8_t){(uint8_t)size} : (const uint8_t[]){0, 0, 0, (uint8_t)size},
	    tight ? 1 : 4);
	add(message, packed, size);
}

static int take(struct viewer *viewer, const struct message *message)
{
	assert_true(viewer_feed(viewer, message->bytes, message->length));
	return viewer_message(viewer);
}

static void check_rect(const struct viewer *viewer, const struct viewer_rect *rect, uint32_t colour)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			if (x >= rect->x && x < rect->x + rect->width && y >= rect->y &&
			    y < rect->y + rect->height)
				assert_int_equal(viewer->pixels[y * WIDTH + x], colour);
			else
				assert_int_equal(viewer->pixels[y * WIDTH + x], 0);
}

static void open_fed(struct viewer *viewer)
{
	viewer_open_fed(viewer, WIDTH, HEIGHT, &viewer_x8r8g8b8);
}

/* Every kind of rectangle, each with one colour: 0x123456. */
static void test_rectangles_are_decoded(void **state)
{
	const uint8_t wire[] = {0x56, 0x34, 0x12, 0}, rgb[] = {0x12, 0x34, 0x56};
	const uint8_t solid[] = {1, 0x56, 0x34, 0x12}, runs[] = {128, 0x56, 0x34, 0x12, 5};
	const uint8_t packed[] = {2, 0, 0, 0, 0x56, 0x34, 0x12, 0xe0, 0xe0};
	const uint8_t indices[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	const struct viewer_rect rect = {2, 1, 3, 2}, wide = {1, 0, 4, 3};
	struct message m[7];
	uint8_t full[18];

	(void)state;
	m[0] = begin(VIEWER_RAW, 2, 1, 3, 2);
	for (int i = 0; i < 6; i++)
		add(&m[0], wire, 4);
	m[1] = begin(VIEWER_TIGHT, 2, 1, 3, 2);
	add(&m[1], "\x80", 1);
	add(&m[1], rgb, 3);
	m[2] = begin(VIEWER_TIGHT, 2, 1, 3, 2);
	add(&m[2], "\x10", 1); /* the second stream, pixels as they are */
	for (int i = 0; i < 6; i++)
		memcpy(full + 3 * i, rgb, 3);
	add_deflated(&m[2], full, sizeof(full), true);
	m[3] = begin(VIEWER_ZRLE, 2, 1, 3, 2);
	add_deflated(&m[3], solid, sizeof(solid), false);
	m[4] = begin(VIEWER_ZRLE, 2, 1, 3, 2);
	add_deflated(&m[4], runs, sizeof(runs), false);
	m[5] = begin(VIEWER_ZRLE, 2, 1, 3, 2);
	add_deflated(&m[5], packed, sizeof(packed), false);
	m[6] = begin(VIEWER_TIGHT, 1, 0, 4, 3);
	add(&m[6], "\x40\1\2", 3); /* a palette of three */
	add(&m[6], (const uint8_t[]){0, 0, 0, 0x12, 0x34, 0x56, 1, 1, 1}, 9);
	add_deflated(&m[6], indices, sizeof(indices), true);
	for (int i = 0; i < 7; i++) {
		struct viewer viewer;

		open_fed(&viewer);
		assert_int_equal(take(&viewer, &m[i]), VIEWER_UPDATE);
		check_rect(&viewer, i == 6 ? &wide : &rect, 0x123456);
		assert_int_equal(viewer.counts.rectangles, 1);
		viewer_close(&viewer);
	}
}

static void test_copies_may_overlap(void **state)
{
	struct message fill = begin(VIEWER_TIGHT, 0, 0, 1, 1);
	struct message copy = begin(VIEWER_COPY_RECT, 1, 0, 7, 4);
	struct viewer viewer;

	(void)state;
	open_fed(&viewer);
	add(&fill, "\x80\x12\x34\x56", 4);
	add(&copy, "\0\0\0\0", 4);
	assert_int_equal(take(&viewer, &fill), VIEWER_UPDATE);
	for (uint32_t x = 1; x < WIDTH; x++) {
		assert_int_equal(take(&viewer, &copy), VIEWER_UPDATE);
		assert_int_equal(viewer.pixels[x], 0x123456);
	}
	viewer_close(&viewer);
}

static void test_bad_messages_are_refused(void **state)
{
	struct message m[7] = {
		begin(VIEWER_RAW, 6, 0, 3, 1),
		begin(VIEWER_RAW, 0, 0, 1, 1),
		begin(VIEWER_COPY_RECT, 0, 0, 8, 4),
		begin(VIEWER_TIGHT, 0, 0, 1, 1),
		begin(VIEWER_ZRLE, 0, 0, 1, 1),
		begin(VIEWER_ZRLE, 0, 0, 1, 1),
		begin(5, 0, 0, 1, 1),
	};
	static const char *const reasons[7] = {
		"a rectangle lies outside",
		"the message is cut short",
		"copies from outside",
		"an unknown kind of Tight rectangle",
		"an unknown kind of tile",
		"a run is too long",
		"an encoding that was not asked for",
	};

	(void)state;
	add(&m[2], "\0\1\0\0", 4);
	add(&m[3], "\xf0", 1);
	add_deflated(&m[4], "\x81", 1, false);
	add_deflated(&m[5], "\x80\1\2\3\1", 5, false);
	for (int i = 0; i < 7; i++) {
		struct viewer viewer;

		open_fed(&viewer);
		assert_true(take(&viewer, &m[i]) < 0);
		assert_string_equal(viewer.reason, reasons[i]);
		viewer_close(&viewer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rectangles_are_decoded),
		cmocka_unit_test(test_copies_may_overlap),
		cmocka_unit_test(test_bad_messages_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
