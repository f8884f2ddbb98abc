/* SPDX-License-Identifier: MIT */
/*
 * Where a pixel lies: the definition of every layout, one pixel at a time, and what follows from
 * it without any speed in mind. layout.c needs nothing of the other files and builds in the
 * kernel, too; the tests hold every kernel against it.
 */
#ifndef DETILE_LAYOUT_H
#define DETILE_LAYOUT_H

#include "detile.h"

#define DETILE_TILE_BYTES 4096u

/* No surface is higher than this: rows can be rounded up and added without a thought. */
#define DETILE_MAX_HEIGHT (1u << 30)

/* Width in bytes and height in rows of a tile, 1 x 1 for linear. False: no such layout. */
bool detile_tile_shape(enum detile_layout layout, uint32_t *width, uint32_t *height);

/* The byte of a tile at which byte x of its row y lies, before any swizzle. */
uint32_t detile_tile_offset(enum detile_layout layout, uint32_t x, uint32_t y);

/* What a swizzle XORs into an offset: 0 or 64. */
uint32_t detile_swizzle_bits(enum detile_swizzle swizzle, uint64_t offset);

/* The byte of a surface at which pixel (x, y) begins. */
uint64_t detile_offset(enum detile_layout layout, enum detile_swizzle swizzle, uint32_t cpp,
		       uint32_t stride, uint32_t x, uint32_t y);

#endif
