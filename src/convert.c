/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "convert.h"

void convert_c8(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette)
{
	for (uint32_t x = 0; x < width; x++)
		to[x] = palette ? palette[from[x]] : from[x] * 0x010101u;
}

static uint32_t clamp(int value)
{
	return value < 0 ? 0 : value > 255 ? 255 : (uint32_t)value;
}

/* The matrix of BT.601 in 1/256: 255/219 for Y, and 255/224 of 1.402, 0.714, 0.344 and 1.772. */
static uint32_t pixel(int y, int u, int v)
{
	int grey = 298 * (y - 16) + 128;

	u -= 128;
	v -= 128;
	return clamp((grey + 409 * v) / 256) << 16 | clamp((grey - 100 * u - 208 * v) / 256) << 8 |
	       clamp((grey + 516 * u) / 256);
}

/* y, u and v: where in a pair's four bytes the first brightness and the two colours are. */
static inline void convert_pairs(const uint8_t *from, uint32_t *to, uint32_t width, int y, int u,
				 int v)
{
	for (uint32_t x = 0; x < width; x++) {
		const uint8_t *pair = from + (size_t)(x & ~1u) * 2;

		to[x] = pixel(pair[y + 2 * (int)(x & 1)], pair[u], pair[v]);
	}
}

void convert_yuyv(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette)
{
	(void)palette;
	convert_pairs(from, to, width, 0, 1, 3);
}

void convert_yvyu(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette)
{
	(void)palette;
	convert_pairs(from, to, width, 0, 3, 1);
}

void convert_uyvy(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette)
{
	(void)palette;
	convert_pairs(from, to, width, 1, 0, 2);
}

void convert_vyuy(const uint8_t *from, uint32_t *to, uint32_t width, const uint32_t *palette)
{
	(void)palette;
	convert_pairs(from, to, width, 1, 2, 0);
}
