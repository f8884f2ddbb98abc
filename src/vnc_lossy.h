/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which cells of a frame a client has in lossy form only, and since when: what came to rest is sent
 * again, exactly. Pure bookkeeping on the caller's clock (microseconds, any origin).
 */
#ifndef PLANECAST_VNC_LOSSY_H
#define PLANECAST_VNC_LOSSY_H

#include <stdint.h>

#include "damage.h"
#include "moves.h"

#define VNC_LOSSY_NEVER INT64_MAX
#define VNC_LOSSY_REST  2000000 /* us without a change, then a cell rests */

struct vnc_lossy {
	uint32_t width, height; /* of the frame, pixels */
	uint32_t columns, rows; /* of cells */
	int64_t *since;         /* when each was sent last; VNC_LOSSY_NEVER: it is exact */
	size_t count;           /* of those that are not */
	int64_t oldest;         /* none of them was sent earlier */
};

/* All zero at first. Another frame: nothing of it was sent. */
void vnc_lossy_renew(struct vnc_lossy *lossy, uint32_t width, uint32_t height);
void vnc_lossy_finish(struct vnc_lossy *lossy);

/* Pixels inside the frame were sent in lossy form. */
void vnc_lossy_add(struct vnc_lossy *lossy, const struct detile_rect *rect, int64_t now);

/* They were sent exactly: the cells that lie in there wholly are exact. */
void vnc_lossy_remove(struct vnc_lossy *lossy, const struct detile_rect *rect);

/* What the client has there it has here, too. A cell that gets lossy pixels is lossy. */
void vnc_lossy_move(struct vnc_lossy *lossy, const struct move *move, int64_t now);

/* When the first cell rests, perhaps earlier; VNC_LOSSY_NEVER while all are exact. */
int64_t vnc_lossy_due(const struct vnc_lossy *lossy);

/*
 * Adds cells that rest to the damage (of the frame's size), whole tiles of 512x128 at a time, until
 * they have so many pixels. They stay what they are until they are sent.
 */
void vnc_lossy_collect(struct vnc_lossy *lossy, int64_t now, uint64_t pixels,
		       struct damage *resting);

#endif
