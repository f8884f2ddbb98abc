/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "websocket.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "unit.h"

#define FIN 0x80

/* Appends a frame as a client sends it. */
static void add_frame(GByteArray *wire, uint8_t first, const void *payload, size_t length,
		      uint32_t mask)
{
	uint8_t header[WEBSOCKET_HEADER], key[4];
	size_t n = websocket_header(header, WEBSOCKET_BINARY, length);

	memcpy(key, &mask, sizeof(key));
	header[0] = first;
	header[1] |= 0x80;
	g_byte_array_append(wire, header, (guint)n);
	g_byte_array_append(wire, key, sizeof(key));
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = ((const uint8_t *)payload)[i] ^ key[i % 4];

		g_byte_array_append(wire, &byte, 1);
	}
}

/* Feeds pieces of at most `piece` bytes; appends the payload. The last result below 0, or 0. */
static ssize_t feed(struct websocket_reader *reader, const uint8_t *wire, size_t length,
		    size_t piece, GByteArray *payload)
{
	ssize_t n = 0;

	for (size_t at = 0; at < length && n >= 0 && !reader->closed; at += piece) {
		size_t part = MIN(piece, length - at);
		/* Of exactly that size, so that a sanitizer sees each byte beyond. */
		uint8_t *bytes = g_memdup2(wire + at, part);

		n = websocket_reader_feed(reader, bytes, part);
		assert_true(n <= (ssize_t)part);
		if (n > 0)
			g_byte_array_append(payload, bytes, (guint)n);
		g_free(bytes);
	}
	return MIN(n, 0);
}

static void test_header_has_the_shortest_length(void **state)
{
	static const struct {
		size_t length, header;
		uint8_t bytes[WEBSOCKET_HEADER];
	} cases[] = {
		{0, 2, {0x82, 0}},
		{125, 2, {0x82, 125}},
		{126, 4, {0x82, 126, 0, 126}},
		{65535, 4, {0x82, 126, 0xff, 0xff}},
		{65536, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t header[WEBSOCKET_HEADER];

		assert_int_equal(websocket_header(header, WEBSOCKET_BINARY, cases[i].length),
				 cases[i].header);
		assert_memory_equal(header, cases[i].bytes, cases[i].header);
	}
}

/* Frames of all lengths and kinds, with pings between the parts of messages, in any pieces. */
static void test_reader_takes_messages_in_any_pieces(void **state)
{
	static const size_t lengths[] = {0, 1, 2, 7, 125, 126, 127, 4096, 65535, 65536};
	static const size_t pieces[] = {1, 2, 3, 13, 14, 127, 1000, 1 << 20};
	GByteArray *wire = g_byte_array_new(), *expected = g_byte_array_new();
	GRand *dice = g_rand_new_with_seed(6);

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		size_t length = lengths[i % G_N_ELEMENTS(lengths)];
		uint8_t *data = g_malloc(length + 1);
		bool begins = i % 4 == 0, ends = i % 4 == 3;

		for (size_t j = 0; j < length; j++)
			data[j] = (uint8_t)g_rand_int(dice);
		add_frame(wire, (uint8_t)((ends ? FIN : 0) | (begins ? WEBSOCKET_BINARY : 0)), data,
			  length, g_rand_int(dice));
		g_byte_array_append(expected, data, (guint)length);
		add_frame(wire, FIN | WEBSOCKET_PING, "are you there?", 14, g_rand_int(dice));
		add_frame(wire, FIN | WEBSOCKET_PONG, data, MIN(length, 125), g_rand_int(dice));
		g_free(data);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
		struct websocket_reader reader = {0};
		GByteArray *payload = g_byte_array_new();

		assert_int_equal(feed(&reader, wire->data, wire->len, pieces[i], payload), 0);
		assert_int_equal(payload->len, expected->len);
		assert_memory_equal(payload->data, expected->data, expected->len);
		assert_true(reader.ping);
		assert_int_equal(reader.ping_length, 14);
		assert_memory_equal(reader.ping_payload, "are you there?", 14);
		g_byte_array_unref(payload);
	}
	g_rand_free(dice);
	g_byte_array_unref(wire);
	g_byte_array_unref(expected);
}

static void test_reader_ends_at_a_close_frame(void **state)
{
	static const struct {
		uint8_t payload[4];
		size_t length;
		uint16_t code;
	} cases[] = {
		{{0}, 0, 0},
		{{0x03, 0xe8}, 2, WEBSOCKET_NORMAL},
		{{0x03, 0xe9, 'o', 'k'}, 4, WEBSOCKET_GOING_AWAY},
		{{0x0f, 0xa0}, 2, 4000},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct websocket_reader reader = {0};
		GByteArray *wire = g_byte_array_new(), *payload = g_byte_array_new();

		add_frame(wire, FIN | WEBSOCKET_BINARY, "last", 4, 1);
		add_frame(wire, FIN | WEBSOCKET_CLOSE, cases[i].payload, cases[i].length,
			  0x12345678);
		add_frame(wire, FIN | WEBSOCKET_BINARY, "never", 5, 1);
		assert_int_equal(feed(&reader, wire->data, wire->len, wire->len, payload), 0);
		assert_true(reader.closed);
		assert_int_equal(reader.code, cases[i].code);
		assert_int_equal(payload->len, 4);
		g_byte_array_unref(wire);
		g_byte_array_unref(payload);
	}
}

