/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio source: the display of a mediated (or any vfio) device, opened or attached to the
 * process that owns it.
 */
#ifndef PLANECAST_SOURCE_VFIO_H
#define PLANECAST_SOURCE_VFIO_H

#include "reach.h"
#include "source.h"

/*
 * name is the mdev's UUID or the PCI address, policy an enum source_vfio_policy. Looks at the
 * device once: -ENODEV with EXIT_NO_DISPLAY if it has no display, -EACCES with EXIT_REFUSED if it
 * may not be opened. No owner is no failure under SOURCE_VFIO_FOLLOW.
 */
int source_vfio_open(const char *name, unsigned int policy, struct source **source, GError **error);

/* The display of an inherited device descriptor, which stays the caller's. */
int source_vfio_adopt(int fd, struct source **source, GError **error);

#endif
