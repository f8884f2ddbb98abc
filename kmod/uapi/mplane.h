/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * What user space may know about an mplane device beyond <linux/vfio.h>. doc/mplane.md explains.
 */
#ifndef UAPI_MPLANE_H
#define UAPI_MPLANE_H

/* The identity that a guest sees: a bochs-display. */
#define MPLANE_PCI_VENDOR           0x1234
#define MPLANE_PCI_DEVICE           0x1111
#define MPLANE_PCI_SUBSYSTEM_VENDOR 0x1af4
#define MPLANE_PCI_SUBSYSTEM_DEVICE 0x1100

/*
 * Regions past those of PCI, for a reader of this source only: programs ask
 * VFIO_DEVICE_GET_REGION_INFO and VFIO_DEVICE_QUERY_GFX_PLANE.
 */
#define MPLANE_REGION_DISPLAY 10 /* the scanout from its first pixel on, read-only */
#define MPLANE_NUM_REGIONS    11

#endif
