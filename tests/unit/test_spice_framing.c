/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where SPICE's messages end, however the bytes come. */
#include "spice_framing.h"

#include <glib.h>
#include <string.h>

#include "unit.h"

static void add(GByteArray *stream, GArray *ends, const void *bytes, guint length)
{
	g_byte_array_append(stream, bytes, length);
	g_array_append_val(ends, stream->len);
}

/* A channel's beginning; the link reply is 20 bytes, which the tests need not be true. */
static GByteArray *begin(GArray *ends)
{
	static const uint8_t reply[16 + 20] = {'R', 'E', 'D', 'Q', 2, 0, 0, 0, 2, 0, 0, 0, 20};
	static const uint8_t result[4];
	GByteArray *stream = g_byte_array_new();

	add(stream, ends, reply, sizeof(reply));
	add(stream, ends, result, sizeof(result));
	return stream;
}

static void add_mini(GByteArray *stream, GArray *ends, guint size)
{
	uint8_t *message = g_malloc0(6 + size);

	message[0] = 103;
	message[2] = (uint8_t)size;
	message[3] = (uint8_t)(size >> 8);
	add(stream, ends, message, 6 + size);
	g_free(message);
}

static void add_long(GByteArray *stream, GArray *ends, uint8_t serial, uint8_t size)
{
	uint8_t message[18 + 255] = {serial};

	message[8] = 103;
	message[10] = size;
	add(stream, ends, message, 18u + size);
}

/* In pieces of `piece` bytes at most, each end is found, and nothing else but ends of pieces. */
static void assert_ends(const GByteArray *stream, const GArray *ends, size_t piece)
{
	struct spice_framing framing = {0};
	guint at = 0, next = 0, found = 0;

	while (at < stream->len) {
		size_t length = MIN(piece, stream->len - at);
		size_t taken = spice_framing_next(&framing, stream->data + at, length);

		next = g_array_index(ends, guint, found);
		assert_in_range(taken, 1, length);
		assert_int_equal(taken, MIN(length, next - at));
		at += (guint)taken;
		if (at == next)
			found++;
	}
	assert_int_equal(found, ends->len);
}

static void assert_ends_in_any_pieces(GByteArray *stream, GArray *ends)
{
	for (size_t piece = 1; piece <= stream->len; piece++)
		assert_ends(stream, ends, piece);
	g_byte_array_unref(stream);
	g_array_unref(ends);
}

static void test_mini_headers(void **state)
{
	GArray *ends = g_array_new(FALSE, FALSE, sizeof(guint));
	GByteArray *stream = begin(ends);
	static const guint sizes[] = {32, 0, 0, 1, 700, 5, 0};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		add_mini(stream, ends, sizes[i]);
	assert_ends_in_any_pieces(stream, ends);
}

static void test_long_headers(void **state)
{
	GArray *ends = g_array_new(FALSE, FALSE, sizeof(guint));
	GByteArray *stream = begin(ends);
	static const uint8_t sizes[] = {32, 0, 0, 1, 200, 5, 0};

	(void)state;
	for (uint8_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		add_long(stream, ends, (uint8_t)(i + 1), sizes[i]);
	assert_ends_in_any_pieces(stream, ends);
}

static void test_what_is_no_spice_has_no_end(void **state)
{
	struct spice_framing framing = {0};
	uint8_t junk[100];

	(void)state;
	memset(junk, 0xff, sizeof(junk));
	assert_int_equal(spice_framing_next(&framing, junk, sizeof(junk)), sizeof(junk));
	assert_int_equal(spice_framing_next(&framing, junk, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mini_headers),
		cmocka_unit_test(test_long_headers),
		cmocka_unit_test(test_what_is_no_spice_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
