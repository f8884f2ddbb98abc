/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screenshots of a device that is not as it should be. */
#include "shot.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cursor.h"
#include "guard.h"
#include "log.h"
#include "pointer_watch.h"
#include "screen_stage.h"
#include "unit.h"

static int setup(void **state)
{
	int ret = stage_setup(state);
	struct fixture *fixture = *state;

	fixture->sink.closes = fixture->source.closes = 1; /* no screen has them */
	return ret;
}

static void expect_no_shot(struct fixture *fixture, enum shot_planes planes, int ret,
			   const char *words)
{
	pixman_image_t *image = NULL;
	GError *error = NULL;

	assert_int_equal(shot_take(&fixture->source.base, planes, &image, &error), ret);
	assert_null(image);
	assert_non_null(error);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	assert_int_equal(error->code, EXIT_FAILED);
	g_error_free(error);
}

static void expect_shot(struct fixture *fixture, enum shot_planes planes, uint32_t pixel)
{
	pixman_image_t *image = NULL;
	GError *error = NULL;

	if (shot_take(&fixture->source.base, planes, &image, &error))
		fail_msg("%s\n", error->message);
	assert_int_equal(*pixman_image_get_data(image) & 0xffffff, pixel);
	pixman_image_unref(image);
}

static void test_shot_of_a_mode_that_changes_is_none(void **state)
{
	struct fixture *fixture = *state;

	fixture->source.changes = 1;
	expect_no_shot(fixture, SHOT_PRIMARY, -EAGAIN, "the mode changed while it was read");
	expect_shot(fixture, SHOT_PRIMARY, 0x112233);
}

static void test_shot_of_a_plane_that_cannot_be_is_none(void **state)
{
	struct fixture *fixture = *state;

	fixture->source.plane.stride = 1;
	expect_no_shot(fixture, SHOT_PRIMARY, -EINVAL, "stride");
	fixture->source.acquire_ret = -ENODATA;
	expect_no_shot(fixture, SHOT_BOTH, -ENODATA, "switched off by the test");
}

/* Memory without a page behind it. */
static void *vanished_memory(size_t size)
{
	int fd = memfd_create("plane", MFD_CLOEXEC);
	void *data;

	assert_true(fd >= 0);
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	close(fd);
	return data;
}

static void test_shot_of_memory_that_goes_away_says_so(void **state)
{
	struct fixture *fixture = *state;
	void *gone = vanished_memory(fixture->source.plane.size);

	guard_init(); /* cmocka has its own handler in each test */
	stage_set_cursor(&fixture->source, 0xffabcdef, 0, 0, 0);
	expect_shot(fixture, SHOT_BOTH, 0xabcdef);
	fixture->source.cursor.data = gone;
	expect_no_shot(fixture, SHOT_BOTH, -EFAULT, "its memory went away");
	expect_no_shot(fixture, SHOT_CURSOR, -EFAULT, "its memory went away");
	expect_shot(fixture, SHOT_PRIMARY, 0x112233);
	fixture->source.plane.data = gone;
	expect_no_shot(fixture, SHOT_PRIMARY, -EFAULT, "its memory went away");
	munmap(gone, fixture->source.plane.size);
}

/* Cursors that nobody has: too large for one, of a format without alpha. */
static void test_shot_of_a_cursor_that_is_none_says_so(void **state)
{
	static const uint8_t bytes[(CURSOR_MAX_DIMENSION + 1) * 4];
	struct fixture *fixture = *state;
	struct plane *cursor = &fixture->source.cursor;

	stage_set_cursor(&fixture->source, 0xffabcdef, 0, 0, 0);
	cursor->data = bytes;
	cursor->size = sizeof(bytes);
	cursor->width = CURSOR_MAX_DIMENSION + 1;
	cursor->height = 1;
	cursor->stride = cursor->width * 4;
	expect_no_shot(fixture, SHOT_CURSOR, -EINVAL, "Invalid argument");
	cursor->width = 8;
	cursor->fourcc = DRM_FORMAT_C8;
	expect_no_shot(fixture, SHOT_CURSOR, -ENOTSUP, "not supported");
	cursor->stride = 1;
	expect_no_shot(fixture, SHOT_CURSOR, -EINVAL, "stride");
}

static void test_pointer_that_cannot_be_had_now_stays(void **state)
{
	struct fixture *fixture = *state;
	struct pointer_watch watch = {0};

	stage_set_cursor(&fixture->source, 0xffabcdef, 3, 4, 0);
	assert_true(pointer_watch_look(&watch, &fixture->source.base));
	fixture->source.cursor.width = 0;
	fixture->source.cursor_ret = -EAGAIN;
	assert_false(pointer_watch_look(&watch, &fixture->source.base));
	assert_non_null(watch.shape);
	fixture->source.cursor_ret = -ENODATA;
	assert_true(pointer_watch_look(&watch, &fixture->source.base));
	assert_null(watch.shape);
	assert_false(pointer_watch_look(&watch, &fixture->source.base));
	pointer_watch_finish(&watch);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_shot_of_a_mode_that_changes_is_none),
		TEST(test_shot_of_a_plane_that_cannot_be_is_none),
		TEST(test_shot_of_memory_that_goes_away_says_so),
		TEST(test_shot_of_a_cursor_that_is_none_says_so),
		TEST(test_pointer_that_cannot_be_had_now_stays),
	};
#undef TEST

	return cmocka_run_group_tests_name("shot", tests, NULL, NULL);
}
