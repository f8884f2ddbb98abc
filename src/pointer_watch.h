/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pointer of a source, followed from look to look: a shape is read only when it may be another
 * one, and stays the same object while its pixels do.
 */
#ifndef PLANECAST_POINTER_WATCH_H
#define PLANECAST_POINTER_WATCH_H

#include <stdbool.h>

#include "pointer.h"
#include "source.h"

struct pointer_watch {
	struct pointer *shape; /* NULL: no pointer is shown */
	int32_t x, y;          /* of its left top corner on the screen, pixels; 0 without a shape */
	struct plane plane;    /* what the shape was read from */
};

/* All zero before the first look. */
void pointer_watch_finish(struct pointer_watch *watch);

/* Asks the source for its cursor plane. True if the shape or its place is another one. */
bool pointer_watch_look(struct pointer_watch *watch, struct source *source);

/* There is no picture, and so no pointer. True if there was one. */
bool pointer_watch_hide(struct pointer_watch *watch);

#endif
