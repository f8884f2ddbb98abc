// SPDX-License-Identifier: GPL-2.0-or-later
#include "plane.h"

#include <drm/drm_fourcc.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "device.h"
#include "dmabuf.h"
#include "memory.h"
#include "types.h"
#include "uapi/mplane.h"

/* enum drm_plane_type of the DRM core, which has no UAPI header. */
enum {
	MPLANE_PLANE_PRIMARY = 1,
	MPLANE_PLANE_CURSOR = 2,
};

/* Ids of so many buffers stay known; QEMU keeps five. */
#define MPLANE_MAX_EXPORTS 16

struct mplane_export {
	struct list_head list;
	u32 id;
	struct mplane_mode mode;
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

bool mplane_mode_fits(const struct mplane_mode *mode, size_t vram_size)
{
	if (mode->width < MPLANE_MIN_DIMENSION || mode->width > MPLANE_MAX_DIMENSION ||
	    mode->height < MPLANE_MIN_DIMENSION || mode->height > MPLANE_MAX_DIMENSION)
		return false;
	return mode->offset + (u64)mode->stride * mode->height <= vram_size;
}

bool mplane_mode_current(struct mplane_device *device, struct mplane_mode *mode)
{
	if (mplane_painter_mode(&device->painter, mode))
		return true;
	return mplane_mmio_mode(&device->mmio, mplane_memory_size(device->vram), mode) &&
	       offset_in_page(mode->offset) == 0;
}

void mplane_plane_update(struct mplane_device *device)
{
	struct mplane_mode mode;

	if (mplane_mode_current(device, &mode))
		mplane_buffer_move(device->window, device->vram, mode.offset >> PAGE_SHIFT);
}

static u32 mplane_mode_size(const struct mplane_mode *mode)
{
	return PAGE_ALIGN(mode->stride * mode->height);
}

/* The buffer of a mode: the one that has an id already, or a new one. */
static int mplane_export_of(struct mplane_device *device, const struct mplane_mode *mode, u32 *id)
{
	struct mplane_planes *planes = &device->planes;
	struct mplane_export *export;
	int ret;

	list_for_each_entry(export, &planes->exports, list) {
		if (!memcmp(&export->mode, mode, sizeof(*mode))) {
			list_move(&export->list, &planes->exports);
			*id = export->id;
			return 0;
		}
	}
	export = kzalloc(sizeof(*export), GFP_KERNEL);
	if (!export)
		return -ENOMEM;
	ret = mplane_buffer_create(device->vram, mode->offset >> PAGE_SHIFT,
				   mplane_mode_size(mode) >> PAGE_SHIFT, false, &export->buffer);
	if (ret) {
		kfree(export);
		return ret;
	}
	export->mode = *mode;
	export->id = ++planes->last_id;
	list_add(&export->list, &planes->exports);
	if (++planes->count > MPLANE_MAX_EXPORTS)
		mplane_export_destroy(
			planes, list_last_entry(&planes->exports, struct mplane_export, list));
	*id = export->id;
	return 0;
}

static int mplane_plane_primary(struct mplane_device *device,
				struct vfio_device_gfx_plane_info *info)
{
	struct mplane_mode mode = {};
	u32 id = MPLANE_REGION_DISPLAY;
	int ret;

	if (!mplane_mode_current(device, &mode))
		return 0;
	if (device->type->transport == MPLANE_DMABUF) {
		ret = mplane_export_of(device, &mode, &id);
		if (ret)
			return ret;
	}
	info->drm_format = mode.fourcc;
	info->drm_format_mod = DRM_FORMAT_MOD_LINEAR;
	info->width = mode.width;
	info->height = mode.height;
	info->stride = mode.stride;
	info->size = mplane_mode_size(&mode);
	info->dmabuf_id = id; /* a union with region_index */
	return 0;
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
	if (info->drm_plane_type == MPLANE_PLANE_PRIMARY)
		return mplane_plane_primary(device, info);
	return info->drm_plane_type == MPLANE_PLANE_CURSOR ? 0 : -EINVAL;
}

int mplane_plane_dmabuf(struct mplane_device *device, u32 id)
{
	struct mplane_export *export;

	list_for_each_entry(export, &device->planes.exports, list)
		if (export->id == id)
			return mplane_buffer_fd(export->buffer);
	return -EINVAL;
}
