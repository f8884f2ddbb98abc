/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web_stream.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "websocket.h"

/* A browser's end, a pump with a WebSocket, and the plain end. */
struct stage {
	int browser, plain;
	struct pump *pump;
};

static void open_stage(struct stage *stage, const void *early, size_t early_length)
{
	const struct timeval patience = {.tv_sec = 60};
	void *stream;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	stage->browser = pair[0];
	stream = web_stream_new(&web_stream_plain_ops, web_stream_plain_new(pair[1]), early,
				early_length);
	assert_int_equal(pump_create(&web_stream_ops, stream, pair[1], &stage->pump, &stage->plain),
			 0);
	setsockopt(stage->browser, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(stage->plain, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

static void close_stage(struct stage *stage)
{
	pump_destroy(stage->pump);
	close(stage->browser);
	close(stage->plain);
}

/* With a mask of zeros: as it is. */
static size_t frame(uint8_t *out, uint8_t opcode, const void *payload, uint8_t length)
{
	const uint8_t header[6] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | length)};

	memcpy(out, header, sizeof(header));
	memcpy(out + sizeof(header), payload, length);
	return sizeof(header) + length;
}

static void say(int fd, uint8_t opcode, const void *payload, uint8_t length)
{
	uint8_t bytes[256];
	size_t n = frame(bytes, opcode, payload, length);

	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
}

static void expect(int fd, const void *bytes, size_t length)
{
	uint8_t *got = g_malloc(length);

	assert_int_equal(recv(fd, got, length, MSG_WAITALL), length);
	assert_memory_equal(got, bytes, length);
	g_free(got);
}

static void expect_end(int fd)
{
	uint8_t byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void test_stream_carries_messages_both_ways(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, NULL, 0);
	say(stage.browser, WEBSOCKET_BINARY, "hello", 5);
	expect(stage.plain, "hello", 5);
	assert_int_equal(send(stage.plain, "pixels", 6, 0), 6);
	expect(stage.browser, "\x82\x06pixels", 8);
	close_stage(&stage);
}

static void test_stream_begins_with_what_came_with_the_handshake(void **state)
{
	uint8_t early[64];
	size_t whole = frame(early, WEBSOCKET_BINARY, "early", 5), half;
	struct stage stage;

	(void)state;
	half = whole + 3;
	frame(early + whole, WEBSOCKET_BINARY, "bird", 4);
	open_stage(&stage, early, half);
	assert_int_equal(send(stage.browser, early + half, 7, 0), 7);
	expect(stage.plain, "earlybird", 9);
	close_stage(&stage);
}

static void test_stream_sends_updates_in_frames(void **state)
{
	struct stage stage;
	size_t length = 0;
	uint8_t *pixels = g_malloc(65536);

	(void)state;
	for (size_t i = 0; i < 65536; i++)
		pixels[i] = (uint8_t)(i * 7 >> 3);
	open_stage(&stage, NULL, 0);
	assert_int_equal(send(stage.plain, pixels, 65536, 0), 65536);
	shutdown(stage.plain, SHUT_WR);
	for (;;) {
		uint8_t header[2], more[8];
		size_t part;

		assert_int_equal(recv(stage.browser, header, 2, MSG_WAITALL), 2);
		if (header[0] == (0x80 | WEBSOCKET_CLOSE))
			break;
		assert_int_equal(header[0], 0x80 | WEBSOCKET_BINARY);
		part = header[1];
		if (part >= 126) {
			size_t bytes = part == 126 ? 2 : 8;

			assert_int_equal(recv(stage.browser, more, bytes, MSG_WAITALL), bytes);
			part = 0;
			for (size_t i = 0; i < bytes; i++)
				part = part << 8 | more[i];
		}
		expect(stage.browser, pixels + length, part);
		length += part;
	}
	assert_int_equal(length, 65536);
	close_stage(&stage);
	g_free(pixels);
}

static void test_stream_answers_pings(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, NULL, 0);
	say(stage.browser, WEBSOCKET_PING, "there?", 6);
	expect(stage.browser, "\x8a\x06there?", 8);
	close_stage(&stage);
}

