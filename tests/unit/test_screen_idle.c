/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen at rest, on a clock of the test's own: what is looked at, how often, and how soon a
 * change is found.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"
#include "member.h"
#include "screen.h"
#include "unit.h"

#define SECOND 1000000
#define MS     1000
#define STEP   MS /* of the clock, between two turns of the loop */

/* The real clock is far ahead, so that what the screen waits for is always due. */
static int64_t clock_us;

gint64 __wrap_g_get_monotonic_time(void);

gint64 __wrap_g_get_monotonic_time(void)
{
	return clock_us;
}

struct sink_double {
	struct sink base;
	struct sink_demand demand;
	bool takes_one; /* and waits no more once there is damage */
	unsigned int wakes, captures;
};

struct fixture {
	struct source *source;
	struct screen *screen;
	struct sink_double sink;
	const struct source_ops *ops; /* the simulator's own */
	struct source_ops tapped;
	int event; /* -1: the simulator's */
};

static struct fixture fixture;

static int sink_resize(struct sink *base, struct frame *frame)
{
	(void)base;
	(void)frame;
	return 0;
}

static void sink_wake(struct sink *base, const struct damage *damage, const struct moves *moves)
{
	struct sink_double *sink = (struct sink_double *)base;

	(void)moves;
	assert_false(damage_is_empty(damage));
	sink->wakes++;
	if (sink->takes_one)
		sink->demand.waiting = 0;
}

static void sink_pointer(struct sink *base, struct pointer *shape, int32_t x, int32_t y)
{
	(void)base;
	(void)shape;
	(void)x;
	(void)y;
}

static void sink_captured(struct sink *base)
{
	((struct sink_double *)base)->captures++;
}

static void sink_demand(struct sink *base, struct sink_demand *demand)
{
	struct sink_double *sink = (struct sink_double *)base;

	*demand = sink->demand;
	sink->demand.fresh = 0;
}

static void sink_answer(struct sink *base, int ret)
{
	(void)base;
	(void)ret;
}

static void sink_describe(struct sink *base, JsonBuilder *json)
{
	(void)base;
	member_array(json, "clients");
	json_builder_end_array(json);
}

static void sink_close(struct sink *base)
{
	(void)base;
}

static const struct sink_ops sink_ops = {
	.name = "double",
	.resize = sink_resize,
	.wake = sink_wake,
	.pointer = sink_pointer,
	.captured = sink_captured,
	.demand = sink_demand,
	.answer = sink_answer,
	.describe = sink_describe,
	.close = sink_close,
};

static int tapped_event_fd(struct source *source)
{
	(void)source;
	return fixture.event;
}

/* A device that tells of changes by an event alone. */
static int tapped_hint(struct source *source, struct damage *damage)
{
	uint64_t count;

	(void)source;
	if (read(fixture.event, &count, sizeof(count)) == sizeof(count))
		damage_add_all(damage);
	return 0;
}

