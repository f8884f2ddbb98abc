/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings that are cut short, damaged, or made by somebody who means harm. */
#include "recording_decode.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "log.h"
#include "tape.h"
#include "unit.h"

#define MUTATIONS 1000

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

/* A file in memory, which recording_open() knows by its descriptor's name. */
struct copy {
	int fd;
	char path[64];
};

static void copy_open(struct copy *copy, const uint8_t *bytes, size_t size)
{
	copy->fd = memfd_create("tape", MFD_CLOEXEC);
	assert_true(copy->fd >= 0);
	assert_int_equal(write(copy->fd, bytes, size), size);
	g_snprintf(copy->path, sizeof(copy->path), "/proc/self/fd/%d", copy->fd);
}

static void copy_close(struct copy *copy)
{
	close(copy->fd);
}

/* Everything that there is: modes, off and on, cursor, whole planes, changes, moves, stills. */
static uint8_t *record_sample(struct tape *tape, size_t *size)
{
	gsize length;
	char *bytes;

	for (int i = 0; i < 24; i++) {
		if (i % 8 == 5)
			tape_show_off(tape, PLANE_PRIMARY);
		else if (i % 4 != 3)
			tape_show_desktop(tape,
					  i < 12 ? "mode=128x48,layout=x" : "mode=97x33,layout=4",
					  i * 5);
		if (i == 7)
			tape_show_off(tape, PLANE_CURSOR);
		tape_record(tape);
	}
	tape_finish(tape);
	assert_true(g_file_get_contents(tape->path, &bytes, &length, NULL));
	*size = length;
	return (uint8_t *)bytes;
}

/* The frames that end before a byte. */
static uint32_t frames_before(const struct tape *tape, uint64_t byte)
{
	uint32_t frames = 0;

	while (frames < tape->frames->len && tape_frame(tape, frames)->end <= byte)
		frames++;
	return frames;
}

/* These bytes have so many frames, all of them good, and tell of damage. */
static void expect_prefix(const struct tape *tape, const uint8_t *bytes, size_t size,
			  uint32_t frames)
{
	struct recording *recording = NULL;
	GError *error = NULL;
	struct copy copy;

	copy_open(&copy, bytes, size);
	if (recording_open(copy.path, &recording, &error)) {
		assert_int_equal(frames, 0);
		assert_non_null(error);
		assert_null(strchr(error->message, '\n'));
		assert_true(strlen(error->message) > 10);
		g_error_free(error);
	} else {
		assert_int_equal(recording_frames(recording), frames);
		assert_non_null(recording_damage(recording));
		for (uint32_t i = 0; i < frames; i++)
			tape_expect_frame(tape, recording, i);
		recording_close(recording);
	}
	copy_close(&copy);
}

