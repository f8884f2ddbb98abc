/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cursor plane as an image with alpha, premultiplied as DRM has it by default
 * (include/drm/drm_blend.h, "Pre-multiplied").
 */
#ifndef PLANECAST_CURSOR_H
#define PLANECAST_CURSOR_H

#include <pixman.h>

#include "frame.h"
#include "plane.h"

/* No cursor plane is larger: hardware has 64 to 256 pixels, 512 on the newest. */
#define CURSOR_MAX_DIMENSION 512u

/*
 * Reads a validated cursor plane. *image is a PIXMAN_a8r8g8b8 of its size, for
 * pixman_image_unref(). -EINVAL: impossible size; -EFAULT: its memory went away; -ENOMEM.
 */
int cursor_read(const struct plane *plane, pixman_image_t **image);

/* Draws it over a frame at the plane's position, clipped. -ENOMEM. */
int cursor_compose(const struct plane *plane, pixman_image_t *image, struct frame *frame);

#endif
