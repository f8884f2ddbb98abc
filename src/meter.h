/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A meter: how often something happened a second, of late. Pure, on the caller's clock
 * (microseconds, never going back). All zero: nothing yet.
 */
#ifndef PLANECAST_METER_H
#define PLANECAST_METER_H

#include <stdint.h>

#define METER_SLOT_US 250000
#define METER_SLOTS   8 /* two seconds */

struct meter {
	int64_t slot; /* number of the newest slot: its time / METER_SLOT_US */
	uint32_t counts[METER_SLOTS + 1];
};

void meter_add(struct meter *meter, int64_t now_us);

/* A second, over the METER_SLOTS whole slots before now. */
double meter_rate(struct meter *meter, int64_t now_us);

#endif
