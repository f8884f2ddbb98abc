/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that has nothing left to give: each request for memory, mappings, images or descriptors
 * is refused in turn, on the way from a source to a screen, a screenshot or a recording. All of it
 * ends with -ENOMEM and a line, and goes on when there is memory again.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "image.h"
#include "log.h"
#include "pointer_watch.h"
#include "refuse.h"
#include "screen_stage.h"
#include "shot.h"
#include "source_replay.h"
#include "source_vfio.h"
#include "tape.h"
#include "unit.h"

/* Whatever was refused has one line of words; takes the error. */
static int judge(int ret, GError **error)
{
	if (!ret) {
		assert_null(*error);
		return 0;
	}
	assert_non_null(*error);
	assert_true(strlen((*error)->message) > 5);
	assert_null(strchr((*error)->message, '\n'));
	assert_int_equal((*error)->code, EXIT_FAILED);
	g_clear_error(error);
	return ret;
}

static int look_at_source(struct source *source)
{
	GError *error = NULL;
	struct plane plane;
	int ret = source->ops->acquire(source, PLANE_PRIMARY, &plane, &error);

	if (!ret)
		source->ops->release(source, &plane);
	source->ops->close(source);
	return judge(ret, &error);
}

static int act_sim(void *options)
{
	struct source *source = NULL;
	GError *error = NULL;
	int ret = judge(source_sim_open(options, &source, &error), &error);

	return ret ? ret : look_at_source(source);
}

