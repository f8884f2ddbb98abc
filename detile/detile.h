/* SPDX-License-Identifier: MIT */
/*
 * detile: copies a rectangle out of a (tiled) scanout into a linear image, and says which cells
 * of it changed, in one pass.  No I/O, no allocation, no globals: the caller owns all memory and
 * the table.
 */
#ifndef DETILE_H
#define DETILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Damage is reported in cells of this many pixels, on the image's own grid. */
#define DETILE_CELL_WIDTH  64u
#define DETILE_CELL_HEIGHT 32u

/* How pixels lie in memory. Sources: drm_fourcc.h; Intel PRM, "Memory Views", Tiling. */
enum detile_layout {
	DETILE_LINEAR,
	DETILE_X,  /* I915_FORMAT_MOD_X_TILED:  512 B x 8 rows, row-major */
	DETILE_Y,  /* I915_FORMAT_MOD_Y_TILED:  128 B x 32 rows in columns of 16 B */
	DETILE_YF, /* I915_FORMAT_MOD_Yf_TILED: 4 KiB of Y with swizzled 64 B lines */
	DETILE_4,  /* I915_FORMAT_MOD_4_TILED:  128 B x 32 rows in 64 B lines of 16 B x 4 rows */
	DETILE_LAYOUTS,
};

/* A surface in memory. Numbers are the caller's; detile_check() judges them. */
struct detile_surface {
	const void *data; /* any alignment */
	size_t size;      /* bytes readable at data */
	uint32_t width;   /* pixels */
	uint32_t height;  /* rows */
	uint32_t stride;  /* bytes from one row of pixels to the next (tiled: tile row / rows) */
	uint32_t cpp;     /* bytes a pixel: 4 */
	enum detile_layout layout;
};

struct detile_rect {
	uint32_t x, y, width, height; /* pixels */
};

/* A linear image: pixel (x, y) is at pixels + y * stride + x * cpp. */
struct detile_image {
	void *pixels;
	size_t stride; /* bytes */
};

/*
 * The changed cells: cell (cx, cy) is bit cx % 64 of words[cy * stride + cx / 64]. Bits are only
 * ever set, never cleared.
 */
struct detile_cells {
	uint64_t *words;
	size_t stride; /* 64-bit words a row of cells */
};

struct detile; /* the table of kernels, detile_init() fills it */

#ifdef __cplusplus
}
#endif
#endif