static void start(const char *options, bool with_event)
{
	struct screen_options screen_options = {.max_fps = 50};

	clock_us = SECOND;
	memset(&fixture, 0, sizeof(fixture));
	fixture.event = -1;
	assert_int_equal(source_sim_open(options, &fixture.source, NULL), 0);
	fixture.ops = fixture.source->ops;
	if (with_event) {
		fixture.tapped = *fixture.ops;
		fixture.tapped.event_fd = tapped_event_fd;
		fixture.tapped.hint = tapped_hint;
		fixture.source->ops = &fixture.tapped;
		fixture.event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	fixture.sink.base.ops = &sink_ops;
	assert_int_equal(screen_create(fixture.source, &screen_options, &fixture.screen), 0);
	screen_add_sink(fixture.screen, &fixture.sink.base);
}

static void finish(void)
{
	screen_destroy(fixture.screen);
	if (fixture.event >= 0)
		close(fixture.event);
}

static void join(void)
{
	fixture.sink.demand = (struct sink_demand){.clients = 1, .waiting = 1, .fresh = 1};
	sink_poke(&fixture.sink.base);
}

static void turn(void)
{
	for (int i = 0; i < 3; i++)
		g_main_context_iteration(NULL, FALSE);
}

static void run(int64_t duration)
{
	for (int64_t end = clock_us + duration; clock_us < end; clock_us += STEP)
		turn();
	turn();
}

static const struct screen_counters *counters(void)
{
	return screen_counters(fixture.screen);
}

/* The guest's write: the rectangle's pixels become others. */
static void scribble(const struct detile_rect *rect)
{
	static uint32_t pixels[64 * 64];
	static uint32_t value = 0x102030;
	struct detile_surface surface;
	struct detile_image image = {.stride = rect->width * 4};
	struct plane plane;

	value = value * 1664525 + 1013904223;
	for (size_t i = 0; i < G_N_ELEMENTS(pixels); i++)
		pixels[i] = value | 0x808080;
	assert_int_equal(fixture.ops->acquire(fixture.source, PLANE_PRIMARY, &plane, NULL), 0);
	plane_surface(&plane, &surface);
	/* detile_tile() counts the image's pixels as the surface's. */
	image.pixels = (void *)((uintptr_t)pixels - rect->y * image.stride - rect->x * 4u);
	detile_tile((void *)(uintptr_t)plane.data, &surface, rect, &image);
	fixture.ops->release(fixture.source, &plane);
}

/* So many looks until the sinks have heard of the change; more than most is a failure. */
static unsigned int looks_until_seen(unsigned int most)
{
	unsigned int wakes = fixture.sink.wakes;
	uint64_t before = counters()->looks;

	while (fixture.sink.wakes == wakes) {
		assert_true(counters()->looks - before < most);
		clock_us += STEP;
		turn();
	}
	return (unsigned int)(counters()->looks - before);
}

static void test_idle_reads_nothing_without_clients(void **state)
{
	(void)state;
	start("mode=320x200,damage=none,pattern=video", false);
	run(60 * SECOND);
	screen_urge(fixture.screen);
	run(SECOND);
	assert_int_equal(counters()->looks, 0);
	assert_int_equal(counters()->bytes_read, 0);
	finish();
}

static void test_idle_without_events_looks_twice_a_second_and_sparsely(void **state)
{
	struct screen_counters before;

	(void)state;
	start("mode=320x200,damage=none,pattern=static", false);
	join();
	run(3 * SECOND);
	before = *counters();
	run(20 * SECOND);
	assert_in_range(counters()->looks - before.looks, 39, 40);
	assert_int_equal(counters()->probes - before.probes, counters()->looks - before.looks);
	assert_int_equal(counters()->passes, before.passes);
	/* An eighth of all bytes each. */
	assert_int_equal(counters()->bytes_read - before.bytes_read,
			 (counters()->probes - before.probes) * 320 * 25 * 4);
	assert_int_equal(counters()->cells, before.cells);
	finish();
}

static void test_idle_is_audited_now_and_then(void **state)
{
	struct screen_counters before;

	(void)state;
	start("mode=64x64,damage=none,pattern=static", false);
	join();
	run(3 * SECOND);
	before = *counters();
	run(66 * SECOND);
	assert_int_equal(counters()->passes - before.passes, 2);
	finish();
}

static void test_idle_with_events_is_not_looked_at(void **state)
{
	struct screen_counters before;

	(void)state;
	start("mode=320x200,damage=rects,pattern=static", false);
	join();
	run(SECOND);
	assert_int_equal(fixture.sink.captures, 1);
	before = *counters();
	run(60 * SECOND);
	assert_int_equal(counters()->looks, before.looks);
	finish();
}

static void test_idle_sees_an_event_at_once(void **state)
{
	int64_t told;
	uint64_t one = 1;

	(void)state;
	start("mode=320x200,damage=none,pattern=static", true);
	join();
	run(60 * SECOND);
	scribble(&(struct detile_rect){5, 5, 1, 1});
	told = clock_us;
	assert_int_equal(write(fixture.event, &one, sizeof(one)), sizeof(one));
	assert_int_equal(looks_until_seen(2), 1);
	assert_true(clock_us - told <= 10 * MS);
	finish();
}

/* Eight rows, however narrow and wherever, in every layout: the next look, half a second on. */
static void test_idle_sees_eight_rows_in_one_look(void **state)
{
	static const char *const layouts[] = {"linear", "x", "y", "yf", "4"};
	static const struct detile_rect rects[] = {
		{0, 0, 1, 8}, {332, 61, 1, 8}, {64, 3, 40, 8}, {127, 30, 2, 8}, {17, 54, 3, 9},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
		char *options = g_strdup_printf("mode=333x69,damage=none,pattern=static,layout=%s",
						layouts[i]);

		start(options, false);
		join();
		for (size_t j = 0; j < G_N_ELEMENTS(rects); j++) {
			uint64_t probes;
			int64_t drawn;

			run(3 * SECOND + (int64_t)j * 77 * MS);
			probes = counters()->probes;
			scribble(&rects[j]);
			drawn = clock_us;
			assert_int_equal(looks_until_seen(2), 1);
			assert_true(clock_us - drawn <= 500 * MS + STEP);
			assert_int_equal(counters()->probes, probes + 1);
		}
		finish();
		g_free(options);
	}
}

static void test_idle_sees_a_pixel_in_eight_looks(void **state)
{
	static const char *const layouts[] = {"linear", "x", "y", "yf", "4"};
	unsigned int most = 0;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		char *options = g_strdup_printf("mode=133x69,damage=none,pattern=static,layout=%s",
						layouts[i % 5]);
		unsigned int looks;

		start(options, false);
		join();
		run(3 * SECOND);
		scribble(&(struct detile_rect){i * 13, i * 7, 1, 1});
		looks = looks_until_seen(DETILE_PROBE_PASSES + 1);
		most = looks > most ? looks : most;
		finish();
		g_free(options);
	}
	assert_true(most > 1); /* it is sparse */
}

