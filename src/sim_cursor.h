/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cursor of a simulated device: an arrow with a shadow, linear ARGB8888 (premultiplied), that
 * wanders over the screen. Its tip stays inside, the plane hangs over the edges. Depends on the
 * mode, the seed and the frame's number only.
 */
#ifndef PLANECAST_SIM_CURSOR_H
#define PLANECAST_SIM_CURSOR_H

#include <stdint.h>

#define SIM_CURSOR_SIZE 64u /* pixels each way */
#define SIM_CURSOR_HOT  4   /* the arrow's tip, from the left and from the top */

/* The picture never changes. */
void sim_cursor_draw(uint32_t pixels[SIM_CURSOR_SIZE * SIM_CURSOR_SIZE]);

/* Where the plane's top left corner is on a screen of that size; may be negative. */
void sim_cursor_place(uint32_t width, uint32_t height, uint32_t seed, uint64_t frame, int32_t *x,
		      int32_t *y);

#endif
