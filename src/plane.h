/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plane: what a device scans out, as its driver describes it, and the one gate through which
 * every guest-controlled number passes before a pixel is read.
 */
#ifndef PLANECAST_PLANE_H
#define PLANECAST_PLANE_H

#include <glib.h>
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

struct plane {
	uint32_t fourcc;        /* DRM_FORMAT_*, drm_fourcc.h */
	uint64_t modifier;      /* DRM_FORMAT_MOD_* or I915_FORMAT_MOD_* */
	uint32_t width, height; /* pixels */
	uint32_t stride;        /* bytes a row of pixels */
	const uint8_t *data;    /* borrowed from the source until release */
	size_t size;            /* bytes readable at data */
	int32_t x, y;           /* position on the screen, pixels (cursor) */
	int32_t hot_x, hot_y;   /* hot spot, pixels (cursor) */
	uint64_t generation;    /* changes when the plane is another one: mode, buffer, device */
};

/*
 * Judges the numbers of a plane against the bytes mapped for it. 0, or -EINVAL (numbers that do
 * not fit) or -ENOTSUP (format or modifier unknown), with one line in error that names the number.
 */
int plane_validate(const struct plane *plane, GError **error);

/* Bytes a pixel of a format, 0 if the format is not known. */
uint32_t plane_cpp(uint32_t fourcc);

/* The tiling of a modifier; -ENOTSUP if it is not one that detile/ knows. */
int plane_layout(uint64_t modifier, enum detile_layout *layout);

#endif
