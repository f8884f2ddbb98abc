/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damage: which cells of 64x32 pixels of a frame changed, as a bitmap in the form that detile/
 * writes. Rectangles are in pixels, clipped to the frame.
 */
#ifndef PLANECAST_DAMAGE_H
#define PLANECAST_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detile/detile.h"

struct damage {
	uint32_t width, height; /* of the frame, pixels */
	struct detile_cells cells;
	uint32_t columns, rows; /* of cells */
};

int damage_init(struct damage *damage, uint32_t width, uint32_t height); /* empty; -ENOMEM */
void damage_finish(struct damage *damage);                               /* takes a zeroed one */
void damage_clear(struct damage *damage);
void damage_add(struct damage *damage, const struct detile_rect *rect); /* clips */
void damage_add_all(struct damage *damage);
void damage_merge(struct damage *damage, const struct damage *other); /* of one size */
bool damage_is_empty(const struct damage *damage);
size_t damage_count(const struct damage *damage); /* cells */

/*
 * The damage as rectangles that do not overlap, top to bottom, rows of equal spans joined. Calls
 * each() for every one; returns how many.
 */
size_t damage_each(const struct damage *damage,
		   void (*each)(const struct detile_rect *rect, void *data), void *data);

#endif
