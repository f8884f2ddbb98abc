/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio source: the display of a mediated (or any vfio) device, opened or attached to the
 * process that owns it.
 */
#ifndef PLANECAST_SOURCE_VFIO_H
#define PLANECAST_SOURCE_VFIO_H

#include "source.h"

enum source_vfio_policy {
	SOURCE_VFIO_FOLLOW,      /* only ever attach: without an owner there is no signal */
	SOURCE_VFIO_ATTACH_OPEN, /* attach; if it is free, open it */
};

/*
 * name is the mdev's UUID or the PCI address. Looks at the device once: -ENODEV with
 * EXIT_NO_DISPLAY if it has no display, -EACCES with EXIT_REFUSED if it may not be opened. No owner
 * is no failure under SOURCE_VFIO_FOLLOW.
 */
int source_vfio_open(const char *name, enum source_vfio_policy policy, struct source **source,
		     GError **error);

/* The display of an inherited device descriptor, which stays the caller's. */
int source_vfio_adopt(int fd, struct source **source, GError **error);

#endif
