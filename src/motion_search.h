/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for what of a picture has moved since an earlier one: text that scrolled, by any number of
 * rows, and windows that went anywhere. Pure; what it finds is compared pixel by pixel.
 *
 * Anchors, short pieces of rows with some pattern in them, are taken from what changed and looked
 * for in the earlier picture: where the last shift has them, in their column, and at last
 * everywhere. The shift that most of them agree in is then tried for the rectangles around them.
 */
#ifndef PLANECAST_MOTION_SEARCH_H
#define PLANECAST_MOTION_SEARCH_H

#include <stdbool.h>

#include "damage.h"
#include "frame.h"
#include "moves.h"

#define MOTION_CELLS 8u /* fewer changed cells are sent sooner than looked through */

struct motion_shift {
	int32_t dx, dy;
};

/*
 * Both frames have one size; `changed` has all cells that differ. *shift is what was found last
 * time, and becomes what is found now. Adds to moves, which are empty. The X bytes mean nothing.
 */
void motion_search(const struct frame *before, const struct frame *after,
		   const struct damage *changed, struct motion_shift *shift, struct moves *moves);

#endif
