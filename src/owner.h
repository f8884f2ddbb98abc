/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An owner: the process that has a vfio device open (a QEMU), by its group's node or by the
 * device's own, found through /proc. Only descriptors are looked at; nothing is opened or
 * disturbed.
 */
#ifndef PLANECAST_OWNER_H
#define PLANECAST_OWNER_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct owner {
	pid_t pid;
	int fd;        /* the number in that process */
	char node[48]; /* what it is: /dev/vfio/GROUP, or /dev/vfio/devices/vfioN */
};

/*
 * Who has one of the nodes (NULL at the end) open. 0; -ENOENT: nobody; -EACCES: nobody that may be
 * looked at, but there are processes that this user may not look at. A device's own node is its
 * owner's only with the iommufd that it is bound to: one who has just attached holds a duplicate
 * of the node as well, and two of those would keep the device from each other for ever.
 */
int owner_find(const char *const *nodes, struct owner *owner);

/* All vfio nodes a process has open, as struct owner; -ESRCH, -EACCES. For g_array_unref(). */
int owner_of_process(pid_t pid, GArray **owners);

/* Everybody who has any vfio node open, as struct owner. */
GArray *owner_all(void);

/*
 * Whether there may be owners that this process could not see whatever its rights are: it is in a
 * PID namespace of its own, as in a container.
 */
bool owner_is_confined(void);

/* Whether this process has CAP_SYS_PTRACE, in its own user namespace. */
bool owner_may_trace(void);

/* Whether it still has it open. */
bool owner_holds(const struct owner *owner);

/* Whether a descriptor of this process, duplicated from it, is of that node. */
bool owner_is_duplicate(const struct owner *owner, int fd);

/* Whether the node is a device's own (cdev), not a group's. */
bool owner_has_cdev(const struct owner *owner);

/* The process's name, unprintable bytes as ?, for g_free(). */
char *owner_command(const struct owner *owner);

#endif
