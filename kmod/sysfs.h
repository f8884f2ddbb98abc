/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a device in sysfs, one value each. */
#ifndef MPLANE_SYSFS_H
#define MPLANE_SYSFS_H

struct attribute_group;

extern const struct attribute_group *mplane_groups[];

#endif
