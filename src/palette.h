/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A palette: the colours of C8 pixels. No interface tells a device's own, so the user gives it.
 */
#ifndef PLANECAST_PALETTE_H
#define PLANECAST_PALETTE_H

#include <glib.h>
#include <stdint.h>

#define PALETTE_COLOURS 256

/*
 * By name: "grey" (a ramp, the default everywhere), "rgb332" (3 bits red, 3 green, 2 blue, from
 * the top), else a file of 256 colours, each a byte of red, green and blue (768 bytes; what follows
 * in Adobe's .act form is ignored). x8r8g8b8. -EINVAL with EXIT_USAGE, or the file's -errno, with
 * one line in error.
 */
int palette_get(const char *name, uint32_t colours[PALETTE_COLOURS], GError **error);

#endif
