/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source_replay.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "shot.h"
#include "tape.h"
#include "unit.h"

/* Frames are a millisecond apart in these tests: more looks than this mean that none comes. */
#define MAX_LOOKS   20000
#define PATIENCE_MS 20000

static int setup(void **state)
{
	struct tape *tape = malloc(sizeof(*tape));

	tape_open(tape);
	*state = tape;
	return 0;
}

static int teardown(void **state)
{
	tape_close(*state);
	free(*state);
	return 0;
}

static struct source *open_replay(const struct tape *tape, const char *options)
{
	char *words = g_strconcat(tape->path, options, NULL);
	struct source *source = NULL;
	GError *error = NULL;

	if (source_replay_open(words, &source, &error))
		fail_msg("%s: %s", words, error->message);
	g_free(words);
	return source;
}

static void record_bars(struct tape *tape, int frames)
{
	for (int frame = 0; frame < frames; frame++) {
		char *options = g_strdup_printf("mode=320x64,layout=x,pattern=bars,cursor=on,"
						"frame=%d",
						frame);

		tape_show_sim(tape, options);
		tape_record(tape);
		g_free(options);
	}
	tape_finish(tape);
}

/* The frame that a plane of bars is, by its bytes. */
static int frame_of(const struct tape *tape, const struct plane *plane)
{
	for (guint i = 0; i < tape->frames->len; i++) {
		const struct tape_plane *own = &tape_frame(tape, i)->planes[0];

		if (own->on && own->plane.size == plane->size &&
		    !memcmp(own->plane.data, plane->data, plane->size))
			return (int)i;
	}
	fail_msg("a picture that was never recorded");
	return -1;
}

static int acquire_frame(const struct tape *tape, struct source *source)
{
	struct plane plane;
	GError *error = NULL;
	int frame;

	if (source->ops->acquire(source, PLANE_PRIMARY, &plane, &error))
		fail_msg("%s", error->message);
	if (plane_validate(&plane, &error))
		fail_msg("%s", error->message);
	frame = frame_of(tape, &plane);
	assert_true(source->ops->same(source, PLANE_PRIMARY, &plane));
	source->ops->release(source, &plane);
	return frame;
}

static bool fires(struct source *source, int patience_ms)
{
	struct pollfd poll_fd = {.fd = source->ops->event_fd(source), .events = POLLIN};

	return poll(&poll_fd, 1, patience_ms) == 1;
}

static void expect_same_image(pixman_image_t *a, pixman_image_t *b)
{
	int width = pixman_image_get_width(a), height = pixman_image_get_height(a);

	assert_int_equal(pixman_image_get_width(b), width);
	assert_int_equal(pixman_image_get_height(b), height);
	for (int y = 0; y < height; y++)
		assert_memory_equal(
			(uint8_t *)pixman_image_get_data(a) + y * pixman_image_get_stride(a),
			(uint8_t *)pixman_image_get_data(b) + y * pixman_image_get_stride(b),
			(size_t)width * 4);
	pixman_image_unref(a);
	pixman_image_unref(b);
}

static void test_replay_takes_the_same_pictures(void **state)
{
	static const char *const cases[] = {
		"layout=linear,format=XR24", "layout=x,format=RG16",     "layout=y,format=XB30",
		"layout=yf,format=AB24",     "layout=4,format=BX24",     "layout=x,format=XR30",
		"layout=y,format=BG16",      "layout=linear,format=AR24"};
	struct tape *tape = *state;
	GPtrArray *expected = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *options = g_strdup_printf("mode=301x99,cursor=on,frame=%zu,%s", i, cases[i]);

		tape_show_sim(tape, options);
		tape_record(tape);
		for (int planes = SHOT_PRIMARY; planes <= SHOT_BOTH; planes++) {
			pixman_image_t *image;

			assert_int_equal(
				shot_take(&tape->source, (enum shot_planes)planes, &image, NULL),
				0);
			g_ptr_array_add(expected, image);
		}
		g_free(options);
	}
	tape_finish(tape);
	for (guint i = 0; i < expected->len; i++) {
		char *options = g_strdup_printf(",frame=%u", i / 3);
		struct source *source = open_replay(tape, options);
		pixman_image_t *image;

		assert_int_equal(shot_take(source, (enum shot_planes)(i % 3), &image, NULL), 0);
		expect_same_image(image, g_ptr_array_index(expected, i));
		source->ops->close(source);
		g_free(options);
	}
	g_ptr_array_free(expected, TRUE);
}

