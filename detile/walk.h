/* SPDX-License-Identifier: MIT */
/*
 * The order in which blocks are done, shared by all instruction sets. The including file defines
 *
 *	static inline void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride,
 *				      bool lanes, enum detile_path path);
 *	static inline bool block_compare(const uint8_t *const line[4], uint8_t *dst,
 *					 size_t stride, uint32_t mask, bool lanes, bool wc);
 *
 * for four source lines that make four rows of 64 bytes, `stride` apart, at dst. With lanes each
 * line is 16 bytes of each row (Y, Yf, Tile4), without it line n is row n (X, linear: then four
 * lines may as well be 256 bytes of one row, with a stride of 64). block_compare stores if any bit
 * under mask differs and says so; it reads every source byte once. All of it is inlined with
 * constant lanes, path and wc; and then DETILE_WALKS() names the kernels and their table.
 */
#ifndef DETILE_WALK_H
#define DETILE_WALK_H

#include "kernel.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum walk {
	WALK_COPY,
	WALK_NT,
	WALK_COPY_WC,
	WALK_COMPARE,
	WALK_COMPARE_WC,
};

ALWAYS_INLINE void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride, bool lanes,
			      enum detile_path path);
ALWAYS_INLINE bool block_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				 uint32_t mask, bool lanes, bool wc);

/* Does one block that lies at byte x of row y. */
ALWAYS_INLINE void walk_block(struct detile_job *job, const uint8_t *const line[4], size_t x,
			      uint32_t y, size_t stride, bool lanes, enum walk walk)
{
	uint8_t *dst = job->dst + y * job->dst_stride + x;

	switch (walk) {
	case WALK_COPY:
		block_copy(line, dst, stride, lanes, DETILE_NORMAL);
		break;
	case WALK_NT:
		block_copy(line, dst, stride, lanes, DETILE_NT);
		break;
	case WALK_COPY_WC:
		block_copy(line, dst, stride, lanes, DETILE_WC);
		break;
	case WALK_COMPARE:
	case WALK_COMPARE_WC:
		if (block_compare(line, dst, stride, job->mask, lanes, walk == WALK_COMPARE_WC))
			job_mark(job, x, y);
		break;
	}
}

/* Y, Yf and Tile4: tiles of 128 bytes x 32 rows, some of them side by side at a time. */
ALWAYS_INLINE void walk_lanes(struct detile_job *job, enum walk walk)
{
	const size_t group = walk == WALK_NT ? 512 : 256;

	for (uint32_t y = job->y0, bottom; y < job->y1; y = bottom) {
		uint32_t top = y & ~31u;
		const uint8_t *tiles = job->src + top * job->src_stride;

		bottom = job->y1 - top < 32 ? job->y1 : top + 32;
		for (size_t x = job->x0, right; x < job->x1; x = right) {
			right = (x & ~(group - 1)) + group;
			if (right > job->x1)
				right = job->x1;
			for (uint32_t by = y; by < bottom; by += 4) {
				const uint16_t *at = job->lines[(by - top) / 4];

				for (size_t bx = x; bx < right; bx += 64) {
					const uint8_t *tile = tiles + bx / 128 * 4096;
					const uint16_t *l = at + bx / 16 % 8;
					const uint8_t *const line[4] = {tile + l[0], tile + l[1],
									tile + l[2], tile + l[3]};

					walk_block(job, line, bx, by, job->dst_stride, true, walk);
				}
			}
		}
	}
}

/* Line `n` of a row of X that starts at `row` of its tiles, by the offsets of that row. */
ALWAYS_INLINE const uint8_t *x_line(const uint8_t *tiles, const uint16_t *at, size_t x)
{
	return tiles + x / 512 * 4096 + at[x / 64 % 8];
}

/* The blocks of bytes x0 .. x1-1 of rows y .. y+3, one line of each row at a time. */
ALWAYS_INLINE void walk_x_columns(struct detile_job *job, size_t x0, size_t x1, uint32_t y,
				  enum walk walk)
{
	const uint8_t *tiles = job->src + (y & ~7u) * job->src_stride;

	for (size_t x = x0; x < x1; x += 64) {
		const uint8_t *const line[4] = {
			x_line(tiles, job->lines[y % 8], x),
			x_line(tiles, job->lines[y % 8 + 1], x),
			x_line(tiles, job->lines[y % 8 + 2], x),
			x_line(tiles, job->lines[y % 8 + 3], x),
		};

		walk_block(job, line, x, y, job->dst_stride, false, walk);
	}
}

