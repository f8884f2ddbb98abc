/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel's gmmlib, as its users have it: Debian's libigdgmm-dev brings CpuSwizzleBlt as a source
 * file to include, which describes itself at its top.
 */
#include "detile_bench.h"

#include <limits.h> /* which it lacks */

#include <igdgmm/GmmLib/Utility/CpuSwizzleBlt/CpuSwizzleBlt.c>

bool bench_gmm(const struct detile_surface *s, const struct detile_rect *r,
	       const struct detile_image *dst)
{
	static const SWIZZLE_DESCRIPTOR *const swizzles[DETILE_LAYOUTS] = {
		[DETILE_X] = &INTEL_TILE_X,
		[DETILE_Y] = &INTEL_TILE_Y,
		[DETILE_YF] = &INTEL_TILE_YF_32,
		[DETILE_4] = &INTEL_TILE_4,
	};
	CPU_SWIZZLE_BLT_SURFACE from = {
		.pBase = (void *)(uintptr_t)s->data,
		.Pitch = (int)s->stride,
		.Height = (int)s->height,
		.pSwizzle = swizzles[s->layout],
		.OffsetX = (int)(r->x * s->cpp),
		.OffsetY = (int)r->y,
	};
	CPU_SWIZZLE_BLT_SURFACE to = {
		.pBase = dst->pixels,
		.Pitch = (int)dst->stride,
		.Height = (int)s->height,
		.OffsetX = from.OffsetX,
		.OffsetY = from.OffsetY,
	};

	if (!from.pSwizzle)
		return false;
	CpuSwizzleBlt(&to, &from, (int)(r->width * s->cpp), (int)r->height);
	return true;
}
