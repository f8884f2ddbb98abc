// SPDX-License-Identifier: GPL-2.0-or-later
#include "region.h"

#include <linux/mm.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "device.h"
#include "dmabuf.h"
#include "memory.h"
#include "types.h"
#include "uapi/mplane.h"

/* As vfio-pci: the index lives above bit 40 of a descriptor's offset. */
#define MPLANE_REGION_SHIFT 40
#define MPLANE_REGION_MASK  ((1ull << MPLANE_REGION_SHIFT) - 1)

#define MPLANE_RW (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE)

struct mplane_region {
	u64 size; /* 0: the device has no such region */
	u32 flags;
};

static struct mplane_region mplane_region_get(struct mplane_device *device, u64 index)
{
	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return (struct mplane_region){mplane_vram_size(),
					      MPLANE_RW | VFIO_REGION_INFO_FLAG_MMAP};
	case VFIO_PCI_BAR2_REGION_INDEX:
		return (struct mplane_region){MPLANE_MMIO_SIZE, MPLANE_RW};
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return (struct mplane_region){PCI_CFG_SPACE_SIZE, MPLANE_RW};
	case MPLANE_REGION_DISPLAY:
		if (device->type->transport == MPLANE_REGION)
			return (struct mplane_region){mplane_vram_size(),
						      VFIO_REGION_INFO_FLAG_READ |
							      VFIO_REGION_INFO_FLAG_MMAP};
		break;
	}
	return (struct mplane_region){};
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
	return 0;
}

/* The display region's first byte in video memory. */
static size_t mplane_region_origin(struct mplane_device *device)
{
	size_t origin;

	down_read(&device->window->move);
	origin = device->window->first << PAGE_SHIFT;
	up_read(&device->window->move);
	return origin;
}

/* Straight between user space and video memory: nothing is locked that a fault could want. */
static ssize_t mplane_vram_read(struct mplane_device *device, size_t offset, char __user *buf,
				size_t count)
{
	size_t size = mplane_memory_size(device->vram);

	if (offset >= size)
		return -EINVAL;
	count = min(count, size - offset);
	return copy_to_user(buf, device->vram->data + offset, count) ? -EFAULT : count;
}

static ssize_t mplane_vram_write(struct mplane_device *device, size_t offset,
				 const char __user *buf, size_t count)
{
	return copy_from_user(device->vram->data + offset, buf, count) ? -EFAULT : count;
}

static void mplane_register_read(struct mplane_device *device, u32 index, u32 offset, u8 *data,
				 u32 count)
{
	mutex_lock(&device->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		mplane_config_read(&device->config, offset, data, count);
	else
		mplane_mmio_read(&device->mmio, offset, data, count);
	mutex_unlock(&device->lock);
}

static void mplane_register_write(struct mplane_device *device, u32 index, u32 offset,
				  const u8 *data, u32 count)
{
	mutex_lock(&device->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
		mplane_config_write(&device->config, offset, data, count);
	} else {
		mplane_mmio_write(&device->mmio, offset, data, count);
		mplane_plane_update(device);
	}
	mutex_unlock(&device->lock);
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
	size_t offset, done = 0;
	u8 data[64];
	u32 index;
	int ret;

	ret = mplane_region_find(device, *ppos, VFIO_REGION_INFO_FLAG_READ, &index, &offset,
				 &count);
	if (ret)
		return ret;
	if (index == VFIO_PCI_BAR0_REGION_INDEX) {
		done = mplane_vram_read(device, offset, buf, count);
	} else if (index == MPLANE_REGION_DISPLAY) {
		done = mplane_vram_read(device, mplane_region_origin(device) + offset, buf, count);
	} else {
		while (done < count) {
			u32 part = min(count - done, sizeof(data));

			mplane_register_read(device, index, offset + done, data, part);
			if (copy_to_user(buf + done, data, part))
				return -EFAULT;
			done += part;
		}
	}
	if ((ssize_t)done > 0)
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
	int ret;

	ret = mplane_region_find(device, *ppos, VFIO_REGION_INFO_FLAG_WRITE, &index, &offset,
				 &count);
	if (ret)
		return ret;
	if (index == VFIO_PCI_BAR0_REGION_INDEX) {
		done = mplane_vram_write(device, offset, buf, count);
	} else {
		while (done < count) {
			u32 part = min(count - done, sizeof(data));

			if (copy_from_user(data, buf + done, part))
				return -EFAULT;
			mplane_register_write(device, index, offset + done, data, part);
			done += part;
		}
	}
	if ((ssize_t)done > 0)
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
	return mplane_buffer_mmap(index == MPLANE_REGION_DISPLAY ? device->window : device->bar,
				  vma, offset);
}