/* X: tiles of 512 bytes x 8 rows, a row of each tile after the other, 256 bytes at a time. */
ALWAYS_INLINE void walk_x(struct detile_job *job, enum walk walk)
{
	/* What compares must not reach over a cell's edge. */
	bool narrow = job->cell_shift < 8 && walk >= WALK_COMPARE;
	size_t x0 = narrow ? job->x1 : (job->x0 + 255) & ~(size_t)255;
	size_t x1 = job->x1 & ~(size_t)255;

	if (x0 >= x1)
		x0 = x1 = job->x1;
	for (uint32_t y = job->y0, bottom; y < job->y1; y = bottom) {
		uint32_t top = y & ~7u;
		const uint8_t *tiles = job->src + top * job->src_stride;

		bottom = job->y1 - top < 8 ? job->y1 : top + 8;
		for (uint32_t by = y; by < bottom; by += 4) {
			walk_x_columns(job, job->x0, x0, by, walk);
			walk_x_columns(job, x1, job->x1, by, walk);
		}
		for (size_t x = x0, right; x < x1; x = right) {
			right = (x & ~(size_t)511) + 512;
			if (right > x1)
				right = x1;
			for (uint32_t by = y; by < bottom; by++) {
				const uint16_t *at = job->lines[by - top];

				for (size_t bx = x; bx < right; bx += 256) {
					const uint8_t *const line[4] = {
						x_line(tiles, at, bx),
						x_line(tiles, at, bx + 64),
						x_line(tiles, at, bx + 128),
						x_line(tiles, at, bx + 192),
					};

					walk_block(job, line, bx, by, 64, false, walk);
				}
			}
		}
	}
}

/* Linear: row by row, 256 bytes at a time, and what is left of 4 rows in columns. */
ALWAYS_INLINE void walk_linear_columns(struct detile_job *job, size_t x0, size_t x1, uint32_t y,
				       enum walk walk)
{
	const uint8_t *row = job->src + y * job->src_stride;

	for (size_t x = x0; x < x1; x += 64) {
		const uint8_t *const line[4] = {row + x, row + job->src_stride + x,
						row + 2 * job->src_stride + x,
						row + 3 * job->src_stride + x};

		walk_block(job, line, x, y, job->dst_stride, false, walk);
	}
}

ALWAYS_INLINE void walk_linear(struct detile_job *job, enum walk walk)
{
	bool narrow = job->cell_shift < 8 && walk >= WALK_COMPARE;
	size_t x0 = narrow ? job->x1 : (job->x0 + 255) & ~(size_t)255;
	size_t x1 = job->x1 & ~(size_t)255;

	if (x0 >= x1)
		x0 = x1 = job->x1;
	for (uint32_t y = job->y0; y < job->y1; y += 4) {
		walk_linear_columns(job, job->x0, x0, y, walk);
		walk_linear_columns(job, x1, job->x1, y, walk);
		for (uint32_t by = y; by < y + 4; by++) {
			const uint8_t *row = job->src + by * job->src_stride;

			for (size_t x = x0; x < x1; x += 256) {
				const uint8_t *const line[4] = {row + x, row + x + 64,
								row + x + 128, row + x + 192};

				walk_block(job, line, x, by, 64, false, walk);
			}
		}
	}
}

#define DETILE_WALK(shape, name, walk)                     \
	static void shape##_##name(struct detile_job *job) \
	{                                                  \
		walk_##shape(job, walk);                   \
	}

#define DETILE_SHAPE(shape)                       \
	DETILE_WALK(shape, copy, WALK_COPY)       \
	DETILE_WALK(shape, nt, WALK_NT)           \
	DETILE_WALK(shape, copy_wc, WALK_COPY_WC) \
	DETILE_WALK(shape, compare, WALK_COMPARE) \
	DETILE_WALK(shape, compare_wc, WALK_COMPARE_WC)

#define DETILE_FILL(table, layout, shape)                            \
	do {                                                         \
		(table)->copy[layout][DETILE_NORMAL] = shape##_copy; \
		(table)->copy[layout][DETILE_NT] = shape##_nt;       \
		(table)->copy[layout][DETILE_WC] = shape##_copy_wc;  \
		(table)->compare[layout][0] = shape##_compare;       \
		(table)->compare[layout][1] = shape##_compare_wc;    \
	} while (0)

/* All kernels of a file, and the function that puts them into a table. */
#define DETILE_KERNELS(fill)                               \
	DETILE_SHAPE(linear)                               \
	DETILE_SHAPE(x)                                    \
	DETILE_SHAPE(lanes)                                \
                                                           \
	static void fill(struct detile *table)             \
	{                                                  \
		DETILE_FILL(table, DETILE_LINEAR, linear); \
		DETILE_FILL(table, DETILE_X, x);           \
		DETILE_FILL(table, DETILE_Y, lanes);       \
		DETILE_FILL(table, DETILE_YF, lanes);      \
		DETILE_FILL(table, DETILE_4, lanes);       \
	}

#endif
