/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC sink and clients that want another size. */
#include "vnc_wish.h"

#include <errno.h>
#include <string.h>

#include "password.h"
#include "rfb.h"
#include "stage.h"
#include "unit.h"

static void join(struct stage *stage, struct rfb *rfb)
{
	assert_true(rfb_open(rfb, rfb_dial_tcp(stage->port), 8));
	assert_true(rfb_encodings(rfb, RFB_EXTENDED_DESKTOP_SIZE));
	assert_true(rfb_request(rfb, false));
	assert_true(rfb_update(rfb)); /* that the server speaks of sizes */
	assert_int_equal(rfb->size_reason, 0);
	assert_true(rfb_converge(rfb, stage->frame, 3));
}

static void wish(struct rfb *rfb, uint16_t width, uint16_t height)
{
	const uint8_t message[8 + 16] = {
		251,
		0,
		(uint8_t)(width >> 8),
		(uint8_t)width,
		(uint8_t)(height >> 8),
		(uint8_t)height,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		(uint8_t)(width >> 8),
		(uint8_t)width,
		(uint8_t)(height >> 8),
		(uint8_t)height,
	};

	assert_true(rfb_send(rfb->fd, message, sizeof(message)));
}

/* Asks for updates until one of them is an answer. */
static void hear(struct rfb *rfb, unsigned int status)
{
	rfb->size_reason = 0;
	for (int i = 0; i < 5 && rfb->size_reason != 1; i++) {
		assert_true(rfb_request(rfb, true));
		assert_true(rfb_update(rfb));
	}
	assert_int_equal(rfb->size_reason, 1);
	assert_int_equal(rfb->size_status, status);
}

static void test_vnc_tells_clients_what_became_of_a_wish(void **state)
{
	static const struct {
		int ret;
		unsigned int status;
	} cases[] = {{0, 0}, {-ENOTSUP, 1}, {-EIO, 2}, {-ERANGE, 3}, {-EINPROGRESS, 4}};
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	join(&stage, &rfb);
	for (uint16_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		stage_grant(&stage, cases[i].ret);
		wish(&rfb, (uint16_t)(1024 + i), 768);
		hear(&rfb, cases[i].status);
	}
	assert_int_equal(rfb.resizes, 0);
	rfb_close(&rfb);
	stage_close(&stage);
	assert_int_equal(stage.wishes, G_N_ELEMENTS(cases));
	assert_int_equal(stage.wish_width, 1024 + G_N_ELEMENTS(cases) - 1);
	assert_int_equal(stage.wish_height, 768);
}

static void test_vnc_answers_impossible_layouts_by_itself(void **state)
{
	static const uint8_t layouts[][8 + 2 * 16] = {
		{251, 0, 4, 0, 3, 0, 0},                                /* no screen */
		{251, 0, 0, 0, 0, 0, 0},                                /* of no size */
		{251, 0, 4, 0, 3, 0, 1, [16] = 0, 0, 3, 0},             /* not wide */
		{251, 0, 4, 0, 3, 0, 1, [12] = 0, 1, 0, 0, 4, 0, 3, 0}, /* beyond an edge */
		{251, 0, 4, 0, 3, 0, 1, [12] = 0xff, 0xff, 0, 0, 0xff, 0xff, 3, 0},
		{251, 0, 4, 0, 3, 0, 2, [16] = 4, 0, 3, 0, [32] = 4, 1, 3, 0}, /* the second one */
	};
	static const size_t lengths[] = {8, 8, 24, 24, 24, 40};
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	join(&stage, &rfb);
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
		assert_true(rfb_send(rfb.fd, layouts[i], lengths[i]));
		hear(&rfb, VNC_SIZE_INVALID);
	}
	rfb_close(&rfb);
	stage_close(&stage);
	assert_int_equal(stage.wishes, 0);
}