/* A ping that comes while a long frame is under way is answered behind it, not in it. */
static void test_stream_answers_pings_between_frames(void **state)
{
	struct stage stage;
	uint8_t *pixels = g_malloc0(8 << 20), tail[8], pong[] = "\x8a\x01!";
	size_t filled = 0;
	ssize_t n;

	(void)state;
	open_stage(&stage, NULL, 0);
	/* Until nobody takes any more: the pump writes, and waits for us. */
	while ((n = send(stage.plain, pixels, 8 << 20, MSG_DONTWAIT)) > 0 || filled < 1 << 17) {
		filled += (size_t)MAX(n, 0);
		g_usleep(1000);
	}
	say(stage.browser, WEBSOCKET_PING, "!", 1);
	/* What is said after the ping arrives: so the reading side waits for nobody. */
	say(stage.browser, WEBSOCKET_BINARY, "on", 2);
	expect(stage.plain, "on", 2);
	shutdown(stage.plain, SHUT_WR);
	memset(tail, 0, sizeof(tail));
	for (bool answered = false; !answered;) {
		uint8_t byte;

		assert_int_equal(recv(stage.browser, &byte, 1, 0), 1);
		memmove(tail, tail + 1, sizeof(tail) - 1);
		tail[sizeof(tail) - 1] = byte;
		answered = !memcmp(tail + sizeof(tail) - 3, pong, 3);
	}
	close_stage(&stage);
	g_free(pixels);
}

static void test_stream_answers_a_close_and_ends(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, NULL, 0);
	say(stage.browser, WEBSOCKET_BINARY, "bye", 3);
	say(stage.browser, WEBSOCKET_CLOSE, "\x03\xe8", 2);
	expect(stage.plain, "bye", 3);
	expect_end(stage.plain);
	expect(stage.browser, "\x88\x02\x03\xe8", 4);
	expect_end(stage.browser);
	close_stage(&stage);
}

static void test_stream_says_what_a_client_did_wrong(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, NULL, 0);
	say(stage.browser, WEBSOCKET_TEXT, "hello", 5);
	expect(stage.browser, "\x88\x02\x03\xeb", 4);
	expect_end(stage.browser);
	expect_end(stage.plain);
	close_stage(&stage);
}

static void test_stream_says_goodbye_when_the_server_ends(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage, NULL, 0);
	shutdown(stage.plain, SHUT_RDWR);
	expect(stage.browser, "\x88\x02\x03\xe9", 4);
	close_stage(&stage);
}

static void test_stream_ends_a_client_that_only_pings(void **state)
{
	struct stage stage;
	uint8_t bytes[64];
	size_t n = frame(bytes, WEBSOCKET_PONG, "", 0);

	(void)state;
	open_stage(&stage, NULL, 0);
	/* It ends by the stream's own decision: we never stop. */
	for (int i = 0; send(stage.browser, bytes, n, MSG_NOSIGNAL) > 0; i++)
		assert_true(i < 100000000);
	expect_end(stage.plain);
	close_stage(&stage);
}

/* However few reads they come in: these are one, with a message behind them. */
static void test_stream_counts_pings_one_by_one(void **state)
{
	uint8_t bytes[400 * 6 + 7];
	struct stage stage;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 400; i++)
		n += frame(bytes + n, WEBSOCKET_PONG, "", 0);
	n += frame(bytes + n, WEBSOCKET_BINARY, "x", 1);
	open_stage(&stage, bytes, n);
	expect(stage.browser, "\x88\x02\x03\xf0", 4);
	expect_end(stage.plain);
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_carries_messages_both_ways),
		cmocka_unit_test(test_stream_begins_with_what_came_with_the_handshake),
		cmocka_unit_test(test_stream_sends_updates_in_frames),
		cmocka_unit_test(test_stream_answers_pings),
		cmocka_unit_test(test_stream_answers_pings_between_frames),
		cmocka_unit_test(test_stream_answers_a_close_and_ends),
		cmocka_unit_test(test_stream_says_what_a_client_did_wrong),
		cmocka_unit_test(test_stream_says_goodbye_when_the_server_ends),
		cmocka_unit_test(test_stream_ends_a_client_that_only_pings),
		cmocka_unit_test(test_stream_counts_pings_one_by_one),
	};

	alarm(240);
	return cmocka_run_group_tests_name("web_stream", tests, NULL, NULL);
}
