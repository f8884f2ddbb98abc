/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow.h"

#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define BEGINNING (100 * G_USEC_PER_SEC)
#define STEP      (G_USEC_PER_SEC / 4)

/* One end of a line whose other end takes nothing, with something queued; both are to be closed. */
static void open_line(int line[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
	assert_int_equal(write(line[0], "news", 4), 4);
}

static void close_line(const int line[2])
{
	close(line[0]);
	close(line[1]);
}

/* Looks as often as one has to, for so long; what the last look says. */
static gint64 look_for(struct flow *flow, int fd, gint64 from, gint64 us)
{
	gint64 stalled = 0;

	for (gint64 now = from; now <= from + us; now += STEP)
		stalled = flow_look(flow, fd, now);
	return stalled;
}

static void test_flow_counts_while_nothing_is_taken(void **state)
{
	struct flow flow = {0};
	char news[4];
	int line[2];

	(void)state;
	open_line(line);
	assert_int_equal(look_for(&flow, line[0], BEGINNING, 3 * G_USEC_PER_SEC),
			 3 * G_USEC_PER_SEC);
	assert_int_equal(read(line[1], news, sizeof(news)), sizeof(news));
	assert_int_equal(flow_look(&flow, line[0], BEGINNING + 4 * G_USEC_PER_SEC), 0);
	close_line(line);
}

static void test_flow_does_not_count_while_nobody_looks(void **state)
{
	struct flow flow = {0};
	gint64 halted = BEGINNING + 2 * G_USEC_PER_SEC;
	gint64 after = halted + G_TIME_SPAN_HOUR;
	int line[2];

	(void)state;
	open_line(line);
	assert_int_equal(look_for(&flow, line[0], BEGINNING, 2 * G_USEC_PER_SEC),
			 2 * G_USEC_PER_SEC);
	assert_false(flow_is_stalled(&flow, line[0], after, 5 * G_USEC_PER_SEC));
	assert_int_equal(flow_look(&flow, line[0], after), 3 * G_USEC_PER_SEC);
	/* From there on as before. */
	assert_int_equal(look_for(&flow, line[0], after, 2 * G_USEC_PER_SEC), 5 * G_USEC_PER_SEC);
	assert_true(
		flow_is_stalled(&flow, line[0], after + 2 * G_USEC_PER_SEC, 5 * G_USEC_PER_SEC));
	close_line(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_counts_while_nothing_is_taken),
		cmocka_unit_test(test_flow_does_not_count_while_nobody_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
