/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways of other vendors' drivers, switched on for a device by files in sysfs, whose defaults
 * are the module's parameters of the same names. Under the device's lock.
 */
#ifndef MPLANE_QUIRKS_H
#define MPLANE_QUIRKS_H

#include <linux/types.h>

struct attribute_group;

#define MPLANE_MAX_FLIPS 8u

struct mplane_quirks {
	unsigned int require_kvm;       /* opening without KVM gives -ESRCH (GVT-g) */
	unsigned int no_cpu_map;        /* mapping a dma-buf gives -ENODEV (GVT-g) */
	unsigned int plane_off;         /* primary plane off: 1 by zeros, 2 by -ENODEV (GVT-g) */
	unsigned int first_query_fails; /* -ENOMEM once after each change of the plane (mbochs) */
	unsigned int pull_only;         /* the picture is taken at a query only (NVIDIA) */
	unsigned int flips;             /* each picture goes to the next of so many buffers */
};

void mplane_quirks_init(struct mplane_quirks *quirks);

extern const struct attribute_group mplane_quirks_group;

#endif
