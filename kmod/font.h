/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap font, 8x16 pixels a character, ASCII 32 .. 126. Used by the test pictures in the kernel
 * and in user space, and by the "no signal" card.
 */
#ifndef FONT_H
#define FONT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define FONT_WIDTH  8u
#define FONT_HEIGHT 16u

/* Row y (0 .. 15) of a character: bit 7 is the leftmost pixel. Others than 32 .. 126 show as '?'.
 */
uint8_t font_row(char character, uint32_t y);

#endif