/* A client that is told of a failure does not look at the size that comes with it. */
static void test_vnc_tells_the_new_size_beside_a_refusal(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	stage_grant(&stage, -ENOTSUP);
	join(&stage, &rfb);
	for (uint16_t i = 0; i < 20; i++) {
		wish(&rfb, 800, 600);
		stage_resize(&stage, 300u + i, 200);
		hear(&rfb, VNC_SIZE_PROHIBITED);
		assert_true(rfb_converge(&rfb, stage.frame, 5));
		assert_int_equal(rfb.width, 300 + i);
	}
	rfb_close(&rfb);
	stage_close(&stage);
}

/* VncAuth with the password that is for watching, up to and with ClientInit. */
static void join_to_watch(struct stage *stage, struct rfb *rfb, const struct passwords *passwords)
{
	uint8_t challenge[PASSWORD_CHALLENGE], answer[PASSWORD_CHALLENGE], bytes[12];
	int fd = rfb_dial_tcp(stage->port);

	assert_true(rfb_receive(fd, bytes, 12) && rfb_send(fd, "RFB 003.008\n", 12));
	assert_true(rfb_receive(fd, bytes, 2) && rfb_send(fd, "\2", 1));
	assert_true(rfb_receive(fd, challenge, sizeof(challenge)));
	assert_int_equal(password_answer(passwords->view, challenge, answer), 0);
	assert_true(rfb_send(fd, answer, sizeof(answer)) && rfb_receive(fd, bytes, 4));
	assert_int_equal(bytes[3], 0);
	assert_true(rfb_send(fd, "\1", 1) && rfb_init(rfb, fd));
	assert_true(rfb_encodings(rfb, RFB_EXTENDED_DESKTOP_SIZE));
	assert_true(rfb_converge(rfb, stage->frame, 3));
}

/* The screen does not even hear of it, though it would grant it. */
static void test_vnc_refuses_the_wish_of_who_only_watches(void **state)
{
	const struct passwords passwords = {
		.full = "full", .view = "watch", .has_full = TRUE, .has_view = TRUE};
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, &(struct vnc_options){.passwords = &passwords}, 640, 480);
	join_to_watch(&stage, &rfb, &passwords);
	for (uint16_t i = 0; i < 5; i++) {
		wish(&rfb, (uint16_t)(800 + i), 600);
		hear(&rfb, VNC_SIZE_PROHIBITED);
	}
	stage_paint(&stage, 0, 0, 9, 9);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.resizes, 0);
	rfb_close(&rfb);
	stage_close(&stage);
	assert_int_equal(stage.wishes, 0);
}

#define STORM 2000

static void test_vnc_outlives_a_storm_of_wishes(void **state)
{
	struct rfb storming[3], healthy;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	stage_grant(&stage, -EINPROGRESS);
	join(&stage, &healthy);
	for (size_t i = 0; i < G_N_ELEMENTS(storming); i++)
		join(&stage, &storming[i]);
	for (uint16_t i = 0; i < STORM; i++)
		wish(&storming[i % 3], (uint16_t)(1 + i), (uint16_t)(1 + i));
	for (size_t i = 0; i < G_N_ELEMENTS(storming); i++)
		hear(&storming[i], VNC_SIZE_FORWARDED);
	stage_paint(&stage, 10, 10, 100, 100);
	assert_true(rfb_converge(&healthy, stage.frame, 5));
	for (size_t i = 0; i < G_N_ELEMENTS(storming); i++)
		rfb_close(&storming[i]);
	rfb_close(&healthy);
	stage_close(&stage);
	assert_in_range(stage.wishes, 3, STORM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vnc_tells_clients_what_became_of_a_wish),
		cmocka_unit_test(test_vnc_answers_impossible_layouts_by_itself),
		cmocka_unit_test(test_vnc_tells_the_new_size_beside_a_refusal),
		cmocka_unit_test(test_vnc_refuses_the_wish_of_who_only_watches),
		cmocka_unit_test(test_vnc_outlives_a_storm_of_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
