/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "rfb.h"
#include "stage.h"
#include "unit.h"

#define ALL (RFB_DESKTOP_SIZE | RFB_CURSOR)

static void join(struct stage *stage, struct rfb *rfb, unsigned int encodings)
{
	assert_true(rfb_open(rfb, rfb_dial_tcp(stage->port), 8));
	assert_true(rfb_encodings(rfb, encodings));
}

static void test_vnc_shows_exact_pixels_to_each_version(void **state)
{
	static const int minors[] = {3, 5, 7, 8, 889};
	struct stage stage;

	(void)state;
	stage_open(&stage, &(struct vnc_options){.name = "a desktop"}, 333, 77);
	for (size_t i = 0; i < G_N_ELEMENTS(minors); i++) {
		struct rfb rfb;

		assert_true(
			rfb_open(&rfb, rfb_dial_tcp(stage.port), minors[i] == 5 ? 3 : minors[i]));
		assert_int_equal(rfb.width, 333);
		assert_int_equal(rfb.height, 77);
		assert_string_equal(rfb.name, "a desktop");
		assert_true(rfb_request(&rfb, false));
		assert_true(rfb_update(&rfb));
		assert_true(rfb_shows(&rfb, stage.frame));
		rfb_close(&rfb);
	}
	stage_close(&stage);
}

static void test_vnc_sends_what_changes(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	join(&stage, &rfb, ALL);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.cursors, 1);
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t x = i * 37 % 600, y = i * 91 % 440;

		stage_paint(&stage, x, y, 1 + i % 40, 1 + i * 3 % 40);
		assert_true(rfb_converge(&rfb, stage.frame, 3));
	}
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_converges_for_ten_clients(void **state)
{
	struct stage stage;
	struct rfb rfb[10];

	(void)state;
	stage_open(&stage, NULL, 800, 600);
	for (size_t i = 0; i < 10; i++)
		join(&stage, &rfb[i], ALL);
	assert_true(stage_wait(&stage, stage_has_clients, 10));
	for (uint32_t turn = 0; turn < 20; turn++) {
		stage_paint(&stage, turn * 13 % 700, turn * 29 % 500, 90, 70);
		for (size_t i = turn % 2; i < 10; i += 2)
			assert_true(rfb_converge(&rfb[i], stage.frame, 5));
	}
	for (size_t i = 0; i < 10; i++) {
		assert_true(rfb_converge(&rfb[i], stage.frame, 5));
		rfb_close(&rfb[i]);
	}
	assert_true(stage_wait(&stage, stage_has_clients, 0));
	stage_close(&stage);
}

static void test_vnc_follows_each_mode(void **state)
{
	static const struct {
		uint32_t width, height;
	} modes[] = {{320, 200}, {1920, 1080}, {64, 64}, {65, 31}, {1, 1}, {640, 480}, {640, 480}};
	struct stage stage;
	struct rfb plain, extended;

	(void)state;
	stage_open(&stage, NULL, 640, 400);
	join(&stage, &plain, RFB_DESKTOP_SIZE);
	join(&stage, &extended, RFB_EXTENDED_DESKTOP_SIZE);
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		assert_true(rfb_converge(&plain, stage.frame, 5));
		assert_true(rfb_converge(&extended, stage.frame, 5));
		stage_resize(&stage, modes[i].width, modes[i].height);
	}
	assert_true(rfb_converge(&plain, stage.frame, 5));
	assert_true(rfb_converge(&extended, stage.frame, 5));
	assert_int_equal(plain.resizes, 6);
	assert_int_equal(extended.resizes, 6);
	rfb_close(&plain);
	rfb_close(&extended);
	stage_close(&stage);
}

/* Modes that pass while nobody asks are not sent one by one: the newest wins. */
static void test_vnc_sends_the_newest_of_many_modes(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 400);
	join(&stage, &rfb, ALL);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	for (uint32_t i = 1; i <= 100; i++)
		stage_resize(&stage, 100 + i, 200 + i);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.resizes, 1);
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_lets_go_of_who_cannot_follow(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 400);
	join(&stage, &rfb, 0);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	/* There and back is no change. */
	stage_resize(&stage, 320, 200);
	stage_resize(&stage, 640, 400);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	stage_resize(&stage, 320, 200);
	assert_true(rfb_request(&rfb, true));
	assert_true(rfb_is_closed(rfb.fd));
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_holds_newcomers_until_a_pass(void **state)
{
	struct sink_demand demand;
	struct stage stage;
	struct pollfd poller;
	struct rfb rfb;
	int fd;

	(void)state;
	stage_open(&stage, NULL, 320, 200);
	stage_set_hold(&stage, true);
	fd = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet(fd, 8, NULL));
	assert_true(stage_wait(&stage, stage_has_clients, 1));
	stage.sink->ops->captured(stage.sink); /* of a pass before anybody knew of it */
	demand = stage_demand(&stage);
	assert_int_equal(demand.clients, 1);
	assert_int_equal(demand.fresh, 1);
	assert_int_equal(demand.waiting, 0);
	demand = stage_demand(&stage);
	assert_int_equal(demand.fresh, 0);
	/* What it will see is the size and the picture after the pass. */
	stage_resize(&stage, 500, 300);
	stage_paint(&stage, 3, 3, 400, 200);
	poller = (struct pollfd){.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&poller, 1, 50), 0);
	stage.sink->ops->captured(stage.sink);
	stage_set_hold(&stage, false);
	assert_true(rfb_init(&rfb, fd));
	assert_int_equal(rfb.width, 500);
	assert_true(rfb_request(&rfb, false));
	assert_true(rfb_update(&rfb));
	assert_true(rfb_shows(&rfb, stage.frame));
	rfb_close(&rfb);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vnc_shows_exact_pixels_to_each_version),
		cmocka_unit_test(test_vnc_sends_what_changes),
		cmocka_unit_test(test_vnc_converges_for_ten_clients),
		cmocka_unit_test(test_vnc_follows_each_mode),
		cmocka_unit_test(test_vnc_sends_the_newest_of_many_modes),
		cmocka_unit_test(test_vnc_lets_go_of_who_cannot_follow),
		cmocka_unit_test(test_vnc_holds_newcomers_until_a_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
