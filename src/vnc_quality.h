/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of the quality that a client allows it gets while its picture moves: all of it, or less
 * by steps where updates take too long to be encoded and carried. What is lost comes back at rest.
 * Pure arithmetic on the caller's clock (microseconds).
 */
#ifndef PLANECAST_VNC_QUALITY_H
#define PLANECAST_VNC_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "tight.h"

#define VNC_QUALITY_LARGE  32768u  /* bytes: what is smaller tells nothing */
#define VNC_QUALITY_SLOW   70000   /* us an update, twice in a row: a step down */
#define VNC_QUALITY_QUICK  25000   /* us an update, for so long: a step up */
#define VNC_QUALITY_SETTLE 500000  /* us */
#define VNC_QUALITY_REST   2000000 /* us without a large update: back to all of it */

struct vnc_quality {
	unsigned int step; /* 0 .. TIGHT_STEPS - 1: down from what the client allows */
	unsigned int slow; /* updates in a row */
	int64_t quick;     /* since when all were; 0: they are not */
	int64_t last;      /* large update */
};

/* An update of so many bytes took so long to be encoded and carried. */
void vnc_quality_note(struct vnc_quality *quality, uint64_t bytes, int64_t us, int64_t now);

/* The step of the next update. */
unsigned int vnc_quality_step(struct vnc_quality *quality, int64_t now);

#endif
