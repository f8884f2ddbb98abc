/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device as the user names it (the DEVICE grammar), and what sysfs knows about it. Nothing here
 * opens a device.
 */
#ifndef PLANECAST_DEVICE_H
#define PLANECAST_DEVICE_H

#include <glib.h>
#include <sys/types.h>

enum device_kind {
	DEVICE_SIM,  /* sim[:KEY=VAL,...] */
	DEVICE_VFIO, /* mdev:UUID, or a bare UUID; pci:DDDD:BB:DD.F */
	DEVICE_PID,  /* pid:PID */
};

struct device {
	enum device_kind kind;
	char *spec;    /* as typed, for messages */
	char *options; /* sim: what follows the colon, or "" */
	char *name;    /* vfio: UUID or PCI address in lower case, as sysfs and vfio have it */
	pid_t pid;     /* pid */
};

/* -EINVAL, EXIT_USAGE. device_finish() frees what it holds, also after a failure. */
int device_parse(const char *spec, struct device *device, GError **error);
void device_finish(struct device *device);

/*
 * The IOMMU group of an mdev or PCI device of that vfio name, from sysfs. -ENOENT with a line that
 * says what is missing: the device, or the module that would make it.
 */
int device_group(const char *name, unsigned int *group, GError **error);

/* The vfio names of a group's devices, for g_ptr_array_unref(). NULL if there is no such group. */
GPtrArray *device_group_names(unsigned int group);

#endif
