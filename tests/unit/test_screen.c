/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "screen.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "screen_stage.h"
#include "unit.h"

static void test_screen_reads_nothing_without_clients(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	for (int i = 0; i < 100; i++)
		g_main_context_iteration(NULL, FALSE);
	assert_int_equal(screen_counters(fixture->screen)->looks, 0);
	assert_int_equal(screen_counters(fixture->screen)->bytes_read, 0);
	assert_true(fixture->source.rests > 0);
}

static void test_screen_shows_the_plane_to_a_client(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_join(fixture);
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

	stage_start(fixture);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	stage_set_mode(&fixture->source, 333, 77, 0xabcdef);
	run_until_captured(fixture, fixture->sink.captures + 2);
	assert_int_equal(fixture->sink.resizes, 1);
	expect_frame(fixture->sink.frame, 333, 77, 0xabcdef);
}

static void test_screen_keeps_a_plane_that_changed_meanwhile_to_itself(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	fixture->source.changes = 3;
	stage_set_mode(&fixture->source, 64, 64, 0x010203);
	run_until_captured(fixture, fixture->sink.captures + 1);
	assert_int_equal(screen_counters(fixture->screen)->retries, 3);
	assert_int_equal(fixture->sink.resizes, 1);
	expect_frame(fixture->sink.frame, 64, 64, 0x010203);

	/* The same with an unchanged size: the damage of the lost passes is not forgotten. */
	fixture->sink.wakes = 0;
	fixture->source.changes = 2;
	stage_set_mode(&fixture->source, 64, 64, 0x040506);
	run_until_captured(fixture, fixture->sink.captures + 1);
	assert_int_equal(screen_counters(fixture->screen)->retries, 5);
	assert_int_equal(fixture->sink.wakes, 1);
	expect_frame(fixture->sink.frame, 64, 64, 0x040506);
}

static void test_screen_shows_a_card_while_the_plane_is_off(void **state)
{
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_join(fixture);
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

	stage_start(fixture);
	fixture->source.changes = UINT_MAX;
	stage_join(fixture);
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

	stage_start(fixture);
	stage_join(fixture);
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

	stage_start(fixture);
	stage_join(fixture);
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

	stage_start(fixture);
	stage_join(fixture);
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

static void leave(struct fixture *fixture)
{
	fixture->sink.demand = (struct sink_demand){0};
	sink_poke(&fixture->sink.base);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* Also of what is black in the plane, and where the device says that nothing changed. */
static void test_screen_gives_its_memory_back_until_a_client_comes(void **state)
{
	struct fixture *fixture = *state;
	unsigned int frames;
	size_t bytes;

	stage_start(fixture);
	frame_held(&frames, &bytes);
	assert_int_equal(bytes, 0);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	frame_held(&frames, &bytes);
	assert_true(bytes >= 100 * 50 * 4);
	fixture->source.hint_ret = 0;
	run_until_captured(fixture, fixture->sink.captures + 1);
	leave(fixture);
	frame_held(&frames, &bytes);
	assert_int_equal(bytes, 0);
	expect_frame(fixture->sink.frame, 100, 50, 0);
	fixture->sink.wakes = 0;
	stage_join(fixture);
	run_until_captured(fixture, fixture->sink.captures + 1);
	expect_frame(fixture->sink.frame, 100, 50, 0x112233);
	assert_int_equal(fixture->sink.wakes, 1);

	leave(fixture);
	stage_set_mode(&fixture->source, 100, 50, 0);
	fixture->sink.wakes = 0;
	stage_join(fixture);
	run_until_captured(fixture, fixture->sink.captures + 1);
	assert_int_equal(fixture->sink.wakes, 1);
	assert_int_equal(fixture->sink.damaged, 4); /* all cells */
}

static void test_screen_shows_its_card_again_to_who_comes(void **state)
{
	struct fixture *fixture = *state;

	fixture->source.acquire_ret = -ENODATA;
	stage_start(fixture);
	for (int times = 0; times < 2; times++) {
		fixture->sink.wakes = 0;
		stage_join(fixture);
		run_until_captured(fixture, fixture->sink.captures + 1);
		assert_int_equal(fixture->sink.wakes, 1);
		assert_int_not_equal(fixture->sink.frame->pixels[0] & 0xffffff, 0);
		leave(fixture);
		expect_frame(fixture->sink.frame, fixture->sink.frame->width,
			     fixture->sink.frame->height, 0);
	}
}

static void test_screen_passes_on_what_viewers_wish(void **state)
{
	static const struct {
		uint32_t width;
		int ret, answer;
	} cases[] = {
		{800, 0, -EINPROGRESS},
		{100, 0, 0}, /* the mode that it has */
		{801, -ENOTSUP, -ENOTSUP},
		{802, -ERANGE, -ERANGE},
	};
	struct fixture *fixture = *state;

	stage_start(fixture);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		fixture->source.wished_width = 0;
		fixture->source.set_mode_ret = cases[i].ret;
		fixture->sink.demand.wish_width = cases[i].width;
		fixture->sink.demand.wish_height = 50;
		sink_poke(&fixture->sink.base);
		while (fixture->sink.answers == i)
			g_main_context_iteration(NULL, TRUE);
		assert_int_equal(fixture->sink.answer, cases[i].answer);
		assert_int_equal(fixture->source.wished_width,
				 cases[i].width == 100 ? 0 : cases[i].width);
	}
	assert_int_equal(fixture->sink.answers, G_N_ELEMENTS(cases));
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

	stage_start(fixture);
	all = describe(fixture->screen, &root);
	assert_false(json_object_get_boolean_member(all, "signal"));
	assert_true(json_object_get_null_member(all, "mode"));
	assert_string_equal(json_object_get_string_member(all, "reason"),
			    "waiting for the first picture");
	member = json_object_get_object_member(all, "pacer");
	assert_string_equal(json_object_get_string_member(member, "state"), "asleep");
	json_node_unref(root);

	stage_join(fixture);
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

#define SCREEN_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

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
		SCREEN_TEST(test_screen_gives_its_memory_back_until_a_client_comes),
		SCREEN_TEST(test_screen_shows_its_card_again_to_who_comes),
		SCREEN_TEST(test_screen_passes_on_what_viewers_wish),
		SCREEN_TEST(test_screen_describes_what_it_shows),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
