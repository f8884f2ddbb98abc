/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VNC client has got so far, for `planecast status`. The owner locks. */
#ifndef PLANECAST_VNC_TALLY_H
#define PLANECAST_VNC_TALLY_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

struct vnc_encodings;

struct vnc_tally {
	gint64 since_us;         /* on the monotonic clock */
	gint64 wall_us;          /* the same moment since 1970 */
	gint64 pending_us;       /* since when it has changes to get, or 0 */
	uint64_t updates, bytes; /* sent */
	uint32_t counted;        /* what the encoder's own counter of bytes, 32 bits, said last */
	struct histogram send;   /* encoding and sending one update */
};

void vnc_tally_init(struct vnc_tally *tally);

/* There is something to send to it; only the first call until vnc_tally_sent() counts. */
void vnc_tally_pending(struct vnc_tally *tally);

/*
 * An update that was begun at begun_us is sent; `more` has come meanwhile. counter is the encoder's
 * count of all bytes, modulo 2^32.
 */
void vnc_tally_sent(struct vnc_tally *tally, gint64 begun_us, uint32_t counter, bool more);

/* Members of the client's open object. */
void vnc_tally_describe(const struct vnc_tally *tally, const struct vnc_encodings *encodings,
			JsonBuilder *json);

#endif