static void test_reader_refuses_what_breaks_the_rules(void **state)
{
	static const struct {
		const char *what;
		uint8_t wire[24];
		size_t length;
		enum websocket_code code;
	} cases[] = {
		{"text", {0x81, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_UNSUPPORTED},
		{"no mask", {0x82, 0x01, 0, 0, 0, 0}, 6, WEBSOCKET_PROTOCOL_ERROR},
		{"reserved bit", {0xc2, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_PROTOCOL_ERROR},
		{"unknown data kind", {0x83, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_PROTOCOL_ERROR},
		{"unknown control kind", {0x8b, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_PROTOCOL_ERROR},
		{"ping in parts", {0x09, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_PROTOCOL_ERROR},
		{"long ping", {0x89, 0xfe, 0, 126, 0, 0, 0, 0}, 8, WEBSOCKET_PROTOCOL_ERROR},
		{"padded 16 bits", {0x82, 0xfe, 0, 125, 0, 0, 0, 0}, 8, WEBSOCKET_PROTOCOL_ERROR},
		{"padded 64 bits",
		 {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0},
		 14,
		 WEBSOCKET_PROTOCOL_ERROR},
		{"16 MiB and a byte",
		 {0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0},
		 14,
		 WEBSOCKET_TOO_BIG},
		{"all of 64 bits",
		 {0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		 14,
		 WEBSOCKET_TOO_BIG},
		{"continues nothing", {0x80, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_PROTOCOL_ERROR},
		{"message in a message",
		 {0x02, 0x80, 0, 0, 0, 0, 0x82, 0x80, 0, 0, 0, 0},
		 12,
		 WEBSOCKET_PROTOCOL_ERROR},
		{"close with half a code",
		 {0x88, 0x81, 0, 0, 0, 0, 3},
		 7,
		 WEBSOCKET_PROTOCOL_ERROR},
		{"close with 1005", {0x88, 0x82, 0, 0, 0, 0, 3, 0xed}, 8, WEBSOCKET_PROTOCOL_ERROR},
		{"close with 999", {0x88, 0x82, 0, 0, 0, 0, 3, 0xe7}, 8, WEBSOCKET_PROTOCOL_ERROR},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		for (size_t piece = 1; piece <= 24; piece += 23) {
			struct websocket_reader reader = {0};
			GByteArray *payload = g_byte_array_new();

			if (feed(&reader, cases[i].wire, cases[i].length, piece, payload) !=
				    -EPROTO ||
			    reader.code != cases[i].code || !reader.reason || payload->len)
				fail_msg("%s: code %u, %s\n", cases[i].what, reader.code,
					 reader.reason ? reader.reason : "taken");
			g_byte_array_unref(payload);
		}
}

/* The limit is for a message in all its parts, and each message has it anew. */
static void test_reader_limits_messages_not_connections(void **state)
{
	uint8_t *data = g_malloc0(WEBSOCKET_MESSAGE / 2), byte = 0;
	struct websocket_reader reader = {0};
	GByteArray *wire = g_byte_array_new(), *payload = g_byte_array_new();

	(void)state;
	for (int i = 0; i < 2; i++) {
		add_frame(wire, WEBSOCKET_BINARY, data, WEBSOCKET_MESSAGE / 2, 0);
		add_frame(wire, FIN, data, WEBSOCKET_MESSAGE / 2, 0);
	}
	assert_int_equal(feed(&reader, wire->data, wire->len, 65536, payload), 0);
	assert_int_equal(payload->len, 2 * WEBSOCKET_MESSAGE);
	g_byte_array_set_size(wire, 0);
	add_frame(wire, WEBSOCKET_BINARY, data, WEBSOCKET_MESSAGE / 2, 0);
	add_frame(wire, 0, data, WEBSOCKET_MESSAGE / 2, 0);
	add_frame(wire, FIN, &byte, 1, 0);
	assert_int_equal(feed(&reader, wire->data, wire->len, 65536, payload), -EPROTO);
	assert_int_equal(reader.code, WEBSOCKET_TOO_BIG);
	g_byte_array_unref(wire);
	g_byte_array_unref(payload);
	g_free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_has_the_shortest_length),
		cmocka_unit_test(test_reader_takes_messages_in_any_pieces),
		cmocka_unit_test(test_reader_ends_at_a_close_frame),
		cmocka_unit_test(test_reader_refuses_what_breaks_the_rules),
		cmocka_unit_test(test_reader_limits_messages_not_connections),
	};

	return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
