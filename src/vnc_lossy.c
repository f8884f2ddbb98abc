/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_lossy.h"

#include <glib.h>

#include "tight.h"

#define TILE_COLUMNS (TIGHT_WIDTH / DETILE_CELL_WIDTH)
#define TILE_ROWS    (TIGHT_HEIGHT / DETILE_CELL_HEIGHT)

void vnc_lossy_renew(struct vnc_lossy *lossy, uint32_t width, uint32_t height)
{
	vnc_lossy_finish(lossy);
	lossy->width = width;
	lossy->height = height;
	lossy->columns = (width - 1) / DETILE_CELL_WIDTH + 1;
	lossy->rows = (height - 1) / DETILE_CELL_HEIGHT + 1;
	lossy->since = g_new(int64_t, (gsize)lossy->columns * lossy->rows);
	for (size_t i = 0; i < (size_t)lossy->columns * lossy->rows; i++)
		lossy->since[i] = VNC_LOSSY_NEVER;
}

void vnc_lossy_finish(struct vnc_lossy *lossy)
{
	g_free(lossy->since);
	*lossy = (struct vnc_lossy){.oldest = VNC_LOSSY_NEVER};
}

static int64_t *cell(const struct vnc_lossy *lossy, uint32_t column, uint32_t row)
{
	return &lossy->since[(size_t)row * lossy->columns + column];
}

void vnc_lossy_add(struct vnc_lossy *lossy, const struct detile_rect *rect, int64_t now)
{
	uint32_t right = (rect->x + rect->width - 1) / DETILE_CELL_WIDTH;
	uint32_t bottom = (rect->y + rect->height - 1) / DETILE_CELL_HEIGHT;

	for (uint32_t row = rect->y / DETILE_CELL_HEIGHT; row <= bottom; row++)
		for (uint32_t column = rect->x / DETILE_CELL_WIDTH; column <= right; column++) {
			lossy->count += *cell(lossy, column, row) == VNC_LOSSY_NEVER;
			*cell(lossy, column, row) = now;
		}
	lossy->oldest = MIN(lossy->oldest, now);
}

/* The end of the whole cells up to there; the last one may be cut off by the frame's edge. */
static uint32_t end_of(uint32_t to, uint32_t size, uint32_t edge, uint32_t cells)
{
	return to == edge ? cells : to / size;
}

void vnc_lossy_remove(struct vnc_lossy *lossy, const struct detile_rect *rect)
{
	uint32_t left = (rect->x + DETILE_CELL_WIDTH - 1) / DETILE_CELL_WIDTH;
	uint32_t top = (rect->y + DETILE_CELL_HEIGHT - 1) / DETILE_CELL_HEIGHT;
	uint32_t right = end_of(rect->x + rect->width, DETILE_CELL_WIDTH, lossy->width,
				lossy->columns);
	uint32_t bottom = end_of(rect->y + rect->height, DETILE_CELL_HEIGHT, lossy->height,
				 lossy->rows);

	if (!lossy->count)
		return;
	for (uint32_t row = top; row < bottom; row++)
		for (uint32_t column = left; column < right; column++) {
			lossy->count -= *cell(lossy, column, row) != VNC_LOSSY_NEVER;
			*cell(lossy, column, row) = VNC_LOSSY_NEVER;
		}
	if (!lossy->count)
		lossy->oldest = VNC_LOSSY_NEVER;
}

/* Whether a rectangle inside the frame has lossy cells, of `columns` a row. */
static bool is_lossy(const struct vnc_lossy *lossy, const struct detile_rect *rect)
{
	uint32_t right = (rect->x + rect->width - 1) / DETILE_CELL_WIDTH;
	uint32_t bottom = (rect->y + rect->height - 1) / DETILE_CELL_HEIGHT;

	for (uint32_t row = rect->y / DETILE_CELL_HEIGHT; row <= bottom; row++)
		for (uint32_t column = rect->x / DETILE_CELL_WIDTH; column <= right; column++)
			if (*cell(lossy, column, row) != VNC_LOSSY_NEVER)
				return true;
	return false;
}

/* The part of a rectangle that lies in a cell. */
static struct detile_rect part_in(const struct detile_rect *rect, uint32_t column, uint32_t row)
{
	uint32_t x = MAX(rect->x, column * DETILE_CELL_WIDTH);
	uint32_t y = MAX(rect->y, row * DETILE_CELL_HEIGHT);
	uint32_t x2 = MIN(rect->x + rect->width, (column + 1) * DETILE_CELL_WIDTH);
	uint32_t y2 = MIN(rect->y + rect->height, (row + 1) * DETILE_CELL_HEIGHT);

	return (struct detile_rect){x, y, x2 - x, y2 - y};
}

void vnc_lossy_move(struct vnc_lossy *lossy, const struct move *move, int64_t now)
{
	struct vnc_lossy before = *lossy;
	const struct detile_rect *to = &move->to;
	uint32_t right = (to->x + to->width - 1) / DETILE_CELL_WIDTH;
	uint32_t bottom = (to->y + to->height - 1) / DETILE_CELL_HEIGHT;

	if (!lossy->count)
		return;
	before.since = g_memdup2(lossy->since,
				 (gsize)lossy->columns * lossy->rows * sizeof(*lossy->since));
	vnc_lossy_remove(lossy, to);
	for (uint32_t row = to->y / DETILE_CELL_HEIGHT; row <= bottom; row++)
		for (uint32_t column = to->x / DETILE_CELL_WIDTH; column <= right; column++) {
			struct move part = {part_in(to, column, row), move->dx, move->dy};
			struct detile_rect from = move_from(&part);

			if (is_lossy(&before, &from))
				vnc_lossy_add(lossy, &part.to, now);
		}
	g_free(before.since);
}

int64_t vnc_lossy_due(const struct vnc_lossy *lossy)
{
	return lossy->count ? lossy->oldest + VNC_LOSSY_REST : VNC_LOSSY_NEVER;
}

/* The cells of a tile that rest. Returns how many pixels they have, edges not considered. */
static uint64_t collect_tile(const struct vnc_lossy *lossy, uint32_t left, uint32_t top,
			     int64_t before, struct damage *resting)
{
	uint32_t right = MIN(left + TILE_COLUMNS, lossy->columns);
	uint32_t bottom = MIN(top + TILE_ROWS, lossy->rows);
	uint64_t cells = 0;

	for (uint32_t row = top; row < bottom; row++)
		for (uint32_t column = left; column < right; column++) {
			if (*cell(lossy, column, row) > before)
				continue;
			damage_add(resting, &(struct detile_rect){column * DETILE_CELL_WIDTH,
								  row * DETILE_CELL_HEIGHT, 1, 1});
			cells++;
		}
	return cells * DETILE_CELL_WIDTH * DETILE_CELL_HEIGHT;
}

static int64_t find_oldest(const struct vnc_lossy *lossy)
{
	int64_t oldest = VNC_LOSSY_NEVER;

	for (size_t i = 0; i < (size_t)lossy->columns * lossy->rows; i++)
		oldest = MIN(oldest, lossy->since[i]);
	return oldest;
}

void vnc_lossy_collect(struct vnc_lossy *lossy, int64_t now, uint64_t pixels,
		       struct damage *resting)
{
	uint64_t found = 0;

	for (uint32_t top = 0; top < lossy->rows; top += TILE_ROWS)
		for (uint32_t left = 0; left < lossy->columns && found < pixels;
		     left += TILE_COLUMNS)
			found += collect_tile(lossy, left, top, now - VNC_LOSSY_REST, resting);
	if (!found)
		lossy->oldest = find_oldest(lossy);
}
