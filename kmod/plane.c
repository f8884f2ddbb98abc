// SPDX-License-Identifier: GPL-2.0-or-later
#include "plane.h"

#include <drm/drm_fourcc.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "device.h"
#include "dmabuf.h"
#include "format.h"
#include "memory.h"
#include "region.h"
#include "types.h"

/* enum drm_plane_type of the DRM core, which has no UAPI header. */
enum {
	MPLANE_PLANE_OVERLAY,
	MPLANE_PLANE_PRIMARY,
	MPLANE_PLANE_CURSOR,
};

/* Ids of so many buffers stay known; QEMU keeps five. */
#define MPLANE_MAX_EXPORTS 16

struct mplane_export {
	struct list_head list;
	u32 id;
	struct vfio_device_gfx_plane_info
		info;                 /* without id and place: what makes it another one */
	struct mplane_memory *memory; /* the buffer's */
	unsigned long first;
	struct mplane_buffer *buffer;
};

void mplane_planes_init(struct mplane_planes *planes)
{
	INIT_LIST_HEAD(&planes->exports);
	planes->count = 0;
	planes->last_id = 0;
}

static void mplane_export_destroy(struct mplane_planes *planes, struct mplane_export *export)
{
	list_del(&export->list);
	planes->count--;
	mplane_buffer_release(export->buffer);
	kfree(export);
}

void mplane_planes_forget(struct mplane_planes *planes)
{
	struct mplane_export *export, *next;

	list_for_each_entry_safe(export, next, &planes->exports, list)
		mplane_export_destroy(planes, export);
}

/* Copies that only an old id holds may take as much memory again as the device has. */
static void mplane_exports_trim(struct mplane_device *device)
{
	struct mplane_planes *planes = &device->planes;
	struct mplane_export *export, *next;
	size_t copies = 0;
	unsigned int known = 0;

	list_for_each_entry_safe(export, next, &planes->exports, list) {
		if (export->memory != device->vram)
			copies += mplane_memory_size(export->memory);
		known++;
		if (known > MPLANE_MAX_EXPORTS ||
		    (known > device->scanout.copies + 1 && copies > mplane_vram_size()))
			mplane_export_destroy(planes, export);
	}
}

/* The buffer of a plane that is described: the one that has an id already, or a new one. */
static int mplane_export_get(struct mplane_device *device, struct mplane_memory *memory,
			     unsigned long first, const struct vfio_device_gfx_plane_info *info,
			     u32 *id)
{
	struct mplane_planes *planes = &device->planes;
	unsigned int flags = device->quirks.no_cpu_map ? MPLANE_BUFFER_NO_CPU : 0;
	struct mplane_export *export;
	int ret;

	list_for_each_entry(export, &planes->exports, list) {
		if (export->memory == memory && export->first == first &&
		    export->info.drm_format == info->drm_format &&
		    export->info.width == info->width && export->info.height == info->height &&
		    export->info.stride == info->stride) {
			list_move(&export->list, &planes->exports);
			*id = export->id;
			return 0;
		}
	}
	export = kzalloc(sizeof(*export), GFP_KERNEL);
	if (!export)
		return -ENOMEM;
	ret = mplane_buffer_create(memory, first, info->size >> PAGE_SHIFT, flags, &export->buffer);
	if (ret) {
		kfree(export);
		return ret;
	}
	export->memory = memory;
	export->first = first;
	export->info = *info;
	export->id = ++planes->last_id;
	*id = export->id;
	list_add(&export->list, &planes->exports);
	planes->count++;
	mplane_exports_trim(device);
	return 0;
}

/* Puts into info how user space gets at a plane: its region, or the id of its dma-buf. */
static int mplane_plane_place(struct mplane_device *device, struct mplane_memory *memory,
			      unsigned long first, u32 region,
			      struct vfio_device_gfx_plane_info *info)
{
	if (device->type->transport == MPLANE_DMABUF)
		return mplane_export_get(device, memory, first, info, &info->dmabuf_id);
	info->region_index = region;
	return 0;
}

static int mplane_plane_primary(struct mplane_device *device,
				struct vfio_device_gfx_plane_info *info)
{
	struct mplane_scanout *scanout = &device->scanout;
	struct mplane_memory *memory;
	unsigned long first;

	if (device->quirks.plane_off == 2)
		return -ENODEV;
	if (!scanout->on)
		return 0;
	if (device->quirks.first_query_fails && scanout->unqueried) {
		scanout->unqueried = false;
		return -ENOMEM;
	}
	scanout->unqueried = false;
	if (!scanout->live)
		mplane_damage_sync(device);
	memory = mplane_scanout_memory(device, &first);
	info->drm_format = scanout->mode.format->fourcc;
	info->drm_format_mod = mplane_scanout_modifier(device);
	info->width = scanout->mode.width;
	info->height = scanout->mode.height;
	info->stride = scanout->stride;
	info->size = scanout->size;
	return mplane_plane_place(device, memory, first, MPLANE_REGION_DISPLAY, info);
}

static int mplane_plane_cursor(struct mplane_device *device,
			       struct vfio_device_gfx_plane_info *info)
{
	struct mplane_cursor *cursor = &device->cursor;

	if (!cursor->on)
		return 0;
	info->drm_format = DRM_FORMAT_ARGB8888;
	info->drm_format_mod = DRM_FORMAT_MOD_LINEAR;
	info->width = MPLANE_CURSOR_SIZE;
	info->height = MPLANE_CURSOR_SIZE;
	info->stride = MPLANE_CURSOR_SIZE * 4;
	info->size = MPLANE_CURSOR_BYTES;
	info->x_pos = cursor->x;
	info->y_pos = cursor->y;
	info->x_hot = cursor->hot_x;
	info->y_hot = cursor->hot_y;
	return mplane_plane_place(device, cursor->memory, mplane_cursor_first(cursor),
				  MPLANE_REGION_CURSOR, info);
}

int mplane_plane_query(struct mplane_device *device, struct vfio_device_gfx_plane_info *info)
{
	u32 flag = device->type->transport == MPLANE_DMABUF ? VFIO_GFX_PLANE_TYPE_DMABUF
							    : VFIO_GFX_PLANE_TYPE_REGION;

	if (info->flags == (VFIO_GFX_PLANE_TYPE_PROBE | flag))
		return 0;
	if (info->flags != flag)
		return -EINVAL;
	/* A plane that is off answers with zeros. */
	*info = (struct vfio_device_gfx_plane_info){
		.argsz = info->argsz,
		.flags = info->flags,
		.drm_plane_type = info->drm_plane_type,
	};
	switch (info->drm_plane_type) {
	case MPLANE_PLANE_OVERLAY:
		/* QEMU leaves the type of a region's plane at zero and means the primary one. */
		if (device->type->transport != MPLANE_REGION)
			return -EINVAL;
		fallthrough;
	case MPLANE_PLANE_PRIMARY:
		return mplane_plane_primary(device, info);
	case MPLANE_PLANE_CURSOR:
		return mplane_plane_cursor(device, info);
	default:
		return -EINVAL;
	}
}

int mplane_plane_dmabuf(struct mplane_device *device, u32 id)
{
	struct mplane_export *export;

	list_for_each_entry(export, &device->planes.exports, list)
		if (export->id == id)
			return mplane_buffer_fd(export->buffer);
	return -EINVAL;
}
