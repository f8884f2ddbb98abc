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
	unsigned int changes; /* so many times the plane is another one after the pass */
	unsigned int rests, closes;
};

struct fake_sink {
	struct sink base;
	struct frame *frame;
	struct sink_demand demand;
	unsigned int resizes, wakes, captures, closes;
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

	frame_release(sink->frame);
	sink->closes++;
}

static const struct sink_ops fake_sink_ops = {
	.name = "fake",
	.resize = fake_resize,
	.wake = fake_wake,
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

#define SCREEN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCREEN_TEST(test_screen_reads_nothing_without_clients),
		SCREEN_TEST(test_screen_shows_the_plane_to_a_client),
		SCREEN_TEST(test_screen_follows_a_mode_change),
		SCREEN_TEST(test_screen_keeps_a_plane_that_changed_meanwhile_to_itself),
		SCREEN_TEST(test_screen_shows_a_card_while_the_plane_is_off),
		SCREEN_TEST(test_screen_refuses_a_hostile_plane),
		SCREEN_TEST(test_screen_reads_nothing_that_the_source_calls_unchanged),
		SCREEN_TEST(test_screen_rests_when_the_last_client_leaves),
		SCREEN_TEST(test_screen_describes_what_it_shows),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
