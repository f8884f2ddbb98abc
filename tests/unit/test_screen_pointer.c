/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "screen.h"

#include <errno.h>

#include "screen_stage.h"
#include "unit.h"

static void test_screen_tells_of_the_pointer(void **state)
{
	struct fixture *fixture = *state;
	struct fake_sink *sink = &fixture->sink;
	unsigned int points;

	stage_start(fixture);
	assert_int_equal(sink->points, 1); /* a new sink hears how it is */
	assert_null(sink->shape);
	stage_set_cursor(&fixture->source, 0xffabcdef, -1, 7, 0);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	assert_int_equal(sink->points, 2);
	assert_non_null(sink->shape);
	assert_int_equal(sink->shape->pixels[3], 0xffabcdef);
	assert_int_equal(sink->shape->hot_x, 1);
	assert_int_equal(sink->x, -1);
	assert_int_equal(sink->y, 7);
	run_until_captured(fixture, sink->captures + 3);
	assert_int_equal(sink->points, 2); /* nothing new */

	/* It moves, it looks otherwise, it goes; the frame never has it. */
	fixture->source.cursor.x = 20;
	run_until_captured(fixture, sink->captures + 2);
	assert_int_equal(sink->points, 3);
	assert_int_equal(sink->x, 20);
	fixture->source.cursor_pixels[3] = 0;
	run_until_captured(fixture, sink->captures + 2);
	assert_int_equal(sink->points, 4);
	assert_int_equal(sink->shape->pixels[3], 0);
	fixture->source.cursor.width = 0;
	run_until_captured(fixture, sink->captures + 2);
	points = sink->points;
	assert_int_equal(points, 5);
	assert_null(sink->shape);
	run_until_captured(fixture, sink->captures + 2);
	assert_int_equal(sink->points, points);
	expect_frame(sink->frame, 100, 50, 0x112233);
}

static void test_screen_reads_no_pointer_that_the_source_calls_unchanged(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_set_cursor(&fixture->source, 0xff000001, 5, 5, 1);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	fixture->source.cursor_pixels[0] = 0xff000002;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.shape->pixels[0], 0xff000001);
	fixture->source.cursor.contents = 2;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.shape->pixels[0], 0xff000002);
}

static void test_screen_shows_no_pointer_without_a_picture(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_set_cursor(&fixture->source, 0xff000001, 5, 5, 1);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	assert_non_null(fixture->sink.shape);
	fixture->source.acquire_ret = -ENODATA;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_null(fixture->sink.shape);
	fixture->source.acquire_ret = 0;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_non_null(fixture->sink.shape);
}

static void test_screen_refuses_hostile_pointers(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	stage_set_cursor(&fixture->source, 0xff000001, INT32_MIN, INT32_MAX, 0);
	fixture->source.cursor.hot_x = INT32_MIN;
	fixture->source.cursor.hot_y = 2;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.x, -(int32_t)PLANE_MAX_DIMENSION);
	assert_int_equal(fixture->sink.y, PLANE_MAX_DIMENSION);
	assert_int_equal(fixture->sink.shape->hot_x, 0);
	assert_int_equal(fixture->sink.shape->hot_y, 0);
	fixture->source.cursor.height = 3; /* beyond its bytes */
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_null(fixture->sink.shape);
	fixture->source.cursor.height = 1;
	fixture->source.cursor.width = 4000000000u;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_null(fixture->sink.shape);
}

#define SCREEN_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCREEN_TEST(test_screen_tells_of_the_pointer),
		SCREEN_TEST(test_screen_reads_no_pointer_that_the_source_calls_unchanged),
		SCREEN_TEST(test_screen_shows_no_pointer_without_a_picture),
		SCREEN_TEST(test_screen_refuses_hostile_pointers),
	};

	return cmocka_run_group_tests_name("screen_pointer", tests, NULL, NULL);
}
