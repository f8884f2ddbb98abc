// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <linux/mm.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "dmabuf.h"
#include "memory.h"
#include "region.h"
#include "sysfs.h"
#include "types.h"
#include "uapi/mplane.h"

static struct mplane_device *mplane_device_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct mplane_device, vdev);
}

/* Puts new, black video memory into the device. 0, or -errno and the old one stays. */
static int mplane_device_renew(struct mplane_device *device)
{
	struct mplane_buffer *bar = NULL, *window = NULL;
	struct mplane_memory *vram;
	int ret = -ENOMEM;

	vram = mplane_memory_create(mplane_vram_size());
	if (!vram)
		goto fail;
	ret = mplane_buffer_create(vram, 0, vram->count, true, &bar);
	if (ret)
		goto fail;
	ret = mplane_buffer_create(vram, 0, vram->count, false, &window);
	if (ret)
		goto fail;
	mutex_lock(&device->lock);
	mplane_planes_forget(&device->planes);
	swap(device->vram, vram);
	swap(device->bar, bar);
	swap(device->window, window);
	mutex_unlock(&device->lock);
fail:
	mplane_buffer_release(window);
	mplane_buffer_release(bar);
	mplane_memory_release(vram);
	return ret;
}

/* As after power on, but for the painter and for video memory. */
static void mplane_device_reset(struct mplane_device *device)
{
	mutex_lock(&device->lock);
	mplane_config_reset(&device->config, mplane_vram_size(), MPLANE_MMIO_SIZE);
	mplane_mmio_reset(&device->mmio, mplane_vram_size());
	mplane_plane_update(device);
	mutex_unlock(&device->lock);
}

static int mplane_device_init(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);
	int ret;

	device->type = mplane_type_of(to_mdev_device(vdev->dev)->type);
	mutex_init(&device->lock);
	mplane_planes_init(&device->planes);
	mplane_painter_init(&device->painter);
	ret = mplane_budget_take(device->type);
	if (ret)
		return ret;
	ret = mplane_device_renew(device);
	if (ret) {
		mplane_budget_give(device->type);
		return ret;
	}
	mplane_device_reset(device);
	return 0;
}

static void mplane_device_release(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);

	mplane_planes_forget(&device->planes);
	mplane_buffer_release(device->window);
	mplane_buffer_release(device->bar);
	mplane_memory_release(device->vram);
	mplane_budget_give(device->type);
	mplane_compat_free(vdev);
}

static int mplane_device_open(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);
	int ret;

	ret = mplane_device_renew(device);
	if (ret)
		return ret;
	mplane_device_reset(device);
	mutex_lock(&device->lock);
	mplane_painter_redraw(device);
	mutex_unlock(&device->lock);
	return 0;
}

static void mplane_device_close(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);

	mutex_lock(&device->lock);
	mplane_planes_forget(&device->planes);
	mutex_unlock(&device->lock);
}

static long mplane_ioctl_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = MPLANE_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/* Kernels that unpack this ioctl themselves never get here with it. */
static long mplane_ioctl_region_info(struct mplane_device *device, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = {};
	struct vfio_region_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.cap_offset = 0;
	ret = mplane_region_info(&device->vdev, &info, &caps);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long mplane_ioctl_irq_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long mplane_ioctl_query(struct mplane_device *device, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_gfx_plane_info, dmabuf_id);
	struct vfio_device_gfx_plane_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	mutex_lock(&device->lock);
	ret = mplane_plane_query(device, &info);
	mutex_unlock(&device->lock);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long mplane_ioctl_dmabuf(struct mplane_device *device, u32 __user *arg)
{
	int ret;
	u32 id;

	if (get_user(id, arg))
		return -EFAULT;
	mutex_lock(&device->lock);
	ret = mplane_plane_dmabuf(device, id);
	mutex_unlock(&device->lock);
	return ret;
}

static long mplane_device_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct mplane_device *device = mplane_device_of(vdev);

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return mplane_ioctl_info((void __user *)arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return mplane_ioctl_region_info(device, (void __user *)arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return mplane_ioctl_irq_info((void __user *)arg);
	case VFIO_DEVICE_SET_IRQS:
		return -EINVAL;
	case VFIO_DEVICE_RESET:
		mplane_device_reset(device);
		return 0;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return mplane_ioctl_query(device, (void __user *)arg);
	case VFIO_DEVICE_GET_GFX_DMABUF:
		return mplane_ioctl_dmabuf(device, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* The last two bring their own commas, or nothing. */
/* clang-format off */
static const struct vfio_device_ops mplane_device_ops = {
	.name = "mplane",
	.init = mplane_device_init,
	.release = mplane_device_release,
	.open_device = mplane_device_open,
	.close_device = mplane_device_close,
	.read = mplane_region_read,
	.write = mplane_region_write,
	.ioctl = mplane_device_ioctl,
	.mmap = mplane_region_mmap,
	MPLANE_REGION_INFO_OPS(mplane_region_info)
	MPLANE_IOMMUFD_OPS
};
/* clang-format on */

static int mplane_probe(struct mdev_device *mdev)
{
	struct mplane_device *device;
	int ret;

	device = vfio_alloc_device(mplane_device, vdev, &mdev->dev, &mplane_device_ops);
	if (IS_ERR(device))
		return PTR_ERR(device);
	dev_set_drvdata(&mdev->dev, device);
	ret = vfio_register_emulated_iommu_dev(&device->vdev);
	if (ret)
		vfio_put_device(&device->vdev);
	return ret;
}

static void mplane_remove(struct mdev_device *mdev)
{
	struct mplane_device *device = dev_get_drvdata(&mdev->dev);

	mplane_painter_stop(&device->painter);
	vfio_unregister_group_dev(&device->vdev);
	vfio_put_device(&device->vdev);
}

struct mdev_driver mplane_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = mplane_probe,
	.remove = mplane_remove,
	.get_available = mplane_type_available,
	.show_description = mplane_type_describe,
	.driver.name = "mplane",
	.driver.owner = THIS_MODULE,
	.driver.mod_name = KBUILD_MODNAME,
	.driver.dev_groups = mplane_groups,
};
