/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "motion_search.h"

#include <stdlib.h>
#include <string.h>

#define COLOUR 0x00ffffffu

#define ANCHORS        32u /* at most, each in a cell of its own */
#define ANCHOR_PIXELS  32u
#define ANCHOR_EDGES   6u /* so many of its pixels differ from their left neighbours */
#define MIN_ANCHORS    6u
#define MIN_VOTES      4u
#define COLUMN_ANCHORS 16u /* of them are looked for in their columns, */
#define PLANE_ANCHORS  12u /* and of them everywhere, if the box has at most: */
#define PLANE_PIXELS   (2560u * 1440u)
#define SHIFTS         64u /* that are told apart in that */

/* The pixels of an anchor that are looked at first, everywhere. */
#define PROBE_1 0u
#define PROBE_2 7u
#define PROBE_3 18u
#define PROBE_4 29u

#define FILTER_BITS 12u

struct anchor {
	uint32_t x, y;
	uint32_t edge; /* its pixel that differs from the next */
	uint32_t probe;
	bool found; /* where the shift has it */
};

struct box {
	uint32_t x1, y1, x2, y2;
};

struct search {
	const struct frame *before, *after;
	const struct damage *changed;
	struct box box; /* around all changes */
	struct anchor anchors[ANCHORS];
	unsigned int count;
	uint32_t filter[(1u << FILTER_BITS) / 32];
};

static const uint32_t *pixel(const struct frame *frame, uint32_t x, uint32_t y)
{
	return frame->pixels + (size_t)y * (frame->stride / sizeof(uint32_t)) + x;
}

static bool same_pixels(const uint32_t *a, const uint32_t *b, uint32_t count)
{
	uint32_t different = 0;

	if (!memcmp(a, b, count * sizeof(*a)))
		return true;
	for (uint32_t i = 0; i < count && !different; i++)
		different = (a[i] ^ b[i]) & COLOUR;
	return !different;
}

/* Anchors. */

static bool is_changed(const struct damage *changed, uint32_t column, uint32_t row)
{
	return changed->cells.words[row * changed->cells.stride + column / 64] >> (column % 64) & 1;
}

static uint32_t probe_of(const uint32_t *at)
{
	uint32_t probe = (at[PROBE_1] & COLOUR) * 2654435761u;

	probe = (probe ^ (at[PROBE_2] & COLOUR)) * 2246822519u;
	probe = (probe ^ (at[PROBE_3] & COLOUR)) * 3266489917u;
	probe = (probe ^ (at[PROBE_4] & COLOUR)) * 668265263u;
	return probe ^ probe >> 15;
}

/* How many pixels differ from the next; *edge becomes the one in the middle of these. */
static uint32_t count_edges(const uint32_t *pixels, uint32_t *edge)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i + 1 < ANCHOR_PIXELS; i++)
		if ((pixels[i] ^ pixels[i + 1]) & COLOUR) {
			count++;
			if (count <= ANCHOR_EDGES)
				*edge = i;
		}
	return count;
}

/* The row of a cell that has the most pattern. */
static void add_anchor(struct search *search, uint32_t column, uint32_t row)
{
	uint32_t x = column * DETILE_CELL_WIDTH + (DETILE_CELL_WIDTH - ANCHOR_PIXELS) / 2;
	uint32_t y = row * DETILE_CELL_HEIGHT, end = y + DETILE_CELL_HEIGHT, best = 0;
	struct anchor *anchor = &search->anchors[search->count];

	if (x + ANCHOR_PIXELS > search->after->width)
		return;
	for (; y < end && y < search->after->height; y++) {
		uint32_t edge = 0;
		uint32_t edges = count_edges(pixel(search->after, x, y), &edge);

		if (edges > best) {
			*anchor = (struct anchor){.x = x, .y = y, .edge = edge};
			best = edges;
		}
	}
	if (best < ANCHOR_EDGES)
		return;
	anchor->probe = probe_of(pixel(search->after, anchor->x, anchor->y));
	search->count++;
}

static void bound(struct box *box, uint32_t column, uint32_t row)
{
	if (column < box->x1)
		box->x1 = column;
	if (column >= box->x2)
		box->x2 = column + 1;
	if (row < box->y1)
		box->y1 = row;
	if (row >= box->y2)
		box->y2 = row + 1;
}

