/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket behind a pump with a tap: what is said, what is left out, and who waits for whom. */
#include "plain_stream.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define MUCH (8u << 20) /* more than all sockets hold, less than PUMP_KEPT */

struct stage {
	struct pump *pump;
	int peer, plain;
	int hurry; /* an eventfd */
	gint ends; /* atomic */
};

/* Takes up to three bytes at a time, leaves out dots and breaks at an exclamation mark. */
static const char *on_heard(void *data, const void *bytes, size_t length, size_t *taken,
			    GByteArray *out)
{
	struct stage *stage = data;
	const char *at = bytes;

	if (!length)
		g_atomic_int_inc(&stage->ends);
	for (; *taken < MIN(length, 3); ++*taken, at++) {
		if (*at == '!')
			return "it shouts";
		if (*at != '.')
			g_byte_array_append(out, (const guint8 *)at, 1);
	}
	return NULL;
}

static void raise_curtain(struct stage *stage)
{
	struct pump_tap tap = {.heard = on_heard, .data = stage};
	int pair[2];

	*stage = (struct stage){.hurry = eventfd(0, EFD_CLOEXEC)};
	assert_true(stage->hurry >= 0);
	tap.hurry = stage->hurry;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	stage->peer = pair[0];
	assert_int_equal(plain_stream_pump(pair[1], &tap, &stage->pump, &stage->plain), 0);
}

static void hurry(const struct stage *stage, bool hurried)
{
	eventfd_t count;

	assert_int_equal(
		hurried ? eventfd_write(stage->hurry, 1) : eventfd_read(stage->hurry, &count), 0);
}

static void say(int fd, const char *words)
{
	assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
}

static void assert_hears(int fd, const char *words)
{
	char heard[100] = "";

	assert_int_equal(recv(fd, heard, strlen(words), MSG_WAITALL), strlen(words));
	assert_string_equal(heard, words);
}

static void test_the_tap_decides_what_is_passed_on(void **state)
{
	struct stage stage;
	char end;

	(void)state;
	raise_curtain(&stage);
	say(stage.peer, "one.two...three");
	assert_hears(stage.plain, "onetwothree");
	say(stage.plain, "four.five");
	assert_hears(stage.peer, "four.five");
	close(stage.peer);
	assert_int_equal(recv(stage.plain, &end, 1, 0), 0);
	assert_int_equal(g_atomic_int_get(&stage.ends), 1);
	close(stage.plain);
	assert_null(pump_finish(stage.pump));
	close(stage.hurry);
}

static void test_the_tap_breaks_the_connection(void **state)
{
	struct stage stage;
	char end;

	(void)state;
	raise_curtain(&stage);
	say(stage.peer, "one!two");
	assert_int_equal(recv(stage.peer, &end, 1, 0), 0);
	/* What came before, as long as it was not one piece with the fault. */
	assert_hears(stage.plain, "one");
	assert_int_equal(recv(stage.plain, &end, 1, 0), 0);
	close(stage.plain);
	assert_string_equal(pump_finish(stage.pump), "it shouts");
	close(stage.peer);
	close(stage.hurry);
}

static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

/* Who has the plain end writes all of it before the peer has taken anything. */
static void test_who_hurries_does_not_wait_for_the_peer(void **state)
{
	uint8_t *much = g_malloc(MUCH), *got = g_malloc(MUCH);
	struct stage stage;
	char more;

	(void)state;
	for (size_t i = 0; i < MUCH; i++)
		much[i] = byte_at(i);
	raise_curtain(&stage);
	hurry(&stage, true);
	for (size_t done = 0; done < MUCH;) {
		ssize_t n = send(stage.plain, much + done, MUCH - done, MSG_NOSIGNAL);

		assert_true(n > 0);
		done += (size_t)n;
	}
	hurry(&stage, false);
	assert_int_equal(recv(stage.peer, got, MUCH, MSG_WAITALL), MUCH);
	assert_memory_equal(got, much, MUCH);
	say(stage.plain, "and more");
	assert_hears(stage.peer, "and more");
	close(stage.plain);
	assert_int_equal(recv(stage.peer, &more, 1, 0), 0);
	assert_null(pump_finish(stage.pump));
	close(stage.peer);
	close(stage.hurry);
	g_free(much);
	g_free(got);
}

/* There is an end to what is kept, and to the connection with it. */
static void test_too_much_is_not_kept(void **state)
{
	uint8_t *much = g_malloc0(MUCH);
	struct stage stage;
	uint64_t done = 0;
	ssize_t n;

	(void)state;
	raise_curtain(&stage);
	hurry(&stage, true);
	while (done < 2ull * PUMP_KEPT && (n = send(stage.plain, much, MUCH, MSG_NOSIGNAL)) > 0)
		done += (size_t)n;
	/* The rest is thrown away: nobody waits, and the peer is cut off. */
	assert_true(done >= PUMP_KEPT);
	while (recv(stage.peer, much, MUCH, 0) > 0)
		;
	close(stage.plain);
	assert_string_equal(pump_finish(stage.pump), "it takes too little");
	close(stage.peer);
	close(stage.hurry);
	g_free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_tap_decides_what_is_passed_on),
		cmocka_unit_test(test_the_tap_breaks_the_connection),
		cmocka_unit_test(test_who_hurries_does_not_wait_for_the_peer),
		cmocka_unit_test(test_too_much_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
