/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_quality.h"

#define SECOND_US 1000000u

static void step_down(struct vnc_quality *quality)
{
	quality->quick = 0;
	if (++quality->slow < 2)
		return;
	quality->slow = 0;
	if (quality->step < TIGHT_STEPS - 1)
		quality->step++;
}

static void step_up(struct vnc_quality *quality, int64_t now)
{
	quality->slow = 0;
	if (!quality->quick)
		quality->quick = now;
	if (now - quality->quick < VNC_QUALITY_SETTLE)
		return;
	quality->quick = now;
	if (quality->step)
		quality->step--;
}

void vnc_quality_sent(struct vnc_quality *quality, uint64_t bytes, int64_t encode_us,
		      uint64_t bytes_per_second, int64_t now)
{
	int64_t cost = encode_us;

	if (bytes < VNC_QUALITY_LARGE)
		return;
	if (bytes_per_second)
		cost += (int64_t)(bytes * SECOND_US / bytes_per_second);
	quality->last = now;
	if (cost > VNC_QUALITY_SLOW) {
		step_down(quality);
	} else if (cost < VNC_QUALITY_QUICK) {
		step_up(quality, now);
	} else {
		quality->slow = 0;
		quality->quick = 0;
	}
}

unsigned int vnc_quality_step(struct vnc_quality *quality, int64_t now)
{
	if (now - quality->last >= VNC_QUALITY_REST)
		*quality = (struct vnc_quality){0};
	return quality->step;
}