static void test_replay_plays_in_order_and_stays_at_the_end(void **state)
{
	struct source *source;
	int frame = 0, looks = 0;

	record_bars(*state, 30);
	source = open_replay(*state, "");
	for (; frame < 29 && looks < MAX_LOOKS; looks++) {
		int next = acquire_frame(*state, source);

		assert_true(next >= frame);
		frame = next;
		g_usleep(100);
	}
	assert_int_equal(frame, 29);
	g_usleep(5000);
	assert_int_equal(acquire_frame(*state, source), 29);
	source->ops->close(source);
}

static void test_replay_tells_of_each_change_and_then_is_quiet(void **state)
{
	struct source *source;
	struct damage damage;
	int frame = -1;

	record_bars(*state, 100);
	source = open_replay(*state, "");
	assert_int_equal(damage_init(&damage, 320, 64), 0);
	while (frame < 99) {
		struct plane plane;
		int next;

		assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
		next = frame_of(*state, &plane);
		damage_clear(&damage);
		assert_int_equal(source->ops->hint(source, &damage), 0);
		/* Said of what is held, no more and no less. */
		assert_int_equal(next != frame, !damage_is_empty(&damage));
		source->ops->release(source, &plane);
		assert_true(next >= frame);
		frame = next;
		/* Each picture is followed by an event, as long as another one comes. */
		assert_true(frame == 99 || fires(source, PATIENCE_MS));
	}
	damage_clear(&damage);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	assert_true(damage_is_empty(&damage));
	assert_false(fires(source, 2));
	damage_finish(&damage);
	source->ops->close(source);
}

/* Who looked slowly at one picture still hears of what came meanwhile, be it the last one. */
static void test_replay_tells_of_what_came_while_a_plane_was_held(void **state)
{
	struct tape *tape = *state;
	struct source *source;
	struct damage damage;
	struct plane plane;

	tape->step_us = 10000;
	record_bars(tape, 30);
	source = open_replay(tape, "");
	assert_int_equal(damage_init(&damage, 320, 64), 0);
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
	assert_true(frame_of(tape, &plane) < 29);
	g_usleep(30 * tape->step_us);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	source->ops->release(source, &plane);
	assert_true(fires(source, PATIENCE_MS));
	assert_int_equal(acquire_frame(tape, source), 29);
	damage_finish(&damage);
	source->ops->close(source);
}

static void test_replay_loops(void **state)
{
	struct source *source;
	int last = 0, wraps = 0;

	record_bars(*state, 10);
	source = open_replay(*state, ",loop");
	for (int looks = 0; wraps < 3 && looks < MAX_LOOKS; looks++, g_usleep(200)) {
		int frame = acquire_frame(*state, source);

		wraps += frame < last;
		last = frame;
	}
	assert_int_equal(wraps, 3);
	source->ops->close(source);
}

static void test_replay_begins_and_stays_where_it_is_told(void **state)
{
	struct source *source;
	struct damage damage;

	record_bars(*state, 20);
	damage_init(&damage, 320, 64);
	for (int frame = 19; frame >= 0; frame--) {
		char *options = g_strdup_printf(",frame=%d", frame);

		source = open_replay(*state, options);
		assert_int_equal(source->ops->event_fd(source), -1);
		assert_int_equal(acquire_frame(*state, source), frame);
		source->ops->hint(source, &damage);
		damage_clear(&damage);
		g_usleep(1000);
		assert_int_equal(acquire_frame(*state, source), frame);
		assert_int_equal(source->ops->hint(source, &damage), 0);
		assert_true(damage_is_empty(&damage));
		source->ops->close(source);
		g_free(options);
	}
	source = open_replay(*state, ",from=17,loop");
	assert_in_range(acquire_frame(*state, source), 17, 19);
	source->ops->close(source);
	source = open_replay(*state, ",loop,frame=5");
	assert_int_equal(acquire_frame(*state, source), 5);
	source->ops->close(source);
	damage_finish(&damage);
}

