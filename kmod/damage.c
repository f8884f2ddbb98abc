// SPDX-License-Identifier: GPL-2.0-or-later
#include "damage.h"

#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "device.h"
#include "dirty.h"
#include "dmabuf.h"
#include "format.h"
#include "memory.h"
#include "types.h"

/* Writes within so long of the first are one event. */
#define MPLANE_DAMAGE_DELAY_MS 8
/* While protection rests, the whole plane is damaged this often, and tried again so late. */
#define MPLANE_DAMAGE_REST_STEP_MS 16
#define MPLANE_DAMAGE_REST_MS      1000

/* Called by a fault, under a spin lock: only starts the work. */
static void mplane_damage_notify(void *data)
{
	struct mplane_device *device = data;

	queue_delayed_work(system_unbound_wq, &device->damage.work,
			   msecs_to_jiffies(MPLANE_DAMAGE_DELAY_MS));
}

void mplane_damage_add(struct mplane_device *device, const struct pattern_rect *rect)
{
	const struct mplane_mode *mode = &device->scanout.mode;
	struct mplane_damage *damage = &device->damage;
	struct pattern_rect clipped = *rect;
	struct pattern_rect *last;
	u32 right, bottom;

	if (!device->scanout.on || rect->x >= mode->width || rect->y >= mode->height)
		return;
	clipped.width = min(rect->width, mode->width - rect->x);
	clipped.height = min(rect->height, mode->height - rect->y);
	if (damage->count < MPLANE_DAMAGE_RECTS) {
		damage->rects[damage->count++] = clipped;
		return;
	}
	last = &damage->rects[MPLANE_DAMAGE_RECTS - 1];
	right = max(last->x + last->width, clipped.x + clipped.width);
	bottom = max(last->y + last->height, clipped.y + clipped.height);
	last->x = min(last->x, clipped.x);
	last->y = min(last->y, clipped.y);
	last->width = right - last->x;
	last->height = bottom - last->y;
}

void mplane_damage_all(struct mplane_device *device)
{
	struct pattern_rect all = {0, 0, device->scanout.mode.width, device->scanout.mode.height};

	device->damage.count = 0;
	mplane_damage_add(device, &all);
}

void mplane_damage_event(struct mplane_device *device)
{
	device->damage.changed = true;
}

/* Bytes from .. to of the plane, as at most three rectangles. */
static void mplane_damage_bytes(struct mplane_device *device, u64 from, u64 to)
{
	const struct mplane_mode *mode = &device->scanout.mode;
	u32 cpp = mode->format->cpp, top, bottom, left, right;
	struct pattern_rect rect;

	top = div_u64_rem(from, mode->stride, &left);
	bottom = div_u64_rem(to, mode->stride, &right);
	left /= cpp;
	right = right / cpp + 1;
	if (top == bottom) {
		rect = (struct pattern_rect){left, top, right - left, 1};
		mplane_damage_add(device, &rect);
		return;
	}
	if (left) {
		rect = (struct pattern_rect){left, top, mode->width, 1};
		mplane_damage_add(device, &rect);
		top++;
	}
	if (right < mode->width) {
		rect = (struct pattern_rect){0, bottom, right, 1};
		mplane_damage_add(device, &rect);
		bottom--;
	}
	if (top <= bottom && bottom != U32_MAX) {
		rect = (struct pattern_rect){0, top, mode->width, bottom - top + 1};
		mplane_damage_add(device, &rect);
	}
}

static void mplane_damage_pages(void *data, unsigned long first, unsigned long last)
{
	struct mplane_device *device = data;
	const struct mplane_mode *mode = &device->scanout.mode;
	u64 begin = mode->offset, end = begin + (u64)mode->stride * mode->height;
	u64 from = max_t(u64, (u64)first << PAGE_SHIFT, begin);
	u64 to = min_t(u64, ((u64)last + 1) << PAGE_SHIFT, end);

	if (from < to)
		mplane_damage_bytes(device, from - begin, to - begin - 1);
}

