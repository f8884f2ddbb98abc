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

/*
 * UNROLL stands before loops of constant length: vectors in an array only stay in registers
 * without a loop. AddressSanitizer watches every access of what all this unfolds to, and takes
 * minutes to compile it: there the code stays as it is written.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WALK_AS_WRITTEN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WALK_AS_WRITTEN
#endif

#ifdef WALK_AS_WRITTEN
#define ALWAYS_INLINE static inline
#define UNROLL
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#endif

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

/*
 * A job while it is done: a copy that no store through a pointer can change, and the job itself
 * for what changes.
 */
struct turn {
	const struct detile_job j;
	struct detile_job *job;
	const enum walk walk;
};

/* Does one block that lies at byte x of row y, which is dst. */
ALWAYS_INLINE void walk_block(const struct turn *t, const uint8_t *const line[4], uint8_t *dst,
			      size_t stride, size_t x, uint32_t y, bool lanes)
{
	switch (t->walk) {
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
		if (block_compare(line, dst, stride, t->j.mask, lanes, t->walk == WALK_COMPARE_WC))
			job_mark(t->job, x, y);
		break;
	}
}

/*
 * Hardware prefetchers stop at pages and do not see through tiles: asks for four lines. Into the
 * first level, for what waits in the second or third one is what a hot frame waits for.
 */
ALWAYS_INLINE void ask(const uint8_t *p, size_t step)
{
	UNROLL
	for (unsigned int n = 0; n < 4; n++)
		__builtin_prefetch(p + n * step, 0, 3);
}

/* Write-combined memory cannot be prefetched, and a streamed image must not be. */
ALWAYS_INLINE bool asks_for_source(enum walk walk)
{
	return walk != WALK_COPY_WC && walk != WALK_COMPARE_WC;
}

ALWAYS_INLINE bool asks_for_image(enum walk walk)
{
	return walk != WALK_NT;
}

/*
 * Y, Yf and Tile4: while a group of tiles side by side is done, the next one's source is asked for
 * in the order of its addresses, and its image row by row. One tile is what leaves room for both
 * in the first level; where the image only passes through, four are better, unless
 * the kernel's file knows better.
 */
#ifndef GROUP_NT
#define GROUP_NT 512u
#endif

ALWAYS_INLINE size_t group_width(enum walk walk)
{
	return walk == WALK_NT ? GROUP_NT : 128;
}

/* Where the next group's source begins, or this one's if it is the last. */
ALWAYS_INLINE const uint8_t *next_group(const struct detile_job *j, const uint8_t *tiles, size_t x,
					size_t right, bool last_row)
{
	if (right < j->x1)
		return tiles + right / 128 * 4096;
	if (!last_row)
		return tiles + 32 * j->src_stride + j->x0 / 128 * 4096;
	return tiles + x / 128 * 4096;
}

/* How far from this group's image is the next one's. */
ALWAYS_INLINE ptrdiff_t image_ahead(const struct detile_job *j, size_t x, size_t right,
				    bool last_row)
{
	if (right < j->x1)
		return (ptrdiff_t)(right - x);
	if (!last_row)
		return (ptrdiff_t)(32 * j->dst_stride) - (ptrdiff_t)(x - j->x0);
	return 0;
}

/* Bytes x .. right-1 of rows y .. bottom-1 of a row of tiles: at most a group. */
ALWAYS_INLINE void walk_group(const struct turn *t, const uint8_t *tiles, size_t x, size_t right,
			      uint32_t y, uint32_t bottom, bool last_row)
{
	const uint8_t *source_ahead = next_group(&t->j, tiles, x, right, last_row);
	ptrdiff_t dst_ahead = image_ahead(&t->j, x, right, last_row);

	for (; y < bottom; y += BLOCK_HEIGHT) {
		const uint16_t *lines = t->j.lines[y % 32 / BLOCK_HEIGHT];
		uint8_t *row = t->j.dst + y * t->j.dst_stride;

		for (size_t bx = x; bx < right; bx += BLOCK_WIDTH) {
			const uint8_t *tile = tiles + bx / 128 * 4096;
			const uint16_t *l = lines + bx / 16 % 8;
			const uint8_t *const line[4] = {tile + l[0], tile + l[1], tile + l[2],
							tile + l[3]};

			if (asks_for_image(t->walk))
				ask(row + bx + dst_ahead, t->j.dst_stride);
			if (asks_for_source(t->walk))
				ask(source_ahead, LINE_BYTES);
			source_ahead += 4 * LINE_BYTES;
			walk_block(t, line, row + bx, t->j.dst_stride, bx, y, true);
		}
	}
}

