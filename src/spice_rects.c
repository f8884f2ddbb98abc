/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_rects.h"

#include <stdbool.h>

#include "detile/detile.h"

struct bounds {
	uint32_t left, top, right, bottom; /* right 0: empty */
};

static void extend(struct bounds *bounds, const struct detile_rect *rect, uint32_t top,
		   uint32_t bottom)
{
	bool empty = !bounds->right;

	bounds->left = empty ? rect->x : MIN(bounds->left, rect->x);
	bounds->top = empty ? top : MIN(bounds->top, top);
	bounds->right = MAX(bounds->right, rect->x + rect->width);
	bounds->bottom = MAX(bounds->bottom, bottom);
}

/* In the horizontal bands that it lies in. */
static void spread(struct bounds *bounds, uint32_t band, const struct detile_rect *rect)
{
	uint32_t end = rect->y + rect->height, next;

	for (uint32_t y = rect->y; y < end; y = next) {
		next = MIN((y / band + 1) * band, end);
		extend(&bounds[y / band], rect, y, next);
	}
}

void spice_rects_join(GArray *rects, uint32_t height)
{
	struct bounds bounds[SPICE_RECTS_MOST] = {{0}};
	uint32_t rows = (height + DETILE_CELL_HEIGHT - 1) / DETILE_CELL_HEIGHT,
		 band = (rows + SPICE_RECTS_MOST - 1) / SPICE_RECTS_MOST * DETILE_CELL_HEIGHT;

	if (rects->len <= SPICE_RECTS_MOST)
		return;
	for (guint i = 0; i < rects->len; i++)
		spread(bounds, band, &g_array_index(rects, struct detile_rect, i));
	g_array_set_size(rects, 0);
	for (unsigned int i = 0; i < SPICE_RECTS_MOST; i++) {
		struct detile_rect rect = {bounds[i].left, bounds[i].top,
					   bounds[i].right - bounds[i].left,
					   bounds[i].bottom - bounds[i].top};

		if (bounds[i].right)
			g_array_append_val(rects, rect);
	}
}
