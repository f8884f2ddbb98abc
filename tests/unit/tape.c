/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tape.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "recording.h"
#include "unit.h"

static int tape_acquire(struct source *base, enum plane_type type, struct plane *plane,
			GError **error)
{
	struct tape *tape = (struct tape *)base;
	struct tape_plane *own = &tape->planes[type == PLANE_CURSOR];

	if (!own->on)
		return fail(error, EXIT_FAILED, ENODATA, "%s", tape->off_reason);
	*plane = own->plane;
	return 0;
}

static bool tape_same(struct source *base, enum plane_type type, const struct plane *plane)
{
	struct tape *tape = (struct tape *)base;

	(void)type;
	(void)plane;
	if (!tape->changes)
		return true;
	tape->changes--;
	return false;
}

static void tape_release(struct source *base, struct plane *plane)
{
	(void)base;
	memset(plane, 0, sizeof(*plane));
}

static int tape_event_fd(struct source *base)
{
	(void)base;
	return -1;
}

static int tape_hint(struct source *base, struct damage *damage)
{
	struct tape *tape = (struct tape *)base;

	if (!tape->hint_ret)
		damage_add(damage, &tape->hint);
	return tape->hint_ret;
}

static void tape_nothing(struct source *base)
{
	(void)base;
}

static int tape_set_mode(struct source *base, uint32_t width, uint32_t height)
{
	(void)base;
	(void)width;
	(void)height;
	return -ENOTSUP;
}

static void tape_describe(struct source *base, JsonBuilder *json)
{
	(void)base;
	(void)json;
}

static const struct source_ops tape_ops = {
	.name = "tape",
	.acquire = tape_acquire,
	.same = tape_same,
	.release = tape_release,
	.event_fd = tape_event_fd,
	.hint = tape_hint,
	.rest = tape_nothing,
	.set_mode = tape_set_mode,
	.describe = tape_describe,
	.close = tape_nothing,
};

void tape_open(struct tape *tape)
{
	memset(tape, 0, sizeof(*tape));
	tape->source.ops = &tape_ops;
	tape->hint_ret = -ENOTSUP;
	tape->off_reason = "switched off by the test";
	tape->step_us = 1000;
	tape->frames = g_array_new(FALSE, FALSE, sizeof(struct tape_frame));
	tape->folder = g_dir_make_tmp("planecast-test.XXXXXX", NULL);
	assert_non_null(tape->folder);
	tape->path = g_build_filename(tape->folder, "tape.rec", NULL);
	assert_int_equal(output_open_partial(tape->path, &tape->output, NULL), 0);
	assert_int_equal(recording_writer_create(tape->output, 1234567, &tape->writer), 0);
	assert_int_equal(recording_look_init(&tape->look, &tape->source, tape->writer), 0);
}

static void stop(struct tape *tape)
{
	recording_look_finish(&tape->look);
	recording_writer_destroy(tape->writer);
	output_close(tape->output);
	tape->writer = NULL;
	tape->output = NULL;
}

void tape_close(struct tape *tape)
{
	char *part = g_strconcat(tape->path, ".part", NULL);

	stop(tape);
	for (guint i = 0; i < tape->frames->len; i++)
		for (int plane = 0; plane < 2; plane++)
			g_bytes_unref(tape_frame(tape, i)->planes[plane].bytes);
	g_array_free(tape->frames, TRUE);
	for (int plane = 0; plane < 2; plane++)
		g_bytes_unref(tape->planes[plane].bytes);
	unlink(part);
	unlink(tape->path);
	rmdir(tape->folder);
	g_free(part);
	g_free(tape->path);
	g_free(tape->folder);
}

void tape_show(struct tape *tape, enum plane_type type, const struct plane *plane,
	       const void *bytes)
{
	struct tape_plane *own = &tape->planes[type == PLANE_CURSOR];
	GBytes *copy = g_bytes_new(bytes, plane->size);

	g_bytes_unref(own->bytes);
	own->on = true;
	own->bytes = copy;
	own->plane = *plane;
	own->plane.data = g_bytes_get_data(copy, NULL);
}

void tape_show_off(struct tape *tape, enum plane_type type)
{
	struct tape_plane *own = &tape->planes[type == PLANE_CURSOR];

	g_bytes_unref(own->bytes);
	memset(own, 0, sizeof(*own));
}

void tape_show_sim(struct tape *tape, const char *options)
{
	struct source *sim = NULL;
	GError *error = NULL;

	if (source_sim_open(options, &sim, &error))
		fail_msg("%s: %s", options, error->message);
	for (enum plane_type type = PLANE_PRIMARY; type <= PLANE_CURSOR; type++) {
		struct plane plane;

		if (sim->ops->acquire(sim, type, &plane, NULL)) {
			tape_show_off(tape, type);
			continue;
		}
		tape_show(tape, type, &plane, plane.data);
		sim->ops->release(sim, &plane);
	}
	sim->ops->close(sim);
}

void tape_record(struct tape *tape)
{
	struct tape_frame frame = {.time_us = tape->time_us};

	assert_int_equal(recording_look_take(&tape->look, tape->time_us), 0);
	for (int plane = 0; plane < 2; plane++) {
		frame.planes[plane] = tape->planes[plane];
		if (frame.planes[plane].bytes)
			g_bytes_ref(frame.planes[plane].bytes);
	}
	frame.end = recording_writer_bytes(tape->writer);
	g_array_append_val(tape->frames, frame);
	tape->time_us += tape->step_us;
}

void tape_finish(struct tape *tape)
{
	GError *error = NULL;

	assert_int_equal(recording_writer_end(tape->writer, tape->time_us), 0);
	if (output_commit(tape->output, &error))
		fail_msg("%s", error->message);
	stop(tape);
}

const struct tape_frame *tape_frame(const struct tape *tape, uint32_t frame)
{
	return &g_array_index(tape->frames, struct tape_frame, frame);
}

void tape_expect_plane(const struct tape *tape, uint32_t frame, enum plane_type type,
		       const struct plane *plane)
{
	const struct tape_plane *expected = &tape_frame(tape, frame)->planes[type == PLANE_CURSOR];
	uint8_t got_numbers[RECORDING_DESCRIPTION_BYTES], numbers[RECORDING_DESCRIPTION_BYTES];

	if (!plane || !expected->on) {
		assert_true(!plane == !expected->on);
		return;
	}
	recording_put_description(numbers, &expected->plane);
	recording_put_description(got_numbers, plane);
	assert_memory_equal(got_numbers, numbers, sizeof(numbers));
	assert_memory_equal(plane->data, expected->plane.data, plane->size);
}

struct recording *tape_open_recording(const char *path)
{
	struct recording *recording = NULL;
	GError *error = NULL;

	if (recording_open(path, &recording, &error))
		fail_msg("%s", error->message);
	return recording;
}

void tape_expect_frame(const struct tape *tape, struct recording *recording, uint32_t frame)
{
	GError *error = NULL;

	if (recording_seek(recording, frame, &error))
		fail_msg("%s", error->message);
	for (enum plane_type type = PLANE_PRIMARY; type <= PLANE_CURSOR; type++)
		tape_expect_plane(tape, frame, type, recording_plane(recording, type));
}

void tape_show_desktop(struct tape *tape, const char *more, int frame)
{
	char *options = g_strdup_printf("frame=%d,cursor=on,%s", frame, more);

	tape_show_sim(tape, options);
	g_free(options);
}
