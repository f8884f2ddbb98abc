/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a frame has moved: rectangles that show exactly what they showed elsewhere when the sinks
 * were told of the frame last. They are copied one after the other, and no one reads what one
 * before it has written.
 */
#ifndef PLANECAST_MOVES_H
#define PLANECAST_MOVES_H

#include <stdint.h>

#include "detile/detile.h"

#define MOVES_MAX 4u

struct move {
	struct detile_rect to; /* inside the frame, as what it came from is */
	int32_t dx, dy;        /* it was at to.x - dx, to.y - dy */
};

struct moves {
	struct move move[MOVES_MAX];
	unsigned int count;
	uint64_t since; /* frame_touched() when the sinks were told last: who read later saw more */
};

/* Where it was. */
static inline struct detile_rect move_from(const struct move *move)
{
	return (struct detile_rect){(uint32_t)((int32_t)move->to.x - move->dx),
				    (uint32_t)((int32_t)move->to.y - move->dy), move->to.width,
				    move->to.height};
}

#endif
