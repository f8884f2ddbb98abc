/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A shot: one complete picture of a source's planes, for a screenshot. Main thread.
 */
#ifndef PLANECAST_SHOT_H
#define PLANECAST_SHOT_H

#include <glib.h>
#include <pixman.h>

#include "source.h"

enum shot_planes {
	SHOT_PRIMARY,
	SHOT_CURSOR, /* alone, with its alpha */
	SHOT_BOTH,   /* the cursor drawn over the primary plane, if it is shown */
};

/*
 * *image is a PIXMAN_x8r8g8b8 (cursor: PIXMAN_a8r8g8b8) of the plane's size, for
 * pixman_image_unref(). Errors as source_ops.acquire; -EAGAIN also if the plane changed under the
 * reading, and nothing was kept.
 */
int shot_take(struct source *source, enum shot_planes planes, pixman_image_t **image,
	      GError **error);

#endif