/* Of changed cells, evenly taken, and the box around all of them. */
static void take_anchors(struct search *search, size_t cells)
{
	const struct damage *changed = search->changed;
	size_t step = (cells + 2 * ANCHORS - 1) / (2 * ANCHORS), seen = 0;
	struct box box = {UINT32_MAX, UINT32_MAX, 0, 0};

	for (uint32_t row = 0; row < changed->rows; row++)
		for (uint32_t column = 0; column < changed->columns; column++) {
			if (!is_changed(changed, column, row))
				continue;
			bound(&box, column, row);
			/* Not the same columns in each row. */
			if (!((seen++ + row) % step) && search->count < ANCHORS)
				add_anchor(search, column, row);
		}
	search->box.x1 = box.x1 * DETILE_CELL_WIDTH;
	search->box.y1 = box.y1 * DETILE_CELL_HEIGHT;
	search->box.x2 = box.x2 * DETILE_CELL_WIDTH;
	search->box.y2 = box.y2 * DETILE_CELL_HEIGHT;
	if (search->box.x2 > changed->width)
		search->box.x2 = changed->width;
	if (search->box.y2 > changed->height)
		search->box.y2 = changed->height;
}

/* The shift. */

static bool was_at(const struct search *search, const struct anchor *anchor, uint32_t x, uint32_t y)
{
	return same_pixels(pixel(search->after, anchor->x, anchor->y), pixel(search->before, x, y),
			   ANCHOR_PIXELS);
}

/* Marks the anchors that a shift has found, and counts them. */
static unsigned int try_shift(struct search *search, const struct motion_shift *shift)
{
	const struct box *box = &search->box;
	unsigned int found = 0;

	for (unsigned int i = 0; i < search->count; i++) {
		struct anchor *anchor = &search->anchors[i];
		int64_t x = (int64_t)anchor->x - shift->dx, y = (int64_t)anchor->y - shift->dy;

		anchor->found = (shift->dx || shift->dy) && x >= box->x1 && y >= box->y1 &&
				x + ANCHOR_PIXELS <= box->x2 && y < box->y2 &&
				was_at(search, anchor, (uint32_t)x, (uint32_t)y);
		found += anchor->found;
	}
	return found;
}

static bool is_enough(const struct search *search, unsigned int votes)
{
	return votes >= MIN_VOTES && votes >= search->count / 4;
}

static void vote_in_column(const struct search *search, const struct anchor *anchor,
			   uint16_t *votes)
{
	const uint32_t *key = pixel(search->after, anchor->x + anchor->edge, anchor->y);
	size_t stride = search->before->stride / sizeof(uint32_t);
	const uint32_t *at = pixel(search->before, anchor->x + anchor->edge, search->box.y1);

	for (uint32_t y = search->box.y1; y < search->box.y2; y++, at += stride)
		if (!((at[0] ^ key[0]) & COLOUR) && !((at[1] ^ key[1]) & COLOUR) &&
		    was_at(search, anchor, anchor->x, y))
			votes[anchor->y + search->before->height - y]++;
}

/* Up or down: how many anchors agree, and in what. */
static unsigned int search_columns(struct search *search, struct motion_shift *shift)
{
	uint32_t height = search->before->height, best = height;
	uint16_t *votes = calloc((size_t)height * 2, sizeof(*votes));
	unsigned int count = search->count < COLUMN_ANCHORS ? search->count : COLUMN_ANCHORS;

	if (!votes)
		return 0;
	for (unsigned int i = 0; i < count; i++)
		vote_in_column(search, &search->anchors[i * search->count / count], votes);
	votes[height] = 0; /* what did not move */
	for (uint32_t i = 0; i < height * 2; i++)
		if (votes[i] > votes[best])
			best = i;
	free(votes);
	*shift = (struct motion_shift){0, (int32_t)(best - height)};
	return try_shift(search, shift);
}

/* Shifts and how many anchors had them; those that do not fit are not seen. */
struct ballot {
	struct motion_shift shifts[SHIFTS];
	unsigned int votes[SHIFTS], count;
};

static void vote(struct ballot *ballot, struct motion_shift shift)
{
	unsigned int i = 0;

	while (i < ballot->count &&
	       (ballot->shifts[i].dx != shift.dx || ballot->shifts[i].dy != shift.dy))
		i++;
	if (i == SHIFTS || (!shift.dx && !shift.dy))
		return;
	if (i == ballot->count) {
		ballot->shifts[ballot->count++] = shift;
		ballot->votes[i] = 0;
	}
	ballot->votes[i]++;
}

