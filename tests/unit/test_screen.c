/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "screen.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "member.h"
#include "unit.h"

/* A device under the test's control, and a sink that keeps count. */
struct fake_source {
	struct source base;
	struct plane plane;
	uint32_t *pixels;
	int acquire_ret;
	int hint_ret;
	struct plane cursor; /* width 0: none */
	uint32_t cursor_pixels[4];
	unsigned int changes; /* so many times the plane is another one after the pass */
	unsigned int rests, closes;
};

struct fake_sink {
	struct sink base;
	struct frame *frame;
	struct sink_demand demand;
	unsigned int resizes, wakes, captures, closes;
	unsigned int points; /* how often it was told of the pointer, and what last */
	struct pointer *shape;
	int32_t x, y;
};

struct fixture {
	struct fake_source source;
	struct fake_sink sink;
	struct screen *screen;
};

static int fake_acquire(struct source *base, enum plane_type type, struct plane *plane,
			GError **error)
{
	struct fake_source *source = (struct fake_source *)base;

	if (type == PLANE_CURSOR) {
		*plane = source->cursor;
		return plane->width ? 0 : -ENODATA;
	}
	assert_int_equal(type, PLANE_PRIMARY);
	if (source->acquire_ret)
		return fail(error, EXIT_FAILED, -source->acquire_ret, "switched off by the test");
	*plane = source->plane;
	return 0;
}

static bool fake_same(struct source *base, enum plane_type type, const struct plane *plane)
{
	struct fake_source *source = (struct fake_source *)base;

	(void)type;
	(void)plane;
	if (!source->changes)
		return true;
	source->changes--;
	return false;
}

static void fake_release(struct source *base, struct plane *plane)
{
	(void)base;
	plane->data = NULL;
}

static int fake_event_fd(struct source *base)
{
	(void)base;
	return -1;
}

static int fake_hint(struct source *base, struct damage *damage)
{
	(void)damage;
	return ((struct fake_source *)base)->hint_ret;
}

static void fake_rest(struct source *base)
{
	((struct fake_source *)base)->rests++;
}

static void fake_source_describe(struct source *base, JsonBuilder *json)
{
	(void)base;
	member_string(json, "damage", "fake");
}

static void fake_source_close(struct source *base)
{
	((struct fake_source *)base)->closes++;
}

static const struct source_ops fake_source_ops = {
	.name = "fake",
	.acquire = fake_acquire,
	.same = fake_same,
	.release = fake_release,
	.event_fd = fake_event_fd,
	.hint = fake_hint,
	.rest = fake_rest,
	.describe = fake_source_describe,
	.close = fake_source_close,
};

static int fake_resize(struct sink *base, struct frame *frame)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	frame_release(sink->frame);
	sink->frame = frame_acquire(frame);
	sink->resizes++;
	return 0;
}

static void fake_wake(struct sink *base, const struct damage *damage)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	assert_int_equal(damage->width, sink->frame->width);
	assert_int_equal(damage->height, sink->frame->height);
	assert_false(damage_is_empty(damage));
	sink->wakes++;
}

static void fake_pointer(struct sink *base, struct pointer *shape, int32_t x, int32_t y)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	sink->points++;
	pointer_release(sink->shape);
	sink->shape = pointer_acquire(shape);
	sink->x = x;
	sink->y = y;
}

static void fake_captured(struct sink *base)
{
	((struct fake_sink *)base)->captures++;
}

static void fake_demand(struct sink *base, struct sink_demand *demand)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	*demand = sink->demand;
	sink->demand.fresh = 0;
}

static void fake_sink_describe(struct sink *base, JsonBuilder *json)
{
	(void)base;
	member_array(json, "clients");
	json_builder_end_array(json);
}

static void fake_sink_close(struct sink *base)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	pointer_release(sink->shape);
	frame_release(sink->frame);
	sink->closes++;
}

static const struct sink_ops fake_sink_ops = {
	.name = "fake",
	.resize = fake_resize,
	.wake = fake_wake,
	.pointer = fake_pointer,
	.captured = fake_captured,
	.demand = fake_demand,
	.describe = fake_sink_describe,
	.close = fake_sink_close,
};

