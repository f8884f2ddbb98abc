/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An owner: the process that has a vfio group open (a QEMU), found through /proc. Only the owner's
 * descriptors are looked at; nothing is opened or disturbed.
 */
#ifndef PLANECAST_OWNER_H
#define PLANECAST_OWNER_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct owner {
	pid_t pid;
	unsigned int group; /* IOMMU group, as in /dev/vfio/GROUP */
	int group_fd;       /* the number in that process */
};

/*
 * Who has the group open. 0; -ENOENT: nobody; -EACCES: nobody that may be looked at, but there are
 * processes that this user may not look at.
 */
int owner_find(unsigned int group, struct owner *owner);

/* All groups a process has open, as struct owner; -ESRCH, -EACCES. For g_array_unref(). */
int owner_of_process(pid_t pid, GArray **owners);

/* Everybody who has any group open, as struct owner. */
GArray *owner_all(void);

/* Whether it still has the group open. */
bool owner_holds(const struct owner *owner);

/* The process's name, for g_free(). */
char *owner_command(const struct owner *owner);

#endif
