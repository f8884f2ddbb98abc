/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a peer takes what is sent to it, by what its socket says. */
#ifndef PLANECAST_FLOW_H
#define PLANECAST_FLOW_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct flow {
	uint64_t acked; /* bytes, TCP only */
	int queued;     /* bytes */
	gint64 moved;   /* when it took something last, or had nothing to take */
	gint64 looked;  /* last */
};

/*
 * To be called a few times a second, from one thread. Returns for how long (us) the peer has taken
 * nothing although data waits; of the time between two looks at most a second counts, so that
 * nobody stalls while this process is halted.
 */
gint64 flow_look(struct flow *flow, int fd, gint64 now);

/* Likewise: true, once, when that has become `stall_us`. */
bool flow_is_stalled(struct flow *flow, int fd, gint64 now, gint64 stall_us);

#endif
