// SPDX-License-Identifier: GPL-2.0-or-later
#include "painter.h"

#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat.h"
#include "device.h"
#include "format.h"
#include "memory.h"
#include "types.h"

int mplane_painter_init(struct mplane_painter *painter)
{
	mutex_init(&painter->control);
	painter->pattern.kind = PATTERN_OFF;
	painter->pattern.seed = 1;
	painter->pattern.width = 1024;
	painter->pattern.height = 768;
	painter->format = &mplane_formats[0];
	painter->row = kvmalloc_array(MPLANE_MAX_DIMENSION, sizeof(*painter->row), GFP_KERNEL);
	return painter->row ? 0 : -ENOMEM;
}

void mplane_painter_finish(struct mplane_painter *painter)
{
	kvfree(painter->row);
	mutex_destroy(&painter->control);
}

/* Rows start at multiples of four bytes, whatever the format. */
static void mplane_painter_layout(const struct mplane_format *format, u32 width, u32 height,
				  struct mplane_mode *mode)
{
	mode->format = format;
	mode->width = width;
	mode->height = height;
	mode->stride = ALIGN(width * format->cpp, 4);
	mode->offset = 0;
}

bool mplane_painter_mode(const struct mplane_painter *painter, struct mplane_mode *mode)
{
	if (painter->pattern.kind == PATTERN_OFF)
		return false;
	mplane_painter_layout(painter->format, painter->pattern.width, painter->pattern.height,
			      mode);
	return true;
}

static void mplane_painter_draw(struct mplane_device *device, const struct pattern_rect *rect)
{
	struct mplane_painter *painter = &device->painter;
	struct mplane_mode mode;
	u32 y;

	if (!mplane_painter_mode(painter, &mode))
		return;
	for (y = rect->y; y < rect->y + rect->height; y++) {
		void *to = device->vram->data + (size_t)y * mode.stride +
			   rect->x * mode.format->cpp;

		pattern_row(&painter->pattern, painter->frame, y, rect->x, rect->width,
			    painter->row);
		mode.format->pack(to, painter->row, rect->width);
		cond_resched();
	}
	mplane_damage_add(device, rect);
}

void mplane_painter_redraw(struct mplane_device *device)
{
	const struct pattern *pattern = &device->painter.pattern;
	struct pattern_rect all = {0, 0, pattern->width, pattern->height};

	mplane_painter_draw(device, &all);
}

/* After a setter: all is drawn and told anew. */
static void mplane_painter_changed(struct mplane_device *device)
{
	mplane_painter_redraw(device);
	mplane_cursor_update(device);
	mplane_scanout_update(device);
	mplane_damage_flush(device);
}

/* The next frame, by what differs from the one before. */
static void mplane_painter_step(struct mplane_device *device)
{
	struct mplane_painter *painter = &device->painter;
	struct pattern_rect rects[PATTERN_MAX_RECTS];
	unsigned int count, i;

	painter->frame++;
	count = pattern_damage(&painter->pattern, painter->frame, rects);
	for (i = 0; i < count; i++)
		mplane_painter_draw(device, &rects[i]);
	mplane_cursor_update(device);
	mplane_damage_flush(device);
}

static int mplane_painter_thread(void *data)
{
	struct mplane_device *device = data;
	ktime_t next = ktime_get();

	while (!kthread_should_stop()) {
		mutex_lock(&device->lock);
		mplane_painter_step(device);
		next = ktime_add_ns(next, NSEC_PER_SEC / device->painter.rate);
		mutex_unlock(&device->lock);

		/* What is late is not caught up with. */
		if (ktime_before(next, ktime_get()))
			next = ktime_get();
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule_hrtimeout(&next, HRTIMER_MODE_ABS);
		__set_current_state(TASK_RUNNING);
		cond_resched();
	}
	return 0;
}

static void mplane_painter_pause(struct mplane_painter *painter)
{
	if (painter->thread)
		kthread_stop(painter->thread);
	painter->thread = NULL;
}

static int mplane_painter_resume(struct mplane_device *device)
{
	struct mplane_painter *painter = &device->painter;
	struct task_struct *thread;

	if (painter->pattern.kind == PATTERN_OFF || !painter->rate)
		return 0;
	thread = kthread_run(mplane_painter_thread, device, "mplane-painter");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	painter->thread = thread;
	return 0;
}

void mplane_painter_stop(struct mplane_painter *painter)
{
	mutex_lock(&painter->control);
	mplane_painter_pause(painter);
	mutex_unlock(&painter->control);
}

int mplane_painter_set_pattern(struct mplane_device *device, enum pattern_kind kind)
{
	struct mplane_painter *painter = &device->painter;
	int ret;

	mutex_lock(&painter->control);
	mplane_painter_pause(painter);
	mutex_lock(&device->lock);
	painter->pattern.kind = kind;
	painter->frame = 0;
	mplane_painter_changed(device);
	mutex_unlock(&device->lock);
	ret = mplane_painter_resume(device);
	mutex_unlock(&painter->control);
	return ret;
}

int mplane_painter_set_rate(struct mplane_device *device, unsigned int rate)
{
	struct mplane_painter *painter = &device->painter;
	int ret;

	if (rate > MPLANE_MAX_RATE)
		return -EINVAL;
	mutex_lock(&painter->control);
	mplane_painter_pause(painter);
	mutex_lock(&device->lock);
	painter->rate = rate;
	mutex_unlock(&device->lock);
	ret = mplane_painter_resume(device);
	mutex_unlock(&painter->control);
	return ret;
}

int mplane_painter_set_seed(struct mplane_device *device, u32 seed)
{
	mutex_lock(&device->lock);
	device->painter.pattern.seed = seed;
	mplane_painter_changed(device);
	mutex_unlock(&device->lock);
	return 0;
}

/* A picture of another size or format, if it fits. */
static int mplane_painter_relayout(struct mplane_device *device, const struct mplane_format *format,
				   u32 width, u32 height)
{
	struct mplane_painter *painter = &device->painter;
	struct mplane_mode mode;

	mplane_painter_layout(format, width, height, &mode);
	if (!mplane_mode_fits(&mode, mplane_memory_size(device->vram)))
		return -EINVAL;
	if (device->type->layout == DETILE_YF && format->cpp != 4)
		return -EINVAL;
	painter->format = format;
	painter->pattern.width = width;
	painter->pattern.height = height;
	return 0;
}

int mplane_painter_set_mode(struct mplane_device *device, u32 width, u32 height)
{
	int ret;

	mutex_lock(&device->lock);
	ret = mplane_painter_relayout(device, device->painter.format, width, height);
	if (!ret) {
		mplane_mmio_set_mode(&device->mmio, width, height, device->painter.format->cpp * 8);
		mplane_painter_changed(device);
	}
	mutex_unlock(&device->lock);
	return ret;
}

int mplane_painter_set_format(struct mplane_device *device, const struct mplane_format *format)
{
	int ret;

	mutex_lock(&device->lock);
	ret = mplane_painter_relayout(device, format, device->painter.pattern.width,
				      device->painter.pattern.height);
	if (!ret)
		mplane_painter_changed(device);
	mutex_unlock(&device->lock);
	return ret;
}

int mplane_painter_set_frame(struct mplane_device *device, u64 frame)
{
	int ret = -EINVAL;

	mutex_lock(&device->lock);
	if (device->painter.pattern.kind != PATTERN_OFF) {
		device->painter.frame = frame;
		mplane_painter_changed(device);
		ret = 0;
	}
	mutex_unlock(&device->lock);
	return ret;
}
