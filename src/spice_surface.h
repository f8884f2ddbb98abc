/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one surface of spice-server's QXL device, which its worker draws on. All from the server's
 * thread.
 */
#ifndef PLANECAST_SPICE_SURFACE_H
#define PLANECAST_SPICE_SURFACE_H

#include <spice.h>
#include <stdbool.h>
#include <stdint.h>

#define SPICE_SURFACE 0u /* its number */

/* All zero: there is none. */
struct spice_surface {
	uint8_t *pixels;
};

/* A black one of this size, in the place of the one that is there; that stays if there is no
 * memory, which is false. */
bool spice_surface_create(struct spice_surface *surface, QXLInstance *instance, uint32_t width,
			  uint32_t height);

/* All commands come back with it. Does nothing if there is none. */
void spice_surface_destroy(struct spice_surface *surface, QXLInstance *instance);

/* After the server's end. */
void spice_surface_finish(struct spice_surface *surface);

#endif
