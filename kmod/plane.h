/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planes: what the device scans out, as VFIO_DEVICE_QUERY_GFX_PLANE tells it, and the buffers
 * that VFIO_DEVICE_GET_GFX_DMABUF hands out. All under the device's lock.
 */
#ifndef MPLANE_PLANE_H
#define MPLANE_PLANE_H

#include <linux/list.h>
#include <linux/types.h>

struct mplane_device;
struct vfio_device_gfx_plane_info;

#define MPLANE_MIN_DIMENSION 64u
#define MPLANE_MAX_DIMENSION 16384u

struct mplane_mode {
	u32 fourcc;        /* DRM_FORMAT_* */
	u32 width, height; /* pixels */
	u32 stride;        /* bytes */
	u64 offset;        /* of the first pixel in video memory, bytes */
};

struct mplane_planes {
	struct list_head exports; /* buffers that have an id, newest first */
	unsigned int count;
	u32 last_id;
};

void mplane_planes_init(struct mplane_planes *planes);
void mplane_planes_forget(struct mplane_planes *planes); /* ids given so far become unknown */

/* Sizes within bounds, and every pixel inside that much memory. */
bool mplane_mode_fits(const struct mplane_mode *mode, size_t vram_size);

/* What is scanned out now: the painter's picture, or what the guest programmed; false: nothing. */
bool mplane_mode_current(struct mplane_device *device, struct mplane_mode *mode);

/* To be called after whatever may change the mode. */
void mplane_plane_update(struct mplane_device *device);

/* Answers a query: info->flags and drm_plane_type are the caller's. 0 or -errno. */
int mplane_plane_query(struct mplane_device *device, struct vfio_device_gfx_plane_info *info);

/* A descriptor of the buffer with that id, or -errno. */
int mplane_plane_dmabuf(struct mplane_device *device, u32 id);

#endif
