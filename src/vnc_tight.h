/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tight updates for one client, out of the encoder that all clients share. All calls for one come
 * from one thread.
 */
#ifndef PLANECAST_VNC_TIGHT_H
#define PLANECAST_VNC_TIGHT_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "encoder.h"
#include "vnc_rects.h"

struct vnc_tight {
	struct encoder *encoder;
	struct encoder_group *group; /* or NULL */
	struct tight_settings settings;
	uint64_t generation; /* of the group's frame */
};

void vnc_tight_init(struct vnc_tight *tight, struct encoder *encoder);
void vnc_tight_finish(struct vnc_tight *tight);

/* Leaves what it shared: what it wants has changed. */
void vnc_tight_renew(struct vnc_tight *tight);

/*
 * Sends an update: pseudo-rectangles, then the pixels of a region of `shown`, which is the frame
 * itself or a picture of the client's own of that size. What of the region is too much for one
 * update goes back to the client's modified region. Blocks until the socket has taken it all.
 * False: the client is gone.
 */
bool vnc_tight_send(struct vnc_tight *tight, rfbClientPtr client, const struct vnc_format *format,
		    const struct vnc_encodings *encodings, const struct frame *frame,
		    const struct frame *shown, const struct vnc_rects *rects, sraRegionPtr region);

#endif
