/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The double of a vfio device, and of the KVM and iommufd that it is opened with. */
#ifndef PLANECAST_DOUBLE_VFIO_H
#define PLANECAST_DOUBLE_VFIO_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmod/uapi/mplane.h"

#define DOUBLE_NAME       "11111111-2222-3333-4444-555555555555"
#define DOUBLE_GROUP_NODE "/dev/vfio/42"
#define DOUBLE_CDEV_NODE  "/dev/vfio/devices/vfio0"

#define DOUBLE_REGIONS    32
#define DOUBLE_REGION_BIT 24 /* a region lies at its index << this in the device's memory */

struct double_device {
	int memory;             /* a memfd, all regions of the device */
	uint8_t *bytes;         /* of it, writable */
	bool wants_kvm;         /* opens only with a machine: -ESRCH */
	bool has_request;       /* it says when it wants the device back: */
	int request;            /* by that eventfd, the library's */
	int event;              /* of its status page: the library's eventfd, or -1 */
	void (*on_event)(void); /* when one is set, before that is answered; NULL: nothing */
	uint32_t probes;        /* the transports that it says yes to */
	uint32_t counted;       /* num_regions */
	struct {
		uint64_t size;   /* 0: there is no such region */
		uint64_t offset; /* where it says that it is */
		const void *caps;
		uint32_t caps_size;   /* follows the struct */
		uint32_t first_cap;   /* cap_offset */
		uint32_t answer_size; /* argsz of the answer, 0: as large as it is */
	} regions[DOUBLE_REGIONS];
	struct vfio_device_gfx_plane_info primary, cursor; /* zero: off */
	/* What a query answers instead; 0 or -errno. */
	int (*query)(struct vfio_device_gfx_plane_info *info);
	bool ungettable; /* ids are not to be got: nothing leaks for that */
	uint64_t dmabuf_size;
	void (*fill)(uint32_t id, uint8_t *bytes); /* of a new dma-buf; NULL: zero */
};

extern struct double_device double_device;

/* A device without a display, with one group and one node. Ends with double_device_finish(). */
void double_device_init(void);
void double_device_finish(void);

/* 640x480 XR24 as region 16, or as dma-buf 1, of that modifier. */
void double_device_show(uint32_t transport, uint64_t modifier);

/* Makes it a bochs-display whose 640x480 scanout starts there in its video memory. */
void double_device_plug_bochs(uint16_t x_offset, uint16_t y_offset);

/* Gives it mplane's status region and event; the page, which tells of no damage. */
struct mplane_status *double_device_plug_status(void);

/* How often the dma-buf of an id was got; how many ids were named by a query that nobody tried to
 * get. */
unsigned int double_device_got(uint32_t id);
unsigned int double_device_ungot(void);

/* 0 or more, or -errno. */
int double_vfio_ioctl(int fd, unsigned long request, void *argument);

#endif