/* Each frame lasts an eighth of the clock's time so far: looking takes nothing of that. */
static void test_replay_began_when_it_is_told(void **state)
{
	gint64 now = g_get_monotonic_time();
	struct tape *tape = *state;

	tape->step_us = now / 8;
	record_bars(tape, 8);
	for (int frame = 0; frame < 7; frame++) {
		char *options = g_strdup_printf(",epoch=%" G_GINT64_FORMAT,
						now - tape->step_us * frame - tape->step_us / 2);
		struct source *source = open_replay(tape, options);

		assert_int_equal(acquire_frame(tape, source), frame);
		source->ops->close(source);
		g_free(options);
	}
	for (int loop = 0; loop < 2; loop++) {
		char *options = g_strdup_printf(",epoch=%" G_GINT64_FORMAT "%s",
						now + G_TIME_SPAN_HOUR, loop ? ",loop" : "");
		struct source *source = open_replay(tape, options);

		assert_int_equal(acquire_frame(tape, source), 0);
		assert_false(fires(source, 2));
		source->ops->close(source);
		g_free(options);
	}
}

static void test_replay_of_a_plane_that_is_held_stands_still(void **state)
{
	struct source *source;
	struct plane plane, cursor;
	int frame;

	record_bars(*state, 100);
	source = open_replay(*state, ",loop");
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
	frame = frame_of(*state, &plane);
	for (int i = 0; i < 20; i++) {
		struct damage damage;

		g_usleep(1000);
		damage_init(&damage, 320, 64);
		source->ops->hint(source, &damage);
		damage_finish(&damage);
		assert_int_equal(source->ops->acquire(source, PLANE_CURSOR, &cursor, NULL), 0);
		tape_expect_plane(*state, (uint32_t)frame, PLANE_CURSOR, &cursor);
		source->ops->release(source, &cursor);
		source->ops->rest(source);
		assert_int_equal(frame_of(*state, &plane), frame);
		assert_true(source->ops->same(source, PLANE_PRIMARY, &plane));
	}
	source->ops->release(source, &plane);
	source->ops->close(source);
}

static void test_replay_is_off_where_the_plane_was(void **state)
{
	struct tape *tape = *state;
	struct source *source;
	struct damage damage;
	struct plane plane, before;
	GError *error = NULL;

	tape->step_us = G_TIME_SPAN_HOUR;
	tape_show_sim(tape, "mode=64x64,cursor=on");
	tape_record(tape);
	tape->off_reason = "the guest sleeps";
	tape_show_off(tape, PLANE_PRIMARY);
	tape_show_off(tape, PLANE_CURSOR);
	tape_record(tape);
	tape_show_sim(tape, "mode=64x64,layout=y");
	tape_record(tape);
	tape_finish(tape);
	source = open_replay(tape, ",frame=1");
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, &error), -ENODATA);
	assert_string_equal(error->message, "the guest sleeps");
	g_clear_error(&error);
	assert_int_equal(source->ops->acquire(source, PLANE_CURSOR, &plane, &error), -ENODATA);
	g_clear_error(&error);
	damage_init(&damage, 64, 64);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	assert_int_equal(damage_count(&damage), 2);
	damage_finish(&damage);
	source->ops->close(source);

	/* Another mode is another plane. */
	source = open_replay(tape, ",frame=0");
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &before, NULL), 0);
	source->ops->close(source);
	source = open_replay(tape, ",frame=2");
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
	assert_false(plane_is_same(&before, &plane));
	assert_false(source->ops->same(source, PLANE_PRIMARY, &before));
	source->ops->release(source, &plane);
	source->ops->close(source);
}

static void test_replay_of_a_still_display_has_no_events(void **state)
{
	struct tape *tape = *state;
	struct source *source;

	tape_show_sim(tape, "mode=64x64,pattern=static");
	for (int i = 0; i < 10; i++)
		tape_record(tape);
	tape_finish(tape);
	source = open_replay(tape, "");
	assert_int_equal(source->ops->event_fd(source), -1);
	assert_int_equal(acquire_frame(tape, source), 0);
	source->ops->close(source);
}

