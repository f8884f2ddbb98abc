/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvncserver is known, or it is not: viewers have every pixel either way, in every encoding,
 * while the picture, its size and what they want of it change.
 */
#include "vnc_layout.h"

#include <rfb/rfb.h>

#include "rfb.h"
#include "stage.h"
#include "unit.h"
#include "viewer.h"

static const struct viewer_format sixteen = {16, 16, true, {31, 63, 31}, {11, 5, 0}};

/* X bytes mean nothing. */
static bool shows(const struct viewer *viewer, const struct frame *frame)
{
	uint32_t colours = viewer_pixel(&viewer->format, 0xffffff);

	if (viewer->width != frame->width || viewer->height != frame->height)
		return false;
	for (uint32_t y = 0; y < frame->height; y++)
		for (uint32_t x = 0; x < frame->width; x++)
			if ((viewer->pixels[y * frame->width + x] & colours) !=
			    viewer_pixel(&viewer->format,
					 frame->pixels[y * (frame->stride / 4) + x]))
				return false;
	return true;
}

/* It has asked already. One answer may be several updates. */
static void catch_up(struct viewer *viewer, const struct stage *stage)
{
	int message = viewer_message(viewer);

	while (message >= 0 && !shows(viewer, stage->frame)) {
		if (viewer->resized && message == VIEWER_UPDATE)
			assert_true(viewer_request(viewer, false));
		message = viewer_message(viewer);
	}
	if (message < 0)
		fail_msg("%s", viewer->reason);
}

static void watch(struct stage *stage, int32_t preferred, int32_t quality)
{
	const int32_t encodings[] = {
		preferred,        VIEWER_DESKTOP_SIZE, VIEWER_LAST_RECT,          VIEWER_CURSOR,
		VIEWER_COPY_RECT, VIEWER_FENCE,        VIEWER_CONTINUOUS_UPDATES, quality};
	static uint32_t white[16];
	struct viewer viewer;

	assert_true(viewer_open(&viewer, rfb_dial_tcp(stage->port), true));
	assert_true(viewer_set_encodings(&viewer, encodings, 8));
	assert_true(viewer_request(&viewer, false));
	catch_up(&viewer, stage);
	for (uint32_t i = 0; i < 20; i++) {
		struct pointer *shape = pointer_create(4, 4, 0, 0, white, 16);

		switch (i % 5) {
		case 0:
			stage_paint(stage, i * 9, i * 5, 333, 77);
			break;
		case 1:
			stage_point(stage, shape, 7, 7);
			stage_paint(stage, 0, 0, 5, 5);
			break;
		case 2:
			assert_true(
				viewer_set_format(&viewer, i % 2 ? &sixteen : &viewer_x8r8g8b8));
			stage_resize(stage, 500 + i, 300);
			break;
		default:
			stage_move(stage, &(struct detile_rect){0, 0, 480, 300}, 0, -8, true);
		}
		pointer_release(shape);
		assert_true(viewer_request(&viewer, i % 5 != 2));
		catch_up(&viewer, stage);
	}
	/* Without a request. */
	assert_true(viewer.offered_continuous);
	assert_true(viewer_continuous(&viewer, true));
	stage_paint(stage, 10, 10, 100, 100);
	catch_up(&viewer, stage);
	viewer_close(&viewer);
}

static void watch_all(bool known)
{
	static const int32_t preferred[] = {VIEWER_RAW, VIEWER_ZRLE, VIEWER_TIGHT};
	struct vnc_counts counts;
	struct stage stage;

	vnc_layout_pretend(known);
	stage_open(&stage, NULL, 500, 300);
	stage.motion = motion_create();
	for (unsigned int i = 0; i < G_N_ELEMENTS(preferred); i++)
		watch(&stage, preferred[i], VIEWER_LAST_RECT);
	/* It allows JPEG, but the library sends none. */
	if (!known)
		watch(&stage, VIEWER_TIGHT, VIEWER_JPEG_QUALITY_0 + 5);
	vnc_count(stage.sink, &counts);
	assert_int_equal(counts.encoder.asked > 0, known);
	stage_close(&stage);
}

static void test_an_unknown_library_makes_the_updates_itself(void **state)
{
	(void)state;
	watch_all(false);
}

static void test_a_known_library_is_used(void **state)
{
	(void)state;
	watch_all(true);
}

/* As the first test, before others pretend. */
static void test_the_library_at_hand_is_tried(void **state)
{
	(void)state;
	assert_int_equal(vnc_layout_is_known(), vnc_layout_knows_version(LIBVNCSERVER_VERSION));
}

static void test_versions_from_the_first_that_was_tried_are_known(void **state)
{
	static const struct {
		const char *version;
		bool known;
	} cases[] = {
		{"0.9.14", true}, {"0.9.15", true},   {"0.9.101", true},  {"0.9.13", false},
		{"0.9.9", false}, {"0.10.14", false}, {"1.0.0", false},   {"0.9.", false},
		{"", false},      {"0.9.14a", false}, {"0.9.-14", false},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_int_equal(vnc_layout_knows_version(cases[i].version), cases[i].known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_library_at_hand_is_tried),
		cmocka_unit_test(test_versions_from_the_first_that_was_tried_are_known),
		cmocka_unit_test(test_an_unknown_library_makes_the_updates_itself),
		cmocka_unit_test(test_a_known_library_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
