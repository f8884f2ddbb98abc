/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts, as eventfds: VFIO_PCI_REQ_IRQ_INDEX (the device is wanted back) and, past those of
 * PCI, the event (damage, another plane, the cursor). The event has as many subindexes as it can
 * have readers: each takes a free one. One whose eventfd nobody else has open any more is free.
 * All under the device's lock.
 */
#ifndef MPLANE_IRQ_H
#define MPLANE_IRQ_H

#include <linux/vfio.h>

struct eventfd_ctx;
struct file;
struct mplane_device;

#define MPLANE_IRQ_EVENT VFIO_PCI_NUM_IRQS
#define MPLANE_NUM_IRQS  (MPLANE_IRQ_EVENT + 1)

#define MPLANE_IRQ_READERS 16

struct mplane_irq {
	struct file *file;
	struct eventfd_ctx *context;
};

struct mplane_irqs {
	struct mplane_irq request;
	struct mplane_irq events[MPLANE_IRQ_READERS];
};

void mplane_irqs_clear(struct mplane_irqs *irqs);
bool mplane_irqs_listening(struct mplane_irqs *irqs);
void mplane_irqs_signal(struct mplane_irqs *irqs);  /* the event */
void mplane_irqs_request(struct mplane_irqs *irqs); /* the device is wanted back */

/* VFIO_DEVICE_GET_IRQ_INFO and VFIO_DEVICE_SET_IRQS; they take the device's lock themselves. */
long mplane_irq_ioctl_info(void __user *arg);
long mplane_irq_ioctl_set(struct mplane_device *device, void __user *arg);

#endif
