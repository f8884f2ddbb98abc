/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damage of the primary plane: gathered from the guest's writes and from the painter, brought into
 * the scanout if that is a copy, and told to the readers of the status region. While nobody
 * listens it is only gathered. All under the device's lock but init, stop and the work.
 */
#ifndef MPLANE_DAMAGE_H
#define MPLANE_DAMAGE_H

#include <linux/types.h>
#include <linux/workqueue.h>

#include "pattern.h"

struct mplane_device;

#define MPLANE_DAMAGE_RECTS 32
#define MPLANE_DAMAGE_BLOCK 16 /* pages that are hot together; divides video memory */

struct mplane_damage {
	/* Not told yet. A rectangle too many is joined to the last one. */
	struct pattern_rect rects[MPLANE_DAMAGE_RECTS];
	unsigned int count;
	bool changed; /* plane or cursor are others than told */

	struct delayed_work work;
	unsigned long *scratch;   /* a bit a page of video memory */
	unsigned long *window;    /* likewise: pages written since the window began */
	unsigned long window_end; /* jiffies */
	unsigned int heavy;       /* windows in a row in which too much was written */
	/*
	 * Resting: hot pages are not protected, and all damage; while probing, but for a sample.
	 * Before that: what is to be hot if the next window is heavy, too.
	 */
	unsigned long *hot; /* a bit a page of video memory, whole blocks */
	bool resting, probing;
	unsigned long rest_end; /* jiffies; of the rest, or of the probe */
	unsigned long told;     /* jiffies; when readers were told last */
};

int mplane_damage_init(struct mplane_device *device); /* -ENOMEM */
void mplane_damage_finish(struct mplane_device *device);

/* The work runs no more, and is not started again by a fault. */
void mplane_damage_stop(struct mplane_device *device);

/* Adds a rectangle, clipped to the plane; the whole plane; or a change of plane or cursor. */
void mplane_damage_add(struct mplane_device *device, const struct pattern_rect *rect);
void mplane_damage_all(struct mplane_device *device);
void mplane_damage_event(struct mplane_device *device);

/* After adding: tells it if somebody listens. */
void mplane_damage_flush(struct mplane_device *device);

/* Somebody asks (a query of a copy, a request): the guest's writes up to now, copied and told. */
void mplane_damage_sync(struct mplane_device *device);

/* A listener came or went: pages are protected, or let be. */
void mplane_damage_listen(struct mplane_device *device);

#endif
