/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
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

/* All frames forward, then in an order that jumps back and forth. */
static void expect_everything(struct tape *tape)
{
	struct recording *recording;
	uint32_t frames = tape->frames->len;

	tape_finish(tape);
	recording = tape_open_recording(tape->path);
	assert_null(recording_damage(recording));
	assert_int_equal(recording_frames(recording), frames);
	for (uint32_t i = 0; i < frames; i++) {
		assert_int_equal(recording_time(recording, i), tape_frame(tape, i)->time_us);
		tape_expect_frame(tape, recording, i);
	}
	for (uint32_t i = 0; i < frames; i++)
		tape_expect_frame(tape, recording, i * 7919u % frames);
	recording_close(recording);
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
			tape_show_desktop(*state, options, frame * 20);
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
		tape_show_desktop(*state, modes[i], i);
		if (i % 3 == 1)
			tape_show_off(*state, PLANE_CURSOR);
		tape_record(*state);
	}
	expect_everything(*state);
}

/* How many records of a kind a file has of a plane. */
static unsigned int count_records(const struct tape *tape, enum recording_kind kind,
				  enum plane_type type)
{
	unsigned int count = 0;
	gsize size;
	char *bytes;

	assert_true(g_file_get_contents(tape->path, &bytes, &size, NULL));
	for (gsize at = RECORDING_HEADER_BYTES; at < size;) {
		struct recording_head head;

		recording_get_head((const uint8_t *)bytes + at, &head);
		count += head.kind == kind && head.plane == type;
		at += RECORDING_HEAD_BYTES + head.body_bytes;
	}
	g_free(bytes);
	return count;
}

static void test_recording_seeks_far(void **state)
{
	for (int frame = 0; frame < 700; frame++) {
		tape_show_desktop(*state, "mode=96x64,layout=4,pattern=clock", frame);
		tape_record(*state);
	}
	expect_everything(*state);
	/* There are frames between to begin with, but not many. */
	assert_in_range(count_records(*state, RECORDING_WHOLE, PLANE_PRIMARY), 2, 7);
	assert_in_range(count_records(*state, RECORDING_WHOLE, PLANE_CURSOR), 2, 7);
	assert_int_equal(count_records(*state, RECORDING_END, 0), 1);
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

	tape_show_desktop(tape, "mode=64x64", 1);
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
	recording = tape_open_recording(tape->path);
	tape_expect_frame(tape, recording, 0);
	plane = recording_plane(recording, PLANE_PRIMARY);
	assert_int_equal(plane_validate(plane, &error), -ENOTSUP);
	g_clear_error(&error);
	for (uint32_t i = 0; i < 3; i++)
		tape_expect_frame(tape, recording, i);
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
	recording = tape_open_recording(tape->path);
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
		recording = tape_open_recording(tape.path);
		assert_int_equal(recording_frames(recording), 30);
		expect_damage(recording, linear, cases[i].most);
		recording_close(recording);
		tape_close(&tape);
	}
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
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
