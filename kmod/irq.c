// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq.h"

#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "device.h"

static void mplane_irq_clear(struct mplane_irq *irq)
{
	if (irq->context) {
		eventfd_ctx_put(irq->context);
		fput(irq->file);
	}
	irq->context = NULL;
	irq->file = NULL;
}

/* Ours is the last reference to the eventfd's file when its owner is gone. */
static bool mplane_irq_live(struct mplane_irq *irq)
{
	return irq->context && file_count(irq->file) > 1;
}

static int mplane_irq_set(struct mplane_irq *irq, int fd)
{
	struct mplane_irq new;

	if (fd == -1) {
		mplane_irq_clear(irq);
		return 0;
	}
	new.file = eventfd_fget(fd);
	if (IS_ERR(new.file))
		return PTR_ERR(new.file);
	new.context = eventfd_ctx_fileget(new.file);
	if (IS_ERR(new.context)) {
		fput(new.file);
		return PTR_ERR(new.context);
	}
	mplane_irq_clear(irq);
	*irq = new;
	return 0;
}

void mplane_irqs_clear(struct mplane_irqs *irqs)
{
	unsigned int i;

	mplane_irq_clear(&irqs->request);
	for (i = 0; i < MPLANE_IRQ_READERS; i++)
		mplane_irq_clear(&irqs->events[i]);
}

bool mplane_irqs_listening(struct mplane_irqs *irqs)
{
	unsigned int i;

	for (i = 0; i < MPLANE_IRQ_READERS; i++)
		if (mplane_irq_live(&irqs->events[i]))
			return true;
	return false;
}

void mplane_irqs_signal(struct mplane_irqs *irqs)
{
	unsigned int i;

	for (i = 0; i < MPLANE_IRQ_READERS; i++)
		if (irqs->events[i].context)
			mplane_compat_eventfd_signal(irqs->events[i].context);
}

void mplane_irqs_request(struct mplane_irqs *irqs)
{
	if (irqs->request.context)
		mplane_compat_eventfd_signal(irqs->request.context);
}

static unsigned int mplane_irq_count(u32 index)
{
	if (index == VFIO_PCI_REQ_IRQ_INDEX)
		return 1;
	return index == MPLANE_IRQ_EVENT ? MPLANE_IRQ_READERS : 0;
}

long mplane_irq_ioctl_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= MPLANE_NUM_IRQS)
		return -EINVAL;
	/* As vfio-pci says of a device that is not PCI Express. */
	if (info.index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;
	info.count = mplane_irq_count(info.index);
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD : 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/* A reader may not take what another one uses. */
static int mplane_irq_set_eventfds(struct mplane_irq *irqs, const struct vfio_irq_set *set,
				   const s32 *fds, bool exclusive)
{
	u32 i;
	int ret;

	for (i = 0; exclusive && i < set->count; i++)
		if (fds[i] != -1 && mplane_irq_live(&irqs[set->start + i]))
			return -EBUSY;
	for (i = 0; i < set->count; i++) {
		ret = mplane_irq_set(&irqs[set->start + i], fds[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int mplane_irq_set_locked(struct mplane_device *device, const struct vfio_irq_set *set,
				 const void *data)
{
	bool event = set->index == MPLANE_IRQ_EVENT;
	struct mplane_irq *irqs = event ? device->irqs.events : &device->irqs.request;
	u32 i;

	if ((set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != VFIO_IRQ_SET_ACTION_TRIGGER)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return mplane_irq_set_eventfds(irqs, set, data, event);
	if (set->flags & VFIO_IRQ_SET_DATA_NONE && !set->count) {
		for (i = 0; i < mplane_irq_count(set->index); i++)
			mplane_irq_clear(&irqs[i]);
		return 0;
	}
	for (i = 0; i < set->count; i++) {
		struct mplane_irq *irq = &irqs[set->start + i];

		if (set->flags & VFIO_IRQ_SET_DATA_BOOL && !((const u8 *)data)[i])
			continue;
		if (irq->context)
			mplane_compat_eventfd_signal(irq->context);
	}
	return 0;
}

long mplane_irq_ioctl_set(struct mplane_device *device, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set;
	void *data = NULL;
	size_t size = 0;
	int ret;

	if (copy_from_user(&set, arg, minsz))
		return -EFAULT;
	ret = vfio_set_irqs_validate_and_prepare(&set, mplane_irq_count(set.index), MPLANE_NUM_IRQS,
						 &size);
	if (ret)
		return ret;
	if (size) {
		data = memdup_user(arg + minsz, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	mutex_lock(&device->lock);
	ret = mplane_irq_count(set.index) ? mplane_irq_set_locked(device, &set, data) : -EINVAL;
	if (set.index == MPLANE_IRQ_EVENT)
		mplane_damage_listen(device);
	mutex_unlock(&device->lock);
	kfree(data);
	return ret;
}
