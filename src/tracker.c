/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracker.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kmod/uapi/mplane.h"

/* A writer is done in microseconds: more tries than this, and the page cannot be believed. */
#define MAX_TRIES 100

/* Places in the event are few; the bound is against a device that is always busy. */
#define MAX_PLACES 64

/* Every so often the device's word is checked against all pixels. */
#define AUDIT_US (10 * G_USEC_PER_SEC)

/* VFIO_REGION_TYPE_PCI_VENDOR_TYPE, which vfio.h has as a signed shift out of range. */
#define VENDOR_TYPE 0x80000000u
#define STATUS_TYPE (VENDOR_TYPE | MPLANE_PCI_VENDOR)

/* One consistent copy of the page. -EIO: it is not to be had, or not what it should be. */
static int read_status(const struct tracker *tracker, struct mplane_status *status)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		uint32_t lock;

		if (pread(tracker->device, status, sizeof(*status), (off_t)tracker->region) !=
			    sizeof(*status) ||
		    pread(tracker->device, &lock, sizeof(lock),
			  (off_t)(tracker->region + offsetof(struct mplane_status, lock))) !=
			    sizeof(lock))
			return -EIO;
		if (status->magic != MPLANE_STATUS_MAGIC ||
		    status->version != MPLANE_STATUS_VERSION || status->size < sizeof(*status))
			return -EIO;
		if (lock == status->lock && !(lock & 1))
			return 0;
	}
	return -EIO;
}

/* The first free place of the event; others may be another reader's. */
static int take_place(struct tracker *tracker)
{
	int ret = -EBUSY;

	for (uint32_t place = 0; place < MAX_PLACES && ret == -EBUSY; place++) {
		ret = vfio_set_event(tracker->device, tracker->irq, place, tracker->event);
		if (!ret)
			tracker->place = place;
	}
	return ret;
}

int tracker_find(const struct vfio *vfio, struct vfio_region_info *region)
{
	return vfio_find_region(vfio, STATUS_TYPE, MPLANE_REGION_SUBTYPE_STATUS, region);
}

int tracker_open(const struct vfio *vfio, struct tracker *tracker)
{
	struct vfio_region_info region;
	struct mplane_status status;
	int ret = tracker_find(vfio, &region);

	*tracker = TRACKER_CLOSED;
	if (ret)
		return ret;
	tracker->device = vfio->device;
	tracker->region = region.offset;
	ret = read_status(tracker, &status);
	if (!ret && status.flags & MPLANE_STATUS_LEAVING)
		ret = -ESHUTDOWN;
	if (ret)
		goto fail;
	tracker->irq = status.event;
	tracker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (tracker->event < 0) {
		ret = -errno;
		goto fail;
	}
	ret = take_place(tracker);
	if (ret) {
		close(tracker->event);
		goto fail;
	}
	/* Whatever was told before: the first picture is compared whole. */
	ret = read_status(tracker, &status);
	if (ret) {
		tracker_close(tracker);
		return ret;
	}
	tracker->sequence = status.sequence;
	tracker->generation = status.generation;
	tracker->tracked = status.flags & MPLANE_STATUS_TRACKED;
	return 0;
fail:
	*tracker = TRACKER_CLOSED;
	return ret;
}

void tracker_close(struct tracker *tracker)
{
	if (tracker->event >= 0) {
		vfio_set_event(tracker->device, tracker->irq, tracker->place, -1);
		close(tracker->event);
	}
	*tracker = TRACKER_CLOSED;
}

int tracker_event_fd(const struct tracker *tracker)
{
	return tracker->tracked ? tracker->event : -1;
}

static void add_records(struct tracker *tracker, const struct mplane_status *status,
			struct damage *damage)
{
	uint64_t behind = status->sequence - tracker->sequence;

	if (behind > MPLANE_STATUS_RING) {
		damage_add_all(damage);
		return;
	}
	for (uint64_t n = tracker->sequence; n != status->sequence; n++) {
		const struct mplane_status_damage *record = &status->ring[n % MPLANE_STATUS_RING];
		struct detile_rect rect = {record->x, record->y, record->width, record->height};

		/* Overwritten meanwhile, or nonsense: then everything may have changed. */
		if (record->number != n)
			damage_add_all(damage);
		else
			damage_add(damage, &rect);
	}
}

int tracker_hint(struct tracker *tracker, struct damage *damage)
{
	int64_t now = g_get_monotonic_time();
	struct mplane_status status;
	uint64_t count;
	bool compare;

	if (tracker->event < 0)
		return -ENOTSUP;
	/* First the event, then the page: what comes between fires again. */
	if (read(tracker->event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -ENOTSUP;
	if (read_status(tracker, &status)) {
		tracker->tracked = false;
		return -ENOTSUP;
	}
	if (status.flags & MPLANE_STATUS_LEAVING)
		return -ESHUTDOWN;
	compare = !tracker->tracked || status.generation != tracker->generation ||
		  now - tracker->compared_us >= AUDIT_US;
	if (!compare)
		add_records(tracker, &status, damage);
	else
		tracker->compared_us = now;
	tracker->sequence = status.sequence;
	tracker->generation = status.generation;
	tracker->cursor = status.cursor;
	tracker->tracked = status.flags & MPLANE_STATUS_TRACKED;
	return compare || !tracker->tracked ? -ENOTSUP : 0;
}