static void test_sim_without_memory_says_so(void **state)
{
	static const char *const options[] = {
		"mode=64x48,transport=region",
		"mode=64x48,transport=dmabuf,damage=rects",
		"mode=64x48,format=RG16,damage=flag",
		"mode=64x48,cycle=3,damage=none",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		assert_true(refuse_each(act_sim, (void *)(uintptr_t)options[i]) >= 4);
}

static const uint8_t zeros[64 * 64 * 4];

static int act_capture(void *data)
{
	struct plane plane = {
		.fourcc = GPOINTER_TO_UINT(data),
		.width = 64,
		.height = 64,
		.stride = 256,
		.data = zeros,
		.size = sizeof(zeros),
	};
	struct frame *frame = frame_create(64, 64);
	struct capture *capture = NULL;
	struct damage changed = {0};
	bool differs = true;
	int ret = -ENOMEM;

	if (frame)
		ret = damage_init(&changed, 64, 64);
	if (!ret)
		ret = capture_create(&capture);
	if (!ret)
		ret = capture_pass(capture, &plane, NULL, frame, &changed);
	if (!ret)
		ret = capture_probe(capture, &plane, frame, 0, &differs);
	if (ret == -ENOTSUP)
		ret = 0; /* of a format that is converted */
	capture_destroy(capture);
	damage_finish(&changed);
	frame_release(frame);
	return ret;
}

static void test_capture_without_memory_says_so(void **state)
{
	(void)state;
	assert_int_equal(refuse_each(act_capture, GUINT_TO_POINTER(DRM_FORMAT_XRGB8888)), 5);
	assert_int_equal(refuse_each(act_capture, GUINT_TO_POINTER(DRM_FORMAT_RGB565)), 7);
	assert_int_equal(refuse_each(act_capture, GUINT_TO_POINTER(DRM_FORMAT_C8)), 5);
}

static int act_screen(void *data)
{
	struct fixture *fixture = data;
	struct screen_options options = {.max_fps = 60};
	struct screen *screen = NULL;
	int ret;

	fixture->source.closes = 0;
	ret = screen_create(&fixture->source.base, &options, &screen);
	screen_destroy(screen);
	/* One that could not be made leaves the source to the caller. */
	assert_int_equal(fixture->source.closes, ret ? 0 : 1);
	return ret;
}

static void test_screen_without_memory_is_not_made(void **state)
{
	struct fixture *fixture = *state;

	fixture->sink.closes = 1; /* there is none */
	assert_true(refuse_each(act_screen, fixture) >= 6);
}

/* What a sink was shown last. */
static bool shows_picture(const struct fixture *fixture, uint32_t pixel)
{
	const struct frame *frame = fixture->sink.frame;

	return frame->width == fixture->source.plane.width &&
	       frame->height == fixture->source.plane.height &&
	       (frame->pixels[0] & 0xffffff) == pixel;
}

/* A mode for which there is no memory is a card that says so, until there is. */
static void test_screen_without_memory_shows_a_card_until_there_is(void **state)
{
	struct fixture *fixture = *state;
	unsigned int refused = 0;

	stage_start(fixture);
	stage_join(fixture);
	run_until_captured(fixture, 1);
	for (unsigned int good = 0; good < 100; good++) {
		unsigned int captures = fixture->sink.captures;
		bool more;

		stage_set_mode(&fixture->source, 128 - good % 2 * 28, 50, 0x010101 * (good + 1));
		stage_join(fixture);
		refuse_after(good);
		run_until_captured(fixture, captures + 1);
		more = refuse_end();
		if (!more) {
			assert_true(shows_picture(fixture, 0x010101 * (good + 1)));
			break;
		}
		refused++;
		assert_false(shows_picture(fixture, 0x010101 * (good + 1)));
		stage_join(fixture);
		run_until_captured(fixture, captures + 2);
		assert_true(shows_picture(fixture, 0x010101 * (good + 1)));
	}
	assert_true(refused >= 5);
}

static int act_shot(void *options)
{
	struct source *source = NULL;
	pixman_image_t *image = NULL;
	GError *error = NULL;
	int ret = judge(source_sim_open(options, &source, &error), &error);

	if (ret)
		return ret;
	ret = judge(shot_take(source, SHOT_BOTH, &image, &error), &error);
	source->ops->close(source);
	if (image)
		pixman_image_unref(image);
	return ret;
}

static void test_screenshot_without_memory_says_so(void **state)
{
	(void)state;
	assert_true(refuse_each(act_shot, (void *)(uintptr_t) "mode=64x48,cursor=on") >= 10);
	assert_true(refuse_each(act_shot, (void *)(uintptr_t) "mode=64x48,format=RG16") >= 10);
}

/* A pointer that cannot be read is none, and is there again when it can. */
static void test_pointer_without_memory_is_hidden(void **state)
{
	struct pointer_watch watch = {0};
	struct fixture *fixture = *state;
	unsigned int good = 0;

	fixture->sink.closes = fixture->source.closes = 1; /* no screen has them */
	for (bool more = true; more; good++) {
		stage_set_cursor(&fixture->source, 0xff000000 | good, 3, 4, 0);
		pointer_watch_look(&watch, &fixture->source.base);
		stage_set_cursor(&fixture->source, 0xff800000 | good, 3, 4, 0);
		assert_non_null(watch.shape);
		refuse_after(good);
		assert_true(pointer_watch_look(&watch, &fixture->source.base));
		more = refuse_end();
		assert_int_equal(!watch.shape, more);
	}
	assert_true(good >= 4);
	pointer_watch_finish(&watch);
}

static int tape_setup(void **state)
{
	struct tape *tape = malloc(sizeof(*tape));

	tape_open(tape);
	*state = tape;
	return 0;
}

static int tape_teardown(void **state)
{
	tape_close(*state);
	free(*state);
	return 0;
}

/* Two modes, changes of a few blocks, a pointer. */
static void record_sample(struct tape *tape)
{
	for (int i = 0; i < 6; i++) {
		tape_show_desktop(tape, i < 3 ? "mode=128x96,layout=x" : "mode=97x33", i * 5);
		tape_record(tape);
	}
	tape_finish(tape);
}

static int act_read(void *data)
{
	struct recording *recording = NULL;
	const struct tape *tape = data;
	GError *error = NULL;
	int ret = judge(recording_open(tape->path, &recording, &error), &error);

	for (uint32_t i = 0; !ret && i < recording_frames(recording); i++) {
		ret = judge(recording_seek(recording, i, &error), &error);
		/* It is the machine that is at fault, not the recording. */
		assert_null(recording_damage(recording));
		assert_int_equal(recording_frames(recording), 6);
		if (ret)
			assert_null(recording_plane(recording, PLANE_PRIMARY));
	}
	recording_close(recording);
	return ret;
}

static void test_recording_without_memory_is_not_read(void **state)
{
	record_sample(*state);
	assert_true(refuse_each(act_read, *state) >= 10);
}

static int act_replay(void *data)
{
	const struct tape *tape = data;
	struct source *source = NULL;
	GError *error = NULL;
	int ret = judge(source_replay_open(tape->path, &source, &error), &error);

	return ret ? ret : look_at_source(source);
}

static void test_replay_without_memory_says_so(void **state)
{
	struct tape *tape = *state;

	tape->step_us = (int64_t)3600 * G_USEC_PER_SEC; /* the first frame is the one that is due */
	record_sample(tape);
	assert_true(refuse_each(act_replay, tape) >= 6);
}

/* Memory that goes while it plays: that look fails, and the next one is as it should be. */
static void test_replay_goes_on_when_there_is_memory(void **state)
{
	struct tape *tape = *state;
	unsigned int good = 0;

	tape->step_us = 1;
	record_sample(tape);
	for (bool more = true; more; good++) {
		struct source *source = NULL;
		GError *error = NULL;
		struct plane plane;
		gint64 due;
		int ret;

		assert_int_equal(source_replay_open(tape->path, &source, NULL), 0);
		for (due = g_get_monotonic_time() + 100; g_get_monotonic_time() < due;)
			;
		refuse_after(good);
		ret = source->ops->acquire(source, PLANE_PRIMARY, &plane, &error);
		more = refuse_end();
		assert_int_equal(judge(ret, &error), more ? -ENOMEM : 0);
		if (more)
			assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL),
					 0);
		tape_expect_plane(tape, 5, PLANE_PRIMARY, &plane);
		source->ops->release(source, &plane);
		source->ops->close(source);
	}
	assert_true(good >= 3);
}