/* What a probe cannot compare is compared whole. */
static void test_idle_compares_other_formats_whole(void **state)
{
	static const char *const formats[] = {"RG16", "XB24", "XR30"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		char *options = g_strdup_printf(
			"mode=133x69,damage=none,pattern=static,layout=x,format=%s", formats[i]);
		struct screen_counters before;

		start(options, false);
		join();
		run(3 * SECOND);
		before = *counters();
		run(4 * SECOND);
		assert_int_equal(counters()->probes, 0);
		assert_int_equal(counters()->passes - before.passes,
				 counters()->looks - before.looks);
		finish();
		g_free(options);
	}
}

/* The few rows that a look at rest reads may have gone as well. */
static void test_idle_shows_a_card_when_the_memory_goes_away(void **state)
{
	int fd = memfd_create("plane", MFD_CLOEXEC);
	struct plane plane;
	uint64_t passes;
	void *data;

	(void)state;
	guard_init(); /* cmocka has its own handler in each test */
	start("mode=333x69,damage=none,pattern=static", false);
	join();
	run(3 * SECOND);
	assert_int_equal(fixture.ops->acquire(fixture.source, PLANE_PRIMARY, &plane, NULL), 0);
	data = (void *)(uintptr_t)plane.data;
	assert_true(fd >= 0);
	assert_ptr_equal(mmap(data, plane.size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0), data);
	fixture.ops->release(fixture.source, &plane);
	passes = counters()->passes;
	assert_int_equal(looks_until_seen(2), 1);
	assert_int_equal(counters()->passes, passes);
	close(fd);
	finish();
}

static gpointer urge_from_a_thread(gpointer data)
{
	(void)data;
	for (int i = 0; i < 1000; i++)
		screen_urge(fixture.screen);
	return NULL;
}

static void test_idle_looks_at_once_after_input(void **state)
{
	uint64_t looks, passes;

	(void)state;
	start("mode=320x200,damage=none,pattern=static", false);
	join();
	run(3 * SECOND);
	looks = counters()->looks;
	passes = counters()->passes;
	g_thread_join(g_thread_new("input", urge_from_a_thread, NULL));
	turn();
	assert_int_equal(counters()->looks, looks + 1);
	assert_int_equal(counters()->passes, passes + 1); /* what follows is often small */
	finish();
}

static void test_idle_looks_for_no_client_that_is_not_waiting(void **state)
{
	uint64_t looks;

	(void)state;
	start("mode=64x64,damage=none,pattern=video,fps=60", false);
	fixture.sink.takes_one = true;
	join();
	run(SECOND);
	looks = counters()->looks;
	assert_int_equal(looks, 1);
	/* Input or not, there is one look for each frame that is taken. */
	for (unsigned int i = 0; i < 10; i++) {
		for (int j = 0; j < 20; j++) {
			screen_urge(fixture.screen);
			run(5 * MS);
		}
		assert_int_equal(counters()->looks, looks + i);
		fixture.sink.demand.waiting = 1;
		sink_poke(&fixture.sink.base);
		run(100 * MS);
		assert_int_equal(counters()->looks, looks + i + 1);
	}
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_reads_nothing_without_clients),
		cmocka_unit_test(test_idle_without_events_looks_twice_a_second_and_sparsely),
		cmocka_unit_test(test_idle_is_audited_now_and_then),
		cmocka_unit_test(test_idle_with_events_is_not_looked_at),
		cmocka_unit_test(test_idle_sees_an_event_at_once),
		cmocka_unit_test(test_idle_sees_eight_rows_in_one_look),
		cmocka_unit_test(test_idle_sees_a_pixel_in_eight_looks),
		cmocka_unit_test(test_idle_compares_other_formats_whole),
		cmocka_unit_test(test_idle_shows_a_card_when_the_memory_goes_away),
		cmocka_unit_test(test_idle_looks_at_once_after_input),
		cmocka_unit_test(test_idle_looks_for_no_client_that_is_not_waiting),
	};

	return cmocka_run_group_tests_name("screen_idle", tests, NULL, NULL);
}
