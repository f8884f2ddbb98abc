/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_parser.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "unit.h"

/* What the parser says, in words. */

static void on_format(void *data, const struct vnc_format *format)
{
	g_string_append_printf(data, "format %u/%u %d %d %u<<%u %u<<%u %u<<%u\n", format->bits,
			       format->depth, format->big_endian, format->true_colour,
			       format->red_max, format->red_shift, format->green_max,
			       format->green_shift, format->blue_max, format->blue_shift);
}

static void on_encodings(void *data, const struct vnc_encodings *encodings)
{
	g_string_append_printf(
		data, "encodings %d%s%s%s%s%s%s%s%s c%d q%d f%d s%d\n", encodings->preferred,
		encodings->x_cursor ? " x" : "", encodings->rich_cursor ? " rich" : "",
		encodings->alpha_cursor ? " alpha" : "",
		encodings->pointer_position ? " position" : "",
		encodings->extended_keys ? " keys" : "", encodings->last_rect ? " last" : "",
		encodings->desktop_size ? " size" : "",
		encodings->extended_desktop_size ? " extended" : "", encodings->compress_level,
		encodings->quality_level, encodings->fine_quality_level, encodings->subsampling);
}

static void on_request(void *data, bool incremental, const struct vnc_rect *rect)
{
	g_string_append_printf(data, "request %d %u,%u %ux%u\n", incremental, rect->x, rect->y,
			       rect->width, rect->height);
}

static void on_size(void *data, uint16_t width, uint16_t height, bool valid)
{
	g_string_append_printf(data, "size %ux%u%s\n", width, height, valid ? "" : " invalid");
}

static void on_key(void *data, bool down, uint32_t keysym, uint32_t scancode)
{
	g_string_append_printf(data, "key %d %x %x\n", down, keysym, scancode);
}

static void on_pointer(void *data, uint16_t buttons, uint16_t x, uint16_t y)
{
	g_string_append_printf(data, "pointer %u %u,%u\n", buttons, x, y);
}

static void on_continuous(void *data, bool on, const struct vnc_rect *rect)
{
	g_string_append_printf(data, "continuous %d %u,%u %ux%u\n", on, rect->x, rect->y,
			       rect->width, rect->height);
}

static void on_fence(void *data, uint32_t flags, const uint8_t *payload, size_t length)
{
	g_string_append_printf(data, "fence %x %.*s\n", flags, (int)length, payload);
}

/* Pieces come as they do; the end says of which kind it was. */
static void on_cut_text(void *data, const uint8_t *bytes, size_t n, size_t left, bool extended)
{
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(data, "%02x", bytes[i]);
	if (!left)
		g_string_append(data, extended ? " extended text\n" : " text\n");
}

/* A fence of "!" holds what comes next. */
static bool holds(void *data)
{
	return g_str_has_suffix(((GString *)data)->str, "!\n");
}

static const struct vnc_parser_ops ops = {
	.format = on_format,
	.encodings = on_encodings,
	.request = on_request,
	.set_desktop_size = on_size,
	.key = on_key,
	.pointer = on_pointer,
	.continuous = on_continuous,
	.fence = on_fence,
	.cut_text = on_cut_text,
};

static const uint8_t talk[] = {
	/* SetPixelFormat */
	0,
	0,
	0,
	0,
	16,
	15,
	1,
	1,
	0,
	31,
	0,
	63,
	0,
	31,
	11,
	5,
	0,
	9,
	9,
	9,
	/* SetEncodings: none */
	2,
	0,
	0,
	0,
	/* unknown, ExtendedClipboard, ZRLE, Tight, both sizes, cursor, level 9, quality 4 */
	2,
	0,
	0,
	8,
	0,
	0,
	0x12,
	0x34,
	0xc0,
	0xa1,
	0xe5,
	0xce,
	0,
	0,
	0,
	16,
	0,
	0,
	0,
	7,
	0xff,
	0xff,
	0xff,
	0x21,
	0xff,
	0xff,
	0xfe,
	0xcc,
	0xff,
	0xff,
	0xff,
	0x11,
	0xff,
	0xff,
	0xff,
	9,
	/* QEMU Extended Key Event, Cursor With Alpha, Pointer Position, Tight, LastRect,
	   X cursor, fine quality 100, subsampling 3 */
	2,
	0,
	0,
	8,
	0xff,
	0xff,
	0xfe,
	0xfe,
	0xff,
	0xff,
	0xfe,
	0xc6,
	0xff,
	0xff,
	0xff,
	0x18,
	0,
	0,
	0,
	7,
	0xff,
	0xff,
	0xff,
	0x20,
	0xff,
	0xff,
	0xff,
	0x10,
	0xff,
	0xff,
	0xfe,
	0x64,
	0xff,
	0xff,
	0xfd,
	3,
	/* FramebufferUpdateRequest */
	3,
	1,
	0,
	1,
	0,
	2,
	1,
	0,
	2,
	0,
	/* KeyEvent, PointerEvent */
	4,
	1,
	0,
	0,
	0,
	0,
	0xff,
	0x0d,
	5,
	3,
	0,
	7,
	0,
	8,
	/* ClientCutText of 25 bytes and of none */
	6,
	0,
	0,
	0,
	0,
	0,
	0,
	25,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	3,
	6,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	/* QEMU Extended Key Event: the right Control key */
	255,
	0,
	0,
	1,
	0,
	0,
	0xff,
	0xe4,
	0,
	0,
	0,
	0x9d,
	/* SetDesktopSize with one screen */
	251,
	0,
	4,
	0,
	3,
	0,
	1,
	0,
	0,
	0,
	0,
	1,
	0,
	0,
	0,
	0,
	4,
	0,
	3,
	0,
	0,
	0,
	0,
	0,
	/* and the end */
	3,
	0,
	0,
	0,
	0,
	0,
	0,
	1,
	0,
	1,
};

