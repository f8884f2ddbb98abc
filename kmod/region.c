// SPDX-License-Identifier: GPL-2.0-or-later
#include "region.h"

#include <linux/mm.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "device.h"
#include "dirty.h"
#include "dmabuf.h"
#include "memory.h"
#include "types.h"
#include "uapi/mplane.h"

/* As vfio-pci: the index lives above bit 40 of a descriptor's offset. */
#define MPLANE_REGION_SHIFT 40
#define MPLANE_REGION_MASK  ((1ull << MPLANE_REGION_SHIFT) - 1)

#define MPLANE_RW (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE)

#define MPLANE_READ_MAP (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP)

struct mplane_region {
	u64 size; /* 0: the device has no such region */
	u32 flags;
};

static struct mplane_region mplane_region_get(struct mplane_device *device, u64 index)
{
	bool planes = device->type->transport == MPLANE_REGION;

	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return (struct mplane_region){mplane_vram_size(),
					      MPLANE_RW | VFIO_REGION_INFO_FLAG_MMAP};
	case VFIO_PCI_BAR2_REGION_INDEX:
		return (struct mplane_region){MPLANE_MMIO_SIZE, MPLANE_RW};
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return (struct mplane_region){PCI_CFG_SPACE_SIZE, MPLANE_RW};
	case MPLANE_REGION_EDID:
		return (struct mplane_region){MPLANE_EDID_REGION_SIZE, MPLANE_RW};
	case MPLANE_REGION_STATUS:
		return (struct mplane_region){MPLANE_STATUS_REQUEST + PAGE_SIZE,
					      MPLANE_RW | VFIO_REGION_INFO_FLAG_MMAP};
	case MPLANE_REGION_DISPLAY:
		if (planes)
			return (struct mplane_region){mplane_vram_size(), MPLANE_READ_MAP};
		break;
	case MPLANE_REGION_CURSOR:
		if (planes)
			return (struct mplane_region){MPLANE_CURSOR_BYTES, MPLANE_READ_MAP};
		break;
	}
	return (struct mplane_region){};
}

static int mplane_region_add_type(struct vfio_info_cap *caps, u32 type, u32 subtype)
{
	struct vfio_region_info_cap_type cap = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = type,
		.subtype = subtype,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

/* The status page can be mapped, the page where requests are written cannot. */
static int mplane_region_add_area(struct vfio_info_cap *caps, u64 size)
{
	struct {
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area area;
	} sparse = {
		.cap.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.cap.header.version = 1,
		.cap.nr_areas = 1,
		.area.size = size,
	};

	return vfio_info_add_capability(caps, &sparse.cap.header, sizeof(sparse));
}

int mplane_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		       struct vfio_info_cap *caps)
{
	struct mplane_device *device = container_of(vdev, struct mplane_device, vdev);
	struct mplane_region region;

	if (info->index >= MPLANE_NUM_REGIONS)
		return -EINVAL;
	region = mplane_region_get(device, info->index);
	info->size = region.size;
	info->flags = region.flags;
	info->offset = (u64)info->index << MPLANE_REGION_SHIFT;
	switch (info->index) {
	case MPLANE_REGION_EDID:
		return mplane_region_add_type(caps, VFIO_REGION_TYPE_GFX,
					      VFIO_REGION_SUBTYPE_GFX_EDID);
	case MPLANE_REGION_STATUS:
		return mplane_region_add_type(caps,
					      VFIO_REGION_TYPE_PCI_VENDOR_TYPE | MPLANE_PCI_VENDOR,
					      MPLANE_REGION_SUBTYPE_STATUS)
			       ?: mplane_region_add_area(caps, PAGE_SIZE);
	default:
		return 0;
	}
}

/* What backs a region that is memory: a buffer of the device's; NULL: the region is registers. */
static struct mplane_buffer *mplane_region_buffer(struct mplane_device *device, u32 index)
{
	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return device->bar;
	case MPLANE_REGION_DISPLAY:
		return device->window;
	case MPLANE_REGION_CURSOR:
		return device->cursor.window;
	case MPLANE_REGION_STATUS:
		return device->status.buffer;
	default:
		return NULL;
	}
}

/*
 * Straight between user space and memory: nothing is locked that a fault could want. The memory
 * is held because a display region may move to another while its bytes are copied.
 */
static ssize_t mplane_memory_read(struct mplane_buffer *buffer, size_t offset, char __user *buf,
				  size_t count)
{
	struct mplane_memory *memory;
	ssize_t ret = -EINVAL;

	down_read(&buffer->move);
	memory = mplane_memory_acquire(buffer->memory);
	offset += buffer->first << PAGE_SHIFT;
	up_read(&buffer->move);
	if (offset < mplane_memory_size(memory)) {
		count = min(count, mplane_memory_size(memory) - offset);
		ret = copy_to_user(buf, memory->data + offset, count) ? -EFAULT : count;
	}
	mplane_memory_release(memory);
	return ret;
}