static void set_mode(struct fake_source *source, uint32_t width, uint32_t height, uint32_t pixel)
{
	source->pixels = realloc(source->pixels, (size_t)width * height * 4);
	assert_non_null(source->pixels);
	for (size_t i = 0; i < (size_t)width * height; i++)
		source->pixels[i] = pixel;
	source->plane = (struct plane){
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = width,
		.height = height,
		.stride = width * 4,
		.data = (const uint8_t *)source->pixels,
		.size = (size_t)width * height * 4,
		.generation = source->plane.generation + 1,
	};
}

/* A pointer of 2x2 pixels; contents as in struct plane. */
static void set_cursor(struct fake_source *source, uint32_t pixel, int32_t x, int32_t y,
		       uint64_t contents)
{
	for (size_t i = 0; i < 4; i++)
		source->cursor_pixels[i] = pixel;
	source->cursor = (struct plane){
		.fourcc = DRM_FORMAT_ARGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = 2,
		.height = 2,
		.stride = 8,
		.data = (const uint8_t *)source->cursor_pixels,
		.size = sizeof(source->cursor_pixels),
		.x = x,
		.y = y,
		.hot_x = 1,
		.generation = 1,
		.contents = contents,
	};
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->source.base.ops = &fake_source_ops;
	fixture->source.hint_ret = -ENOTSUP;
	fixture->sink.base.ops = &fake_sink_ops;
	set_mode(&fixture->source, 100, 50, 0x112233);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	screen_destroy(fixture->screen);
	assert_int_equal(fixture->source.closes, 1);
	assert_int_equal(fixture->sink.closes, 1);
	free(fixture->source.pixels);
	free(fixture);
	return 0;
}

static void start(struct fixture *fixture)
{
	struct screen_options options = {.max_fps = 200};

	assert_int_equal(screen_create(&fixture->source.base, &options, &fixture->screen), 0);
	fixture->sink.frame = frame_acquire(screen_frame(fixture->screen));
	screen_add_sink(fixture->screen, &fixture->sink.base);
}

/* Turns the loop until the sink has heard of so many finished captures. */
static void run_until_captured(struct fixture *fixture, unsigned int captures)
{
	for (int i = 0; i < 100000 && fixture->sink.captures < captures; i++)
		g_main_context_iteration(NULL, TRUE);
	assert_true(fixture->sink.captures >= captures);
}

static void join(struct fixture *fixture)
{
	fixture->sink.demand = (struct sink_demand){.clients = 1, .waiting = 1, .fresh = 1};
	sink_poke(&fixture->sink.base);
}

static void expect_frame(const struct frame *frame, uint32_t width, uint32_t height, uint32_t pixel)
{
	assert_int_equal(frame->width, width);
	assert_int_equal(frame->height, height);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			assert_int_equal(frame->pixels[y * frame->stride / 4 + x] & 0xffffff,
					 pixel);
}

static void test_screen_reads_nothing_without_clients(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	for (int i = 0; i < 100; i++)
		g_main_context_iteration(NULL, FALSE);
	assert_int_equal(screen_counters(fixture->screen)->looks, 0);
	assert_int_equal(screen_counters(fixture->screen)->bytes_read, 0);
	assert_true(fixture->source.rests > 0);
}

static void test_screen_shows_the_plane_to_a_client(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	expect_frame(fixture->sink.frame, 100, 50, 0x112233);
	assert_int_equal(fixture->sink.wakes, 1);
	run_until_captured(fixture, 4);
	assert_int_equal(fixture->sink.wakes, 1);
	fixture->source.pixels[0] = 0x445566;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.wakes, 2);
	assert_int_equal(fixture->sink.frame->pixels[0], 0x445566);
}

static void test_screen_follows_a_mode_change(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	set_mode(&fixture->source, 333, 77, 0xabcdef);
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.resizes, 1);
	expect_frame(fixture->sink.frame, 333, 77, 0xabcdef);
}

