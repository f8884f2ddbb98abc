/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_region.h"

#define DAMAGE_RECTS 256u

void vnc_region_add_rect(sraRegionPtr region, int x1, int y1, int x2, int y2)
{
	sraRegionPtr rect = sraRgnCreateRect(x1, y1, x2, y2);

	sraRgnOr(region, rect);
	sraRgnDestroy(rect);
}

static void add_rect(const struct detile_rect *rect, void *data)
{
	vnc_region_add_rect(data, (int)rect->x, (int)rect->y, (int)(rect->x + rect->width),
			    (int)(rect->y + rect->height));
}

static void count_rect(const struct detile_rect *rect, void *data)
{
	(void)rect;
	(*(size_t *)data)++;
}

/* Rectangles of a row from the first to the last: at most one a row of cells. */
struct rows {
	sraRegionPtr region;
	struct detile_rect row;
};

static void add_to_row(const struct detile_rect *rect, void *data)
{
	struct rows *rows = data;
	uint32_t end = rect->x + rect->width;

	if (rows->row.height && rows->row.y == rect->y) {
		rows->row.width = end - rows->row.x;
		return;
	}
	if (rows->row.height)
		add_rect(&rows->row, rows->region);
	rows->row = *rect;
}

void vnc_region_add_damage(sraRegionPtr region, const struct damage *damage)
{
	size_t count = 0;

	damage_each(damage, count_rect, &count);
	if (count > DAMAGE_RECTS) {
		struct rows rows = {.region = region};

		damage_each(damage, add_to_row, &rows);
		add_rect(&rows.row, region);
	} else {
		damage_each(damage, add_rect, region);
	}
}

bool vnc_region_meets(const sraRegion *a, const sraRegion *b)
{
	sraRegionPtr both = sraRgnCreateRgn(a);
	bool some = sraRgnAnd(both, b);

	sraRgnDestroy(both);
	return some;
}
