/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that a simulated device scans out: a test picture in any layout and format of
 * plane.h. What is drawn depends on the pattern and the frame's number only. One thread.
 */
#ifndef PLANECAST_SIM_SCANOUT_H
#define PLANECAST_SIM_SCANOUT_H

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

#include "damage.h"
#include "kmod/pattern.h"
#include "plane.h"
#include "sim_options.h"

struct sim_scanout {
	struct pattern pattern;
	struct plane plane; /* data, size, geometry, format and modifier; the rest is zero */
	uint8_t *memory;    /* the same bytes, writable */
	uint64_t frame;     /* what is drawn, if anything is */
	bool drawn;
	struct damage change;      /* of the last draw */
	pixman_image_t *band;      /* one row of cells, x8r8g8b8 */
	pixman_image_t *converted; /* the same in the plane's format, NULL if that is XRGB8888 */
};

/* Memory for one mode (not off), nothing drawn. -errno and a line in error. */
int sim_scanout_init(struct sim_scanout *scanout, const struct sim_options *options,
		     const struct sim_mode *mode, GError **error);
void sim_scanout_finish(struct sim_scanout *scanout); /* takes a zeroed one */

/*
 * Draws a frame and adds what changed since the frame before to damage: all of it for the first.
 * When few frames lie between, only what they changed is drawn. damage has the mode's size.
 */
void sim_scanout_draw(struct sim_scanout *scanout, uint64_t frame, struct damage *damage);

#endif
