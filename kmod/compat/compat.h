/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything in which the kernels that mplane supports (6.1 and newer) differ. The rest of the
 * module knows no version; features.mk finds out what the headers have.
 */
#ifndef MPLANE_COMPAT_H
#define MPLANE_COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vfio.h>

/* 6.12: moved out of asm/. */
#ifdef MPLANE_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* 6.13: the name space is a string. */
#ifdef MPLANE_HAVE_BARE_IMPORT_NS
#define MPLANE_IMPORT_DMA_BUF() MODULE_IMPORT_NS(DMA_BUF)
#else
#define MPLANE_IMPORT_DMA_BUF() MODULE_IMPORT_NS("DMA_BUF")
#endif

/* 6.3: vm_flags is written through helpers that hold the VMA's lock. */
#ifndef MPLANE_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* 6.8: an event counts one. */
static inline void mplane_compat_eventfd_signal(struct eventfd_ctx *context)
{
#ifdef MPLANE_HAVE_EVENTFD_SIGNAL_N
	eventfd_signal(context, 1);
#else
	eventfd_signal(context);
#endif
}

/* 6.1 to 6.4: the driver frees what vfio_alloc_device() gave; later the core does. */
static inline void mplane_compat_free(struct vfio_device *vdev)
{
#ifdef MPLANE_HAVE_VFIO_FREE_DEVICE
	vfio_free_device(vdev);
#endif
}

/* 6.2: a device without an IOMMU of its own says how it joins an iommufd; 6.6: and leaves it. */
#ifdef MPLANE_HAVE_IOMMUFD_BIND
#define MPLANE_IOMMUFD_BIND_OPS                         \
	.bind_iommufd = vfio_iommufd_emulated_bind,     \
	.unbind_iommufd = vfio_iommufd_emulated_unbind, \
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
#else
#define MPLANE_IOMMUFD_BIND_OPS
#endif
#ifdef MPLANE_HAVE_IOMMUFD_DETACH
#define MPLANE_IOMMUFD_OPS MPLANE_IOMMUFD_BIND_OPS.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#else
#define MPLANE_IOMMUFD_OPS MPLANE_IOMMUFD_BIND_OPS
#endif

/* 6.19: the core unpacks VFIO_DEVICE_GET_REGION_INFO and asks for the region's numbers. */
#ifdef MPLANE_HAVE_REGION_INFO_CAPS
#define MPLANE_REGION_INFO_OPS(function) .get_region_info_caps = function,
#else
#define MPLANE_REGION_INFO_OPS(function)
#endif

#endif
