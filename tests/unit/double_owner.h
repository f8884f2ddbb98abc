/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The double of a process that owns the device, and of what sysfs and /proc tell of it. */
#ifndef PLANECAST_DOUBLE_OWNER_H
#define PLANECAST_DOUBLE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

struct double_owner {
	bool there;                       /* a process has the device's node open */
	bool exited;                      /* and its pidfd says so */
	bool cdev;                        /* its own node, not its group's */
	bool hidden;                      /* there are processes that may not be looked at */
	bool powerless;                   /* and this one has no CAP_SYS_PTRACE */
	bool swapped;                     /* what is duplicated is no longer what was found */
	bool without_group, without_cdev; /* nodes that the device does not have */
	int exits;                        /* eventfd behind the pidfd */
	int64_t now; /* what g_get_monotonic_time() tells: it stands still otherwise */
};

extern struct double_owner double_owner;

void double_owner_init(void);
void double_owner_finish(void);
void double_owner_start(void); /* it has the device open */
void double_owner_exit(void);  /* its pidfd becomes readable, and it holds nothing */

/* A descriptor or -errno. */
int double_pidfd_open(int pid);
int double_pidfd_getfd(int number);

#endif
