/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of device that can be created, and the memory that they may use together. A type's
 * name ends in the number of its guest ABI: it is raised only when a guest would see a difference.
 */
#ifndef MPLANE_TYPES_H
#define MPLANE_TYPES_H

#include <linux/mdev.h>

#include "detile/layout.h"

enum mplane_transport {
	MPLANE_REGION,
	MPLANE_DMABUF,
};

struct mplane_type {
	struct mdev_type mdev;
	enum mplane_transport transport;
	enum detile_layout layout;
	u64 modifier; /* of the same layout, drm_fourcc.h */
};

extern struct mdev_type *mplane_types[];
extern const unsigned int mplane_types_count;

static inline const struct mplane_type *mplane_type_of(struct mdev_type *mdev)
{
	return container_of(mdev, struct mplane_type, mdev);
}

/* Checks the module's parameters; -EINVAL and a line in the log. */
int mplane_types_check(void);

size_t mplane_vram_size(void); /* bytes of video memory a device, a power of two */

/* The largest of the usual modes that fits, 32 bits a pixel. */
void mplane_max_mode(u32 *width, u32 *height);

/* Takes a device's memory from the budget, or -ENOSPC; and gives it back. */
int mplane_budget_take(const struct mplane_type *type);
void mplane_budget_give(const struct mplane_type *type);

void mplane_budget_check(void); /* at unloading: warns of what nobody gave back */

/* Callbacks of the mdev core. */
unsigned int mplane_type_available(struct mdev_type *mdev);
ssize_t mplane_type_describe(struct mdev_type *mdev, char *buf);

#endif
