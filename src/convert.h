/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of pixels to x8r8g8b8, in formats that pixman cannot or would convert in its own way. Source
 * of the bytes' order: drm_fourcc.h. Pure; any thread; `to` holds width pixels, `from` the bytes of
 * width pixels, of whole pairs in the YUV formats.
 */
#ifndef PLANECAST_CONVERT_H
#define PLANECAST_CONVERT_H

#include <stddef.h>
#include <stdint.h>

/* Indices by a palette of 256 colours, or (NULL) as a ramp of grey: palette.h. */
void convert_c8(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette);

/*
 * Pairs of pixels with one colour: ITU-R BT.601, limited range, as DRM planes have by default. No
 * palette is looked at.
 */
void convert_yuyv(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette);
void convert_yvyu(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette);
void convert_uyvy(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette);
void convert_vyuy(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette);

#endif
