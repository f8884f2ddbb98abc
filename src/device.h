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
	DEVICE_SIM,    /* sim[:KEY=VAL,...] */
	DEVICE_VFIO,   /* mdev:UUID or a bare UUID, pci:DDDD:BB:DD.F, a sysfs path, cdev:NODE */
	DEVICE_PID,    /* pid:PID, vm:NAME */
	DEVICE_FD,     /* fd:N */
	DEVICE_REPLAY, /* replay:FILE[,...] */
};

struct device {
	enum device_kind kind;
	char *spec;    /* as typed, for messages */
	char *options; /* sim, replay: what follows the colon, or "" */
	char *name;    /* vfio: UUID or PCI address in lower case, as sysfs and vfio have it */
	pid_t pid;     /* pid: of the process; vm: found by its name */
	int fd;        /* fd */
};

/* -EINVAL, EXIT_USAGE. device_finish() frees what it holds, also after a failure. */
int device_parse(const char *spec, struct device *device, GError **error);
void device_finish(struct device *device);

/* The nodes of a device under /dev/vfio, NULL where it has none. device_nodes_finish() frees. */
struct device_nodes {
	char *group; /* /dev/vfio/GROUP */
	char *cdev;  /* /dev/vfio/devices/vfioN: linux 6.6 and later */
};

/*
 * The nodes of an mdev or PCI device of that vfio name, from sysfs: a container need not have them
 * for a device whose owner is attached. -ENOENT with a line that says
 * what is missing: the device, or the module that would make it.
 */
int device_nodes(const char *name, struct device_nodes *nodes, GError **error);
void device_nodes_finish(struct device_nodes *nodes);

/* The vfio names of the devices behind a node, for g_ptr_array_unref(). Empty: no such node. */
GPtrArray *device_names_of_node(const char *node);

#endif
