// SPDX-License-Identifier: GPL-2.0-or-later
#include "cursor.h"

#include <linux/kernel.h>
#include <linux/mm.h>

#include "device.h"
#include "dmabuf.h"
#include "memory.h"

/* A shape stays for so many frames. */
#define MPLANE_CURSOR_STAY 64

static const struct {
	u32 x, y;
} hot_spots[MPLANE_CURSOR_SHAPES] = {{0, 0}, {16, 16}, {32, 32}};

/* A white arrow with a black edge; a white beam; a half-transparent red cross. */
static u32 mplane_cursor_pixel(unsigned int shape, u32 x, u32 y)
{
	switch (shape) {
	case 0:
		if (x > y || x + y >= 48)
			return 0;
		return x == y || x == 0 || x + y == 47 ? 0xff000000 : 0xffffffff;
	case 1:
		return (x == 15 || x == 16) && y < 32 ? 0xffffffff : 0;
	default:
		return x == 31 || x == 32 || y == 31 || y == 32 ? 0x80800000 : 0;
	}
}

int mplane_cursor_create(struct mplane_cursor *cursor)
{
	u32 *pixels;
	u32 shape, x, y;

	cursor->memory = mplane_memory_create(MPLANE_CURSOR_SHAPES * MPLANE_CURSOR_BYTES);
	if (!cursor->memory)
		return -ENOMEM;
	pixels = cursor->memory->data;
	for (shape = 0; shape < MPLANE_CURSOR_SHAPES; shape++)
		for (y = 0; y < MPLANE_CURSOR_SIZE; y++)
			for (x = 0; x < MPLANE_CURSOR_SIZE; x++)
				*pixels++ = mplane_cursor_pixel(shape, x, y);
	return mplane_buffer_create(cursor->memory, 0, MPLANE_CURSOR_BYTES >> PAGE_SHIFT, 0,
				    &cursor->window);
}

void mplane_cursor_destroy(struct mplane_cursor *cursor)
{
	mplane_buffer_release(cursor->window);
	mplane_memory_release(cursor->memory);
}

/* Back and forth over 0 .. size-1. */
static u32 mplane_cursor_bounce(u64 way, u32 size)
{
	u32 at = do_div(way, 2 * size - 2);

	return at < size ? at : 2 * size - 2 - at;
}

void mplane_cursor_update(struct mplane_device *device)
{
	struct mplane_cursor *cursor = &device->cursor;
	const struct pattern *pattern = &device->painter.pattern;
	u64 frame = device->painter.frame;
	u64 turn = frame;
	u32 x = mplane_cursor_bounce(frame * 5, pattern->width);
	u32 y = mplane_cursor_bounce(frame * 3, pattern->height);
	unsigned int shape;

	do_div(turn, MPLANE_CURSOR_STAY);
	shape = do_div(turn, MPLANE_CURSOR_SHAPES);
	if (x == cursor->x && y == cursor->y && shape == cursor->shape)
		return;
	cursor->x = x;
	cursor->y = y;
	cursor->shape = shape;
	cursor->hot_x = hot_spots[shape].x;
	cursor->hot_y = hot_spots[shape].y;
	mplane_buffer_move(cursor->window, cursor->memory, mplane_cursor_first(cursor));
	if (cursor->on) {
		cursor->changes++;
		mplane_damage_event(device);
	}
}

void mplane_cursor_set(struct mplane_device *device, bool on)
{
	if (device->cursor.on == on)
		return;
	device->cursor.on = on;
	device->cursor.changes++;
	mplane_damage_event(device);
	mplane_damage_flush(device);
}
