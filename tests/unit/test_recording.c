/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "log.h"
#include "recording_decode.h"
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

static struct recording *open_recording(const char *path)
{
	struct recording *recording = NULL;
	GError *error = NULL;

	if (recording_open(path, &recording, &error))
		fail_msg("%s", error->message);
	return recording;
}

static void expect_frame(const struct tape *tape, struct recording *recording, uint32_t frame)
{
	GError *error = NULL;

	if (recording_seek(recording, frame, &error))
		fail_msg("%s", error->message);
	for (enum plane_type type = PLANE_PRIMARY; type <= PLANE_CURSOR; type++)
		tape_expect_plane(tape, frame, type, recording_plane(recording, type));
}

/* All frames forward, then in an order that jumps back and forth. */
static void expect_everything(struct tape *tape)
{
	struct recording *recording;
	uint32_t frames = tape->frames->len;

	tape_finish(tape);
	recording = open_recording(tape->path);
	assert_null(recording_damage(recording));
	assert_int_equal(recording_frames(recording), frames);
	for (uint32_t i = 0; i < frames; i++) {
		assert_int_equal(recording_time(recording, i), tape_frame(tape, i)->time_us);
		expect_frame(tape, recording, i);
	}
	for (uint32_t i = 0; i < frames; i++)
		expect_frame(tape, recording, i * 7919u % frames);
	recording_close(recording);
}

static void show_desktop(struct tape *tape, const char *more, int frame)
{
	char *options = g_strdup_printf("frame=%d,cursor=on,%s", frame, more);

	tape_show_sim(tape, options);
	g_free(options);
}

static void test_recording_keeps_every_layout_and_format(void **state)
{
	static const char *const layouts[] = {"linear", "x", "y", "yf", "4"};
	static const char *const formats[] = {"XR24", "AR24", "XB24", "AB24", "RX24",
					      "BX24", "XR30", "XB30", "RG16", "BG16"};

	for (size_t i = 0; i < G_N_ELEMENTS(layouts) * G_N_ELEMENTS(formats); i++) {
		const char *layout = layouts[i % 5], *format = formats[i / 5];
		char *options = g_strdup_printf("mode=333x77,layout=%s,format=%s,transport=%s",
						layout, format, i % 2 ? "region" : "dmabuf");
		bool possible = strcmp(layout, "yf") || !g_str_has_suffix(format, "16");

		for (int frame = 0; frame < 4 && possible; frame++) {
			show_desktop(*state, options, frame * 20);
			tape_record(*state);
		}
		g_free(options);
	}
	assert_int_equal(((struct tape *)*state)->frames->len, 4 * (5 * 10 - 2));
	expect_everything(*state);
}

static void test_recording_follows_modes_and_switches(void **state)
{
	static const char *const modes[] = {"mode=320x200", "mode=321x200,layout=x",
					    "mode=off",     "mode=off",
					    "mode=64x64",   "mode=64x64",
					    "mode=320x200", "mode=1x1,format=RG16",
					    "mode=off",     "mode=1x1,format=RG16"};

	for (int i = 0; i < (int)G_N_ELEMENTS(modes); i++) {
		show_desktop(*state, modes[i], i);
		if (i % 3 == 1)
			tape_show_off(*state, PLANE_CURSOR);
		tape_record(*state);
	}
	expect_everything(*state);
}

static void test_recording_seeks_far(void **state)
{
	for (int frame = 0; frame < 700; frame++) {
		show_desktop(*state, "mode=96x64,layout=4,pattern=clock", frame);
		tape_record(*state);
	}
	expect_everything(*state);
}

static uint64_t grown_by(const struct tape *tape)
{
	guint last = tape->frames->len - 1;

	return tape_frame(tape, last)->end - tape_frame(tape, last - 1)->end;
}

static void test_recording_stores_only_what_changed(void **state)
{
	struct tape *tape = *state;
	struct plane plane;
	uint8_t *bytes;

	tape_show_sim(tape, "mode=640x480,layout=x,pattern=noise,frame=1");
	tape_record(tape);
	assert_true(tape_frame(tape, 0)->end > 500000);
	tape_record(tape);
	assert_int_equal(grown_by(tape), RECORDING_HEAD_BYTES);
	tape->planes[0].plane.generation++;
	tape_record(tape);
	assert_int_equal(grown_by(tape), RECORDING_HEAD_BYTES + RECORDING_DESCRIPTION_BYTES);

	/* One byte: one block. */
	plane = tape->planes[0].plane;
	bytes = g_memdup2(plane.data, plane.size);
	bytes[3 * RECORDING_BLOCK_BYTES + 5] ^= 1;
	tape_show(tape, PLANE_PRIMARY, &plane, bytes);
	tape_record(tape);
	assert_in_range(grown_by(tape), 3000, 2 * RECORDING_BLOCK_BYTES);
	g_free(bytes);

	/* A cursor that moves. */
	tape_show_sim(tape, "mode=640x480,layout=x,pattern=static,frame=1,cursor=on");
	tape_record(tape);
	tape->planes[1].plane.x++;
	tape_record(tape);
	assert_int_equal(grown_by(tape), 2 * RECORDING_HEAD_BYTES + RECORDING_DESCRIPTION_BYTES);
	expect_everything(tape);
}