static void vote_at(const struct search *search, struct anchor *const *anchors, unsigned int count,
		    uint32_t x, uint32_t y, struct ballot *ballot)
{
	uint32_t probe = probe_of(pixel(search->before, x, y));

	for (unsigned int i = 0; i < count; i++)
		if (anchors[i]->probe == probe && was_at(search, anchors[i], x, y))
			vote(ballot, (struct motion_shift){(int32_t)(anchors[i]->x - x),
							   (int32_t)(anchors[i]->y - y)});
}

static bool passes(const struct search *search, uint32_t probe)
{
	uint32_t bit = probe >> (32 - FILTER_BITS);

	return search->filter[bit / 32] >> (bit % 32) & 1;
}

/* Anywhere in the box. */
static unsigned int search_plane(struct search *search, struct motion_shift *shift)
{
	const struct box *box = &search->box;
	unsigned int count = search->count < PLANE_ANCHORS ? search->count : PLANE_ANCHORS;
	struct anchor *anchors[PLANE_ANCHORS];
	struct ballot ballot = {.count = 0};
	unsigned int best = 0;

	if ((uint64_t)(box->x2 - box->x1) * (box->y2 - box->y1) > PLANE_PIXELS)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		uint32_t bit;

		anchors[i] = &search->anchors[i * search->count / count];
		bit = anchors[i]->probe >> (32 - FILTER_BITS);
		search->filter[bit / 32] |= 1u << (bit % 32);
	}
	for (uint32_t y = box->y1; y < box->y2; y++) {
		const uint32_t *row = pixel(search->before, 0, y);

		for (uint32_t x = box->x1; x + ANCHOR_PIXELS <= box->x2; x++)
			if (passes(search, probe_of(row + x)))
				vote_at(search, anchors, count, x, y, &ballot);
	}
	if (!ballot.count)
		return 0;
	for (unsigned int i = 1; i < ballot.count; i++)
		if (ballot.votes[i] > ballot.votes[best])
			best = i;
	*shift = ballot.shifts[best];
	return try_shift(search, shift);
}

/* Rectangles. */

/* Narrows [*left, *right) of a row, around x, to where the shift is right; false: x is not. */
static bool narrow(const struct search *search, const struct motion_shift *shift, uint32_t x,
		   uint32_t y, uint32_t *left, uint32_t *right)
{
	const uint32_t *now = pixel(search->after, 0, y);
	const uint32_t *then = pixel(search->before, 0, (uint32_t)((int32_t)y - shift->dy));
	uint32_t at;

	then -= shift->dx;
	if (same_pixels(now + *left, then + *left, *right - *left))
		return true;
	for (at = x; at < *right && !((now[at] ^ then[at]) & COLOUR); at++)
		;
	*right = at;
	if (at == x)
		return false;
	for (at = x; at > *left && !((now[at - 1] ^ then[at - 1]) & COLOUR); at--)
		;
	*left = at;
	return true;
}

/* A part of the box whose origin lies in the frame. */
static struct box reach(const struct search *search, const struct motion_shift *shift)
{
	struct box box = search->box;
	int64_t right = (int64_t)search->before->width + shift->dx;
	int64_t bottom = (int64_t)search->before->height + shift->dy;

	if ((int64_t)box.x1 < shift->dx)
		box.x1 = (uint32_t)shift->dx;
	if ((int64_t)box.y1 < shift->dy)
		box.y1 = (uint32_t)shift->dy;
	if (box.x2 > right)
		box.x2 = (uint32_t)right;
	if (box.y2 > bottom)
		box.y2 = (uint32_t)bottom;
	return box;
}

