/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client got in lossy form and has come to rest since is sent again, exactly, while its
 * link carries nothing else; at once only so much as the link takes in a moment, so that what
 * changes next does not wait behind it. All calls for one come from one thread.
 */
#ifndef PLANECAST_VNC_REPAIR_H
#define PLANECAST_VNC_REPAIR_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "frame.h"
#include "vnc_lossy.h"

struct vnc_repair {
	int wire; /* the peer's own socket: what it has taken, and how fast */
	struct vnc_lossy lossy;
	int64_t not_before; /* the link was busy, or nobody asked for what rests */
};

/* wire lives as long. */
void vnc_repair_init(struct vnc_repair *repair, int wire, const struct frame *frame);
void vnc_repair_finish(struct vnc_repair *repair);

/* Another frame: the client has nothing of it. */
void vnc_repair_set_frame(struct vnc_repair *repair, const struct frame *frame);

/* A region was sent as pixels that are exact, or not. */
void vnc_repair_sent(struct vnc_repair *repair, const sraRegion *region, bool exact);

/* When to call vnc_repair_take() next, VNC_LOSSY_NEVER: not before something else is sent. */
int64_t vnc_repair_due(const struct vnc_repair *repair);

/* What of `wanted` is to be sent exactly now; the caller's. NULL: nothing. */
sraRegionPtr vnc_repair_take(struct vnc_repair *repair, const sraRegion *wanted);

#endif
