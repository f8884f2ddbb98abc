/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a frame has changed that a client's thread has not heard of, in the order in which it
 * happened: damage, then what has moved, then damage again. The owner locks.
 */
#ifndef PLANECAST_VNC_CHANGES_H
#define PLANECAST_VNC_CHANGES_H

#include "damage.h"
#include "moves.h"

#define VNC_CHANGES_MOVED 4u /* times: what moves then is only damage */

struct vnc_moved {
	struct damage before; /* what changed until then */
	struct moves moves;
	struct damage with; /* what changed at the same time, where it moved to, too */
};

struct vnc_changes {
	struct vnc_moved moved[VNC_CHANGES_MOVED];
	unsigned int count;
	struct damage damage; /* after all of them */
};

/* Nothing yet, of a frame of that size; what was in there is freed first. -ENOMEM. */
int vnc_changes_renew(struct vnc_changes *changes, uint32_t width, uint32_t height);
void vnc_changes_finish(struct vnc_changes *changes); /* takes a zeroed one */

/* Of the frame's size. moves: what of the damage has moved, NULL or none: nothing. */
void vnc_changes_add(struct vnc_changes *changes, const struct damage *damage,
		     const struct moves *moves);

bool vnc_changes_is_empty(const struct vnc_changes *changes);

/* Of cells; what changed twice, with a move between, counts twice. */
size_t vnc_changes_count(const struct vnc_changes *changes);

#endif