ALWAYS_INLINE void walk_lanes(struct detile_job *job, enum walk walk)
{
	const struct turn t = {*job, job, walk};
	const size_t width = group_width(walk);

	for (uint32_t y = t.j.y0, bottom; y < t.j.y1; y = bottom) {
		uint32_t top = y & ~31u;
		const uint8_t *tiles = t.j.src + top * t.j.src_stride;
		bool last_row = t.j.y1 - top <= 32;

		bottom = last_row ? t.j.y1 : top + 32;
		for (size_t x = t.j.x0, right; x < t.j.x1; x = right) {
			right = (x & ~(width - 1)) + width;
			if (right > t.j.x1)
				right = t.j.x1;
			walk_group(&t, tiles, x, right, y, bottom, last_row);
		}
	}
}

/*
 * X and linear: four lines of one row at a time, from x0 to x1, and the rest as blocks of one line
 * of each of four rows. Comparisons of pixels of 1 or 2 bytes do the latter only: four lines of a
 * row would reach over a cell's edge.
 */
struct wide {
	size_t x0, x1;
};

ALWAYS_INLINE struct wide wide_part(const struct turn *t)
{
	bool narrow = t->j.cell_shift < 8 &&
		      (t->walk == WALK_COMPARE || t->walk == WALK_COMPARE_WC);
	struct wide wide = {(t->j.x0 + 255) & ~(size_t)255, t->j.x1 & ~(size_t)255};

	if (narrow || wide.x0 >= wide.x1)
		wide.x0 = wide.x1 = t->j.x1;
	return wide;
}

/* Line of byte x of row y. */
ALWAYS_INLINE const uint8_t *row_line(const struct detile_job *j, size_t x, uint32_t y, bool tiled)
{
	if (!tiled)
		return j->src + y * j->src_stride + x;
	return j->src + (y & ~7u) * j->src_stride + x / 512 * 4096 + j->lines[y % 8][x / 64 % 8];
}

ALWAYS_INLINE void walk_columns(const struct turn *t, size_t x0, size_t x1, bool tiled)
{
	for (uint32_t y = t->j.y0; y < t->j.y1; y += BLOCK_HEIGHT) {
		uint8_t *row = t->j.dst + y * t->j.dst_stride;

		for (size_t x = x0; x < x1; x += BLOCK_WIDTH) {
			const uint8_t *const line[4] = {
				row_line(&t->j, x, y, tiled),
				row_line(&t->j, x, y + 1, tiled),
				row_line(&t->j, x, y + 2, tiled),
				row_line(&t->j, x, y + 3, tiled),
			};

			walk_block(t, line, row + x, t->j.dst_stride, x, y, false);
		}
	}
}

/* X: tiles of 512 bytes x 8 rows, one after the other. */
ALWAYS_INLINE void walk_tile(const struct turn *t, const uint8_t *tile, size_t x, size_t right,
			     uint32_t y, uint32_t bottom)
{
	for (; y < bottom; y++) {
		const uint16_t *l = t->j.lines[y % 8];
		uint8_t *row = t->j.dst + y * t->j.dst_stride;

		for (size_t bx = x; bx < right; bx += 256) {
			unsigned int n = bx / 64 % 8;
			const uint8_t *const line[4] = {tile + l[n], tile + l[n + 1],
							tile + l[n + 2], tile + l[n + 3]};

			if (asks_for_source(t->walk))
				ask(line[0] + 4096, LINE_BYTES);
			if (asks_for_image(t->walk))
				ask(row + bx + 1024, LINE_BYTES);
			walk_block(t, line, row + bx, LINE_BYTES, bx, y, false);
		}
	}
}

ALWAYS_INLINE void walk_x(struct detile_job *job, enum walk walk)
{
	const struct turn t = {*job, job, walk};
	struct wide wide = wide_part(&t);

	walk_columns(&t, t.j.x0, wide.x0, true);
	walk_columns(&t, wide.x1, t.j.x1, true);
	for (uint32_t y = t.j.y0, bottom; y < t.j.y1; y = bottom) {
		uint32_t top = y & ~7u;
		const uint8_t *tiles = t.j.src + top * t.j.src_stride;

		bottom = t.j.y1 - top < 8 ? t.j.y1 : top + 8;
		for (size_t x = wide.x0, right; x < wide.x1; x = right) {
			right = (x & ~(size_t)511) + 512;
			if (right > wide.x1)
				right = wide.x1;
			walk_tile(&t, tiles + x / 512 * 4096, x, right, y, bottom);
		}
	}
}

/* Linear: the hardware sees what comes. */
ALWAYS_INLINE void walk_linear(struct detile_job *job, enum walk walk)
{
	const struct turn t = {*job, job, walk};
	struct wide wide = wide_part(&t);

	walk_columns(&t, t.j.x0, wide.x0, false);
	walk_columns(&t, wide.x1, t.j.x1, false);
	for (uint32_t y = t.j.y0; y < t.j.y1; y++) {
		const uint8_t *from = t.j.src + y * t.j.src_stride;
		uint8_t *row = t.j.dst + y * t.j.dst_stride;

		for (size_t x = wide.x0; x < wide.x1; x += 256) {
			const uint8_t *const line[4] = {from + x, from + x + 64, from + x + 128,
							from + x + 192};

			walk_block(&t, line, row + x, LINE_BYTES, x, y, false);
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
