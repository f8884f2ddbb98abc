/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cursor.h"

#include <errno.h>
#include <stdlib.h>

#include "detile/cpu.h"
#include "guard.h"

struct reading {
	struct detile detile;
	struct detile_surface surface;
	struct detile_rect whole;
	struct detile_image raw;
};

static void read_work(void *data)
{
	struct reading *reading = data;

	detile_copy(&reading->detile, &reading->surface, &reading->whole, &reading->raw,
		    DETILE_NORMAL);
}

int cursor_read(const struct plane *plane, pixman_image_t **out)
{
	const struct plane_format *format = plane_format(plane->fourcc);
	struct reading reading = {.whole = {0, 0, plane->width, plane->height}};
	pixman_image_t *raw, *image = NULL;
	int ret = -ENOMEM;

	if (plane->width > CURSOR_MAX_DIMENSION || plane->height > CURSOR_MAX_DIMENSION)
		return -EINVAL;
	if (!format->pixman)
		return -ENOTSUP;
	detile_init(&reading.detile, detile_cpu_flags());
	plane_surface(plane, &reading.surface);
	raw = pixman_image_create_bits(format->pixman, (int)plane->width, (int)plane->height, NULL,
				       0);
	image = pixman_image_create_bits(PIXMAN_a8r8g8b8, (int)plane->width, (int)plane->height,
					 NULL, 0);
	if (!raw || !image)
		goto done;
	reading.raw.pixels = pixman_image_get_data(raw);
	reading.raw.stride = (size_t)pixman_image_get_stride(raw);
	ret = guard_run(read_work, &reading);
	if (ret)
		goto done;
	pixman_image_composite32(PIXMAN_OP_SRC, raw, NULL, image, 0, 0, 0, 0, 0, 0,
				 (int)plane->width, (int)plane->height);
	*out = image;
	image = NULL;
done:
	if (raw)
		pixman_image_unref(raw);
	if (image)
		pixman_image_unref(image);
	return ret;
}

int cursor_compose(const struct plane *plane, pixman_image_t *image, struct frame *frame)
{
	pixman_image_t *screen = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)frame->width, (int)frame->height, frame->pixels,
		(int)frame->stride);

	if (!screen)
		return -ENOMEM;
	pixman_image_composite32(PIXMAN_OP_OVER, image, NULL, screen, 0, 0, 0, 0, plane->x,
				 plane->y, (int)plane->width, (int)plane->height);
	pixman_image_unref(screen);
	return 0;
}