/* From a row up (step -1) or down, as far as it gets larger by that. */
static void extend(const struct search *search, const struct motion_shift *shift,
		   const struct box *limit, uint32_t x, int32_t step, struct box *box)
{
	struct box grown = *box;
	uint64_t best = (uint64_t)(box->x2 - box->x1) * (box->y2 - box->y1);

	for (;;) {
		uint32_t y = step < 0 ? grown.y1 - 1 : grown.y2;
		uint64_t area;

		if (step < 0 ? grown.y1 == limit->y1 : grown.y2 == limit->y2)
			return;
		if (!narrow(search, shift, x, y, &grown.x1, &grown.x2))
			return;
		if (step < 0)
			grown.y1--;
		else
			grown.y2++;
		area = (uint64_t)(grown.x2 - grown.x1) * (grown.y2 - grown.y1);
		/* One row that is narrower costs the others: is it worth that? */
		if (area > best) {
			best = area;
			*box = grown;
		}
	}
}

/* The largest rectangle around an anchor that is found greedily. */
static struct box grow(const struct search *search, const struct motion_shift *shift,
		       const struct anchor *anchor)
{
	struct box limit = reach(search, shift);
	struct box box = {limit.x1, anchor->y, limit.x2, anchor->y + 1};
	uint32_t x = anchor->x + anchor->edge;

	if (!narrow(search, shift, x, anchor->y, &box.x1, &box.x2))
		return (struct box){0, 0, 0, 0};
	extend(search, shift, &limit, x, -1, &box);
	extend(search, shift, &limit, x, 1, &box);
	return box;
}

static bool meets(const struct detile_rect *a, const struct detile_rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

/* How many changed cells have their middle in there. */
static unsigned int covered(const struct search *search, const struct detile_rect *rect)
{
	const struct damage *changed = search->changed;
	unsigned int count = 0;

	for (uint32_t row = rect->y / DETILE_CELL_HEIGHT; row < changed->rows; row++)
		for (uint32_t column = rect->x / DETILE_CELL_WIDTH; column < changed->columns;
		     column++) {
			const struct detile_rect middle = {
				column * DETILE_CELL_WIDTH + DETILE_CELL_WIDTH / 2,
				row * DETILE_CELL_HEIGHT + DETILE_CELL_HEIGHT / 2, 1, 1};

			count += is_changed(changed, column, row) && meets(&middle, rect);
		}
	return count;
}

/* It is worth it, and does not read what those before it have written, nor write it again. */
static bool fits(const struct search *search, const struct moves *moves, const struct move *move)
{
	struct detile_rect from = move_from(move);

	for (unsigned int i = 0; i < moves->count; i++)
		if (meets(&moves->move[i].to, &from) || meets(&moves->move[i].to, &move->to))
			return false;
	return covered(search, &move->to) >= MOTION_CELLS;
}

/* What the anchors that the shift has found are in. */
static void take_moves(struct search *search, const struct motion_shift *shift, struct moves *moves)
{
	for (unsigned int tries = 0; tries < 2 * MOVES_MAX && moves->count < MOVES_MAX; tries++) {
		unsigned int left = 0, middle = 0;
		struct anchor *anchor = NULL;
		struct move move = {.dx = shift->dx, .dy = shift->dy};
		struct box box;

		for (unsigned int i = 0; i < search->count; i++)
			left += search->anchors[i].found;
		for (unsigned int i = 0; i < search->count && !anchor; i++)
			if (search->anchors[i].found && middle++ == left / 2)
				anchor = &search->anchors[i];
		if (!anchor)
			return;
		anchor->found = false;
		box = grow(search, shift, anchor);
		move.to = (struct detile_rect){box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1};
		if (!move.to.width || !fits(search, moves, &move))
			continue;
		moves->move[moves->count++] = move;
		for (unsigned int i = 0; i < search->count; i++) {
			struct anchor *other = &search->anchors[i];
			const struct detile_rect at = {other->x + other->edge, other->y, 1, 1};

			other->found &= !meets(&at, &move.to);
		}
	}
}

void motion_search(const struct frame *before, const struct frame *after,
		   const struct damage *changed, struct motion_shift *shift, struct moves *moves)
{
	struct search search = {.before = before, .after = after, .changed = changed};
	size_t cells = damage_count(changed);
	struct motion_shift found = *shift;

	if (cells < MOTION_CELLS)
		return;
	take_anchors(&search, cells);
	if (search.count < MIN_ANCHORS)
		return;
	if (!is_enough(&search, try_shift(&search, &found)) &&
	    !is_enough(&search, search_columns(&search, &found)) &&
	    !is_enough(&search, search_plane(&search, &found)))
		return;
	take_moves(&search, &found, moves);
	if (moves->count)
		*shift = found;
}
