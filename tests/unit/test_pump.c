/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump.h"

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

#define PATIENCE_MS 20000
#define LONG        (8u << 20)

/* A stream whose bytes are turned over, so that none passes beside it. */
struct mirror {
	int fd;
	gint ended, closed; /* atomic */
};

static void turn(uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] ^= 0xff;
}

static ssize_t mirror_read(void *stream, void *bytes, size_t size)
{
	struct mirror *mirror = stream;
	ssize_t n = recv(mirror->fd, bytes, size, 0);

	if (n > 0)
		turn(bytes, (size_t)n);
	return n < 0 ? -errno : n;
}

static int mirror_write(void *stream, const void *bytes, size_t length)
{
	struct mirror *mirror = stream;
	uint8_t *copy = g_memdup2(bytes, length);
	size_t done = 0;
	ssize_t n = 0;

	turn(copy, length);
	for (; done < length && n >= 0; done += (size_t)MAX(n, 0))
		n = send(mirror->fd, copy + done, length - done, MSG_NOSIGNAL);
	g_free(copy);
	return n < 0 ? -EPIPE : 0;
}

static void mirror_end(void *stream)
{
	g_atomic_int_set(&((struct mirror *)stream)->ended, 1);
}

static void mirror_close(void *stream)
{
	struct mirror *mirror = stream;

	close(mirror->fd);
	g_atomic_int_set(&mirror->closed, 1);
}

static const struct pump_ops mirror_ops = {mirror_read, mirror_write, mirror_end, mirror_close};

struct stage {
	struct mirror mirror;
	struct pump *pump;
	int peer, plain;
	unsigned int before; /* descriptors */
};

