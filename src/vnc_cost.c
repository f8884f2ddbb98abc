/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_cost.h"

#include <time.h>

#define SECOND 1000000

int64_t vnc_cost_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * (int64_t)SECOND + now.tv_nsec / 1000;
}

void vnc_cost_init(struct vnc_cost *cost, unsigned int percent, int64_t now)
{
	*cost = (struct vnc_cost){.percent = percent, .last = now};
}

bool vnc_cost_add(struct vnc_cost *cost, int64_t us, int64_t now)
{
	int64_t drained = (now - cost->last) * cost->percent / 100;

	/* What is less than a microsecond stays in the time that has passed. */
	if (drained > 0)
		cost->last = now;
	cost->spent = (cost->spent > drained ? cost->spent - drained : 0) + us;
	return cost->spent > (int64_t)SECOND * VNC_COST_SECONDS * cost->percent / 100;
}