static void test_screen_keeps_a_plane_that_changed_meanwhile_to_itself(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	fixture->source.changes = 3;
	set_mode(&fixture->source, 64, 64, 0x010203);
	run_until_captured(fixture, fixture->sink.captures + 1);
	assert_int_equal(screen_counters(fixture->screen)->retries, 3);
	assert_int_equal(fixture->sink.resizes, 1);
	expect_frame(fixture->sink.frame, 64, 64, 0x010203);

	/* The same with an unchanged size: the damage of the lost passes is not forgotten. */
	fixture->sink.wakes = 0;
	fixture->source.changes = 2;
	set_mode(&fixture->source, 64, 64, 0x040506);
	run_until_captured(fixture, fixture->sink.captures + 1);
	assert_int_equal(screen_counters(fixture->screen)->retries, 5);
	assert_int_equal(fixture->sink.wakes, 1);
	expect_frame(fixture->sink.frame, 64, 64, 0x040506);
}

static void test_screen_shows_a_card_while_the_plane_is_off(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	fixture->source.acquire_ret = -ENODATA;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.frame->width, 100);
	assert_int_equal(fixture->sink.wakes, 2); /* the picture, the card */
	assert_int_not_equal(fixture->sink.frame->pixels[0] & 0xffffff, 0x112233);
	fixture->source.acquire_ret = 0;
	run_until_captured(fixture, fixture->sink.captures + 2);
	expect_frame(fixture->sink.frame, 100, 50, 0x112233);
	assert_int_equal(fixture->sink.wakes, 3);
}

/* Viewers are greeted after a look, so one has to end at last. */
static void test_screen_shows_a_card_for_a_plane_that_always_changes(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	fixture->source.changes = UINT_MAX;
	join(fixture);
	run_until_captured(fixture, 1);
	assert_true(screen_counters(fixture->screen)->retries > 1);
	assert_int_not_equal(fixture->sink.frame->pixels[0] & 0xffffff, 0x112233);
	fixture->source.changes = 0;
	run_until_captured(fixture, fixture->sink.captures + 2);
	expect_frame(fixture->sink.frame, 100, 50, 0x112233);

	fixture->source.acquire_ret = -EAGAIN;
	run_until_captured(fixture, fixture->sink.captures + 1);
	assert_int_not_equal(fixture->sink.frame->pixels[0] & 0xffffff, 0x112233);
}

static void test_screen_refuses_a_hostile_plane(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	fixture->source.plane.width = 4000000000u;
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.resizes, 0);
	assert_int_equal(fixture->sink.frame->width, 100);
}

static void test_screen_reads_nothing_that_the_source_calls_unchanged(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	fixture->source.hint_ret = 0;
	run_until_captured(fixture, fixture->sink.captures + 1);
	before = screen_counters(fixture->screen)->bytes_read;
	run_until_captured(fixture, fixture->sink.captures + 3);
	assert_int_equal(screen_counters(fixture->screen)->bytes_read, before);
}

static void test_screen_rests_when_the_last_client_leaves(void **state)
{
	struct fixture *fixture = *state;
	unsigned int rests;
	uint64_t looks;

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	rests = fixture->source.rests;
	fixture->sink.demand = (struct sink_demand){0};
	sink_poke(&fixture->sink.base);
	for (int i = 0; i < 100; i++)
		g_main_context_iteration(NULL, FALSE);
	assert_int_equal(fixture->source.rests, rests + 1);
	looks = screen_counters(fixture->screen)->looks;
	for (int i = 0; i < 100; i++)
		g_main_context_iteration(NULL, FALSE);
	assert_int_equal(screen_counters(fixture->screen)->looks, looks);
}

static JsonObject *describe(struct screen *screen, JsonNode **root)
{
	JsonBuilder *json = json_builder_new();

	json_builder_begin_object(json);
	screen_describe(screen, json);
	json_builder_end_object(json);
	*root = json_builder_get_root(json);
	g_object_unref(json);
	return json_node_get_object(*root);
}

