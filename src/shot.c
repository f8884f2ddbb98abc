/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shot.h"

#include <errno.h>

#include "capture.h"
#include "cursor.h"
#include "log.h"

static int failed(GError **error, int ret)
{
	return fail(error, EXIT_FAILED, -ret, "%s", capture_strerror(ret));
}

/* Reads the acquired primary plane into a frame of its own. */
static int read_frame(struct source *source, const struct plane *plane, struct frame **out,
		      GError **error)
{
	struct frame *frame = frame_create(plane->width, plane->height);
	struct capture *capture = NULL;
	struct damage changed = {0};
	int ret = -ENOMEM;

	if (frame && !capture_create(&capture) &&
	    !damage_init(&changed, plane->width, plane->height))
		ret = capture_pass(capture, plane, NULL, frame, &changed);
	if (ret)
		ret = failed(error, ret);
	else if (!source->ops->same(source, PLANE_PRIMARY, plane))
		ret = fail(error, EXIT_FAILED, EAGAIN, "the mode changed while it was read");
	damage_finish(&changed);
	capture_destroy(capture);
	if (ret)
		frame_release(frame);
	else
		*out = frame;
	return ret;
}

static int take_primary(struct source *source, struct frame **frame, GError **error)
{
	struct plane plane;
	int ret = source->ops->acquire(source, PLANE_PRIMARY, &plane, error);

	if (ret)
		return ret;
	plane.palette = source->palette;
	ret = plane_validate(&plane, error);
	if (!ret)
		ret = read_frame(source, &plane, frame, error);
	source->ops->release(source, &plane);
	return ret;
}

/* The cursor alone, or over the frame if there is one. */
static int take_cursor(struct source *source, struct frame *frame, pixman_image_t **out,
		       GError **error)
{
	pixman_image_t *image = NULL;
	struct plane plane;
	int ret = source->ops->acquire(source, PLANE_CURSOR, &plane, error);

	if (ret)
		return ret;
	ret = plane_validate(&plane, error);
	if (!ret) {
		ret = cursor_read(&plane, &image);
		if (!ret && frame)
			ret = cursor_compose(&plane, image, frame);
		if (ret)
			ret = failed(error, ret);
	}
	source->ops->release(source, &plane);
	if (!ret && out)
		*out = image;
	else if (image)
		pixman_image_unref(image);
	return ret;
}

static void release_frame(pixman_image_t *image, void *frame)
{
	(void)image;
	frame_release(frame);
}

/* The frame lives as long as the image. */
static int wrap_frame(struct frame *frame, pixman_image_t **out, GError **error)
{
	pixman_image_t *image = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)frame->width, (int)frame->height, frame->pixels,
		(int)frame->stride);

	if (!image) {
		frame_release(frame);
		return failed(error, -ENOMEM);
	}
	pixman_image_set_destroy_function(image, release_frame, frame);
	*out = image;
	return 0;
}

int shot_take(struct source *source, enum shot_planes planes, pixman_image_t **image,
	      GError **error)
{
	struct frame *frame = NULL;
	int ret;

	if (planes == SHOT_CURSOR)
		return take_cursor(source, NULL, image, error);
	ret = take_primary(source, &frame, error);
	if (ret)
		return ret;
	if (planes == SHOT_BOTH) {
		GError *cursor_error = NULL;

		ret = take_cursor(source, frame, NULL, &cursor_error);
		if (ret == -ENODATA)
			ret = 0;
		if (ret) {
			g_propagate_error(error, cursor_error);
			frame_release(frame);
			return ret;
		}
		g_clear_error(&cursor_error);
	}
	return wrap_frame(frame, image, error);
}
