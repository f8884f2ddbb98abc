/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backoff.h"

#include "unit.h"

#define SECOND G_TIME_SPAN_SECOND

static void fail_times(struct backoff *backoff, const char *host, int times, gint64 now)
{
	for (int i = 0; i < times; i++)
		backoff_failed(backoff, host, now);
}

static void test_backoff_doubles_after_free_failures(void **state)
{
	struct backoff *backoff = backoff_create();
	gint64 wait = BACKOFF_FIRST;

	(void)state;
	fail_times(backoff, "a", BACKOFF_FREE, 1000);
	assert_false(backoff_waits(backoff, "a", 1000));
	for (int i = 0; i < 100; i++) {
		backoff_failed(backoff, "a", 1000);
		assert_true(backoff_waits(backoff, "a", 1000 + wait - 1));
		assert_false(backoff_waits(backoff, "a", 1000 + wait));
		wait = MIN(2 * wait, BACKOFF_LONG);
	}
	assert_false(backoff_waits(backoff, "b", 1000));
	backoff_destroy(backoff);
	backoff_destroy(NULL);
}

static void test_backoff_forgets_by_proof_and_by_time(void **state)
{
	struct backoff *backoff = backoff_create();

	(void)state;
	fail_times(backoff, "a", 10, 0);
	assert_true(backoff_waits(backoff, "a", SECOND));
	backoff_proved(backoff, "a");
	backoff_proved(backoff, "a");
	assert_false(backoff_waits(backoff, "a", SECOND));
	fail_times(backoff, "a", 10, 0);
	backoff_failed(backoff, "b", BACKOFF_FORGET + SECOND);
	fail_times(backoff, "a", BACKOFF_FREE, BACKOFF_FORGET + SECOND);
	assert_false(backoff_waits(backoff, "a", BACKOFF_FORGET + SECOND));
	backoff_destroy(backoff);
}

/* Whoever has many addresses pushes out those who failed longest ago, no more. */
static void test_backoff_has_bounded_memory(void **state)
{
	struct backoff *backoff = backoff_create();
	char host[16];

	(void)state;
	fail_times(backoff, "first", 10, 0);
	for (unsigned int i = 0; i < BACKOFF_HOSTS - 1; i++) {
		g_snprintf(host, sizeof(host), "%u", i);
		fail_times(backoff, host, 10, 0);
	}
	assert_true(backoff_waits(backoff, "first", 1));
	fail_times(backoff, "last", 10, 0);
	assert_false(backoff_waits(backoff, "first", 1));
	assert_true(backoff_waits(backoff, "0", 1));
	assert_true(backoff_waits(backoff, "last", 1));
	backoff_destroy(backoff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff_doubles_after_free_failures),
		cmocka_unit_test(test_backoff_forgets_by_proof_and_by_time),
		cmocka_unit_test(test_backoff_has_bounded_memory),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