static void test_replay_of_a_cut_recording_plays_what_there_is(void **state)
{
	struct tape *tape = *state;
	struct source *source;
	GError *error = NULL;
	char *words;

	record_bars(tape, 20);
	assert_int_equal(truncate(tape->path, (off_t)tape_frame(tape, 11)->end - 1), 0);
	source = open_replay(tape, ",frame=10");
	assert_int_equal(acquire_frame(tape, source), 10);
	source->ops->close(source);
	words = g_strconcat(tape->path, ",frame=11", NULL);
	assert_int_equal(source_replay_open(words, &source, &error), -EINVAL);
	assert_non_null(strstr(error->message, "no frame 11"));
	g_clear_error(&error);
	g_free(words);

	/* The file is cut while it is played, too. */
	source = open_replay(tape, ",loop");
	assert_int_equal(truncate(tape->path, (off_t)tape_frame(tape, 3)->end), 0);
	for (int i = 0; i < 50; i++) {
		assert_in_range(acquire_frame(tape, source), 0, 3);
		g_usleep(1000);
	}
	source->ops->close(source);
}

/* Frame by frame it turns out that there are none: then nothing is left to play. */
static void test_replay_of_a_file_that_vanishes_says_so(void **state)
{
	struct tape *tape = *state;
	struct source *source;
	struct damage damage;

	record_bars(tape, 4);
	source = open_replay(tape, ",loop");
	assert_int_equal(truncate(tape->path, 0), 0);
	/* Until time has gone on from the frame that it stands on. */
	for (int looks = 0;; looks++) {
		GError *error = NULL;
		struct plane plane;
		int ret = source->ops->acquire(source, PLANE_PRIMARY, &plane, &error);

		assert_true(looks < MAX_LOOKS);
		if (!ret) {
			source->ops->release(source, &plane);
			g_usleep(100);
			continue;
		}
		assert_int_equal(ret, -EINVAL);
		assert_non_null(strstr(error->message, "no frame of it can be read ("));
		g_error_free(error);
		break;
	}
	assert_int_equal(damage_init(&damage, 320, 64), 0);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	assert_true(damage_is_empty(&damage));
	damage_finish(&damage);
	assert_int_equal(source->ops->set_mode(source, 640, 480), -ENOTSUP);
	source->ops->close(source);
}

static void test_replay_refuses_with_one_line(void **state)
{
	static const struct {
		const char *words, *line;
		int code;
	} cases[] = {
		{"", "no file", EXIT_USAGE},
		{",loop", "no file", EXIT_USAGE},
		{"/no/such,file", "cannot open /no/such,file: No such file", EXIT_USAGE},
		{"/no/such,frame=", "frame has no number", EXIT_USAGE},
		{"/no/such,frame=-1", "frame has no number", EXIT_USAGE},
		{"/no/such,from=4294967296", "from has no number", EXIT_USAGE},
		{"/no/such,frame=1,from=2", "given twice", EXIT_USAGE},
		{"/no/such,epoch=0", "epoch has no time", EXIT_USAGE},
		{"/no/such,epoch=9223372036854775807", "epoch has no time", EXIT_USAGE},
		{"/dev/zero", "not a regular file", EXIT_USAGE},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct source *source = NULL;
		GError *error = NULL;

		assert_true(source_replay_open(cases[i].words, &source, &error) < 0);
		assert_null(source);
		if (!strstr(error->message, cases[i].line))
			fail_msg("%s: %s", cases[i].words, error->message);
		assert_int_equal(error->code, cases[i].code);
		g_error_free(error);
	}
}

#define TAPE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAPE_TEST(test_replay_takes_the_same_pictures),
		TAPE_TEST(test_replay_plays_in_order_and_stays_at_the_end),
		TAPE_TEST(test_replay_tells_of_each_change_and_then_is_quiet),
		TAPE_TEST(test_replay_tells_of_what_came_while_a_plane_was_held),
		TAPE_TEST(test_replay_loops),
		TAPE_TEST(test_replay_begins_and_stays_where_it_is_told),
		TAPE_TEST(test_replay_began_when_it_is_told),
		TAPE_TEST(test_replay_of_a_plane_that_is_held_stands_still),
		TAPE_TEST(test_replay_is_off_where_the_plane_was),
		TAPE_TEST(test_replay_of_a_still_display_has_no_events),
		TAPE_TEST(test_replay_of_a_cut_recording_plays_what_there_is),
		TAPE_TEST(test_replay_of_a_file_that_vanishes_says_so),
		cmocka_unit_test(test_replay_refuses_with_one_line),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
