/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fences in the order of the stream, and how much may be under way. */
#include "vnc_fence.h"

#include <glib.h>
#include <string.h>

#include "unit.h"
#include "vnc_window.h"

#define BEFORE VNC_FENCE_BLOCK_BEFORE
#define AFTER  VNC_FENCE_BLOCK_AFTER
#define SYNC   VNC_FENCE_SYNC_NEXT

static void add(struct vnc_fences *fences, uint32_t flags, uint8_t letter, uint64_t messages)
{
	vnc_fences_add(fences, flags, &letter, 1, messages, false);
}

/* Answers of one byte each, as "letter flags" or "end". */
static char *read_answers(const uint8_t *bytes, size_t length)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < length;) {
		if (bytes[i] == 150) {
			g_string_append(text, "end ");
			i++;
			continue;
		}
		assert_int_equal(bytes[i], 248);
		assert_int_equal(bytes[i + 8], 1);
		g_string_append_printf(text, "%c%u ", bytes[i + 9], bytes[i + 7]);
		i += 10;
	}
	return g_string_free(text, FALSE);
}

static void expect(struct vnc_fences *fences, uint64_t messages, const char *before,
		   const char *after)
{
	struct vnc_answers answers;
	char *text;

	vnc_fences_take(fences, messages, &answers);
	text = read_answers(answers.before, answers.before_length);
	assert_string_equal(text, before);
	g_free(text);
	text = read_answers(answers.after, answers.after_length);
	assert_string_equal(text, after);
	g_free(text);
}

static void test_fence_answers_in_order(void **state)
{
	struct vnc_fences fences = {0};

	(void)state;
	assert_false(vnc_fences_are_ready(&fences, 0));
	add(&fences, BEFORE, 'a', 0);
	assert_false(vnc_fences_hold(&fences, 1));
	vnc_fences_add_end(&fences);
	add(&fences, VNC_FENCE_REQUEST | 0x7ffffff8, 'b', 1);
	assert_true(vnc_fences_are_ready(&fences, 2));
	expect(&fences, 2, "", "a1 end b0 ");
	assert_false(vnc_fences_are_ready(&fences, 2));
	expect(&fences, 2, "", "");
}

static void test_fence_writes_all_of_its_payload(void **state)
{
	uint8_t payload[VNC_FENCE_PAYLOAD], bytes[VNC_FENCE_BYTES];
	static const uint8_t head[9] = {248, 0, 0, 0, 0x80, 0, 0, 5, VNC_FENCE_PAYLOAD};

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	assert_int_equal(
		vnc_fence_write(bytes, VNC_FENCE_REQUEST | BEFORE | SYNC, payload, sizeof(payload)),
		sizeof(bytes));
	assert_memory_equal(bytes, head, sizeof(head));
	assert_memory_equal(bytes + 9, payload, sizeof(payload));
}

/* It is answered with the message that it binds, before that takes effect. */
static void test_fence_syncs_the_next_message(void **state)
{
	struct vnc_fences fences = {0};

	(void)state;
	add(&fences, SYNC, 's', 4);
	assert_false(vnc_fences_hold(&fences, 5));
	assert_false(vnc_fences_are_ready(&fences, 5));
	expect(&fences, 5, "", "");
	assert_true(vnc_fences_are_ready(&fences, 6));
	/* The next message was a fence, too. */
	add(&fences, BEFORE, 'b', 5);
	assert_false(vnc_fences_hold(&fences, 6));
	expect(&fences, 6, "s4 ", "b1 ");
}

static void test_fence_waits_until_older_things_are_taken(void **state)
{
	struct vnc_fences fences = {0};

	(void)state;
	vnc_fences_add(&fences, SYNC, (const uint8_t *)"s", 1, 0, true);
	assert_true(vnc_fences_hold(&fences, 1));
	assert_true(vnc_fences_are_ready(&fences, 1));
	expect(&fences, 1, "", "");
	assert_false(vnc_fences_hold(&fences, 1));
	assert_false(vnc_fences_are_ready(&fences, 1));
	expect(&fences, 2, "s4 ", "");
	/* Behind another one of its kind. */
	add(&fences, SYNC, 'a', 2);
	add(&fences, SYNC, 'b', 3);
	assert_true(vnc_fences_hold(&fences, 4));
	expect(&fences, 4, "a4 ", "");
	assert_false(vnc_fences_hold(&fences, 4));
	expect(&fences, 5, "b4 ", "");
}

static void test_fence_holds_what_comes_after_it(void **state)
{
	struct vnc_fences fences = {0};

	(void)state;
	add(&fences, AFTER, 'a', 0);
	assert_true(vnc_fences_hold(&fences, 1));
	expect(&fences, 1, "", "a2 ");
	assert_false(vnc_fences_hold(&fences, 1));
	/* With SyncNext the one message may pass. */
	add(&fences, AFTER | SYNC, 'b', 1);
	assert_false(vnc_fences_hold(&fences, 2));
	assert_true(vnc_fences_hold(&fences, 3));
	expect(&fences, 3, "b6 ", "");
	assert_false(vnc_fences_hold(&fences, 3));
}

static void test_fence_holds_who_sends_many(void **state)
{
	struct vnc_fences fences = {0};
	uint64_t messages = 0;

	(void)state;
	while (!vnc_fences_hold(&fences, messages)) {
		add(&fences, BEFORE, 'x', messages++);
		assert_true(messages < VNC_FENCE_QUEUE);
	}
	/* A message may bring an announcement beside it. */
	assert_true(fences.count <= VNC_FENCE_QUEUE - 1);
	expect(&fences, 4, "", "x1 x1 x1 x1 ");
	assert_false(vnc_fences_hold(&fences, messages));
}