static const char said[] = "format 16/15 1 1 31<<11 63<<5 31<<0\n"
			   "encodings 0 c-1 q-1 f-1 s-1\n"
			   "encodings 16 rich size extended c9 q-1 f-1 s-1\n"
			   "encodings 7 x alpha position keys last c-1 q-1 f100 s3\n"
			   "request 1 1,2 256x512\n"
			   "key 1 ff0d 0\n"
			   "pointer 3 7,8\n"
			   "03030303030303030303030303030303030303030303030303 text\n"
			   " text\n"
			   "key 1 ffe4 9d\n"
			   "size 1024x768\n"
			   "request 0 0,0 1x1\n";

static void test_parser_understands_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= sizeof(talk); piece++) {
		GString *text = g_string_new(NULL);
		struct vnc_parser parser;

		vnc_parser_init(&parser);
		for (size_t i = 0; i < sizeof(talk); i += piece)
			assert_int_equal(vnc_parser_feed(&parser, talk + i,
							 MIN(piece, sizeof(talk) - i), &ops, text),
					 0);
		assert_string_equal(text->str, said);
		assert_int_equal(parser.messages, 12);
		g_string_free(text, TRUE);
	}
}

static void test_parser_refuses_what_was_not_offered(void **state)
{
	static const uint8_t known[] = {0, 2, 3, 4, 5, 6, 150, 248, 251, 255};

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		uint8_t byte = (uint8_t)type;
		struct vnc_parser parser;

		vnc_parser_init(&parser);
		assert_int_equal(vnc_parser_feed(&parser, &byte, 1, &ops, NULL),
				 memchr(known, byte, sizeof(known)) ? 0 : -EPROTO);
	}
}

/* Fence and ContinuousUpdates, then a message of each that holds nobody, and one that does. */
static const uint8_t fences[] = {
	2,   0, 0, 2, 0xff, 0xff, 0xfe, 0xc8, 0xff, 0xff, 0xfe, 0xc7, /**/
	248, 0, 0, 0, 0x80, 0,    0,    5,    3,    'a',  'b',  'c',  /**/
	150, 1, 0, 1, 0,    2,    1,    0,    2,    0,                /**/
	248, 0, 0, 0, 0,    0,    0,    0,    0,                      /**/
	2,   0, 0, 0,                                                 /* an offer holds */
	248, 0, 0, 0, 0,    0,    0,    1,    1,    '!',              /**/
	4,   1, 0, 0, 0,    0,    0,    0x61,
};

static void test_parser_stops_where_it_is_told(void **state)
{
	struct vnc_parser_ops held = ops;

	(void)state;
	held.holds = holds;
	for (size_t piece = 1; piece <= sizeof(fences); piece++) {
		GString *text = g_string_new(NULL);
		struct vnc_parser parser;
		size_t at = 0;

		vnc_parser_init(&parser);
		do {
			assert_int_equal(vnc_parser_feed(&parser, fences + at,
							 MIN(piece, sizeof(fences) - at), &held,
							 text),
					 0);
			at += parser.taken;
		} while (parser.taken);
		assert_int_equal(at, sizeof(fences) - 8);
		assert_true(g_str_has_suffix(text->str, "fence 80000005 abc\n"
							"continuous 1 1,2 256x512\n"
							"fence 0 \n"
							"encodings 0 c-1 q-1 f-1 s-1\n"
							"fence 1 !\n"));
		assert_int_equal(vnc_parser_feed(&parser, fences + at, 8, &ops, text), 0);
		assert_int_equal(parser.taken, 8);
		assert_true(g_str_has_suffix(text->str, "key 1 61 0\n"));
		g_string_free(text, TRUE);
	}
}

static void test_parser_bounds_fences(void **state)
{
	(void)state;
	for (unsigned int length = 0; length < 256; length++) {
		GString *text = g_string_new(NULL);
		uint8_t message[12 + 9];
		struct vnc_parser parser;

		memcpy(message, fences, 21);
		message[12 + 8] = (uint8_t)length;
		vnc_parser_init(&parser);
		assert_int_equal(vnc_parser_feed(&parser, message, 21, &ops, text),
				 length > VNC_FENCE_PAYLOAD ? -EPROTO : 0);
		g_string_free(text, TRUE);
	}
}

