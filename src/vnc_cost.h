/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client's messages cost the server, by the CPU clocks of the threads that obey them: a
 * bucket that fills with that time and drains with a part of real time. Hands and viewers cost
 * next to nothing; who changes settings all the time has everything encoded again and again. Pure
 * arithmetic, but for the clock; the owner locks.
 */
#ifndef PLANECAST_VNC_COST_H
#define PLANECAST_VNC_COST_H

#include <stdbool.h>
#include <stdint.h>

#define VNC_COST_SECONDS 4 /* so long a client may cost all that it is allowed, at once */

struct vnc_cost {
	unsigned int percent; /* of a core that it is allowed */
	int64_t spent;        /* us, not yet drained */
	int64_t last;         /* when it was drained */
};

/* The CPU time of the calling thread, in us. */
int64_t vnc_cost_clock(void);

void vnc_cost_init(struct vnc_cost *cost, unsigned int percent, int64_t now);

/* It has cost so many us more. True: too much. */
bool vnc_cost_add(struct vnc_cost *cost, int64_t us, int64_t now);

#endif
