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
#include "vnc_quality.h"
#include "vnc_rects.h"
#include "vnc_repair.h"

/* A way in which the client gets pixels, shared with others. */
struct vnc_tight_way {
	struct encoder_group *group; /* or NULL */
	uint64_t generation;         /* of its frame */
	unsigned int step;           /* down from the quality that the client allows */
};

/* The last update with JPEG. */
struct vnc_tight_sent {
	uint64_t bytes; /* 0: none, or it is judged already */
	int64_t encode_us;
	int64_t begun; /* to be written */
};

struct vnc_tight {
	struct encoder *encoder;
	struct vnc_repair *repair; /* hears of what was sent */
	struct vnc_quality quality;
	struct vnc_tight_sent sent;
	struct vnc_tight_way moving, exact;
};

/* What is to be sent: pseudo-rectangles, then the pixels of a region. */
struct vnc_tight_update {
	const struct frame *frame;
	const struct frame *shown; /* the frame, or a picture of the client's own of that size */
	const struct vnc_rects *rects;
	sraRegionPtr region;
	bool exact; /* never as JPEG */
};

/* Both live as long. */
void vnc_tight_init(struct vnc_tight *tight, struct encoder *encoder, struct vnc_repair *repair);
void vnc_tight_finish(struct vnc_tight *tight);

/* Leaves what it shared: what it wants has changed. */
void vnc_tight_renew(struct vnc_tight *tight);

/*
 * Sends an update. What of the region is too much for one goes back to the client's modified
 * region. Blocks until the socket has taken it all. False: the client is gone.
 */
bool vnc_tight_send(struct vnc_tight *tight, rfbClientPtr client, const struct vnc_format *format,
		    const struct vnc_encodings *encodings, const struct vnc_tight_update *update);

#endif