static ssize_t mplane_vram_write(struct mplane_device *device, size_t offset,
				 const char __user *buf, size_t count)
{
	unsigned long left = copy_from_user(device->vram->data + offset, buf, count);

	mplane_dirty_mark(device->bar->dirty, offset >> PAGE_SHIFT,
			  (offset + count - 1) >> PAGE_SHIFT);
	return left ? -EFAULT : count;
}

static ssize_t mplane_status_write(struct mplane_device *device, size_t offset,
				   const char __user *buf, size_t count)
{
	u64 number;

	if (offset != MPLANE_STATUS_REQUEST || count != sizeof(number))
		return -EINVAL;
	if (copy_from_user(&number, buf, sizeof(number)))
		return -EFAULT;
	mutex_lock(&device->lock);
	mplane_status_request(device, number);
	mutex_unlock(&device->lock);
	return count;
}

static void mplane_register_read(struct mplane_device *device, u32 index, u32 offset, u8 *data,
				 u32 count)
{
	mutex_lock(&device->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		mplane_config_read(&device->config, offset, data, count);
	else if (index == MPLANE_REGION_EDID)
		mplane_edid_read(&device->edid, offset, data, count);
	else
		mplane_mmio_read(&device->mmio, offset, data, count);
	mutex_unlock(&device->lock);
}

static int mplane_register_write(struct mplane_device *device, u32 index, u32 offset,
				 const u8 *data, u32 count)
{
	int ret = 0;

	mutex_lock(&device->lock);
	switch (index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		mplane_config_write(&device->config, offset, data, count);
		break;
	case MPLANE_REGION_EDID:
		ret = mplane_edid_write(&device->edid, offset, data, count);
		mplane_edid_show(&device->edid, device->mmio.edid);
		break;
	default:
		mplane_mmio_write(&device->mmio, offset, data, count);
		mplane_scanout_update(device);
	}
	mutex_unlock(&device->lock);
	return ret;
}

/* Finds the region of a descriptor's offset and clips count to it. */
static int mplane_region_find(struct mplane_device *device, loff_t pos, u32 flag, u32 *index,
			      size_t *offset, size_t *count)
{
	struct mplane_region region;

	if (pos < 0)
		return -EINVAL;
	region = mplane_region_get(device, (u64)pos >> MPLANE_REGION_SHIFT);
	*index = (u64)pos >> MPLANE_REGION_SHIFT;
	*offset = pos & MPLANE_REGION_MASK;
	if (*offset >= region.size || !(region.flags & flag))
		return -EINVAL;
	*count = min_t(u64, *count, region.size - *offset);
	return 0;
}

ssize_t mplane_region_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct mplane_device *device = container_of(vdev, struct mplane_device, vdev);
	struct mplane_buffer *buffer;
	size_t offset, done = 0;
	u8 data[64];
	u32 index;
	ssize_t ret;

	ret = mplane_region_find(device, *ppos, VFIO_REGION_INFO_FLAG_READ, &index, &offset,
				 &count);
	if (ret || !count)
		return ret;
	buffer = mplane_region_buffer(device, index);
	if (buffer) {
		ret = mplane_memory_read(buffer, offset, buf, count);
		if (ret > 0)
			*ppos += ret;
		return ret;
	}
	while (done < count) {
		u32 part = min(count - done, sizeof(data));

		mplane_register_read(device, index, offset + done, data, part);
		if (copy_to_user(buf + done, data, part))
			return -EFAULT;
		done += part;
	}
	*ppos += done;
	return done;
}

ssize_t mplane_region_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	struct mplane_device *device = container_of(vdev, struct mplane_device, vdev);
	size_t offset, done = 0;
	u8 data[64];
	u32 index;
	ssize_t ret;

	ret = mplane_region_find(device, *ppos, VFIO_REGION_INFO_FLAG_WRITE, &index, &offset,
				 &count);
	if (ret || !count)
		return ret;
	if (index == VFIO_PCI_BAR0_REGION_INDEX || index == MPLANE_REGION_STATUS) {
		ret = index == MPLANE_REGION_STATUS
			      ? mplane_status_write(device, offset, buf, count)
			      : mplane_vram_write(device, offset, buf, count);
		if (ret > 0)
			*ppos += ret;
		return ret;
	}
	while (done < count) {
		u32 part = min(count - done, sizeof(data));

		if (copy_from_user(data, buf + done, part))
			return -EFAULT;
		ret = mplane_register_write(device, index, offset + done, data, part);
		if (ret)
			return ret;
		done += part;
	}
	*ppos += done;
	return done;
}

int mplane_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct mplane_device *device = container_of(vdev, struct mplane_device, vdev);
	u64 index = (u64)vma->vm_pgoff >> (MPLANE_REGION_SHIFT - PAGE_SHIFT);
	unsigned long offset = vma->vm_pgoff & (MPLANE_REGION_MASK >> PAGE_SHIFT);

	if (!(mplane_region_get(device, index).flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -EINVAL;
	return mplane_buffer_mmap(mplane_region_buffer(device, index), vma, offset);
}
