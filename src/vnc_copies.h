/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves that a client is to repeat in its own picture (CopyRect), before it gets pixels. Until they
 * are sent, its modified region is what will be missing *after* them: what was missing where they
 * come from is missing where they go to. All calls for one come from one thread.
 */
#ifndef PLANECAST_VNC_COPIES_H
#define PLANECAST_VNC_COPIES_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "damage.h"
#include "moves.h"
#include "vnc_lossy.h"
#include "vnc_rects.h"

#define VNC_COPIES 32u

struct vnc_copies {
	struct move list[VNC_COPIES]; /* in the order in which they happened */
	unsigned int count;
	uint64_t told; /* so far */
};

/* All zero at first. Moves, and damage that has all they have changed. False: too many for it. */
bool vnc_copies_add(struct vnc_copies *copies, const struct moves *moves,
		    const struct damage *damage, sraRegionPtr modified);

/* They will not be sent: where they go to is modified. */
void vnc_copies_forget(struct vnc_copies *copies, sraRegionPtr modified);

/* All of them go to that region. */
bool vnc_copies_are_within(const struct vnc_copies *copies, const sraRegion *region);

/* They are sent with these: what is lossy where they come from is so where they go to. */
void vnc_copies_tell(struct vnc_copies *copies, struct vnc_rects *rects, struct vnc_lossy *lossy,
		     int64_t now);

#endif