/*
 * Gathers what the guest wrote to the visible pages; others stay writable. A guest that writes
 * most of the screen all the time would pay a fault a page for nothing: then all is damage for a
 * second, without protection.
 */
static void mplane_damage_harvest(struct mplane_device *device)
{
	const struct mplane_mode *mode = &device->scanout.mode;
	struct mplane_damage *damage = &device->damage;
	struct mplane_dirty *dirty = device->bar->dirty;
	unsigned long first, last;

	if (!device->scanout.on)
		return;
	if (damage->resting) {
		mplane_damage_all(device);
		if (time_before(jiffies, damage->rest_until))
			return;
		damage->resting = false;
	}
	first = mode->offset >> PAGE_SHIFT;
	last = (mode->offset + (u64)mode->stride * mode->height - 1) >> PAGE_SHIFT;
	if (mplane_dirty_weight(dirty, first, last) * 4 <= last - first + 1) {
		damage->heavy = 0;
	} else if (++damage->heavy >= 3) {
		damage->heavy = 0;
		damage->resting = true;
		damage->rest_until = jiffies + msecs_to_jiffies(MPLANE_DAMAGE_REST_MS);
		mplane_damage_all(device);
		return;
	}
	mplane_dirty_harvest(dirty, device->vram->pages, device->bar->dmabuf->file->f_mapping,
			     first, last, damage->scratch, mplane_damage_pages, device);
}

/* Brings a copied scanout up to date and tells the readers. */
static void mplane_damage_publish(struct mplane_device *device)
{
	struct mplane_damage *damage = &device->damage;

	if (!damage->count && !damage->changed)
		return;
	mplane_scanout_refresh(device, damage->rects, damage->count);
	mplane_status_publish(device, damage->rects, damage->count);
	damage->count = 0;
	damage->changed = false;
	mplane_irqs_signal(&device->irqs);
}

void mplane_damage_flush(struct mplane_device *device)
{
	struct mplane_damage *damage = &device->damage;

	if (!mplane_irqs_listening(&device->irqs))
		return;
	if (!device->quirks.pull_only) {
		mplane_damage_publish(device);
	} else if (damage->changed) {
		mplane_status_publish(device, NULL, 0);
		damage->changed = false;
		mplane_irqs_signal(&device->irqs);
	}
}

void mplane_damage_sync(struct mplane_device *device)
{
	mplane_damage_harvest(device);
	mplane_damage_publish(device);
}

static void mplane_damage_work(struct work_struct *work)
{
	struct mplane_device *device = container_of(to_delayed_work(work), struct mplane_device,
						    damage.work);

	mutex_lock(&device->lock);
	if (mplane_irqs_listening(&device->irqs) && !device->quirks.pull_only) {
		mplane_damage_harvest(device);
		mplane_damage_publish(device);
		if (device->damage.resting)
			queue_delayed_work(system_unbound_wq, &device->damage.work,
					   msecs_to_jiffies(MPLANE_DAMAGE_REST_STEP_MS));
	} else {
		mplane_damage_listen(device);
	}
	mutex_unlock(&device->lock);
}

void mplane_damage_listen(struct mplane_device *device)
{
	bool wanted = mplane_irqs_listening(&device->irqs) && !device->quirks.pull_only;

	mplane_dirty_listen(device->bar->dirty, wanted ? mplane_damage_notify : NULL, device);
	if (wanted)
		mplane_damage_notify(device);
	mplane_status_publish(device, NULL, 0);
}

int mplane_damage_init(struct mplane_device *device)
{
	INIT_DELAYED_WORK(&device->damage.work, mplane_damage_work);
	device->damage.scratch = bitmap_zalloc(mplane_vram_size() >> PAGE_SHIFT, GFP_KERNEL);
	return device->damage.scratch ? 0 : -ENOMEM;
}

void mplane_damage_stop(struct mplane_device *device)
{
	if (device->bar)
		mplane_dirty_listen(device->bar->dirty, NULL, NULL);
	cancel_delayed_work_sync(&device->damage.work);
}

void mplane_damage_finish(struct mplane_device *device)
{
	bitmap_free(device->damage.scratch);
}
