/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tight_palette.h"

#define ROUND_SHIFT 42
#define ROUND_MAX   ((UINT64_C(1) << (64 - ROUND_SHIFT)) - 1)

static unsigned int hash(uint32_t pixel)
{
	return pixel * 2654435761u >> 22; /* TIGHT_PALETTE_SLOTS */
}

/* Where the colour is, or the free slot where it would be. There are always free ones. */
static unsigned int find(const struct tight_palette *palette, uint32_t pixel)
{
	unsigned int slot = hash(pixel);

	while (palette->slots[slot] >> ROUND_SHIFT == palette->round &&
	       (uint32_t)palette->slots[slot] != pixel)
		slot = (slot + 1) % TIGHT_PALETTE_SLOTS;
	return slot;
}

void tight_palette_begin(struct tight_palette *palette, unsigned int limit)
{
	palette->count = 0;
	palette->limit = limit;
	if (palette->round++ == ROUND_MAX) {
		for (unsigned int i = 0; i < TIGHT_PALETTE_SLOTS; i++)
			palette->slots[i] = 0;
		palette->round = 1;
	}
}

bool tight_palette_add(struct tight_palette *palette, const uint32_t *pixels, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		unsigned int slot;

		if (i && pixels[i] == pixels[i - 1])
			continue;
		slot = find(palette, pixels[i]);
		if (palette->slots[slot] >> ROUND_SHIFT == palette->round)
			continue;
		if (palette->count == palette->limit)
			return false;
		palette->slots[slot] = palette->round << ROUND_SHIFT |
				       (uint64_t)palette->count << 32 | pixels[i];
		palette->colours[palette->count++] = pixels[i];
	}
	return true;
}

uint8_t *tight_palette_map(const struct tight_palette *palette, const uint32_t *pixels,
			   uint32_t count, uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++)
		if (i && pixels[i] == pixels[i - 1])
			to[i] = to[i - 1];
		else
			to[i] = (uint8_t)(palette->slots[find(palette, pixels[i])] >> 32 & 255);
	return to + count;
}
