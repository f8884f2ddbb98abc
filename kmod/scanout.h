/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scanout: what user space reads as the primary plane. Live, it is a part of video memory;
 * otherwise it is a copy, tiled as the type says, that is refreshed at a query, at a request, and
 * with every damage that is told. All under the device's lock.
 */
#ifndef MPLANE_SCANOUT_H
#define MPLANE_SCANOUT_H

#include <linux/types.h>

#include "quirks.h"

struct mplane_device;
struct mplane_format;
struct mplane_memory;
struct pattern_rect;

#define MPLANE_MIN_DIMENSION 64u
#define MPLANE_MAX_DIMENSION 16384u

/* A picture in video memory. */
struct mplane_mode {
	const struct mplane_format *format;
	u32 width, height; /* pixels */
	u32 stride;        /* bytes */
	u64 offset;        /* of the first pixel, bytes */
};

struct mplane_scanout {
	struct mplane_mode mode;
	bool on;
	bool live;
	bool unqueried; /* nobody has asked for the plane since it became what it is */
	bool stale;     /* the copies lack more than the damage that is gathered */
	u32 stride;     /* of the scanout, bytes */
	size_t size;    /* of the scanout, whole tiles and pages, bytes */
	unsigned int copies, shown;
	struct mplane_memory *copy[MPLANE_MAX_FLIPS];
	u64 generation;
};

/* Sizes within bounds, and every pixel inside that much memory. */
bool mplane_mode_fits(const struct mplane_mode *mode, size_t vram_size);

/* To be called after whatever may change what is shown. */
void mplane_scanout_update(struct mplane_device *device);

/* Switches it off and gives the copies back, without a word to anybody. */
void mplane_scanout_forget(struct mplane_device *device);

/* Brings these rectangles of a copy up to date; of several, turns to the next. */
void mplane_scanout_refresh(struct mplane_device *device, const struct pattern_rect *rects,
			    unsigned int count);

/* Where the scanout lies: a memory, borrowed, and its first page. */
struct mplane_memory *mplane_scanout_memory(struct mplane_device *device, unsigned long *first);

u64 mplane_scanout_modifier(const struct mplane_device *device);

#endif
