/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_quality.h"

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

void vnc_quality_note(struct vnc_quality *quality, uint64_t bytes, int64_t us, int64_t now)
{
	if (bytes < VNC_QUALITY_LARGE)
		return;
	quality->last = now;
	if (us > VNC_QUALITY_SLOW) {
		step_down(quality);
	} else if (us < VNC_QUALITY_QUICK) {
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
