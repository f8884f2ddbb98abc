/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data as zlib streams of their own: each begins anew, ends at a whole byte (a sync flush) and is
 * never finished, as Tight wants it. By ISA-L where planecast was built with it, which is 5 to 20
 * times as fast as zlib; by zlib at the levels that ISA-L does not reach.
 */
#ifndef PLANECAST_TIGHT_PACKER_H
#define PLANECAST_TIGHT_PACKER_H

#include <stddef.h>
#include <stdint.h>

#define TIGHT_PACKER_MAX 6 /* more costs much and saves hardly anything */

struct tight_packer;

struct tight_packer *tight_packer_create(void);
void tight_packer_destroy(struct tight_packer *packer); /* takes NULL */

/* level: of zlib, 0 .. TIGHT_PACKER_MAX. What it returns is valid until the next call. */
const uint8_t *tight_pack(struct tight_packer *packer, int level, const uint8_t *plain,
			  size_t length, size_t *packed);

#endif
