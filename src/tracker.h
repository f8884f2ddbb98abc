/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tracker: the device's own word on what changed, from mplane's status region and event
 * (kmod/uapi/mplane.h, doc/mplane.md). Upstream drivers have neither, and are compared instead.
 * Nothing that the page says is trusted further than to look at pixels or not to.
 */
#ifndef PLANECAST_TRACKER_H
#define PLANECAST_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "damage.h"
#include "vfio.h"

struct tracker {
	int event;    /* eventfd, -1 while closed */
	int device;   /* borrowed from the vfio */
	uint32_t irq; /* its index, and our place in it */
	uint32_t place;
	uint64_t region;   /* offset in the device's descriptor */
	uint64_t sequence; /* of the next damage record to be read */
	uint64_t generation;
	uint64_t cursor;     /* counts what happened to the cursor, as of the last hint */
	bool tracked;        /* all damage appears without being asked for */
	int64_t compared_us; /* when all pixels were compared last */
};

#define TRACKER_CLOSED ((struct tracker){.event = -1, .device = -1})

/* The status region; -ENOENT: the device has none. */
int tracker_find(const struct vfio *vfio, struct vfio_region_info *region);

/*
 * -ENOENT: the device has no such region; -EBUSY: all places of the event are taken; -ESHUTDOWN:
 * the device is wanted back; -errno.
 */
int tracker_open(const struct vfio *vfio, struct tracker *tracker);

/* Before vfio_close(). Takes a closed one. */
void tracker_close(struct tracker *tracker);

/* Readable when something changed, until tracker_hint(); -1 if changes are not told now. */
int tracker_event_fd(const struct tracker *tracker);

/*
 * As source_ops.hint: what changed since the last call is added to damage, or -ENOTSUP.
 * -ESHUTDOWN: the device is being removed and waits until all have closed it.
 */
int tracker_hint(struct tracker *tracker, struct damage *damage);

#endif
