/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open vfio device: opened through its group, or duplicated from the process that owns it; and
 * its ioctls, typed. Source of the interface: linux include/uapi/linux/vfio.h.
 */
#ifndef PLANECAST_VFIO_H
#define PLANECAST_VFIO_H

#include <glib.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "kvm.h"
#include "owner.h"
#include "plane.h"

struct vfio {
	int device;     /* the device's descriptor, -1 while closed */
	int group;      /* -1 unless opened through its group */
	int container;  /* of the group; or the iommufd of a device opened through its own node */
	struct kvm kvm; /* where the driver wants a machine, else closed */
	int pidfd;      /* of the owner when attached, else -1; readable when the owner exits */
	struct owner owner;
};

/* A closed one: what vfio_close() leaves and takes any number of times. */
#define VFIO_CLOSED                                                                        \
	(struct vfio)                                                                      \
	{                                                                                  \
		.device = -1, .group = -1, .container = -1, .kvm = KVM_CLOSED, .pidfd = -1 \
	}

/*
 * Opens a device that nobody owns: through its legacy group with a container of its own, so that
 * every kernel from 5.10 works, or, where there is no such group, through its own node and iommufd
 * (linux 6.6, Documentation/driver-api/vfio.rst, "VFIO Device cdev Example"). name is the mdev's
 * UUID or the PCI address. A driver that answers -ESRCH gets a KVM machine. -EBUSY: it has an
 * owner; -EACCES; -ENODEV: no vfio here.
 */
int vfio_open(const char *name, const struct device_nodes *nodes, struct vfio *vfio,
	      GError **error);

/*
 * Duplicates the device from its owner. The owner's group is asked for the device by name, so that
 * it is this device and no other; an owner that opened the device's own node has just that. The
 * descriptor keeps the device busy after the owner's exit: watch vfio.pidfd and owner_holds(), and
 * close at once. -EACCES: needs CAP_SYS_PTRACE; -ESRCH: the owner is gone.
 */
int vfio_attach(const char *name, const struct owner *owner, struct vfio *vfio, GError **error);

/*
 * Has the driver signal an eventfd at an interrupt's place, or (-1) no longer; it keeps what it was
 * given until then, or until the device closes. -errno.
 */
int vfio_set_event(int device, uint32_t index, uint32_t place, int fd);

/*
 * An eventfd that the driver signals when it wants the device back (VFIO_PCI_REQ_IRQ_INDEX): for a
 * device that was opened, never for an attached one, whose owner has set its own. -errno.
 */
int vfio_request_event(const struct vfio *vfio);

/* Takes an inherited device descriptor over. -ENODEV: it is not one. */
int vfio_adopt(int fd, struct vfio *vfio, GError **error);

void vfio_close(struct vfio *vfio);

/* Whether the plane can be had as a region or dma-buf: VFIO_GFX_PLANE_TYPE_{REGION,DMABUF}. */
bool vfio_probe(const struct vfio *vfio, enum plane_type type, uint32_t transport);

/*
 * The plane as it is now, by that transport; -errno as the driver gave it, the second time where
 * the first may be of the moment. The numbers are the guest's: nothing in them is checked.
 */
int vfio_query_plane(const struct vfio *vfio, enum plane_type type, uint32_t transport,
		     struct vfio_device_gfx_plane_info *info);

/* The dma-buf of an id: a new descriptor each time, or -errno. To be called once for each id. */
int vfio_get_dmabuf(const struct vfio *vfio, uint32_t id);

/* Offset, size and flags of a region, whatever its index. */
int vfio_region_info(const struct vfio *vfio, uint32_t index, struct vfio_region_info *info);

/*
 * The region that calls itself of this type and subtype (VFIO_REGION_INFO_CAP_TYPE), among those
 * that the device counts; -ENOENT.
 */
int vfio_find_region(const struct vfio *vfio, uint32_t type, uint32_t subtype,
		     struct vfio_region_info *info);

/* Reads all of it from the region's start; -EIO where it is shorter. */
int vfio_region_read(const struct vfio *vfio, const struct vfio_region_info *region, void *data,
		     size_t size);

/* Writes all of it at an offset of the region; -EIO where it is shorter. */
int vfio_region_write(const struct vfio *vfio, const struct vfio_region_info *region,
		      uint64_t offset, const void *data, size_t size);

/* Reads all of it from an offset of a device descriptor; -EIO where it ends before. */
int vfio_read(int fd, uint64_t offset, void *data, size_t size);

#endif
