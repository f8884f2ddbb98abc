// SPDX-License-Identifier: GPL-2.0-or-later
#include "format.h"

#include <drm/drm_fourcc.h>
#include <linux/kernel.h>
#include <linux/string.h>

static void mplane_pack_xrgb8888(void *out, const u32 *pixels, u32 count)
{
	memmove(out, pixels, (size_t)count * 4);
}

/* 8 bits widen to 10 by repeating the upper two: white stays white. */
static void mplane_pack_xrgb2101010(void *out, const u32 *pixels, u32 count)
{
	u32 *to = out;

	for (; count; count--, pixels++) {
		u32 r = *pixels >> 16 & 0xff, g = *pixels >> 8 & 0xff, b = *pixels & 0xff;

		*to++ = (r << 2 | r >> 6) << 20 | (g << 2 | g >> 6) << 10 | (b << 2 | b >> 6);
	}
}

static void mplane_pack_rgb565(void *out, const u32 *pixels, u32 count)
{
	u16 *to = out;

	for (; count; count--, pixels++)
		*to++ = (*pixels >> 8 & 0xf800) | (*pixels >> 5 & 0x07e0) | (*pixels >> 3 & 0x1f);
}

/* The index is made of 3 bits red, 3 green, 2 blue: there is no way to tell a palette. */
static void mplane_pack_c8(void *out, const u32 *pixels, u32 count)
{
	u8 *to = out;

	for (; count; count--, pixels++)
		*to++ = (*pixels >> 16 & 0xe0) | (*pixels >> 11 & 0x1c) | (*pixels >> 6 & 0x03);
}

const struct mplane_format mplane_formats[] = {
	{"XR24", DRM_FORMAT_XRGB8888, 4, mplane_pack_xrgb8888},
	{"XR30", DRM_FORMAT_XRGB2101010, 4, mplane_pack_xrgb2101010},
	{"RG16", DRM_FORMAT_RGB565, 2, mplane_pack_rgb565},
	{"C8", DRM_FORMAT_C8, 1, mplane_pack_c8},
};

const unsigned int mplane_formats_count = ARRAY_SIZE(mplane_formats);

const struct mplane_format *mplane_format_of_depth(u32 bits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mplane_formats); i++)
		if (mplane_formats[i].cpp * 8 == bits)
			return &mplane_formats[i];
	return NULL;
}
