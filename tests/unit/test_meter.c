/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meter.h"

#include "unit.h"

#define SECOND 1000000
#define START  (INT64_C(987654321) * METER_SLOT_US)

static void test_meter_reads_the_rate_of_the_last_two_seconds(void **state)
{
	struct meter meter = {0};

	(void)state;
	assert_true(meter_rate(&meter, START) == 0);
	for (int64_t us = 0; us < 10 * SECOND; us += SECOND / 50)
		meter_add(&meter, START + us);
	assert_true(meter_rate(&meter, START + 10 * SECOND) == 50);
	/* The slot that is not over yet does not count. */
	meter_add(&meter, START + 10 * SECOND);
	assert_true(meter_rate(&meter, START + 10 * SECOND + METER_SLOT_US - 1) == 50);
}

static void test_meter_forgets(void **state)
{
	struct meter meter = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		meter_add(&meter, START);
	assert_true(meter_rate(&meter, START) == 0);
	assert_true(meter_rate(&meter, START + SECOND) == 50);
	assert_true(meter_rate(&meter, START + 2 * SECOND) == 50);
	assert_true(meter_rate(&meter, START + 2 * SECOND + METER_SLOT_US) == 0);
	assert_true(meter_rate(&meter, START + INT64_C(1000000) * SECOND) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meter_reads_the_rate_of_the_last_two_seconds),
		cmocka_unit_test(test_meter_forgets),
	};

	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
