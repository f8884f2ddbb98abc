/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a screen's frame has moved since the sinks were told of it last: the picture as it was
 * then is kept here. Where nothing ever moves (a film), it is looked for less and less often, down
 * to one change in sixteen, and what lies between is not kept. Calls come from the frame's writer.
 */
#ifndef PLANECAST_MOTION_H
#define PLANECAST_MOTION_H

#include "damage.h"
#include "frame.h"
#include "moves.h"

struct motion;

struct motion *motion_create(void);         /* holds no picture yet */
void motion_destroy(struct motion *motion); /* takes NULL */

/* Before the sinks are told of a change: `moves` (all but `since`) become what has moved. */
void motion_find(struct motion *motion, const struct frame *frame, const struct damage *changed,
		 struct moves *moves);

/* After they were told: the frame is kept as it is. */
void motion_keep(struct motion *motion, const struct frame *frame, const struct damage *changed);

#endif
