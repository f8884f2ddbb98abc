/* SPDX-License-Identifier: MIT */
/*
 * detile: copies a rectangle out of a (tiled) scanout into a linear image, and says which cells
 * of it changed, in one pass.  No I/O, no allocation, no globals: the caller owns all memory and
 * the table.  layout.c alone also builds inside the Linux kernel.
 *
 *	struct detile table;
 *
 *	detile_init(&table, detile_cpu_flags());	once, cpu.h has the flags
 *	if (!detile_check(&surface))			once for each new geometry
 *		detile_copy(&table, &surface, &rect, &image, DETILE_NORMAL);
 *
 * Coordinates are pixels from the top left of the surface; a rectangle means the same pixels in
 * the surface and in the image, and is clipped to the surface.  All functions may run in any
 * number of threads at once as long as no two write the same pixels or the same row of cells.
 */
#ifndef DETILE_H
#define DETILE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

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
	DETILE_YF, /* I915_FORMAT_MOD_Yf_TILED: 4 KiB of Y with swizzled 64 B lines, cpp 4 only */
	DETILE_4,  /* I915_FORMAT_MOD_4_TILED:  128 B x 32 rows in 64 B lines of 16 B x 4 rows */
	DETILE_LAYOUTS,
};

/*
 * What older memory controllers XOR into address bit 6 of tiled surfaces (I915_BIT_6_SWIZZLE_* in
 * i915_drm.h). The surface is taken to start on a page of the GPU's; linear ones have no swizzle.
 */
enum detile_swizzle {
	DETILE_SWIZZLE_NONE,
	DETILE_SWIZZLE_9,
	DETILE_SWIZZLE_9_10,
	DETILE_SWIZZLE_9_11,
	DETILE_SWIZZLE_9_10_11,
	DETILE_SWIZZLES,
};

/* A surface in memory. Numbers are the caller's; detile_check() judges them. */
struct detile_surface {
	const void *data; /* any alignment */
	size_t size;      /* bytes readable at data */
	uint32_t width;   /* pixels */
	uint32_t height;  /* rows */
	uint32_t stride;  /* bytes from one row of pixels to the next (tiled: tile row / rows) */
	uint32_t cpp;     /* bytes a pixel: 1, 2, 4 or 8 */
	enum detile_layout layout;
	enum detile_swizzle swizzle;
	bool wc; /* data is write-combined: every path reads as DETILE_WC does */
};

struct detile_rect {
	uint32_t x, y, width, height; /* pixels */
};

/* A linear image: pixel (x, y) is at pixels + y * stride + x * cpp. */
struct detile_image {
	void *pixels;  /* any alignment; multiples of 64 are fastest, here and for the stride */
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

/* How detile_copy() moves pixels. The fused compare, the way to serve, is detile_compare(). */
enum detile_path {
	DETILE_NORMAL, /* plain loads and stores: somebody reads the image soon */
	/*
	 * Non-temporal stores: nobody reads the image soon (dumps). Needs pixels and stride in
	 * multiples of 64, otherwise it is DETILE_NORMAL.
	 */
	DETILE_NT,
	/*
	 * The source is mapped write-combined or uncached: each of its lines is read once, whole,
	 * with streaming loads where the machine has them (and data is a multiple of 64).
	 */
	DETILE_WC,
	DETILE_PATHS,
};

struct detile_job; /* kernel.h */

/* The kernels of one instruction set; detile_init() fills it, its insides are not for callers. */
struct detile {
	const char *isa; /* "c", "sse41", "avx2", "avx512", "neon" */
	void (*copy[DETILE_LAYOUTS][DETILE_PATHS])(struct detile_job *job);
	void (*compare[DETILE_LAYOUTS][2])(struct detile_job *job); /* [write-combined] */
	void (*read_line)(uint8_t out[64], const uint8_t *line);    /* streaming load */
};

/* Fills the table with the best kernels that cpu_flags (DETILE_CPU_*, cpu.h) allow; 0 is C. */
void detile_init(struct detile *table, unsigned int cpu_flags);

/*
 * Bytes that a surface of this geometry occupies when all of its tiles are whole; 0 if the layout
 * has no such cpp, the stride is not whole tiles wide, or the product overflows a size_t.
 */
size_t detile_size(enum detile_layout layout, uint32_t cpp, uint32_t stride, uint32_t height);

/*
 * 0 if the surface can be read: no number is zero, height is at most 2^30, cpp and layout exist,
 * the stride holds a row and is a multiple of the tile's width (512 B for X, 128 B for Y, Yf and
 * Tile4), and every byte of every pixel lies within size. Bytes that belong to no pixel, like the
 * missing part of the last tiles, need not exist: they are never read. Otherwise -EINVAL. The
 * other functions rely on this having been asked.
 */
int detile_check(const struct detile_surface *s);

/* Copies the rectangle into the image. */
void detile_copy(const struct detile *t, const struct detile_surface *s,
		 const struct detile_rect *r, const struct detile_image *dst,
		 enum detile_path path);

/*
 * Copies what differs from the image, and sets the bits of the cells in which something did;
 * returns how many bits were not set before. Pixels of 4 bytes differ if any bit of mask does
 * (0x00ffffff: the X byte of x8r8g8b8 does not count); pixels of other sizes are compared whole.
 * Each pixel is read once, so whatever a guest writes meanwhile: a pixel that was stored is in a
 * reported cell, and what was not seen differs at the next call.
 */
uint32_t detile_compare(const struct detile *t, const struct detile_surface *s,
			const struct detile_rect *r, const struct detile_image *dst, uint32_t mask,
			const struct detile_cells *cells);

/*
 * A cheap look at a surface that rests: compares every eighth row with the image, copies nothing,
 * and sets the bits of the cells in which something differs; returns how many were not set before.
 * Pass number n looks at other rows than pass n - 1: a change that is 8 rows high, however narrow,
 * shows in any one pass, one of 4 rows in any two that follow each other and begin at an even
 * number, and after DETILE_PROBE_PASSES passes in a row every pixel has been looked at. It costs
 * about an eighth of the memory traffic of detile_compare() for linear and X surfaces, a third for
 * the others (whose cache lines hold four rows each).
 */
#define DETILE_PROBE_PASSES 8u
uint32_t detile_probe(const struct detile_surface *s, const struct detile_rect *r,
		      const struct detile_image *dst, uint32_t mask, uint32_t pass,
		      const struct detile_cells *cells);

/* The other way: writes the image's rectangle into the surface's bytes at data (s->data unused). */
void detile_tile(void *data, const struct detile_surface *s, const struct detile_rect *r,
		 const struct detile_image *src);

#ifdef __cplusplus
}
#endif
#endif
