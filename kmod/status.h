/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status region: one page, written under the device's lock, read by anybody. */
#ifndef MPLANE_STATUS_H
#define MPLANE_STATUS_H

#include <linux/types.h>

struct mplane_buffer;
struct mplane_device;
struct mplane_memory;
struct mplane_status;
struct pattern_rect;

struct mplane_status_region {
	struct mplane_memory *memory;
	struct mplane_buffer *buffer;
};

/* A new page, for a new user of the device. 0 or -errno. */
int mplane_status_create(struct mplane_status_region *region);
void mplane_status_destroy(struct mplane_status_region *region); /* takes a zeroed one */

/* Writes down how things are now, and the damage. */
void mplane_status_publish(struct mplane_device *device, const struct pattern_rect *rects,
			   unsigned int count);

/* A request was written: all is synchronised when this returns. */
void mplane_status_request(struct mplane_device *device, u64 number);

/* The device is wanted back. */
void mplane_status_leaving(struct mplane_device *device);

#endif
