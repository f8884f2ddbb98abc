/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planes as VFIO_DEVICE_QUERY_GFX_PLANE tells them, and the buffers that
 * VFIO_DEVICE_GET_GFX_DMABUF hands out. All under the device's lock.
 */
#ifndef MPLANE_PLANE_H
#define MPLANE_PLANE_H

#include <linux/list.h>
#include <linux/types.h>

struct mplane_device;
struct vfio_device_gfx_plane_info;

struct mplane_planes {
	struct list_head exports; /* buffers that have an id, newest first */
	unsigned int count;
	u32 last_id;
};

void mplane_planes_init(struct mplane_planes *planes);
void mplane_planes_forget(struct mplane_planes *planes); /* ids given so far become unknown */

/* Answers a query: info->flags and drm_plane_type are the caller's. 0 or -errno. */
int mplane_plane_query(struct mplane_device *device, struct vfio_device_gfx_plane_info *info);

/* A descriptor of the buffer with that id, or -errno. */
int mplane_plane_dmabuf(struct mplane_device *device, u32 id);

#endif
