/* SPDX-License-Identifier: MIT */
/*
 * Between detile.c and the kernels: a job, and what a kernel file offers.
 *
 * A kernel works on whole blocks, 64 bytes wide and 4 rows high, at multiples of both; detile.c
 * does what sticks out. In Y, Yf and Tile4 a block is four source lines of 64 bytes, each 16 bytes
 * of all four rows; in X and linear each of its rows is one source line.
 */
#ifndef DETILE_KERNEL_H
#define DETILE_KERNEL_H

#include "detile.h"

#define BLOCK_WIDTH  64u /* bytes */
#define BLOCK_HEIGHT 4u  /* rows */
#define LINE_BYTES   64u

struct detile_job {
	const uint8_t *src; /* the surface */
	size_t src_stride;
	uint8_t *dst; /* the image; columns and rows count as in the surface */
	size_t dst_stride;
	size_t x0, x1;        /* bytes: the block columns to do */
	uint32_t y0, y1;      /* rows */
	uint16_t lines[8][8]; /* byte in the tile: [row][64 B of it], or [4 rows][16 B of them] */

	/* Compare only. */
	uint32_t mask; /* of each 32-bit word */
	struct detile_cells cells;
	unsigned int cell_shift; /* a cell is 1 << cell_shift bytes wide */
	uint32_t changed;        /* cells that were not set before */
};

/* Something in the cell of byte x of row y has changed. */
static inline void job_mark(struct detile_job *job, size_t x, uint32_t y)
{
	size_t column = x >> job->cell_shift;
	uint64_t *word = job->cells.words + y / DETILE_CELL_HEIGHT * job->cells.stride +
			 column / 64;
	uint64_t bit = (uint64_t)1 << column % 64;

	if (!(*word & bit)) {
		*word |= bit;
		job->changed++;
	}
}

/* The rectangle in bytes and rows, clipped, and where lines lie; false if nothing is left. */
bool detile_job_init(struct detile_job *job, const struct detile_surface *s,
		     const struct detile_rect *r, const struct detile_image *dst);

/* Each replaces in the table what it does better than C; the caller knows that the CPU can. */
void detile_init_sse41(struct detile *table);
void detile_init_avx2(struct detile *table);
void detile_init_avx512(struct detile *table);
void detile_init_neon(struct detile *table);

#endif
