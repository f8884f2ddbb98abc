/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two ends of one connection. */
#include "tcp_pair.h"

#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static void test_each_end_hears_the_other(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(tcp_pair(pair), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(tcp_pair_fits(pair[i]));
		assert_int_equal(send(pair[i], &"ab"[i], 1, MSG_NOSIGNAL), 1);
		assert_int_equal(recv(pair[1 - i], &byte, 1, 0), 1);
		assert_int_equal(byte, 'a' + i);
	}
	close(pair[0]);
	assert_int_equal(recv(pair[1], &byte, 1, 0), 0);
	close(pair[1]);
}

static void test_a_unix_socket_is_none(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_false(tcp_pair_fits(pair[0]));
	close(pair[0]);
	close(pair[1]);
	assert_false(tcp_pair_fits(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_end_hears_the_other),
		cmocka_unit_test(test_a_unix_socket_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
