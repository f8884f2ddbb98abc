/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls that this process still has: a seccomp filter, by libseccomp. Whatever is not on
 * the list fails with ENOSYS, as on a kernel without it; no program is started, no other process
 * looked into, no namespace made, no socket opened but unix, IP and netlink ones, and ioctl() is
 * for vfio, dma-bufs, DRM, input devices and the few of sockets and terminals.
 *
 * For good, and for all threads.
 */
#ifndef PLANECAST_CALLS_H
#define PLANECAST_CALLS_H

#include <glib.h>

enum calls {
	CALLS_SERVER,
	CALLS_BROKER, /* and pidfd_open(), pidfd_getfd(), ioctl() on KVM; no sockets of its own */
};

/* -errno with a line: a kernel without seccomp, or somebody's filter that forbids one. */
int calls_restrict(enum calls calls, GError **error);

#endif