static void test_parser_knows_one_message_of_qemus(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < 256; kind++) {
		uint8_t message[12] = {255, (uint8_t)kind};
		GString *text = g_string_new(NULL);
		struct vnc_parser parser;

		vnc_parser_init(&parser);
		assert_int_equal(vnc_parser_feed(&parser, message, 12, &ops, text),
				 kind ? -EPROTO : 0);
		assert_string_equal(text->str, kind ? "" : "key 0 0 0\n");
		g_string_free(text, TRUE);
	}
}

static void test_parser_lets_no_impossible_format_pass(void **state)
{
	static const struct {
		uint8_t message[20];
		bool good;
	} cases[] = {
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, true},
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8}, true},
		{{0, 0, 0, 0, 32, 30, 0, 1, 3, 255, 3, 255, 3, 255, 20, 10, 0}, true},
		{{0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6}, true},
		{{0, 0, 0, 0, 8, 3, 0, 1, 0, 1, 0, 1, 0, 1, 2, 1, 0}, true},
		{{0, 0, 0, 0, 8, 8, 0, 0}, true}, /* palette */
		{{0, 0, 0, 0, 16, 16, 0, 0}, false},
		{{0, 0, 0, 0, 0, 0, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		{{0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		{{0, 0, 0, 0, 64, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, false},
		/* beyond the pixel, on each other, no colour at all, not 2^n - 1 */
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 25, 8, 0}, false},
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 255, 8, 0}, false},
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 48, 8, 0}, false},
		{{0, 0, 0, 0, 16, 16, 0, 1, 0, 255, 0, 255, 0, 255, 8, 4, 0}, false},
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 0, 0, 255, 0, 255, 16, 8, 0}, false},
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 254, 0, 255, 0, 255, 16, 8, 0}, false},
		{{0, 0, 0, 0, 32, 24, 0, 1, 255, 255, 255, 255, 255, 255, 16, 8, 0}, false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *text = g_string_new(NULL);
		struct vnc_parser parser;

		vnc_parser_init(&parser);
		assert_int_equal(vnc_parser_feed(&parser, cases[i].message, 20, &ops, text),
				 cases[i].good ? 0 : -EPROTO);
		assert_int_equal(text->len != 0, cases[i].good);
		g_string_free(text, TRUE);
	}
}

static void test_parser_takes_the_clipboard_by_signs(void **state)
{
	static const struct {
		uint8_t head[8];
		int result;
	} cases[] = {
		{{6, 0, 0, 0, 0, 0x10, 0, 0}, 0},
		{{6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}, 0},
		{{6, 0, 0, 0, 0x80, 0, 0, 0}, -EPROTO}, /* extended, not offered */
		{{6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vnc_parser parser;

		vnc_parser_init(&parser);
		assert_int_equal(vnc_parser_feed(&parser, cases[i].head, 8, &ops, NULL),
				 cases[i].result);
	}
}

/* A million random bytes, mostly of known types: whole or in pieces it says the same. */
static void test_parser_says_the_same_of_any_rubbish(void **state)
{
	static const uint8_t types[] = {0, 2, 3, 4, 5, 6, 150, 248, 251, 255, 77};
	GRand *random = g_rand_new_with_seed(1);

	(void)state;
	for (int turn = 0; turn < 4000; turn++) {
		GString *whole = g_string_new(NULL), *pieces = g_string_new(NULL);
		struct vnc_parser a, b;
		uint8_t bytes[256];
		size_t i = 0;
		int ra, rb = 0;

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = g_rand_int_range(random, 0, 4)
					   ? (uint8_t)g_rand_int_range(random, 0, 3)
					   : types[g_rand_int_range(random, 0, sizeof(types))];
		vnc_parser_init(&a);
		vnc_parser_init(&b);
		ra = vnc_parser_feed(&a, bytes, sizeof(bytes), &ops, whole);
		while (!rb && i < sizeof(bytes)) {
			size_t piece = (size_t)g_rand_int_range(random, 1, 40);

			piece = MIN(piece, sizeof(bytes) - i);
			rb = vnc_parser_feed(&b, bytes + i, piece, &ops, pieces);
			i += piece;
		}
		assert_int_equal(ra, rb);
		assert_string_equal(whole->str, pieces->str);
		g_string_free(whole, TRUE);
		g_string_free(pieces, TRUE);
	}
	g_rand_free(random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parser_understands_pieces_of_any_size),
		cmocka_unit_test(test_parser_refuses_what_was_not_offered),
		cmocka_unit_test(test_parser_stops_where_it_is_told),
		cmocka_unit_test(test_parser_bounds_fences),
		cmocka_unit_test(test_parser_knows_one_message_of_qemus),
		cmocka_unit_test(test_parser_lets_no_impossible_format_pass),
		cmocka_unit_test(test_parser_takes_the_clipboard_by_signs),
		cmocka_unit_test(test_parser_says_the_same_of_any_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
