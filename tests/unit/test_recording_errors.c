/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings on a disk that fails, of memory that goes away, and beyond what one may hold. */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"
#include "log.h"
#include "recording_decode.h"
#include "refuse.h"
#include "screen_stage.h"
#include "tape.h"
#include "unit.h"

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

static void expect_error(int ret, int expected, GError **error, const char *words)
{
	assert_int_equal(ret, expected);
	assert_non_null(*error);
	if (!strstr((*error)->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, (*error)->message);
	assert_null(strchr((*error)->message, '\n'));
	g_clear_error(error);
}

static void record_desktop(struct tape *tape, int frames)
{
	for (int i = 0; i < frames; i++) {
		tape_show_desktop(tape, "mode=128x48,layout=x", i * 5);
		tape_record(tape);
	}
	tape_finish(tape);
}

/* The header is read once, then a head and its body of each record: cursor and primary. */
static void test_recording_on_a_disk_that_fails_ends_there(void **state)
{
	struct recording *recording = NULL;
	GError *error = NULL;

	record_desktop(*state, 3);
	refuse_call("pread", 0, EIO);
	expect_error(recording_open(((struct tape *)*state)->path, &recording, &error), -EIO,
		     &error, "cannot read");
	for (unsigned int good = 1; good <= 4; good++) {
		refuse_call("pread", good, EIO);
		expect_error(recording_open(((struct tape *)*state)->path, &recording, &error),
			     -EINVAL, &error, "it holds no frame (unreadable");
	}
	refuse_call("pread", 5, EIO);
	assert_int_equal(recording_open(((struct tape *)*state)->path, &recording, &error), 0);
	refuse_no_call();
	assert_int_equal(recording_frames(recording), 1);
	assert_non_null(strstr(recording_damage(recording), "unreadable"));
	tape_expect_frame(*state, recording, 0);
	recording_close(recording);
}

static void test_recording_has_no_frame_behind_its_last(void **state)
{
	struct recording *recording;
	GError *error = NULL;

	record_desktop(*state, 2);
	recording = tape_open_recording(((struct tape *)*state)->path);
	tape_expect_frame(*state, recording, 1);
	expect_error(recording_seek(recording, 2, &error), -EINVAL, &error, "no frame 2");
	expect_error(recording_seek(recording, UINT32_MAX, &error), -EINVAL, &error,
		     "it has 2, from 0");
	assert_int_equal(recording_started(recording), 1234567);
	recording_close(recording);
}

static void write_at(const char *path, uint64_t offset, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
	close(fd);
}

/* What changes in the file while it is played is damage from there on, and no more. */
static void expect_damage_of_frame_3(const struct tape *tape, struct recording *recording)
{
	GError *error = NULL;

	expect_error(recording_seek(recording, 3, &error), -EINVAL, &error, "frame 3 is damaged");
	assert_int_equal(recording_frames(recording), 3);
	assert_non_null(recording_damage(recording));
	tape_expect_frame(tape, recording, 2);
	recording_close(recording);
}

static void test_recording_that_changes_under_the_reader_ends_there(void **state)
{
	struct recording *longer, *shorter;
	struct tape *tape = *state;
	uint32_t huge = UINT32_MAX;
	uint64_t end;

	record_desktop(tape, 4);
	end = tape_frame(tape, 2)->end;
	longer = tape_open_recording(tape->path);
	shorter = tape_open_recording(tape->path);
	tape_expect_frame(tape, longer, 0);
	write_at(tape->path, end + 4, &huge, sizeof(huge)); /* its length */
	expect_damage_of_frame_3(tape, longer);
	assert_int_equal(truncate(tape->path, (off_t)end + 3), 0);
	expect_damage_of_frame_3(tape, shorter);
}

/* Bodies whose checksum would be right, of records that cannot follow. */
static void test_recording_decodes_no_body_of_the_wrong_length(void **state)
{
	uint8_t bytes[64 * 64 * 4] = {0}, body[RECORDING_DESCRIPTION_BYTES + 64] = {0};
	struct plane plane = {
		.fourcc = DRM_FORMAT_XRGB8888,
		.width = 64,
		.height = 64,
		.stride = 256,
		.size = sizeof(bytes),
	};
	uint8_t map[1] = {0};
	struct recording_state decoded = {.on = true, .plane = plane, .bytes = bytes, .map = map};
	const struct {
		enum recording_kind kind;
		size_t size;
	} cases[] = {
		{RECORDING_WHOLE, RECORDING_DESCRIPTION_BYTES - 1},
		{RECORDING_DELTA, RECORDING_DESCRIPTION_BYTES},
		{RECORDING_DELTA, RECORDING_DESCRIPTION_BYTES + 1},
		{RECORDING_MOVED, RECORDING_DESCRIPTION_BYTES + 1},
		{RECORDING_STILL, 1},
		{RECORDING_OFF, RECORDING_MAX_REASON_BYTES + 1},
		{RECORDING_END, 0},
		{(enum recording_kind)77, 0},
	};

	(void)state;
	recording_put_description(body, &plane);
	assert_int_equal(
		recording_decode(&decoded, RECORDING_MOVED, body, RECORDING_DESCRIPTION_BYTES), 0);
	assert_int_equal(recording_decode(&decoded, RECORDING_STILL, body, 0), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_int_equal(recording_decode(&decoded, cases[i].kind, body, cases[i].size),
				 -EINVAL);
		assert_true(decoded.on);
	}
}

static struct output *open_null(void)
{
	struct output *output = NULL;

	assert_int_equal(output_open("/dev/null", &output, NULL), 0);
	return output;
}

static void test_recording_tells_that_nothing_can_be_written(void **state)
{
	struct output *output = open_null();
	struct recording_writer *writer = NULL;

	(void)state;
	output_spoil(output, -ENOSPC);
	assert_int_equal(recording_writer_create(output, 0, &writer), -ENOSPC);
	assert_null(writer);
	output_close(output);

	output = open_null();
	assert_int_equal(recording_writer_create(output, 0, &writer), 0);
	output_spoil(output, -EIO);
	assert_int_equal(recording_writer_off(writer, PLANE_PRIMARY, "off", 0), -EIO);
	assert_int_equal(recording_writer_end(writer, 0), -EIO);
	assert_int_equal(recording_writer_frames(writer), 0);
	recording_writer_destroy(writer);
	output_close(output);
}

/* What was not written is not leant on. */
static void test_recording_tells_that_nothing_can_be_compressed(void **state)
{
	static const uint8_t bytes[64 * 64 * 4];
	const struct plane plane = {
		.fourcc = DRM_FORMAT_XRGB8888,
		.width = 64,
		.height = 64,
		.stride = 256,
		.data = bytes,
		.size = sizeof(bytes),
	};
	struct output *output = open_null();
	struct recording_writer *writer = NULL;

	(void)state;
	assert_int_equal(recording_writer_create(output, 0, &writer), 0);
	for (unsigned int good = 0; good < 2; good++) {
		assert_int_equal(recording_writer_take(writer, PLANE_PRIMARY, &plane, NULL), 0);
		refuse_call("deflate", good, EIO);
		assert_int_equal(recording_writer_put(writer, PLANE_PRIMARY, 0), -EIO);
		refuse_no_call();
		assert_int_equal(recording_writer_frames(writer), 0);
		assert_false(recording_writer_has(writer, PLANE_PRIMARY, &plane));
	}
	recording_writer_destroy(writer);
	output_close(output);
}

static void test_recording_holds_only_so_many_frames(void **state)
{
	struct output *output = open_null();
	struct recording_writer *writer = NULL;

	(void)state;
	assert_int_equal(recording_writer_create(output, 0, &writer), 0);
	for (uint32_t i = 0; i < RECORDING_MAX_FRAMES; i++)
		if (recording_writer_off(writer, PLANE_PRIMARY, "", i))
			fail_msg("frame %u\n", i);
	assert_int_equal(recording_writer_off(writer, PLANE_PRIMARY, "", 0), -EFBIG);
	assert_int_equal(recording_writer_frames(writer), RECORDING_MAX_FRAMES);
	assert_int_equal(recording_writer_end(writer, 0), 0);
	recording_writer_destroy(writer);
	output_close(output);
}

/* A plane whose memory goes away is recorded as one that is off, with that reason. */
static void test_recording_of_memory_that_goes_away_says_so(void **state)
{
	struct tape *tape = *state;
	size_t size = 64 * 256;
	int fd = memfd_create("plane", MFD_CLOEXEC);
	struct recording *recording;
	struct tape_plane *own = &tape->planes[0];
	void *data;

	guard_init(); /* cmocka has its own handler in each test */
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	tape_show_sim(tape, "mode=64x64");
	assert_int_equal(own->plane.size, size);
	own->plane.data = data;
	assert_int_equal(recording_look_take(&tape->look, 0), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(recording_look_take(&tape->look, 1), 0);
	tape_finish(tape);
	recording = tape_open_recording(tape->path);
	assert_int_equal(recording_seek(recording, 0, NULL), 0);
	assert_non_null(recording_plane(recording, PLANE_PRIMARY));
	assert_int_equal(recording_seek(recording, 1, NULL), 0);
	assert_null(recording_plane(recording, PLANE_PRIMARY));
	assert_string_equal(recording_reason(recording, PLANE_PRIMARY),
			    "its memory went away while it was read");
	recording_close(recording);
	munmap(data, size);
	close(fd);
}

/* A source that cannot be read at the moment is no frame; a cursor of which that is so stays. */
static void test_recording_waits_for_a_plane_that_is_not_ready(void **state)
{
	struct fixture *fixture = *state;
	struct output *output = open_null();
	struct recording_writer *writer = NULL;
	struct recording_look look;

	fixture->sink.closes = fixture->source.closes = 1; /* no screen has them */
	assert_int_equal(recording_writer_create(output, 0, &writer), 0);
	assert_int_equal(recording_look_init(&look, &fixture->source.base, writer), 0);
	fixture->source.acquire_ret = -EAGAIN;
	assert_int_equal(recording_look_take(&look, 0), -EAGAIN);
	fixture->source.acquire_ret = -ENOMEM;
	assert_int_equal(recording_look_take(&look, 0), -ENOMEM);
	fixture->source.acquire_ret = 0;
	fixture->source.cursor_ret = -ENOMEM;
	assert_int_equal(recording_look_take(&look, 0), -ENOMEM);
	assert_int_equal(recording_writer_frames(writer), 0);
	fixture->source.cursor_ret = -EAGAIN;
	assert_int_equal(recording_look_take(&look, 0), 0);
	assert_int_equal(recording_writer_frames(writer), 1);
	recording_look_finish(&look);
	recording_writer_destroy(writer);
	output_close(output);
}

#define TAPE_TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAPE_TEST(test_recording_on_a_disk_that_fails_ends_there),
		TAPE_TEST(test_recording_has_no_frame_behind_its_last),
		TAPE_TEST(test_recording_that_changes_under_the_reader_ends_there),
		cmocka_unit_test(test_recording_decodes_no_body_of_the_wrong_length),
		cmocka_unit_test(test_recording_tells_that_nothing_can_be_written),
		cmocka_unit_test(test_recording_tells_that_nothing_can_be_compressed),
		cmocka_unit_test(test_recording_holds_only_so_many_frames),
		TAPE_TEST(test_recording_of_memory_that_goes_away_says_so),
		STAGE_TEST(test_recording_waits_for_a_plane_that_is_not_ready),
	};

	return cmocka_run_group_tests_name("recording_errors", tests, NULL, NULL);
}