static void test_recording_believes_hints(void **state)
{
	struct tape *tape = *state;

	tape->hint_ret = 0;
	tape_show_sim(tape, "mode=128x64,pattern=noise,frame=1");
	tape_record(tape);
	/* Not read, so not seen: what the frames have is put right for the comparison. */
	tape_show_sim(tape, "mode=128x64,pattern=noise,frame=2");
	tape_record(tape);
	assert_int_equal(grown_by(tape), RECORDING_HEAD_BYTES);
	g_bytes_unref(g_array_index(tape->frames, struct tape_frame, 1).planes[0].bytes);
	g_array_index(tape->frames, struct tape_frame, 1) = *tape_frame(tape, 0);
	g_bytes_ref(tape_frame(tape, 0)->planes[0].bytes);
	g_array_index(tape->frames, struct tape_frame, 1).time_us = 1000;

	/* A hint of a plane that changed under the reading is not forgotten. */
	tape->hint = (struct detile_rect){0, 0, 1, 1};
	tape->changes = 1;
	assert_int_equal(recording_look_take(&tape->look, tape->time_us), -EAGAIN);
	tape->hint.width = 0;
	tape_record(tape);
	assert_true(grown_by(tape) > 1000);
	tape_show_off(tape, PLANE_PRIMARY);
	tape_record(tape);
	tape_show_sim(tape, "mode=128x64,pattern=noise,frame=3");
	tape_record(tape);
	expect_everything(tape);
}

static void test_recording_writes_nothing_of_a_plane_that_changes_meanwhile(void **state)
{
	struct tape *tape = *state;
	uint64_t before;

	show_desktop(tape, "mode=64x64", 1);
	before = recording_writer_bytes(tape->writer);
	tape->changes = 3;
	for (int i = 0; i < 3; i++)
		assert_int_equal(recording_look_take(&tape->look, 0), -EAGAIN);
	assert_int_equal(recording_writer_bytes(tape->writer), before);
	assert_int_equal(recording_writer_frames(tape->writer), 0);
	tape_record(tape);
	expect_everything(tape);
}

static void test_recording_keeps_what_cannot_be_shown(void **state)
{
	struct tape *tape = *state;
	struct recording *recording;
	const struct plane *plane;
	GError *error = NULL;

	tape_show_sim(tape, "mode=256x64,layout=y,pattern=noise,frame=1");
	tape->planes[0].plane.modifier = I915_FORMAT_MOD_Y_TILED_CCS;
	tape_record(tape);
	tape->planes[0].plane.fourcc = 0x20202020;
	tape_record(tape);
	tape->planes[0].plane.stride = 4; /* does not hold a row */
	tape->planes[0].plane.size = 100;
	tape_record(tape);
	tape_finish(tape);
	recording = open_recording(tape->path);
	expect_frame(tape, recording, 0);
	plane = recording_plane(recording, PLANE_PRIMARY);
	assert_int_equal(plane_validate(plane, &error), -ENOTSUP);
	g_clear_error(&error);
	for (uint32_t i = 0; i < 3; i++)
		expect_frame(tape, recording, i);
	recording_close(recording);
}

static void test_recording_tells_why_there_is_no_plane(void **state)
{
	struct tape *tape = *state;
	struct recording *recording;
	char *umlauts = g_strnfill(400, 'x');

	tape_record(tape);
	tape_show_sim(tape, "mode=64x64");
	tape->planes[0].plane.width = 4000000000u;
	tape->planes[1].plane.width = 0;
	tape_record(tape);
	tape_show_off(tape, PLANE_PRIMARY);
	/* A character of two bytes lies across the limit. */
	memcpy(umlauts + RECORDING_MAX_REASON_BYTES - 1, "\xc3\xa4", 2);
	tape->off_reason = umlauts;
	tape_record(tape);
	tape_finish(tape);
	recording = open_recording(tape->path);
	assert_int_equal(recording_frames(recording), 3);
	assert_int_equal(recording_seek(recording, 0, NULL), 0);
	assert_null(recording_plane(recording, PLANE_PRIMARY));
	assert_string_equal(recording_reason(recording, PLANE_PRIMARY), "switched off by the test");
	assert_int_equal(recording_seek(recording, 1, NULL), 0);
	assert_null(recording_plane(recording, PLANE_PRIMARY));
	assert_non_null(strstr(recording_reason(recording, PLANE_PRIMARY), "4000000000"));
	assert_int_equal(recording_seek(recording, 2, NULL), 0);
	assert_int_equal(strlen(recording_reason(recording, PLANE_PRIMARY)),
			 RECORDING_MAX_REASON_BYTES - 1);
	recording_close(recording);
	g_free(umlauts);
}

