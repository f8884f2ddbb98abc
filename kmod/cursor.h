/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The painter's cursor plane: 64x64 ARGB8888 (premultiplied), linear; shape and place follow from
 * the frame number. Under the device's lock.
 */
#ifndef MPLANE_CURSOR_H
#define MPLANE_CURSOR_H

#include <linux/mm.h>
#include <linux/types.h>

struct mplane_buffer;
struct mplane_device;
struct mplane_memory;

#define MPLANE_CURSOR_SIZE   64u /* pixels */
#define MPLANE_CURSOR_BYTES  (MPLANE_CURSOR_SIZE * MPLANE_CURSOR_SIZE * 4)
#define MPLANE_CURSOR_SHAPES 3u

struct mplane_cursor {
	bool on;
	struct mplane_memory *memory; /* the shapes, one after the other */
	struct mplane_buffer *window; /* the shape shown now, read-only */
	unsigned int shape;
	u32 x, y;         /* top left corner on the screen, pixels */
	u32 hot_x, hot_y; /* pixels from there */
	u64 changes;
};

int mplane_cursor_create(struct mplane_cursor *cursor); /* 0 or -errno */
void mplane_cursor_destroy(struct mplane_cursor *cursor);

void mplane_cursor_set(struct mplane_device *device, bool on);

/* After the painter's frame or mode changed. */
void mplane_cursor_update(struct mplane_device *device);

/* First page of the shape in the memory. */
static inline unsigned long mplane_cursor_first(const struct mplane_cursor *cursor)
{
	return cursor->shape * (MPLANE_CURSOR_BYTES >> PAGE_SHIFT);
}

#endif