static int act_record(void *data)
{
	struct recording_writer *writer = NULL;
	struct recording_look look = {0};
	struct fixture *fixture = data;
	struct output *output = NULL;
	GError *error = NULL;
	int ret = judge(output_open("/dev/null", &output, &error), &error);

	if (!ret)
		ret = recording_writer_create(output, 0, &writer);
	if (!ret)
		ret = recording_look_init(&look, &fixture->source.base, writer);
	for (int i = 0; !ret && i < 3; i++) {
		fixture->source.pixels[i]++;
		ret = recording_look_take(&look, i);
	}
	/* What could not be taken was not written. */
	if (!ret)
		assert_int_equal(recording_writer_frames(writer), 3);
	recording_look_finish(&look);
	recording_writer_destroy(writer);
	output_close(output);
	return ret;
}

static void test_record_without_memory_says_so(void **state)
{
	struct fixture *fixture = *state;

	fixture->sink.closes = fixture->source.closes = 1; /* no screen has them */
	stage_set_cursor(&fixture->source, 0xff000000, 1, 1, 0);
	assert_true(refuse_each(act_record, fixture) >= 10);
}

static int act_image(void *format)
{
	uint32_t pixels[3 * 2] = {1, 2, 3, 4, 5, 6};
	struct image image = {3, 2, 12, pixels, false};
	GError *error = NULL;

	return judge(image_write(&image, GPOINTER_TO_INT(format), "/dev/null", &error), &error);
}

static void test_image_without_memory_says_so(void **state)
{
	(void)state;
	for (int format = IMAGE_PNG; format < IMAGE_FORMATS; format++)
		assert_true(refuse_each(act_image, GINT_TO_POINTER(format)) >= 1);
}

static void test_vfio_source_without_memory_is_not_made(void **state)
{
	struct source *source = NULL;
	GError *error = NULL;

	(void)state;
	for (int adopt = 0; adopt < 2; adopt++) {
		int ret;

		refuse_after(0);
		ret = adopt ? source_vfio_adopt(-1, &source, &error)
			    : source_vfio_open("none", SOURCE_VFIO_ATTACH_OPEN, &source, &error);
		assert_true(refuse_end());
		assert_int_equal(judge(ret, &error), -ENOMEM);
	}
	assert_null(source);
}

/* A source that cannot read its own timer cannot tell what changed. */
static void expect_deaf(struct source *source)
{
	struct damage damage;

	assert_int_equal(damage_init(&damage, 128, 96), 0);
	refuse_call("read", 0, EIO);
	assert_int_equal(source->ops->hint(source, &damage), -EIO);
	refuse_no_call();
	assert_int_equal(source->ops->hint(source, &damage), 0);
	damage_finish(&damage);
	source->ops->close(source);
}

static void test_source_whose_timer_fails_is_compared(void **state)
{
	struct source *source = NULL;

	record_sample(*state);
	assert_int_equal(source_replay_open(((struct tape *)*state)->path, &source, NULL), 0);
	expect_deaf(source);
	assert_int_equal(source_sim_open("mode=128x96", &source, NULL), 0);
	expect_deaf(source);
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
#define TAPE_TEST(name)  cmocka_unit_test_setup_teardown(name, tape_setup, tape_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_without_memory_says_so),
		cmocka_unit_test(test_capture_without_memory_says_so),
		STAGE_TEST(test_screen_without_memory_is_not_made),
		STAGE_TEST(test_screen_without_memory_shows_a_card_until_there_is),
		cmocka_unit_test(test_screenshot_without_memory_says_so),
		STAGE_TEST(test_pointer_without_memory_is_hidden),
		TAPE_TEST(test_recording_without_memory_is_not_read),
		TAPE_TEST(test_replay_without_memory_says_so),
		TAPE_TEST(test_replay_goes_on_when_there_is_memory),
		STAGE_TEST(test_record_without_memory_says_so),
		cmocka_unit_test(test_image_without_memory_says_so),
		cmocka_unit_test(test_vfio_source_without_memory_is_not_made),
		TAPE_TEST(test_source_whose_timer_fails_is_compared),
	};

	return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
