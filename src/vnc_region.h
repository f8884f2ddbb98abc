/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a frame as libvncserver's regions. */
#ifndef PLANECAST_VNC_REGION_H
#define PLANECAST_VNC_REGION_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "damage.h"

/* x2 and y2 are the first beyond it. */
void vnc_region_add_rect(sraRegionPtr region, int x1, int y1, int x2, int y2);

/* Damage that is scattered is taken by rows of cells, from the first to the last. */
void vnc_region_add_damage(sraRegionPtr region, const struct damage *damage);

bool vnc_region_meets(const sraRegion *a, const sraRegion *b);

#endif
