/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * What user space may know about an mplane device beyond <linux/vfio.h>: the status region and
 * the event. doc/mplane.md explains how to use them.
 */
#ifndef UAPI_MPLANE_H
#define UAPI_MPLANE_H

#include <linux/types.h>

/* The identity that a guest sees: a bochs-display. */
#define MPLANE_PCI_VENDOR           0x1234
#define MPLANE_PCI_DEVICE           0x1111
#define MPLANE_PCI_SUBSYSTEM_VENDOR 0x1af4
#define MPLANE_PCI_SUBSYSTEM_DEVICE 0x1100

/*
 * The status region is the one whose VFIO_REGION_INFO_CAP_TYPE says
 * (VFIO_REGION_TYPE_PCI_VENDOR_TYPE | MPLANE_PCI_VENDOR, MPLANE_REGION_SUBTYPE_STATUS). Its first
 * page is struct mplane_status and can be mapped, read-only.
 */
#define MPLANE_REGION_SUBTYPE_STATUS 1

#define MPLANE_STATUS_MAGIC   0x6e6c706d /* "mpln" */
#define MPLANE_STATUS_VERSION 1
#define MPLANE_STATUS_RING    64

/* Offset in the region at which a write of exactly eight bytes asks for a snapshot. */
#define MPLANE_STATUS_REQUEST 0x1000

/*
 * flags: somebody has an eventfd set, so that all damage appears without being asked for. Clear:
 * the page is true as of the last request.
 */
#define MPLANE_STATUS_TRACKED (1u << 0)
/* flags: the device is wanted back; whoever has it open should close it. */
#define MPLANE_STATUS_LEAVING (1u << 1)

/* Pixels of the primary plane that may differ from before; inside the plane. */
struct mplane_status_damage {
	__u64 number; /* counts from 0 */
	__u32 x, y, width, height;
};

struct mplane_status {
	__u32 magic;
	__u32 version;
	__u32 size;  /* of this structure, bytes; only ever grows within a version */
	__u32 lock;  /* odd while the rest is written, another even number afterwards */
	__u32 event; /* index of the event's interrupt, for VFIO_DEVICE_SET_IRQS */
	__u32 flags;
	/* The primary plane as VFIO_DEVICE_QUERY_GFX_PLANE tells it; all zero while it is off. */
	__u32 format;
	__u32 width;
	__u32 height;
	__u32 stride;
	__u64 modifier;
	__u64 generation; /* changes when the plane is another one: mode, buffer, on and off */
	__u64 cursor;     /* changes when the cursor plane moves, changes shape, comes or goes */
	__u64 request;    /* the last number written to MPLANE_STATUS_REQUEST */
	__u64 complete;   /* the request up to which all is done */
	__u64 sequence;   /* damage records written so far: the next one gets this number */
	/* Record n is ring[n % 64]; whoever is more than 64 behind takes the whole plane. */
	struct mplane_status_damage ring[MPLANE_STATUS_RING];
};

#endif