/* Cells in which two linear pictures of 4 bytes a pixel differ. */
static void compare_cells(const struct plane *a, const struct plane *b, struct damage *damage)
{
	for (uint32_t y = 0; y < a->height; y++)
		for (uint32_t x = 0; x < a->width; x++)
			if (memcmp(a->data + (size_t)y * a->stride + x * 4,
				   b->data + (size_t)y * b->stride + x * 4, 4))
				damage_add(damage, &(struct detile_rect){x, y, 1, 1});
}

static bool covers(const struct damage *damage, const struct damage *part)
{
	for (size_t i = 0; i < damage->cells.stride * damage->rows; i++)
		if (part->cells.words[i] & ~damage->cells.words[i])
			return false;
	return true;
}

static void show_frame(struct tape *tape, const char *layout, int frame)
{
	char *options = g_strdup_printf("mode=1300x300,layout=%s,frame=%d", layout, frame);

	tape_show_sim(tape, options);
	tape_record(tape);
	g_free(options);
}

/* Each frame's damage covers the cells that differ, and is at most so many times as many. */
static void expect_damage(struct recording *recording, const struct tape *linear, size_t most)
{
	struct damage told, differing;

	damage_init(&told, 1300, 300);
	damage_init(&differing, 1300, 300);
	for (uint32_t frame = 0; frame < recording_frames(recording); frame++) {
		assert_int_equal(recording_seek(recording, frame, NULL), 0);
		recording_take_changes(recording, &told);
		if (frame)
			compare_cells(&tape_frame(linear, frame)->planes[0].plane,
				      &tape_frame(linear, frame - 1)->planes[0].plane, &differing);
		else
			damage_add_all(&differing);
		assert_true(covers(&told, &differing));
		assert_true(damage_count(&told) <= damage_count(&differing) * most);
		/* Nothing is told twice. */
		damage_clear(&told);
		damage_clear(&differing);
		recording_take_changes(recording, &told);
		assert_true(damage_is_empty(&told));
	}
	damage_finish(&told);
	damage_finish(&differing);
}

static void test_recording_tells_what_changed(void **state)
{
	/* A block is a whole row and more if linear, two cells wide if x, within one cell else. */
	static const struct {
		const char *layout;
		size_t most;
	} cases[] = {{"linear", 42}, {"x", 2}, {"y", 1}, {"yf", 1}, {"4", 1}};
	struct tape *linear = *state;

	for (int frame = 0; frame < 30; frame++)
		show_frame(linear, "linear", frame);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct recording *recording;
		struct tape tape;

		tape_open(&tape);
		for (int frame = 0; frame < 30; frame++)
			show_frame(&tape, cases[i].layout, frame);
		tape_finish(&tape);
		recording = open_recording(tape.path);
		assert_int_equal(recording_frames(recording), 30);
		expect_damage(recording, linear, cases[i].most);
		recording_close(recording);
		tape_close(&tape);
	}
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
			show_desktop(tape, i < 12 ? "mode=128x48,layout=x" : "mode=97x33,layout=4",
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
			expect_frame(tape, recording, i);
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
		TAPE_TEST(test_recording_keeps_every_layout_and_format),
		TAPE_TEST(test_recording_follows_modes_and_switches),
		TAPE_TEST(test_recording_seeks_far),
		TAPE_TEST(test_recording_stores_only_what_changed),
		TAPE_TEST(test_recording_believes_hints),
		TAPE_TEST(test_recording_writes_nothing_of_a_plane_that_changes_meanwhile),
		TAPE_TEST(test_recording_keeps_what_cannot_be_shown),
		TAPE_TEST(test_recording_tells_why_there_is_no_plane),
		TAPE_TEST(test_recording_tells_what_changed),
		TAPE_TEST(test_recording_that_is_cut_short_ends_there),
		TAPE_TEST(test_recording_with_a_flipped_bit_ends_there),
		TAPE_TEST(test_recording_survives_lies),
		cmocka_unit_test(test_recording_refuses_bombs),
		cmocka_unit_test(test_recording_allocates_nothing_that_cannot_be_unpacked),
		cmocka_unit_test(test_recording_refuses_reasons_that_are_no_line),
		cmocka_unit_test(test_recording_refuses_other_files),
		cmocka_unit_test(test_recording_of_the_future_names_its_version),
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
