/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The colours of an area, as long as they are few. */
#ifndef PLANECAST_TIGHT_PALETTE_H
#define PLANECAST_TIGHT_PALETTE_H

#include <stdbool.h>
#include <stdint.h>

#define TIGHT_PALETTE_MAX   256u
#define TIGHT_PALETTE_SLOTS 1024u

/* All zero at first. */
struct tight_palette {
	unsigned int count, limit;
	uint32_t colours[TIGHT_PALETTE_MAX];
	uint64_t slots[TIGHT_PALETTE_SLOTS]; /* by hash: round << 42 | index << 32 | colour */
	uint64_t round;                      /* slots of another one are free */
};

/* Empties it; it takes up to `limit` (at most TIGHT_PALETTE_MAX) colours. */
void tight_palette_begin(struct tight_palette *palette, unsigned int limit);

/* False when there are more colours than the limit. */
bool tight_palette_add(struct tight_palette *palette, const uint32_t *pixels, uint32_t count);

/* The indices of pixels, all of which were added before. Returns where it stopped. */
uint8_t *tight_palette_map(const struct tight_palette *palette, const uint32_t *pixels,
			   uint32_t count, uint8_t *to);

#endif
