/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tight_pixels.h"

#include <string.h>

/* Compilers make vectors of inner loops that are always so long. */
#define BLOCK 16u

#define COLOURS 0x00ffffffu

/*
 * The pixels may change meanwhile: everything after this works with what was read here, and what
 * it tore is damage that is still to be told. ThreadSanitizer need not know of these reads.
 */
__attribute__((no_sanitize("thread"))) void tight_pixels_read(const uint32_t *restrict from,
							      uint32_t count, uint32_t *restrict to)
{
	for (; count >= BLOCK; count -= BLOCK, from += BLOCK, to += BLOCK)
		for (uint32_t i = 0; i < BLOCK; i++)
			to[i] = from[i] & COLOURS;
	for (uint32_t i = 0; i < count; i++)
		to[i] = from[i] & COLOURS;
}

bool tight_pixels_are(const uint32_t *pixels, uint32_t count, uint32_t pixel)
{
	uint32_t differs = 0;

	for (; count >= BLOCK && !differs; count -= BLOCK, pixels += BLOCK)
		for (uint32_t i = 0; i < BLOCK; i++)
			differs |= pixels[i] ^ pixel;
	for (uint32_t i = 0; i < count && !differs; i++)
		differs |= pixels[i] ^ pixel;
	return !differs;
}

void tight_pixels_pack(const uint32_t *pixels, uint32_t count, uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++, to += 3) {
		uint32_t pixel = pixels[i];
		const uint8_t bytes[4] = {(uint8_t)(pixel >> 16), (uint8_t)(pixel >> 8),
					  (uint8_t)pixel};

		memcpy(to, bytes, sizeof(bytes)); /* one store: the fourth is overwritten */
	}
}

static uint8_t residue(const uint8_t *row, const uint8_t *above, uint32_t i)
{
	const uint8_t *left = row - 3, *corner = above - 3;
	int16_t guess = (int16_t)(left[i] + above[i] - corner[i]);

	guess = guess < 0 ? 0 : guess;
	guess = guess > 255 ? 255 : guess;
	return (uint8_t)(row[i] - guess);
}

void tight_pixels_gradient(const uint8_t *row, const uint8_t *above, uint32_t count,
			   uint8_t *restrict to)
{
	for (; count >= BLOCK; count -= BLOCK, row += BLOCK, above += BLOCK, to += BLOCK)
		for (uint32_t i = 0; i < BLOCK; i++)
			to[i] = residue(row, above, i);
	for (uint32_t i = 0; i < count; i++)
		to[i] = residue(row, above, i);
}
