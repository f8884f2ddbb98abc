/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plane: what a device scans out, as its driver describes it, and the one gate through which
 * every guest-controlled number passes before a pixel is read.
 */
#ifndef PLANECAST_PLANE_H
#define PLANECAST_PLANE_H

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detile/detile.h"

/* Values of enum drm_plane_type (include/drm/drm_plane.h), as vfio_device_gfx_plane_info has them.
 */
enum plane_type {
	PLANE_PRIMARY = 1,
	PLANE_CURSOR = 2,
};

/* No plane is wider or higher than this; it bounds every product below 2^64. */
#define PLANE_MAX_DIMENSION 16384u
#define PLANE_MAX_STRIDE    (PLANE_MAX_DIMENSION * 16u)

struct plane {
	uint32_t fourcc;         /* DRM_FORMAT_*, drm_fourcc.h */
	uint64_t modifier;       /* DRM_FORMAT_MOD_* or I915_FORMAT_MOD_* */
	uint32_t width, height;  /* pixels */
	uint32_t stride;         /* bytes a row of pixels */
	const uint8_t *data;     /* borrowed from the source until release */
	size_t size;             /* bytes readable at data */
	bool wc;                 /* data is uncached or write-combined: each line is read once */
	const uint32_t *palette; /* of C8: 256 colours, borrowed; NULL: grey */
	int32_t x, y;            /* position on the screen, pixels (cursor) */
	int32_t hot_x, hot_y;    /* hot spot, pixels (cursor) */
	uint64_t generation;     /* changes when the plane is another one: mode, buffer, device */
	uint64_t contents;       /* changes when the pixels may have (cursor); 0: look yourself */
};

/*
 * Judges the numbers of a plane alone, before anything is mapped or allocated for them. 0, or
 * -EINVAL (numbers that do not fit) or -ENOTSUP (format or modifier unknown), with one line in
 * error that names the number.
 */
int plane_check(const struct plane *plane, GError **error);

/* plane_check(), and that the plane lies within the bytes mapped for it: -EINVAL. */
int plane_validate(const struct plane *plane, GError **error);

/* A format that a scanout may have. */
struct plane_format {
	uint32_t fourcc;
	uint32_t cpp; /* bytes a pixel */
	pixman_format_code_t pixman;
	/* What pixman does not convert (its code is 0): convert.h. */
	void (*convert)(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette);
	uint32_t group; /* so many pixels have bytes in common; a row holds whole groups */
};

/* The format of a fourcc, or NULL if it is not known. */
const struct plane_format *plane_format(uint32_t fourcc);

/* The tiling of a modifier; -ENOTSUP if it is not one that detile/ knows. */
int plane_layout(uint64_t modifier, enum detile_layout *layout);
const char *plane_layout_name(enum detile_layout layout);

/* The name of a modifier for people, with its number: "Y-tiled with CCS (0x...)". */
#define PLANE_MODIFIER_NAME 64
void plane_modifier_name(uint64_t modifier, char name[PLANE_MODIFIER_NAME]);

/* The four characters of a fourcc, unprintable ones as '?'. */
void plane_fourcc_name(uint32_t fourcc, char name[5]);

/* The plane in detile's terms, as wide as its groups of pixels; data is still the source's. */
void plane_surface(const struct plane *plane, struct detile_surface *surface);

/* Whether two descriptions are of one and the same scanout (contents and position apart). */
bool plane_is_same(const struct plane *a, const struct plane *b);

#endif
