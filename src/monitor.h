/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual monitor of a vfio device: its EDID region (linux include/uapi/linux/vfio.h, struct
 * vfio_region_gfx_edid). Main thread; the link comes back by its main loop.
 */
#ifndef PLANECAST_MONITOR_H
#define PLANECAST_MONITOR_H

#include <glib.h>

#include "vfio.h"

/* All zero at first. */
struct monitor {
	const struct vfio *vfio; /* while the link is down */
	struct vfio_region_info region;
	guint up; /* brings the link back */
};

/*
 * Unplugs the guest's monitor and plugs in one that wants this mode, MONITOR_DOWN_MS later.
 * -ENOTSUP: the device has no EDID region, or none that can be used; -ERANGE: beyond what it takes;
 * -errno as the driver gave it.
 */
int monitor_set(struct monitor *monitor, const struct vfio *vfio, uint32_t width, uint32_t height);

#define MONITOR_DOWN_MS 100 /* as QEMU has it */

/* Plugs the monitor in now if it is not: before the device is closed. */
void monitor_settle(struct monitor *monitor);

#endif