static void test_screen_describes_what_it_shows(void **state)
{
	struct fixture *fixture = *state;
	JsonObject *all, *member;
	JsonNode *root;

	start(fixture);
	all = describe(fixture->screen, &root);
	assert_false(json_object_get_boolean_member(all, "signal"));
	assert_true(json_object_get_null_member(all, "mode"));
	assert_string_equal(json_object_get_string_member(all, "reason"),
			    "waiting for the first picture");
	member = json_object_get_object_member(all, "pacer");
	assert_string_equal(json_object_get_string_member(member, "state"), "asleep");
	json_node_unref(root);

	join(fixture);
	run_until_captured(fixture, 1);
	all = describe(fixture->screen, &root);
	assert_true(json_object_get_boolean_member(all, "signal"));
	assert_true(json_object_get_null_member(all, "reason"));
	member = json_object_get_object_member(all, "mode");
	assert_int_equal(json_object_get_int_member(member, "width"), 100);
	assert_int_equal(json_object_get_int_member(member, "stride"), 400);
	assert_string_equal(json_object_get_string_member(member, "format"), "XR24");
	assert_string_equal(json_object_get_string_member(member, "layout"), "linear");
	member = json_object_get_object_member(all, "source");
	assert_string_equal(json_object_get_string_member(member, "kind"), "fake");
	assert_string_equal(json_object_get_string_member(member, "damage"), "fake");
	member = json_object_get_object_member(all, "counters");
	assert_int_equal(json_object_get_int_member(member, "passes"), 1);
	assert_int_equal(json_object_get_int_member(member, "bytes_read"), 100 * 50 * 4);
	assert_int_equal(json_object_get_int_member(member, "cells"), 4);
	member = json_object_get_object_member(json_object_get_object_member(all, "time"), "read");
	assert_int_equal(json_object_get_int_member(member, "count"), 1);
	assert_int_equal(json_array_get_length(json_object_get_array_member(all, "sinks")), 1);
	json_node_unref(root);
}

static void test_screen_tells_of_the_pointer(void **state)
{
	struct fixture *fixture = *state;
	struct fake_sink *sink = &fixture->sink;
	unsigned int points;

	start(fixture);
	assert_int_equal(sink->points, 1); /* a new sink hears how it is */
	assert_null(sink->shape);
	set_cursor(&fixture->source, 0xffabcdef, -1, 7, 0);
	join(fixture);
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

	start(fixture);
	set_cursor(&fixture->source, 0xff000001, 5, 5, 1);
	join(fixture);
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

	start(fixture);
	set_cursor(&fixture->source, 0xff000001, 5, 5, 1);
	join(fixture);
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

	start(fixture);
	join(fixture);
	run_until_captured(fixture, 1);
	set_cursor(&fixture->source, 0xff000001, INT32_MIN, INT32_MAX, 0);
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

#define SCREEN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCREEN_TEST(test_screen_reads_nothing_without_clients),
		SCREEN_TEST(test_screen_shows_the_plane_to_a_client),
		SCREEN_TEST(test_screen_follows_a_mode_change),
		SCREEN_TEST(test_screen_keeps_a_plane_that_changed_meanwhile_to_itself),
		SCREEN_TEST(test_screen_shows_a_card_while_the_plane_is_off),
		SCREEN_TEST(test_screen_shows_a_card_for_a_plane_that_always_changes),
		SCREEN_TEST(test_screen_refuses_a_hostile_plane),
		SCREEN_TEST(test_screen_reads_nothing_that_the_source_calls_unchanged),
		SCREEN_TEST(test_screen_rests_when_the_last_client_leaves),
		SCREEN_TEST(test_screen_tells_of_the_pointer),
		SCREEN_TEST(test_screen_reads_no_pointer_that_the_source_calls_unchanged),
		SCREEN_TEST(test_screen_shows_no_pointer_without_a_picture),
		SCREEN_TEST(test_screen_refuses_hostile_pointers),
		SCREEN_TEST(test_screen_describes_what_it_shows),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
