/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of pixels on their way to Tight. Pure; loops that compilers make vectors of. */
#ifndef PLANECAST_TIGHT_PIXELS_H
#define PLANECAST_TIGHT_PIXELS_H

#include <stdbool.h>
#include <stdint.h>

/* Copies x8r8g8b8 pixels with a zero X byte. */
void tight_pixels_read(const uint32_t *from, uint32_t count, uint32_t *to);

/* Whether all are this one. */
bool tight_pixels_are(const uint32_t *pixels, uint32_t count, uint32_t pixel);

/* As bytes red, green, blue. Writes TIGHT_PIXELS_SLACK bytes more. */
#define TIGHT_PIXELS_SLACK 1u
void tight_pixels_pack(const uint32_t *pixels, uint32_t count, uint8_t *to);

/*
 * Tight's gradient filter for such bytes: what each differs from the sum of its left and its upper
 * neighbour minus the one before that. Three bytes of 0 precede both rows; `above` is all 0 for
 * the first one.
 */
void tight_pixels_gradient(const uint8_t *row, const uint8_t *above, uint32_t count, uint8_t *to);

#endif
