/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The painter draws the pictures of pattern.h into video memory from offset 0 on, whether or not
 * the device is open. While its pattern is not "off" it owns the scanout: its mode is what the
 * device shows, whatever the guest programs, and survives open and reset. With "off", the guest's
 * registers rule.
 */
#ifndef MPLANE_PAINTER_H
#define MPLANE_PAINTER_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "pattern.h"

struct mplane_device;
struct mplane_format;
struct mplane_mode;
struct task_struct;

#define MPLANE_MAX_RATE 240u

struct mplane_painter {
	struct mutex control; /* serialises the setters; held around the thread's start and stop */
	struct task_struct *thread;
	u32 *row; /* pixels of one row, before they become the format's */
	/* Under the device's lock. */
	struct pattern pattern;
	const struct mplane_format *format;
	u64 frame;         /* the last one drawn */
	unsigned int rate; /* frames a second, 0: only when told */
};

int mplane_painter_init(struct mplane_painter *painter); /* -ENOMEM */
void mplane_painter_finish(struct mplane_painter *painter);
void mplane_painter_stop(struct mplane_painter *painter); /* for good, before the device goes */

/* The painter's scanout, under the device's lock; false: the pattern is "off". */
bool mplane_painter_mode(const struct mplane_painter *painter, struct mplane_mode *mode);

/* Draws the last frame once more, all of it, under the device's lock; damages it. */
void mplane_painter_redraw(struct mplane_device *device);

/* The setters take control and the device's lock. 0 or -errno, without effect then. */
int mplane_painter_set_pattern(struct mplane_device *device, enum pattern_kind kind);
int mplane_painter_set_rate(struct mplane_device *device, unsigned int rate);
int mplane_painter_set_seed(struct mplane_device *device, u32 seed);
int mplane_painter_set_mode(struct mplane_device *device, u32 width, u32 height);
int mplane_painter_set_format(struct mplane_device *device, const struct mplane_format *format);
int mplane_painter_set_frame(struct mplane_device *device, u64 frame);

#endif
