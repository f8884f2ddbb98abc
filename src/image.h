/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures as files: PNG, PPM or raw pixels. */
#ifndef PLANECAST_IMAGE_H
#define PLANECAST_IMAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum image_format {
	IMAGE_PNG,      /* RGB, or RGBA with alpha; 8 bits a channel */
	IMAGE_PNG_BEST, /* the same as small as zlib makes it, which takes many times as long */
	IMAGE_PPM,      /* P6; with alpha: on black */
	IMAGE_RAW,      /* width * height * 4 bytes B G R 0, with alpha B G R A (premultiplied) */
	IMAGE_FORMATS,
};

struct image {
	uint32_t width, height; /* pixels, neither 0 */
	size_t stride;          /* bytes a row */
	const uint32_t *pixels; /* PIXMAN_x8r8g8b8, with alpha PIXMAN_a8r8g8b8 (premultiplied) */
	bool alpha;
};

/* The format of that name (png, ppm, raw), or -1; the best PNG has none of its own. */
int image_format_from_name(const char *name);

/*
 * Writes a picture to a path as output.h does it: whole or not at all, "-" is standard output.
 * -errno and one line in error that names the path.
 */
int image_write(const struct image *image, enum image_format format, const char *path,
		GError **error);

#endif
