/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The regions of a device's descriptor: their numbers, read, write and mmap. */
#ifndef MPLANE_REGION_H
#define MPLANE_REGION_H

#include <linux/types.h>
#include <linux/vfio.h>

/* Past those of PCI. Programs find them by capabilities and by queries of planes. */
enum {
	MPLANE_REGION_EDID = VFIO_PCI_NUM_REGIONS,
	MPLANE_REGION_DISPLAY, /* the primary plane from its first pixel on; region types */
	MPLANE_REGION_STATUS,
	MPLANE_REGION_CURSOR, /* the cursor plane; region types */
	MPLANE_NUM_REGIONS,
};

struct vfio_device;
struct vfio_info_cap;
struct vfio_region_info;
struct vm_area_struct;

/* Fills flags, size and offset of region info->index, and its capabilities. 0 or -errno. */
int mplane_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		       struct vfio_info_cap *caps);

/* The three calls of vfio_device_ops. */
ssize_t mplane_region_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos);
ssize_t mplane_region_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			    loff_t *ppos);
int mplane_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);

#endif
