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

/*
 * Writes within so long of the first are one event; where nothing was told for a while, sooner: a
 * typed character.
 */
#define MPLANE_DAMAGE_DELAY_MS 8
#define MPLANE_DAMAGE_FIRST_MS 4
#define MPLANE_DAMAGE_QUIET_MS 30
/* A guest that writes a quarter of the screen in so many windows running is left alone there. */
#define MPLANE_DAMAGE_WINDOW_MS 100
#define MPLANE_DAMAGE_HEAVY     2
#define MPLANE_DAMAGE_PART      4
/* Likewise what it writes besides where it is left alone already, from so small a part on. */
#define MPLANE_DAMAGE_MORE_PART 16
/*
 * Where it is left alone, all is damage this often; after a time, every so manieth page there is
 * protected for as long, to see where the guest still writes.
 */
#define MPLANE_DAMAGE_REST_STEP_MS 16
#define MPLANE_DAMAGE_REST_MS      1000
#define MPLANE_DAMAGE_PROBE_MS     100
#define MPLANE_DAMAGE_PROBE_STEP   4

/* Called by a fault, under a spin lock: only starts the work. */
static void mplane_damage_notify(void *data)
{
	struct mplane_device *device = data;
	unsigned long quiet = READ_ONCE(device->damage.told) +
			      msecs_to_jiffies(MPLANE_DAMAGE_QUIET_MS);
	unsigned int delay = time_after(jiffies, quiet) ? MPLANE_DAMAGE_FIRST_MS
							: MPLANE_DAMAGE_DELAY_MS;

	queue_delayed_work(system_unbound_wq, &device->damage.work, msecs_to_jiffies(delay));
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

static void mplane_damage_run(struct mplane_device *device, unsigned long first, unsigned long last)
{
	const struct mplane_mode *mode = &device->scanout.mode;
	u64 begin = mode->offset, end = begin + (u64)mode->stride * mode->height;
	u64 from = max_t(u64, (u64)first << PAGE_SHIFT, begin);
	u64 to = min_t(u64, ((u64)last + 1) << PAGE_SHIFT, end);

	if (from < to)
		mplane_damage_bytes(device, from - begin, to - begin - 1);
}

static void mplane_damage_pages(void *data, unsigned long first, unsigned long last)
{
	struct mplane_device *device = data;

	bitmap_set(device->damage.window, first, last - first + 1);
	mplane_damage_run(device, first, last);
}

/* The pages that are visible. */
static void mplane_damage_range(struct mplane_device *device, unsigned long *first,
				unsigned long *last)
{
	const struct mplane_mode *mode = &device->scanout.mode;

	*first = mode->offset >> PAGE_SHIFT;
	*last = (mode->offset + (u64)mode->stride * mode->height - 1) >> PAGE_SHIFT;
}

static unsigned long mplane_damage_count(const unsigned long *pages, unsigned long first,
					 unsigned long last)
{
	unsigned long count = 0, i = first;

	for_each_set_bit_from(i, pages, last + 1)
		count++;
	return count;
}

/* Makes blocks hot of which the guest wrote enough in this window. */
static void mplane_damage_heat(struct mplane_damage *damage, unsigned long first,
			       unsigned long last)
{
	unsigned long i = round_down(first, MPLANE_DAMAGE_BLOCK);

	for (; i <= last; i += MPLANE_DAMAGE_BLOCK)
		if (mplane_damage_count(damage->window, i, i + MPLANE_DAMAGE_BLOCK - 1) *
			    MPLANE_DAMAGE_PART >=
		    MPLANE_DAMAGE_BLOCK)
			bitmap_set(damage->hot, i, MPLANE_DAMAGE_BLOCK);
}

/*
 * Counts different pages over a time, not those of one harvest: where faults are slow, as in
 * emulated machines, a guest gets only a few pages far between two harvests.
 */
static void mplane_damage_weigh(struct mplane_damage *damage, unsigned long first,
				unsigned long last)
{
	unsigned long window = msecs_to_jiffies(MPLANE_DAMAGE_WINDOW_MS);
	unsigned int part = damage->resting ? MPLANE_DAMAGE_MORE_PART : MPLANE_DAMAGE_PART;
	unsigned long pages = mplane_vram_size() >> PAGE_SHIFT;

	if (time_before(jiffies, damage->window_end))
		return;
	if (mplane_damage_count(damage->window, first, last) * part > last - first + 1 &&
	    time_before(jiffies, damage->window_end + window)) {
		damage->heavy++;
		mplane_damage_heat(damage, first, last);
	} else {
		damage->heavy = 0;
		if (!damage->resting)
			bitmap_zero(damage->hot, pages);
	}
	bitmap_zero(damage->window, pages);
	damage->window_end = jiffies + window;
	if (damage->resting || damage->heavy < MPLANE_DAMAGE_HEAVY)
		return;
	damage->resting = true;
	damage->probing = false;
	damage->rest_end = jiffies + msecs_to_jiffies(MPLANE_DAMAGE_REST_MS);
}

static void mplane_damage_probe(struct mplane_device *device, unsigned long first,
				unsigned long last)
{
	struct mplane_damage *damage = &device->damage;
	unsigned long i = first;

	for_each_set_bit_from(i, damage->hot, last + 1)
		if (i % MPLANE_DAMAGE_PROBE_STEP == 0)
			mplane_dirty_protect(device->bar->dirty, device->vram->pages,
					     device->bar->dmabuf->file->f_mapping, i);
}

/* After a probe: what was not written is hot no more, and harvested with the rest. */
static void mplane_damage_cool(struct mplane_device *device, unsigned long first,
			       unsigned long last)
{
	struct mplane_damage *damage = &device->damage;
	unsigned long i, from, to, j;
	bool written;

	for (i = round_down(first, MPLANE_DAMAGE_BLOCK); i <= last; i += MPLANE_DAMAGE_BLOCK) {
		from = max(i, first);
		to = min(i + MPLANE_DAMAGE_BLOCK - 1, last);
		written = false;
		for (j = round_up(from, MPLANE_DAMAGE_PROBE_STEP); j <= to;
		     j += MPLANE_DAMAGE_PROBE_STEP)
			written |= test_bit(j, device->bar->dirty->bits);
		if (!written)
			bitmap_clear(damage->hot, i, MPLANE_DAMAGE_BLOCK);
	}
}

/* From time to time, whether the guest still writes where it is left alone. */
static void mplane_damage_review(struct mplane_device *device, unsigned long first,
				 unsigned long last)
{
	struct mplane_damage *damage = &device->damage;

	if (!damage->resting || time_before(jiffies, damage->rest_end))
		return;
	damage->probing = !damage->probing;
	if (damage->probing) {
		mplane_damage_probe(device, first, last);
		damage->rest_end = jiffies + msecs_to_jiffies(MPLANE_DAMAGE_PROBE_MS);
		return;
	}
	mplane_damage_cool(device, first, last);
	damage->rest_end = jiffies + msecs_to_jiffies(MPLANE_DAMAGE_REST_MS);
	if (mplane_damage_count(damage->hot, first, last) * MPLANE_DAMAGE_PART > last - first + 1)
		return;
	bitmap_zero(damage->hot, mplane_vram_size() >> PAGE_SHIFT);
	damage->resting = false;
	damage->heavy = 0;
}

/* While it rests: all pages that are hot. */
static void mplane_damage_hot(struct mplane_device *device, unsigned long first, unsigned long last)
{
	const unsigned long *hot = device->damage.hot;
	unsigned long start, end;

	for (start = find_next_bit(hot, last + 1, first); start <= last;
	     start = find_next_bit(hot, last + 1, end)) {
		end = find_next_zero_bit(hot, last + 1, start);
		mplane_damage_run(device, start, end - 1);
	}
}

/*
 * Gathers what the guest wrote to the visible pages; others stay writable. A guest that writes
 * much of the screen all the time would pay a fault a page for nothing: there it is left alone.
 */
static void mplane_damage_harvest(struct mplane_device *device)
{
	struct mplane_damage *damage = &device->damage;
	unsigned long first, last;

	if (!device->scanout.on)
		return;
	mplane_damage_range(device, &first, &last);
	mplane_damage_review(device, first, last);
	mplane_damage_weigh(damage, first, last);
	if (damage->resting)
		mplane_damage_hot(device, first, last);
	mplane_dirty_harvest(device->bar->dirty, device->vram->pages,
			     device->bar->dmabuf->file->f_mapping, first, last, damage->scratch,
			     damage->resting ? damage->hot : NULL, mplane_damage_pages, device);
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
	WRITE_ONCE(damage->told, jiffies);
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
	unsigned long pages = mplane_vram_size() >> PAGE_SHIFT;

	INIT_DELAYED_WORK(&device->damage.work, mplane_damage_work);
	device->damage.scratch = bitmap_zalloc(pages, GFP_KERNEL);
	device->damage.window = bitmap_zalloc(pages, GFP_KERNEL);
	device->damage.hot = bitmap_zalloc(pages, GFP_KERNEL);
	device->damage.window_end = jiffies;
	device->damage.told = jiffies;
	/* What there is of them is freed by finish. */
	return device->damage.scratch && device->damage.window && device->damage.hot ? 0 : -ENOMEM;
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
	bitmap_free(device->damage.window);
	bitmap_free(device->damage.hot);
}
