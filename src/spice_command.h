/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QXL commands for spice-server (spice/qxl_dev.h), which hold all that they point at: pixels are
 * copied from the frame when a command is made, and freed when spice-server gives it back.
 * Addresses are those of this process.
 */
#ifndef PLANECAST_SPICE_COMMAND_H
#define PLANECAST_SPICE_COMMAND_H

#include <spice.h>
#include <stddef.h>

#include "frame.h"
#include "pointer.h"

/* What all commands share; spice-server knows them by the release number, which is the address. */
struct spice_command {
	QXLCommandExt ext;
	size_t bytes; /* of memory */
};

/* Copies a rectangle, within the frame and not empty, to the screen. NULL without memory. */
struct spice_command *spice_command_draw(const struct frame *frame, const struct detile_rect *rect);

/* The pointer, its shape and place; NULL as shape hides it. NULL without memory. */
struct spice_command *spice_command_cursor(const struct pointer *shape, int32_t x, int32_t y);

/* The same shape at another place. */
struct spice_command *spice_command_move(const struct pointer *shape, int32_t x, int32_t y);

/* The command of a release_resource(). */
struct spice_command *spice_command_of(QXLReleaseInfoExt release);
void spice_command_free(struct spice_command *command);

#endif
