// SPDX-License-Identifier: GPL-2.0-or-later
#include "scanout.h"

#include <linux/mm.h>
#include <linux/string.h>

#include "device.h"
#include "dmabuf.h"
#include "format.h"
#include "memory.h"
#include "types.h"

/* Copies of linear pictures have rows of whole cache lines. */
#define MPLANE_LINEAR_PITCH 64u

bool mplane_mode_fits(const struct mplane_mode *mode, size_t vram_size)
{
	if (mode->width < MPLANE_MIN_DIMENSION || mode->width > MPLANE_MAX_DIMENSION ||
	    mode->height < MPLANE_MIN_DIMENSION || mode->height > MPLANE_MAX_DIMENSION)
		return false;
	return mode->offset + (u64)mode->stride * mode->height <= vram_size;
}

/* The painter's picture, or what the guest programmed; false: nothing is shown. */
static bool mplane_scanout_wanted(struct mplane_device *device, struct mplane_mode *mode)
{
	memset(mode, 0, sizeof(*mode));
	if (device->quirks.plane_off)
		return false;
	if (!mplane_painter_mode(&device->painter, mode) &&
	    !mplane_mmio_mode(&device->mmio, mplane_memory_size(device->vram), mode))
		return false;
	if (mode->format->cpp == device->painter.format->cpp)
		mode->format = device->painter.format;
	return device->type->layout != DETILE_YF || mode->format->cpp == 4;
}

static bool mplane_scanout_live(const struct mplane_device *device, const struct mplane_mode *mode)
{
	return device->type->layout == DETILE_LINEAR && offset_in_page(mode->offset) == 0 &&
	       !device->quirks.pull_only && !device->quirks.flips;
}

void mplane_scanout_forget(struct mplane_device *device)
{
	struct mplane_scanout *scanout = &device->scanout;

	while (scanout->copies)
		mplane_memory_release(scanout->copy[--scanout->copies]);
	scanout->shown = 0;
	scanout->on = false;
	memset(&scanout->mode, 0, sizeof(scanout->mode));
}

static int mplane_scanout_allocate(struct mplane_device *device)
{
	struct mplane_scanout *scanout = &device->scanout;
	const struct mplane_mode *mode = &scanout->mode;
	unsigned int copies = max(device->quirks.flips, 1u);
	u32 width, height;

	if (scanout->live) {
		scanout->stride = mode->stride;
		scanout->size = PAGE_ALIGN((size_t)mode->stride * mode->height);
		return 0;
	}
	if (!detile_tile_shape(device->type->layout, &width, &height))
		return -EINVAL;
	scanout->stride = ALIGN(mode->width * mode->format->cpp, max(width, MPLANE_LINEAR_PITCH));
	scanout->size = PAGE_ALIGN(detile_size(device->type->layout, mode->format->cpp,
					       scanout->stride, mode->height));
	while (scanout->copies < copies) {
		struct mplane_memory *memory = mplane_memory_create(scanout->size);

		if (!memory)
			return -ENOMEM;
		scanout->copy[scanout->copies++] = memory;
	}
	return 0;
}

struct mplane_memory *mplane_scanout_memory(struct mplane_device *device, unsigned long *first)
{
	struct mplane_scanout *scanout = &device->scanout;

	*first = scanout->live ? scanout->mode.offset >> PAGE_SHIFT : 0;
	return scanout->live ? device->vram : scanout->copy[scanout->shown];
}

/* The display region's mappings follow to where the scanout is now. */
static void mplane_scanout_show(struct mplane_device *device)
{
	struct mplane_memory *memory;
	unsigned long first;

	device->scanout.generation++;
	mplane_damage_event(device);
	if (!device->scanout.on || device->type->transport != MPLANE_REGION)
		return;
	memory = mplane_scanout_memory(device, &first);
	mplane_buffer_move(device->window, memory, first);
}

/* Is it already what it should be? */
static bool mplane_scanout_same(struct mplane_device *device, bool on,
				const struct mplane_mode *mode, bool live)
{
	const struct mplane_scanout *scanout = &device->scanout;

	if (!on || !scanout->on)
		return on == scanout->on;
	if (live != scanout->live || memcmp(mode, &scanout->mode, sizeof(*mode)))
		return false;
	return live || scanout->copies == max(device->quirks.flips, 1u);
}

void mplane_scanout_update(struct mplane_device *device)
{
	struct mplane_scanout *scanout = &device->scanout;
	struct mplane_mode mode;
	bool on, live;

	on = mplane_scanout_wanted(device, &mode);
	live = on && mplane_scanout_live(device, &mode);
	if (mplane_scanout_same(device, on, &mode, live))
		return;
	mplane_scanout_forget(device);
	if (on) {
		scanout->mode = mode;
		scanout->live = live;
		scanout->stale = true;
		scanout->unqueried = true;
		/* Without memory for the copy the plane is off. */
		if (mplane_scanout_allocate(device))
			mplane_scanout_forget(device);
		else
			scanout->on = true;
	}
	mplane_damage_all(device);
	mplane_scanout_show(device);
	mplane_damage_flush(device);
}

static void mplane_scanout_copy(struct mplane_device *device, const struct pattern_rect *rect)
{
	struct mplane_scanout *scanout = &device->scanout;
	const struct mplane_mode *mode = &scanout->mode;
	struct detile_surface surface = {
		.width = mode->width,
		.height = mode->height,
		.stride = scanout->stride,
		.cpp = mode->format->cpp,
		.layout = device->type->layout,
	};
	struct detile_image image = {device->vram->data + mode->offset, mode->stride};
	struct detile_rect part = {rect->x, rect->y, rect->width, rect->height};

	detile_tile(scanout->copy[scanout->shown]->data, &surface, &part, &image);
}

void mplane_scanout_refresh(struct mplane_device *device, const struct pattern_rect *rects,
			    unsigned int count)
{
	struct mplane_scanout *scanout = &device->scanout;
	struct pattern_rect all = {0, 0, scanout->mode.width, scanout->mode.height};
	unsigned int i;

	if (!scanout->on || scanout->live || (!count && !scanout->stale))
		return;
	if (scanout->copies > 1) {
		scanout->shown = (scanout->shown + 1) % scanout->copies;
		mplane_scanout_show(device);
		scanout->stale = true;
	}
	if (scanout->stale)
		mplane_scanout_copy(device, &all);
	else
		for (i = 0; i < count; i++)
			mplane_scanout_copy(device, &rects[i]);
	scanout->stale = false;
}

u64 mplane_scanout_modifier(const struct mplane_device *device)
{
	return device->scanout.on ? device->type->modifier : 0;
}
