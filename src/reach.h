/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reaching a vfio device: duplicating it from the process that owns it, or opening it. That takes
 * rights (CAP_SYS_PTRACE over the owner, the nodes under /dev/vfio) which nothing else does: so it
 * can be done by a broker, and the process that faces guests and clients gives them up.
 */
#ifndef PLANECAST_REACH_H
#define PLANECAST_REACH_H

#include "vfio.h"

enum source_vfio_policy {
	SOURCE_VFIO_FOLLOW = 0,      /* only ever attach: without an owner there is no signal */
	SOURCE_VFIO_ATTACH_OPEN = 1, /* attach; if it is free, open it */
	SOURCE_VFIO_APART = 2,       /* a flag: by a broker, which is forked at once */
};

struct reach {
	char *name; /* the mdev's UUID or the PCI address */
	unsigned int policy;
	struct owner owner;    /* the last one; pid 0 if there was none */
	struct broker *broker; /* NULL: this process does it */
};

/* -errno if there can be no broker. To be called before there are other threads if it is APART. */
int reach_init(struct reach *reach, const char *name, unsigned int policy, GError **error);
void reach_finish(struct reach *reach); /* a zeroed one, too */

/*
 * The device, as vfio_attach() or vfio_open() give it. -ENODEV with EXIT_REFUSED: nobody owns it,
 * and it is only to be followed; -EACCES: this user cannot see its owner. A broker that does not
 * answer in time, or has ended, is an error too: -ETIMEDOUT, -EPIPE.
 */
int reach_device(struct reach *reach, struct vfio *vfio, GError **error);

/* Whether the owner that it was duplicated from still has it open. */
bool reach_holds(struct reach *reach);

/*
 * Where a broker does it: a descriptor that can be read when the owner has let the device go, as
 * reach_lost() says then, which may also be that it was something else; until reach_rest(). Else
 * -1: who wants to know has to ask from time to time.
 */
int reach_watch(struct reach *reach);
bool reach_lost(struct reach *reach);
void reach_rest(struct reach *reach);

#endif
