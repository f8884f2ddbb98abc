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

static void test_pacer_notices_an_event_at_once_after_a_rest(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 60, true);
	pacer_demand(&pacer, 1, 1);
	run(&pacer, &clock, 60 * SECOND, false);
	pacer_event(&pacer);
	assert_int_equal(pacer_next(&pacer, clock), clock);
	assert_false(pacer_is_sparse(&pacer));
}

static void test_pacer_is_sparse_only_at_rest(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 60, false);
	assert_false(pacer_is_sparse(&pacer));
	pacer_demand(&pacer, 1, 1);
	pacer_looked(&pacer, clock, true);
	for (int64_t interval = FRAME; interval < PACER_IDLE_INTERVAL_US; interval *= 2) {
		clock = pacer_next(&pacer, clock);
		assert_false(pacer_is_sparse(&pacer));
		pacer_looked(&pacer, clock, false);
	}
	assert_true(pacer_is_sparse(&pacer));
	pacer_input(&pacer);
	assert_false(pacer_is_sparse(&pacer));
	pacer_looked(&pacer, clock, false);
	assert_false(pacer_is_sparse(&pacer)); /* it may take the guest a while */
	run(&pacer, &clock, 2 * SECOND, false);
	assert_true(pacer_is_sparse(&pacer));
	pacer_looked(&pacer, clock, true);
	assert_false(pacer_is_sparse(&pacer));
	run(&pacer, &clock, 2 * SECOND, false);
	pacer_demand(&pacer, 2, 1);
	assert_false(pacer_is_sparse(&pacer));
}

static void test_pacer_audits_now_and_then(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;
	unsigned int whole = 0;

	(void)state;
	pacer_init(&pacer, 60, false);
	pacer_demand(&pacer, 1, 1);
	run(&pacer, &clock, 10 * SECOND, false);
	for (unsigned int i = 0; i < 10 * (PACER_AUDIT_LOOKS + 1); i++) {
		clock = pacer_next(&pacer, clock);
		whole += !pacer_is_sparse(&pacer);
		pacer_looked(&pacer, clock, false);
	}
	assert_int_equal(whole, 10);
}

static void test_pacer_looks_at_once_for_input(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 60, false);
	pacer_demand(&pacer, 1, 1);
	run(&pacer, &clock, 60 * SECOND, false);
	pacer_looked(&pacer, clock, false);
	clock += FRAME;
	pacer_input(&pacer);
	assert_int_equal(pacer_next(&pacer, clock), clock);
	pacer_looked(&pacer, clock, false);
	assert_int_equal(pacer_state(&pacer), PACER_ACTIVE);
	/* However much input, no more often than frames may come. */
	for (unsigned int i = 0; i < 100; i++) {
		pacer_input(&pacer);
		assert_int_equal(pacer_next(&pacer, clock), clock + FRAME);
	}
	/* A client that cannot take a frame gets none, but it is not forgotten. */
	pacer_demand(&pacer, 1, 0);
	assert_int_equal(pacer_next(&pacer, clock), PACER_NEVER);
	clock += SECOND / 10;
	pacer_demand(&pacer, 1, 1);
	assert_int_equal(pacer_next(&pacer, clock), clock);
	/* Nobody there, nobody to look for. */
	pacer_demand(&pacer, 0, 0);
	assert_int_equal(pacer_next(&pacer, clock), PACER_NEVER);
}

/* A client that wants a frame, or takes until `busy_until`; what it misses meanwhile waits for it.
 */
struct taker {
	int64_t takes_us, busy_until;
	bool pending;
	unsigned int taken;
};

static void take(struct taker *taker, int64_t clock)
{
	taker->pending = false;
	taker->busy_until = clock + taker->takes_us;
	taker->taken++;
}

static bool is_waiting(struct taker *taker, int64_t clock)
{
	if (clock >= taker->busy_until && taker->pending)
		take(taker, clock);
	return clock >= taker->busy_until;
}

static void test_pacer_looks_no_more_than_the_fastest_client_takes(void **state)
{
	static const struct {
		int64_t takes_us[2];
		bool has_events;
	} cases[] = {
		{{40 * 1000, 250 * 1000}, false}, {{333 * 1000, 2 * SECOND}, false},
		{{100 * 1000, 101 * 1000}, true}, {{100 * 1000, 100 * 1000}, true},
		{{5 * 1000, 3 * SECOND}, false}, /* faster than max_fps */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct taker takers[2] = {{.takes_us = cases[i].takes_us[0]},
					  {.takes_us = cases[i].takes_us[1], .busy_until = 777}};
		unsigned int looks = 0;
		struct pacer pacer;

		pacer_init(&pacer, 60, cases[i].has_events);
		for (int64_t clock = 0; clock < 20 * SECOND; clock += 500) {
			unsigned int waiting = is_waiting(&takers[0], clock);

			waiting += is_waiting(&takers[1], clock);
			pacer_demand(&pacer, 2, waiting);
			/* The picture moves, and the users do. */
			pacer_input(&pacer);
			if (cases[i].has_events)
				pacer_event(&pacer);
			if (pacer_next(&pacer, clock) > clock)
				continue;
			looks++;
			pacer_looked(&pacer, clock, true);
			for (size_t j = 0; j < 2; j++) {
				takers[j].pending = true;
				is_waiting(&takers[j], clock);
			}
		}
		assert_true(takers[0].taken > 50);
		assert_true(takers[1].taken > 5);
		assert_true(looks <= takers[0].taken);
		assert_true(looks <= 60 * 20 + 1);
	}
}

static void test_pacer_slower_than_idle_stays_so(void **state)
{
	struct pacer pacer;
	int64_t clock = 0;

	(void)state;
	pacer_init(&pacer, 1, false);
	pacer_demand(&pacer, 1, 1);
	assert_in_range(run(&pacer, &clock, 20 * SECOND, false), 20, 21);
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
		cmocka_unit_test(test_pacer_notices_an_event_at_once_after_a_rest),
		cmocka_unit_test(test_pacer_is_sparse_only_at_rest),
		cmocka_unit_test(test_pacer_audits_now_and_then),
		cmocka_unit_test(test_pacer_looks_at_once_for_input),
		cmocka_unit_test(test_pacer_looks_no_more_than_the_fastest_client_takes),
		cmocka_unit_test(test_pacer_slower_than_idle_stays_so),
	};

	return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
