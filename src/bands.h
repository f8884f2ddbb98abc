/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bands: detile/ on several threads, for screens on which one is not enough (4K and larger). A
 * rectangle is cut into bands of whole rows of cells, so that no two threads write one pixel or
 * one word of damage. One caller at a time; the caller works, too, and returns when all is done.
 */
#ifndef PLANECAST_BANDS_H
#define PLANECAST_BANDS_H

#include "detile/detile.h"

struct bands;

/* Starts threads - 1 workers, which sleep between calls. -EINVAL (0, or over 64), -EAGAIN. */
int bands_create(unsigned int threads, struct bands **bands);
void bands_destroy(struct bands *bands); /* takes NULL; not while a call runs */

/* Calls work(data, n) once for each n below count, on all threads, in no order. */
void bands_each(struct bands *bands, unsigned int count, void (*work)(void *data, unsigned int n),
		void *data);

/* As detile_copy() and detile_compare(). Rectangles of under 64K pixels stay with the caller. */
void bands_copy(struct bands *bands, const struct detile *t, const struct detile_surface *s,
		const struct detile_rect *r, const struct detile_image *dst, enum detile_path path);
uint32_t bands_compare(struct bands *bands, const struct detile *t, const struct detile_surface *s,
		       const struct detile_rect *r, const struct detile_image *dst, uint32_t mask,
		       const struct detile_cells *cells);

#endif
