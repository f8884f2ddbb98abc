// SPDX-License-Identifier: GPL-2.0-or-later
#include "status.h"

#include <linux/mm.h>

#include "device.h"
#include "dmabuf.h"
#include "format.h"
#include "memory.h"
#include "uapi/mplane.h"

static_assert(sizeof(struct mplane_status_damage) == 24);
static_assert(offsetof(struct mplane_status, modifier) == 40);
static_assert(offsetof(struct mplane_status, ring) == 88);
static_assert(sizeof(struct mplane_status) <= MPLANE_STATUS_REQUEST);

int mplane_status_create(struct mplane_status_region *region)
{
	struct mplane_status *status;
	int ret;

	region->memory = mplane_memory_create(PAGE_SIZE);
	if (!region->memory)
		return -ENOMEM;
	ret = mplane_buffer_create(region->memory, 0, 1, 0, &region->buffer);
	if (ret)
		return ret;
	status = region->memory->data;
	status->magic = MPLANE_STATUS_MAGIC;
	status->version = MPLANE_STATUS_VERSION;
	status->size = sizeof(*status);
	status->event = MPLANE_IRQ_EVENT;
	return 0;
}

void mplane_status_destroy(struct mplane_status_region *region)
{
	mplane_buffer_release(region->buffer);
	mplane_memory_release(region->memory);
}

static struct mplane_status *mplane_status_begin(struct mplane_device *device)
{
	struct mplane_status *status = device->status.memory->data;

	WRITE_ONCE(status->lock, status->lock + 1);
	smp_wmb(); /* readers see the odd number before anything else changes */
	return status;
}

static void mplane_status_end(struct mplane_status *status)
{
	smp_wmb(); /* and all that changed before the even one */
	WRITE_ONCE(status->lock, status->lock + 1);
}

void mplane_status_publish(struct mplane_device *device, const struct pattern_rect *rects,
			   unsigned int count)
{
	const struct mplane_scanout *scanout = &device->scanout;
	struct mplane_status *status = mplane_status_begin(device);
	unsigned int i;

	status->flags &= ~MPLANE_STATUS_TRACKED;
	if (mplane_irqs_listening(&device->irqs) && !device->quirks.pull_only)
		status->flags |= MPLANE_STATUS_TRACKED;
	status->format = scanout->on ? scanout->mode.format->fourcc : 0;
	status->width = scanout->mode.width;
	status->height = scanout->mode.height;
	status->stride = scanout->on ? scanout->stride : 0;
	status->modifier = mplane_scanout_modifier(device);
	status->generation = scanout->generation;
	status->cursor = device->cursor.changes;
	for (i = 0; i < count; i++) {
		struct mplane_status_damage *record =
			&status->ring[status->sequence % MPLANE_STATUS_RING];

		record->number = status->sequence++;
		record->x = rects[i].x;
		record->y = rects[i].y;
		record->width = rects[i].width;
		record->height = rects[i].height;
	}
	mplane_status_end(status);
}

void mplane_status_request(struct mplane_device *device, u64 number)
{
	struct mplane_status *status = mplane_status_begin(device);

	status->request = number;
	mplane_status_end(status);
	mplane_damage_sync(device);
	mplane_status_begin(device);
	status->complete = number;
	mplane_status_end(status);
	mplane_irqs_signal(&device->irqs);
}

void mplane_status_leaving(struct mplane_device *device)
{
	struct mplane_status *status = mplane_status_begin(device);

	status->flags |= MPLANE_STATUS_LEAVING;
	mplane_status_end(status);
	mplane_irqs_signal(&device->irqs);
}
