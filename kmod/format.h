/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pixel formats that a device scans out, and how the painter's XRGB8888 becomes them. */
#ifndef MPLANE_FORMAT_H
#define MPLANE_FORMAT_H

#include <linux/types.h>

struct mplane_format {
	const char *name; /* the four letters of fourcc */
	u32 fourcc;       /* DRM_FORMAT_* */
	u32 cpp;          /* bytes a pixel */
	/* count pixels of XRGB8888 to the format's; out may begin where pixels does */
	void (*pack)(void *out, const u32 *pixels, u32 count);
};

extern const struct mplane_format mplane_formats[];
extern const unsigned int mplane_formats_count;

/* The first is XRGB8888. What a guest's depth means; NULL: no such depth. */
const struct mplane_format *mplane_format_of_depth(u32 bits);

#endif
