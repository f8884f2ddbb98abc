/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording_look.h"

#include <errno.h>
#include <string.h>

#include "log.h"

/* What is to be written of a plane. */
struct find {
	enum { FIND_BYTES, FIND_SAME, FIND_OFF } what;
	struct plane plane; /* FIND_SAME: data is no more */
	GError *error;      /* FIND_OFF: why */
};

int recording_look_init(struct recording_look *look, struct source *source,
			struct recording_writer *writer)
{
	memset(look, 0, sizeof(*look));
	look->source = source;
	look->writer = writer;
	return damage_init(&look->hinted, 1, 1);
}

void recording_look_finish(struct recording_look *look)
{
	damage_finish(&look->hinted);
	memset(look, 0, sizeof(*look));
}

/* The hints are of the plane's size, if it has one; a new map means that all may have changed. */
static int fit_hints(struct recording_look *look, const struct plane *plane)
{
	struct damage hinted;

	if ((plane->width == look->hinted.width && plane->height == look->hinted.height) ||
	    !plane->width || !plane->height || plane->width > PLANE_MAX_DIMENSION ||
	    plane->height > PLANE_MAX_DIMENSION)
		return 0;
	if (damage_init(&hinted, plane->width, plane->height))
		return -ENOMEM;
	damage_finish(&look->hinted);
	look->hinted = hinted;
	damage_add_all(&look->hinted);
	return 0;
}

/* Whether the source says, and has said since the plane was read last, that nothing changed. */
static bool is_still(struct recording_look *look, const struct plane *plane)
{
	int ret = look->source->ops->hint(look->source, &look->hinted);

	return !ret && damage_is_empty(&look->hinted) && look->shown &&
	       plane_is_same(plane, &look->seen) &&
	       recording_writer_has(look->writer, PLANE_PRIMARY, plane);
}

/* Reads the acquired primary plane. */
static int read_primary(struct recording_look *look, const struct plane *plane, struct find *find)
{
	struct source *source = look->source;
	int ret = fit_hints(look, plane);

	if (ret)
		return ret;
	find->plane = *plane;
	if (is_still(look, plane)) {
		find->what = FIND_SAME;
		return 0;
	}
	find->what = FIND_BYTES;
	ret = recording_writer_take(look->writer, PLANE_PRIMARY, plane, &find->error);
	if (!source->ops->same(source, PLANE_PRIMARY, plane)) {
		/* What the source has told by now stays in hinted: it was not read in peace. */
		g_clear_error(&find->error);
		return -EAGAIN;
	}
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		find->what = FIND_OFF;
	look->seen = *plane;
	look->seen.data = NULL;
	look->shown = !ret;
	damage_clear(&look->hinted);
	return 0;
}

static int find_primary(struct recording_look *look, struct find *find)
{
	const struct source_ops *ops = look->source->ops;
	struct plane plane = {0};
	int ret = ops->acquire(look->source, PLANE_PRIMARY, &plane, &find->error);

	if (!ret) {
		ret = read_primary(look, &plane, find);
		ops->release(look->source, &plane);
		return ret;
	}
	if (ret == -EAGAIN || ret == -ENOMEM)
		return ret;
	/* Its event is taken note of, or it would fire for ever. */
	ops->hint(look->source, &look->hinted);
	look->shown = false;
	find->what = FIND_OFF;
	return 0;
}

static int find_cursor(struct recording_look *look, struct find *find)
{
	const struct source_ops *ops = look->source->ops;
	struct plane plane = {0};
	int ret = ops->acquire(look->source, PLANE_CURSOR, &plane, &find->error);

	find->what = FIND_OFF;
	if (ret)
		return ret == -EAGAIN || ret == -ENOMEM ? ret : 0;
	ret = recording_writer_take(look->writer, PLANE_CURSOR, &plane, &find->error);
	if (!ret)
		find->what = FIND_BYTES;
	ops->release(look->source, &plane);
	return ret == -ENOMEM ? ret : 0;
}

static int write_find(struct recording_look *look, enum plane_type type, const struct find *find,
		      int64_t time_us)
{
	switch (find->what) {
	case FIND_BYTES:
		return recording_writer_put(look->writer, type, time_us);
	case FIND_SAME:
		return recording_writer_keep(look->writer, type, &find->plane, time_us);
	default:
		return recording_writer_off(look->writer, type,
					    find->error ? find->error->message : "", time_us);
	}
}

int recording_look_take(struct recording_look *look, int64_t time_us)
{
	struct find primary = {0}, cursor = {0};
	int ret = find_primary(look, &primary), cursor_ret = 0;

	if (!ret)
		cursor_ret = find_cursor(look, &cursor);
	if (cursor_ret == -ENOMEM)
		ret = cursor_ret;
	/* A cursor that cannot be had this time stays as it was. */
	if (!ret && !cursor_ret)
		ret = write_find(look, PLANE_CURSOR, &cursor, time_us);
	if (!ret)
		ret = write_find(look, PLANE_PRIMARY, &primary, time_us);
	if (!ret && primary.what == FIND_OFF)
		look->frames_without++;
	g_clear_error(&primary.error);
	g_clear_error(&cursor.error);
	return ret;
}
