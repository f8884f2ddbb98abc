// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "dirty.h"
#include "dmabuf.h"
#include "memory.h"
#include "region.h"
#include "sysfs.h"
#include "types.h"

static struct mplane_device *mplane_device_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct mplane_device, vdev);
}

/* Memory of the device, made before it is put in. */
struct mplane_fresh {
	struct mplane_memory *vram;
	struct mplane_buffer *bar, *window;
	struct mplane_status_region status;
};

static void mplane_fresh_destroy(struct mplane_fresh *fresh)
{
	mplane_status_destroy(&fresh->status);
	mplane_buffer_release(fresh->window);
	mplane_buffer_release(fresh->bar);
	mplane_memory_release(fresh->vram);
}

static int mplane_fresh_create(struct mplane_fresh *fresh)
{
	int ret;

	fresh->vram = mplane_memory_create(mplane_vram_size());
	if (!fresh->vram)
		return -ENOMEM;
	ret = mplane_buffer_create(fresh->vram, 0, fresh->vram->count, MPLANE_BUFFER_WRITABLE,
				   &fresh->bar);
	if (ret)
		return ret;
	ret = mplane_buffer_create(fresh->vram, 0, fresh->vram->count, 0, &fresh->window);
	return ret ?: mplane_status_create(&fresh->status);
}

/* Puts new, black memory into the device. 0, or -errno and the old one stays. */
static int mplane_device_renew(struct mplane_device *device)
{
	struct mplane_fresh fresh = {};
	int ret;

	ret = mplane_fresh_create(&fresh);
	if (!ret) {
		mutex_lock(&device->lock);
		if (device->bar)
			mplane_dirty_listen(device->bar->dirty, NULL, NULL);
		mplane_planes_forget(&device->planes);
		mplane_scanout_forget(device);
		swap(device->vram, fresh.vram);
		swap(device->bar, fresh.bar);
		swap(device->window, fresh.window);
		swap(device->status, fresh.status);
		mutex_unlock(&device->lock);
	}
	mplane_fresh_destroy(&fresh);
	return ret;
}

/* As after power on, but for the monitor, the painter and video memory. */
static void mplane_device_reset(struct mplane_device *device)
{
	mutex_lock(&device->lock);
	mplane_config_reset(&device->config, mplane_vram_size(), MPLANE_MMIO_SIZE);
	mplane_mmio_reset(&device->mmio, mplane_vram_size());
	mplane_scanout_update(device);
	mutex_unlock(&device->lock);
}

static void mplane_device_finish(struct mplane_device *device)
{
	struct mplane_fresh own = {device->vram, device->bar, device->window, device->status};

	mplane_damage_stop(device);
	mplane_irqs_clear(&device->irqs);
	mplane_planes_forget(&device->planes);
	mplane_scanout_forget(device);
	mplane_cursor_destroy(&device->cursor);
	mplane_fresh_destroy(&own);
	mplane_damage_finish(device);
	mplane_painter_finish(&device->painter);
	mutex_destroy(&device->lock);
	mplane_budget_give(device->type);
}

static int mplane_device_init(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);
	int ret;

	device->type = mplane_type_of(to_mdev_device(vdev->dev)->type);
	ret = mplane_budget_take(device->type);
	if (ret)
		return ret;
	mutex_init(&device->lock);
	mplane_planes_init(&device->planes);
	mplane_quirks_init(&device->quirks);
	mplane_edid_reset(&device->edid);
	mplane_edid_show(&device->edid, device->mmio.edid);
	ret = mplane_damage_init(device);
	ret = mplane_painter_init(&device->painter) ?: ret;
	ret = ret ?: mplane_cursor_create(&device->cursor);
	ret = ret ?: mplane_device_renew(device);
	if (ret) {
		mplane_device_finish(device);
		return ret;
	}
	mplane_device_reset(device);
	return 0;
}

static void mplane_device_release(struct vfio_device *vdev)
{
	mplane_device_finish(mplane_device_of(vdev));
	mplane_compat_free(vdev);
}

static int mplane_device_open(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);
	int ret;

	if (READ_ONCE(device->quirks.require_kvm) && !vdev->kvm)
		return -ESRCH;
	ret = mplane_device_renew(device);
	if (ret)
		return ret;
	mplane_device_reset(device);
	mutex_lock(&device->lock);
	mplane_edid_reset(&device->edid);
	mplane_edid_show(&device->edid, device->mmio.edid);
	mplane_painter_redraw(device);
	mplane_status_publish(device, NULL, 0);
	mutex_unlock(&device->lock);
	return 0;
}

static void mplane_device_close(struct vfio_device *vdev)
{
	struct mplane_device *device = mplane_device_of(vdev);

	mutex_lock(&device->lock);
	mplane_irqs_clear(&device->irqs);
	mplane_damage_listen(device);
	mplane_planes_forget(&device->planes);
	mutex_unlock(&device->lock);
}

/* The device is to be removed: called at once, then again every ten seconds until it is closed. */
static void mplane_device_request(struct vfio_device *vdev, unsigned int count)
{
	struct mplane_device *device = mplane_device_of(vdev);

	mutex_lock(&device->lock);
	mplane_irqs_request(&device->irqs);
	mplane_status_leaving(device);
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
	info.num_irqs = MPLANE_NUM_IRQS;
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
	if (!ret && caps.size) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = sizeof(info) + caps.size;
		} else {
			vfio_info_cap_shift(&caps, sizeof(info));
			info.cap_offset = sizeof(info);
			if (copy_to_user(arg + sizeof(info), caps.buf, caps.size))
				ret = -EFAULT;
		}
	}
	kfree(caps.buf);
	if (ret)
		return ret;
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
		return mplane_irq_ioctl_info((void __user *)arg);
	case VFIO_DEVICE_SET_IRQS:
		return mplane_irq_ioctl_set(device, (void __user *)arg);
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
	.request = mplane_device_request,
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
