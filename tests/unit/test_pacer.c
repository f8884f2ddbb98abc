/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pacer.h"

#include "unit.h"

#define SECOND 1000000
#define FRAME  (SECOND / 60)

/* Runs the pacer on a simulated clock; returns how often it looked in duration. */
static unsigned int run(struct pacer *pacer, int64_t *clock, int64_t duration, bool changing)
{
	int64_t end = *clock + duration;
	unsigned int looks = 0;

	for (;;) {
		int64_t next = pacer_next(pacer, *clock);

		if (next >= end)
			break;
		*clock = next;
		pacer_looked(pacer, *clock, changing);
		looks++;
	}
	*clock = end;
	return looks;
}

static void test_pacer_sleeps_without_clients(void **state)
{
	struct pacer pacer;
	int64_t clock = 12345;

	(void)state;
	pacer_init(&pacer, 60, false);
	assert_int_equal(run(&pacer, &clock, 60 * SECOND, true), 0);
	assert_int_equal(pacer_state(&pacer), PACER_ASLEEP);
	pacer_urge(&pacer);
	pacer_event(&pacer);
	assert_int_equal(run(&pacer, &clock, 60 * SECOND, true), 0);
	assert_false(pacer_wants_event(&pacer));
}

static void test_pacer_looks_at_once_for_a_new_client(void **state)
{
	struct pacer pacer;

	(void)state;
	pacer_init(&pacer, 60, false);
	pacer_demand(&pacer, 1, 0);
	assert_int_equal(pacer_next(&pacer, 1000), 1000);
	pacer_looked(&pacer, 1000, true);
	assert_int_equal(pacer_next(&pacer, 1001), PACER_NEVER);
	pacer_demand(&pacer, 2, 0);
	assert_int_equal(pacer_next(&pacer, 1002), 1002);
}

static void test_pacer_is_never_faster_than_max_fps(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 60, false);
	pacer_demand(&pacer, 1, 1);
	assert_in_range(run(&pacer, &clock, 10 * SECOND, true), 600, 601);
	assert_int_equal(pacer_state(&pacer), PACER_ACTIVE);
}

static void test_pacer_waits_for_a_client_to_take_a_frame(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 60, false);
	pacer_demand(&pacer, 1, 1);
	run(&pacer, &clock, SECOND, true);
	pacer_demand(&pacer, 1, 0);
	assert_int_equal(run(&pacer, &clock, 60 * SECOND, true), 0);
	pacer_demand(&pacer, 1, 1);
	assert_int_equal(pacer_next(&pacer, clock), clock);
}

static void test_pacer_decays_to_two_looks_a_second(void **state)
{
	struct pacer pacer;
	int64_t clock = 0, next;

	(void)state;
	pacer_init(&pacer, 60, false);
	pacer_demand(&pacer, 1, 1);
	run(&pacer, &clock, 5 * SECOND, false);
	assert_int_equal(pacer_state(&pacer), PACER_IDLE);
	assert_in_range(run(&pacer, &clock, 10 * SECOND, false), 19, 21);
	/* One change, and it is as fast as at first. */
	next = pacer_next(&pacer, clock);
	pacer_looked(&pacer, next, true);
	assert_int_equal(pacer_next(&pacer, next), next + FRAME);
	assert_int_equal(pacer_state(&pacer), PACER_ACTIVE);
}

static void test_pacer_with_events_never_polls(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 60, true);
	pacer_demand(&pacer, 1, 1);
	assert_int_equal(run(&pacer, &clock, 60 * SECOND, false), 1); /* the new client's */
	assert_true(pacer_wants_event(&pacer));
	pacer_event(&pacer);
	assert_false(pacer_wants_event(&pacer));
	assert_int_equal(pacer_next(&pacer, clock), clock);
	pacer_looked(&pacer, clock, true);
	pacer_event(&pacer);
	assert_int_equal(pacer_next(&pacer, clock), clock + FRAME);
}

static void test_pacer_gives_a_failed_look_a_frame_of_time(void **state)
{
	struct pacer pacer;

	(void)state;
	pacer_init(&pacer, 60, true);
	pacer_demand(&pacer, 1, 0);
	pacer_retry(&pacer, 5000);
	assert_int_equal(pacer_next(&pacer, 5000), 5000 + FRAME);
	pacer_looked(&pacer, 5000 + FRAME, true);
	assert_int_equal(pacer_next(&pacer, 5000 + FRAME), PACER_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pacer_sleeps_without_clients),
		cmocka_unit_test(test_pacer_looks_at_once_for_a_new_client),
		cmocka_unit_test(test_pacer_is_never_faster_than_max_fps),
		cmocka_unit_test(test_pacer_waits_for_a_client_to_take_a_frame),
		cmocka_unit_test(test_pacer_decays_to_two_looks_a_second),
		cmocka_unit_test(test_pacer_with_events_never_polls),
		cmocka_unit_test(test_pacer_gives_a_failed_look_a_frame_of_time),
	};

	return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
