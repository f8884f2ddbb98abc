/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mediated device: its state, and its life from creation to removal.
 *
 * lock guards all of the state below it. It is never held while user memory is touched, and no
 * fault takes it. Order: painter.control, lock, page locks or buffer->move, dirty->lock.
 */
#ifndef MPLANE_DEVICE_H
#define MPLANE_DEVICE_H

#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/vfio.h>

#include "config_space.h"
#include "cursor.h"
#include "damage.h"
#include "edid.h"
#include "irq.h"
#include "mmio.h"
#include "painter.h"
#include "plane.h"
#include "quirks.h"
#include "scanout.h"
#include "status.h"

struct mplane_buffer;
struct mplane_memory;
struct mplane_type;

struct mplane_device {
	struct vfio_device vdev;
	const struct mplane_type *type;
	struct mutex lock; /* of all that follows */

	struct mplane_config_space config;
	struct mplane_mmio mmio;
	struct mplane_edid edid;
	struct mplane_quirks quirks;
	struct mplane_planes planes;
	struct mplane_scanout scanout;
	struct mplane_cursor cursor;
	struct mplane_painter painter;
	struct mplane_damage damage;
	struct mplane_irqs irqs;

	/*
	 * Memory that user space maps. All is replaced at every first open, so that what an earlier
	 * user still has mapped shows nothing of the next one's.
	 */
	struct mplane_memory *vram;
	struct mplane_buffer *bar;    /* all of it, as BAR0 */
	struct mplane_buffer *window; /* the display region, read-only */
	struct mplane_status_region status;
};

extern struct mdev_driver mplane_driver;

#endif
