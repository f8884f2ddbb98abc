/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pointer_watch.h"

#include <errno.h>
#include <glib.h>

#include "cursor.h"

void pointer_watch_finish(struct pointer_watch *watch)
{
	pointer_release(watch->shape);
	*watch = (struct pointer_watch){0};
}

bool pointer_watch_hide(struct pointer_watch *watch)
{
	bool shown = watch->shape;

	pointer_watch_finish(watch);
	return shown;
}

/* Drivers that know no hot spot tell nonsense. */
static int32_t within(int32_t position, uint32_t length)
{
	return position < 0 || (uint32_t)position >= length ? 0 : position;
}

static bool is_read(const struct pointer_watch *watch, const struct plane *plane)
{
	return watch->shape && plane->contents && plane->contents == watch->plane.contents &&
	       plane_is_same(plane, &watch->plane) && plane->hot_x == watch->plane.hot_x &&
	       plane->hot_y == watch->plane.hot_y;
}

/* 1: another shape; 0: the same; -errno. */
static int read_shape(struct pointer_watch *watch, const struct plane *plane)
{
	int32_t hot_x = within(plane->hot_x, plane->width);
	int32_t hot_y = within(plane->hot_y, plane->height);
	struct pointer *shape;
	pixman_image_t *image;
	const uint32_t *pixels;
	size_t stride;
	int ret = cursor_read(plane, &image);

	if (ret)
		return ret;
	pixels = pixman_image_get_data(image);
	stride = (size_t)pixman_image_get_stride(image);
	if (!watch->shape ||
	    !pointer_is(watch->shape, plane->width, plane->height, hot_x, hot_y, pixels, stride)) {
		shape = pointer_create(plane->width, plane->height, hot_x, hot_y, pixels, stride);
		ret = shape ? 1 : -ENOMEM;
		if (shape) {
			pointer_release(watch->shape);
			watch->shape = shape;
		}
	}
	pixman_image_unref(image);
	return ret;
}

static bool show(struct pointer_watch *watch, const struct plane *plane)
{
	const int32_t limit = PLANE_MAX_DIMENSION;
	int32_t x = CLAMP(plane->x, -limit, limit), y = CLAMP(plane->y, -limit, limit);
	int ret = is_read(watch, plane) ? 0 : read_shape(watch, plane);
	bool changed = ret == 1 || x != watch->x || y != watch->y;

	if (ret < 0)
		return pointer_watch_hide(watch);
	watch->x = x;
	watch->y = y;
	watch->plane = *plane;
	return changed;
}

bool pointer_watch_look(struct pointer_watch *watch, struct source *source)
{
	struct plane plane = {0};
	bool changed;
	int ret = source->ops->acquire(source, PLANE_CURSOR, &plane, NULL);

	if (ret == -EAGAIN)
		return false;
	if (ret)
		return pointer_watch_hide(watch);
	if (plane_validate(&plane, NULL))
		changed = pointer_watch_hide(watch);
	else
		changed = show(watch, &plane);
	source->ops->release(source, &plane);
	return changed;
}
