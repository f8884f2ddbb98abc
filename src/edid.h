/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The EDID of a virtual monitor (VESA Enhanced EDID 1.4) that wants one mode. A mode wider or
 * higher than a detailed timing can say (4095) is in a DisplayID extension (VESA DisplayID 1.2).
 */
#ifndef PLANECAST_EDID_H
#define PLANECAST_EDID_H

#include <stddef.h>
#include <stdint.h>

#define EDID_BLOCK         128
#define EDID_MAX           (2 * EDID_BLOCK)
#define EDID_MIN_DIMENSION 64u
#define EDID_MAX_DIMENSION 16384u

/*
 * Writes the EDID of a monitor of width x height pixels at 96 dpi, at 60 Hz or, where that is more
 * pixels than can be said, at what can. room is what the device takes. Sets *size; 0, or -ERANGE:
 * no EDID of that room can say this.
 */
int edid_build(uint32_t width, uint32_t height, size_t room, uint8_t blob[EDID_MAX], size_t *size);

#endif