static GRand *make_random(void)
{
	const char *given = g_getenv("PLANECAST_SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : g_random_int();

	print_message("PLANECAST_SEED=%u\n", seed);
	return g_rand_new_with_seed(seed);
}

static void test_recording_that_is_cut_short_ends_there(void **state)
{
	size_t size;
	uint8_t *bytes = record_sample(*state, &size);
	GRand *random = make_random();

	for (size_t cut = 0; cut < RECORDING_HEADER_BYTES + 2 * RECORDING_HEAD_BYTES; cut++)
		expect_prefix(*state, bytes, cut, frames_before(*state, cut));
	for (int i = 0; i < MUTATIONS; i++) {
		size_t cut = (size_t)g_rand_int_range(random, 0, (gint32)size);

		expect_prefix(*state, bytes, cut, frames_before(*state, cut));
	}
	g_rand_free(random);
	g_free(bytes);
}

static void test_recording_with_a_flipped_bit_ends_there(void **state)
{
	size_t size;
	uint8_t *bytes = record_sample(*state, &size);
	GRand *random = make_random();

	for (int i = 0; i < MUTATIONS + (int)RECORDING_HEADER_BYTES * 8; i++) {
		size_t bit = i < MUTATIONS ? (size_t)g_rand_int_range(random, 0, (gint32)size * 8)
					   : (size_t)(i - MUTATIONS);
		bool header = bit / 8 < RECORDING_HEADER_BYTES;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_prefix(*state, bytes, size, header ? 0 : frames_before(*state, bit / 8));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	g_rand_free(random);
	g_free(bytes);
}

/* Reads all that can be read of a file, forward and backward; whether a frame was refused. */
static bool exhaust(const uint8_t *bytes, size_t size)
{
	bool refused = false;
	struct recording *recording = NULL;
	GError *error = NULL;
	struct damage damage;
	struct copy copy;

	copy_open(&copy, bytes, size);
	if (!recording_open(copy.path, &recording, &error)) {
		damage_init(&damage, 128, 48);
		for (uint32_t i = 0; i < recording_frames(recording); i++)
			if (recording_seek(recording, i, NULL))
				refused = true;
			else
				recording_take_changes(recording, &damage);
		for (uint32_t i = recording_frames(recording); i-- > 0;)
			if (i < recording_frames(recording))
				recording_seek(recording, i, NULL);
		recording_duration(recording);
		damage_finish(&damage);
		recording_close(recording);
	} else {
		assert_null(strchr(error->message, '\n'));
	}
	g_clear_error(&error);
	copy_close(&copy);
	return refused;
}

/* Makes a record's checksum right again. */
static void seal(uint8_t *record)
{
	struct recording_head head;

	recording_get_head(record, &head);
	recording_begin_checksum(&head);
	head.checksum = (uint32_t)crc32(head.checksum, record + RECORDING_HEAD_BYTES,
					(uInt)head.body_bytes);
	recording_put_head(record, &head);
}

/* The checksum keeps nobody out who means it: records of any content have a right one here. */
static void test_recording_survives_lies(void **state)
{
	size_t size;
	uint8_t *bytes = record_sample(*state, &size), *lie = g_malloc(size);
	GRand *random = make_random();
	int refused = 0;

	for (int i = 0; i < 2 * MUTATIONS; i++) {
		size_t at = RECORDING_HEADER_BYTES;
		int skip = g_rand_int_range(random, 0, 60);
		struct recording_head head;

		memcpy(lie, bytes, size);
		recording_get_head(lie + at, &head);
		while (skip-- && at + RECORDING_HEAD_BYTES + head.body_bytes < size) {
			at += RECORDING_HEAD_BYTES + head.body_bytes;
			recording_get_head(lie + at, &head);
		}
		/* The size stays: the records after it are still found. */
		for (int flips = g_rand_int_range(random, 1, 4); flips; flips--) {
			uint32_t reach = RECORDING_HEAD_BYTES + MIN(head.body_bytes, 80);
			size_t byte = (size_t)g_rand_int_range(random, 0, (gint32)reach);

			if (byte < 4 || byte >= 8)
				lie[at + byte] = (uint8_t)g_rand_int(random);
		}
		seal(lie + at);
		refused += exhaust(lie, size);
	}
	/* Most of them got past the index, to who decodes. */
	assert_in_range(refused, MUTATIONS / 4, 2 * MUTATIONS);
	g_rand_free(random);
	g_free(lie);
	g_free(bytes);
}

static void test_recording_with_a_plane_twice_in_a_frame_ends_there(void **state)
{
	struct tape *tape = *state;
	struct recording *recording;

	tape_show_desktop(tape, "mode=64x64", 1);
	tape_record(tape);
	assert_int_equal(recording_writer_off(tape->writer, PLANE_CURSOR, "one", 1000), 0);
	tape_record(tape);
	tape_finish(tape);
	recording = tape_open_recording(tape->path);
	assert_int_equal(recording_frames(recording), 1);
	assert_non_null(strstr(recording_damage(recording), "twice"));
	recording_close(recording);
}

/* A plane of 512 MiB in a few bytes, or with other numbers that cannot be. */
static void test_recording_refuses_bombs(void **state)
{
	static const struct {
		uint32_t width, height, stride;
		uint64_t size;
	} cases[] = {
		{16384, 8192, 65536, RECORDING_MAX_PLANE_BYTES},
		{16384, 16384, 65536, (uint64_t)1 << 30},
		{64, 64, 256, UINT64_MAX},
		{64, 64, 256, 64 * 256 + 1},
		{64, 64, 256, 0},
		{0, 64, 256, 64 * 256},
		{64, 0, 256, 64 * 256},
		{64, 64, 0, 64 * 256},
		{UINT32_MAX, UINT32_MAX, UINT32_MAX, 4096},
		{64, 64, PLANE_MAX_STRIDE + 1, 4096},
	};
	uint8_t body[RECORDING_DESCRIPTION_BYTES + 1000] = {0};
	uLongf packed = sizeof(body) - RECORDING_DESCRIPTION_BYTES;
	uint8_t zeros[64 * 256] = {0};

	(void)state;
	assert_int_equal(
		compress(body + RECORDING_DESCRIPTION_BYTES, &packed, zeros, sizeof(zeros)), Z_OK);
	for (size_t i = 0; i <= G_N_ELEMENTS(cases); i++) {
		bool good = i == G_N_ELEMENTS(cases);
		struct recording_state decoded = {0};
		struct plane plane = {
			.fourcc = DRM_FORMAT_XRGB8888,
			.width = good ? 64 : cases[i].width,
			.height = good ? 64 : cases[i].height,
			.stride = good ? 256 : cases[i].stride,
			.size = good ? sizeof(zeros) : (size_t)cases[i].size,
		};

		recording_put_description(body, &plane);
		assert_int_equal(recording_decode(&decoded, RECORDING_WHOLE, body,
						  RECORDING_DESCRIPTION_BYTES + packed),
				 good ? 0 : -EINVAL);
		assert_int_equal(decoded.on, good);
		if (good) {
			/* The same with a byte too many, and one too few. */
			assert_int_equal(recording_decode(&decoded, RECORDING_WHOLE, body,
							  RECORDING_DESCRIPTION_BYTES + packed + 1),
					 -EINVAL);
			assert_int_equal(recording_decode(&decoded, RECORDING_WHOLE, body,
							  RECORDING_DESCRIPTION_BYTES + packed - 1),
					 -EINVAL);
			assert_true(decoded.on);
		}
		recording_state_reset(&decoded);
	}
}

static void test_recording_allocates_nothing_that_cannot_be_unpacked(void **state)
{
	static uint8_t zeros[16 << 20], packed[1 << 20];
	uLongf size = sizeof(packed);

	(void)state;
	assert_int_equal(compress2(packed, &size, zeros, sizeof(zeros), 9), Z_OK);
	assert_true(recording_can_unpack(size, sizeof(zeros)));
	assert_false(recording_can_unpack(size / 2, sizeof(zeros)));
	assert_false(recording_can_unpack(100, RECORDING_MAX_PLANE_BYTES));
}

static void test_recording_refuses_reasons_that_are_no_line(void **state)
{
	static const char *const reasons[] = {"two\nlines", "\x1b[2J", "\xff\xfe", "a\0b"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		struct recording_state decoded = {0};
		size_t size = strlen(reasons[i]) + (i == 3 ? 2 : 0);

		assert_int_equal(recording_decode(&decoded, RECORDING_OFF,
						  (const uint8_t *)reasons[i], size),
				 -EINVAL);
		recording_state_reset(&decoded);
	}
}

static void test_recording_refuses_other_files(void **state)
{
	static const struct {
		const char *path, *words;
	} cases[] = {
		{"/no/such/file", "No such file"},
		{"/dev/null", "not a regular file"},
		{"/proc/self", "not a regular file"},
		{"/bin/sh", "not a recording"},
	};
	uint8_t header[RECORDING_HEADER_BYTES];
	struct recording *recording;
	GError *error = NULL;
	int64_t wall_us;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_true(recording_open(cases[i].path, &recording, &error) < 0);
		assert_non_null(strstr(error->message, cases[i].words));
		g_clear_error(&error);
	}
	recording_put_header(header, 77);
	assert_int_equal(recording_get_header(header, sizeof(header), &wall_us, NULL), 0);
	assert_int_equal(wall_us, 77);
	header[8]++;
	header[28] = header[29] = 0;
	assert_int_equal(recording_get_header(header, sizeof(header), &wall_us, &error), -EINVAL);
	assert_non_null(strstr(error->message, "damaged"));
	g_clear_error(&error);
}

static void test_recording_of_the_future_names_its_version(void **state)
{
	uint8_t header[RECORDING_HEADER_BYTES];
	GError *error = NULL;
	uint32_t checksum;
	int64_t wall_us;

	(void)state;
	recording_put_header(header, 0);
	header[8] = 9;
	checksum = GUINT32_TO_LE((uint32_t)crc32(0, header, 28));
	memcpy(header + 28, &checksum, 4);
	assert_int_equal(recording_get_header(header, sizeof(header), &wall_us, &error), -EINVAL);
	assert_non_null(strstr(error->message, "version 9"));
	g_clear_error(&error);
}

#define TAPE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAPE_TEST(test_recording_that_is_cut_short_ends_there),
		TAPE_TEST(test_recording_with_a_flipped_bit_ends_there),
		TAPE_TEST(test_recording_survives_lies),
		TAPE_TEST(test_recording_with_a_plane_twice_in_a_frame_ends_there),
		cmocka_unit_test(test_recording_refuses_bombs),
		cmocka_unit_test(test_recording_allocates_nothing_that_cannot_be_unpacked),
		cmocka_unit_test(test_recording_refuses_reasons_that_are_no_line),
		cmocka_unit_test(test_recording_refuses_other_files),
		cmocka_unit_test(test_recording_of_the_future_names_its_version),
	};

	return cmocka_run_group_tests_name("recording_damage", tests, NULL, NULL);
}