static unsigned int count_entries(const char *folder)
{
	unsigned int count = 0;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void stage_open(struct stage *stage)
{
	int pair[2];

	*stage = (struct stage){.before = count_entries("/proc/self/fd")};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stage->peer = pair[0];
	stage->mirror.fd = pair[1];
	assert_int_equal(
		pump_create(&mirror_ops, &stage->mirror, pair[1], &stage->pump, &stage->plain), 0);
	assert_int_equal(pump_wire(stage->pump), pair[1]);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void stage_close(struct stage *stage)
{
	assert_null(pump_finish(stage->pump));
	assert_true(stage->mirror.closed);
	close_one(&stage->peer);
	close_one(&stage->plain);
	assert_int_equal(count_entries("/proc/self/fd"), stage->before);
}

static bool receive_all(int fd, uint8_t *bytes, size_t length)
{
	struct timeval patience = {PATIENCE_MS / 1000, 0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (length) {
		ssize_t n = recv(fd, bytes, length, 0);

		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

struct sender {
	int fd;
	const uint8_t *bytes;
	size_t length;
	bool good;
};

static gpointer send_long(gpointer data)
{
	struct sender *sender = data;
	size_t done = 0;
	ssize_t n = 0;

	for (; done < sender->length && n >= 0; done += (size_t)MAX(n, 0))
		n = send(sender->fd, sender->bytes + done, sender->length - done, MSG_NOSIGNAL);
	sender->good = n >= 0;
	return NULL;
}

static uint8_t *noise(void)
{
	uint8_t *bytes = g_malloc(LONG);
	uint32_t seed = 1;

	for (size_t i = 0; i < LONG; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
	return bytes;
}

/* Both ways at once, far more than all buffers hold. */
static void test_pump_carries_every_byte_both_ways(void **state)
{
	uint8_t *sent = noise(), *got = g_malloc(LONG), *back = g_malloc(LONG);
	struct stage stage;
	struct sender down, up;
	GThread *threads[2];

	(void)state;
	stage_open(&stage);
	down = (struct sender){stage.plain, sent, LONG, false};
	up = (struct sender){stage.peer, sent, LONG, false};
	threads[0] = g_thread_new("down", send_long, &down);
	threads[1] = g_thread_new("up", send_long, &up);
	for (size_t at = 0; at < LONG; at += LONG / 64) {
		assert_true(receive_all(stage.peer, got + at, LONG / 64));
		assert_true(receive_all(stage.plain, back + at, LONG / 64));
	}
	g_thread_join(threads[0]);
	g_thread_join(threads[1]);
	assert_true(down.good && up.good);
	turn(got, LONG);
	turn(back, LONG);
	assert_memory_equal(got, sent, LONG);
	assert_memory_equal(back, sent, LONG);
	stage_close(&stage);
	g_free(sent);
	g_free(got);
	g_free(back);
}

static void wait_for(gint *flag)
{
	for (int i = 0; !g_atomic_int_get(flag) && i < PATIENCE_MS; i++)
		g_usleep(1000);
	assert_true(g_atomic_int_get(flag));
}

static void test_pump_sends_the_last_words(void **state)
{
	uint8_t got[6];
	struct stage stage;

	(void)state;
	stage_open(&stage);
	assert_int_equal(send(stage.plain, "farewl", 6, 0), 6);
	close_one(&stage.plain);
	assert_true(receive_all(stage.peer, got, sizeof(got)));
	turn(got, sizeof(got));
	assert_memory_equal(got, "farewl", 6);
	assert_false(receive_all(stage.peer, got, 1));
	wait_for(&stage.mirror.ended);
	stage_close(&stage);
}

/* The plain end learns that the peer has gone, also while it waits for room. */
static void test_pump_tells_of_a_peer_that_leaves(void **state)
{
	static uint8_t bytes[LONG];

	(void)state;
	for (int half = 0; half < 2; half++) {
		struct stage stage;
		struct sender sender;
		GThread *thread;

		stage_open(&stage);
		sender = (struct sender){stage.plain, bytes, LONG, true};
		thread = g_thread_new("sender", send_long, &sender);
		assert_true(receive_all(stage.peer, (uint8_t[1]){0}, 1));
		if (half)
			shutdown(stage.peer, SHUT_WR);
		else
			close_one(&stage.peer);
		assert_false(receive_all(stage.plain, (uint8_t[1]){0}, 1)); /* the end */
		close_one(&stage.peer);
		shutdown(stage.plain, SHUT_RDWR); /* what a client does then */
		g_thread_join(thread);
		stage_close(&stage);
	}
}

static void fill(int fd)
{
	static uint8_t bytes[65536];
	int quiet = 0;

	/* Until nothing more has fitted in for a while. */
	while (quiet < 20) {
		if (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			quiet++;
			g_usleep(1000);
		} else {
			quiet = 0;
		}
	}
}

/* Both threads wait for somebody who takes nothing; destroying does not. */
static void test_pump_ends_while_all_buffers_are_full(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	fill(stage.peer);
	fill(stage.plain);
	stage_close(&stage);
}

static void test_pump_ends_at_any_moment(void **state)
{
	unsigned int threads = count_entries("/proc/self/task");

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct stage stage;

		stage_open(&stage);
		(void)!write(stage.peer, "x", 1);
		if (i % 3 == 0)
			close_one(&stage.peer);
		if (i % 5 == 0)
			close_one(&stage.plain);
		if (i % 7 == 0)
			shutdown(stage.plain >= 0 ? stage.plain : stage.mirror.fd, SHUT_RDWR);
		if (i % 2)
			g_usleep(100);
		stage_close(&stage);
	}
	assert_int_equal(count_entries("/proc/self/task"), threads);
	pump_destroy(NULL);
}

/* A stream that always has a byte costs a core: it is broken off, and says why. */
static ssize_t endless_read(void *stream, void *bytes, size_t size)
{
	(void)size;
	if (g_atomic_int_get(&((struct mirror *)stream)->ended))
		return 0;
	*(uint8_t *)bytes = 'x';
	return 1;
}

static gpointer swallow(gpointer data)
{
	uint8_t bytes[4096];

	while (recv(*(int *)data, bytes, sizeof(bytes), 0) > 0)
		;
	return NULL;
}

static void test_pump_breaks_off_a_flood(void **state)
{
	static const struct pump_ops ops = {endless_read, mirror_write, mirror_end, mirror_close};
	struct stage stage = {0};
	GThread *thread;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stage.mirror.fd = pair[1];
	assert_int_equal(pump_create(&ops, &stage.mirror, pair[1], &stage.pump, &stage.plain), 0);
	thread = g_thread_new("swallow", swallow, &stage.plain);
	g_thread_join(thread); /* ends with the pump's in-thread */
	assert_string_equal(pump_finish(stage.pump), "it floods");
	close(pair[0]);
	close(stage.plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pump_carries_every_byte_both_ways),
		cmocka_unit_test(test_pump_sends_the_last_words),
		cmocka_unit_test(test_pump_tells_of_a_peer_that_leaves),
		cmocka_unit_test(test_pump_ends_while_all_buffers_are_full),
		cmocka_unit_test(test_pump_ends_at_any_moment),
		cmocka_unit_test(test_pump_breaks_off_a_flood),
	};

	alarm(240);
	return cmocka_run_group_tests_name("pump", tests, NULL, NULL);
}