#define SECOND 1000000

static void test_window_always_lets_one_update_go(void **state)
{
	struct vnc_window window;
	uint32_t number;

	(void)state;
	vnc_window_init(&window);
	assert_true(vnc_window_is_open(&window));
	number = vnc_window_mark(&window, VNC_WINDOW_MOST * 4ull, 0);
	assert_false(vnc_window_is_open(&window));
	vnc_window_answer(&window, number + 1, 10); /* of a mark that was never made */
	vnc_window_answer(&window, 0, 10);
	assert_false(vnc_window_is_open(&window));
	vnc_window_answer(&window, number, 4 * SECOND);
	assert_true(vnc_window_is_open(&window));
	assert_int_equal(window.last, 4 * SECOND);
}

/*
 * A link that carries `rate` bytes a second after `delay` us, updates of `size`, for ten seconds.
 * Returns the updates sent; *lag is how long the last one took.
 */
static unsigned int drive(struct vnc_window *window, int64_t rate, int64_t delay, int64_t size,
			  int64_t interval, int64_t *lag)
{
	int64_t arrivals[64], free_at = 0, next = 0;
	uint32_t numbers[64];
	unsigned int first = 0, last = 0, sent = 0;

	for (int64_t now = 0; now < 10 * SECOND; now += 500) {
		while (first != last && arrivals[first % 64] <= now)
			vnc_window_answer(window, numbers[first++ % 64], now);
		if (now < next || !vnc_window_is_open(window))
			continue;
		free_at = MAX(free_at, now) + size * SECOND / rate;
		numbers[last % 64] = vnc_window_mark(window, (uint64_t)size, now);
		arrivals[last++ % 64] = free_at + delay;
		*lag = free_at + delay - now;
		next = now + interval;
		sent++;
	}
	return sent;
}

static void test_window_fills_a_long_link(void **state)
{
	struct vnc_window window;
	unsigned int sent;
	int64_t lag;

	(void)state;
	/* 100 Mbit/s, 100 ms, 50 kB 60 times a second: 3 MB/s, of which 300 kB are under way. */
	vnc_window_init(&window);
	sent = drive(&window, 12500000, 100000, 50000, SECOND / 60, &lag);
	assert_true(sent > 500);
	assert_true(lag < 130000);
}

static void test_window_keeps_a_slow_link_fresh(void **state)
{
	struct vnc_window window;
	unsigned int sent;
	int64_t lag;

	(void)state;
	/* 1 MB/s, 20 ms, updates of 100 kB whenever one may go: ten a second, no queue of them. */
	vnc_window_init(&window);
	sent = drive(&window, 1000000, 20000, 100000, 1000, &lag);
	assert_in_range(sent, 60, 101);
	assert_true(lag < 260000);
	/* It was fast and becomes slow. */
	vnc_window_init(&window);
	drive(&window, 100000000, 20000, 100000, 1000, &lag);
	assert_true(window.room > 1000000);
	drive(&window, 1000000, 20000, 100000, 1000, &lag);
	assert_true(lag < 260000);
}

static void test_window_gives_up_what_is_not_answered(void **state)
{
	struct vnc_window window;
	uint32_t number;

	(void)state;
	vnc_window_init(&window);
	number = vnc_window_mark(&window, VNC_WINDOW_LEAST, 0);
	assert_false(vnc_window_look(&window, true, VNC_WINDOW_LATE - 1));
	assert_false(vnc_window_look(&window, false, VNC_WINDOW_LATE * 5)); /* a slow link */
	assert_false(vnc_window_is_open(&window));
	assert_true(vnc_window_look(&window, true, VNC_WINDOW_LATE));
	assert_true(vnc_window_is_open(&window));
	assert_false(
		vnc_window_look(&window, true, VNC_WINDOW_LATE * 3)); /* nothing is under way */
	vnc_window_mark(&window, VNC_WINDOW_LEAST, VNC_WINDOW_LATE);
	assert_false(vnc_window_is_open(&window));
	assert_true(vnc_window_look(&window, true, VNC_WINDOW_LATE * 2));
	/* It does not answer at all: nothing holds it back any more, however much is sent. */
	for (int i = 0; i < 100; i++) {
		assert_true(vnc_window_is_open(&window));
		vnc_window_mark(&window, VNC_WINDOW_MOST, VNC_WINDOW_LATE * 2);
	}
	/* It does, after all. */
	vnc_window_answer(&window, number, VNC_WINDOW_LATE * 9);
	assert_false(vnc_window_is_open(&window));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fence_answers_in_order),
		cmocka_unit_test(test_fence_writes_all_of_its_payload),
		cmocka_unit_test(test_fence_syncs_the_next_message),
		cmocka_unit_test(test_fence_waits_until_older_things_are_taken),
		cmocka_unit_test(test_fence_holds_what_comes_after_it),
		cmocka_unit_test(test_fence_holds_who_sends_many),
		cmocka_unit_test(test_window_always_lets_one_update_go),
		cmocka_unit_test(test_window_fills_a_long_link),
		cmocka_unit_test(test_window_keeps_a_slow_link_fresh),
		cmocka_unit_test(test_window_gives_up_what_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
