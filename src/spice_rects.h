/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a change is divided into drawing commands. spice-server's worker takes nothing for anybody
 * while a client has more than 50 messages to come (server/red-worker.cpp, MAX_PIPE_SIZE), and what
 * a client that takes none has to come are the commands that are still to be seen: so a change is
 * a few large ones rather than many small ones. Pure.
 */
#ifndef PLANECAST_SPICE_RECTS_H
#define PLANECAST_SPICE_RECTS_H

#include <glib.h>
#include <stdint.h>

#define SPICE_RECTS_MOST 32u

/* More rectangles (struct detile_rect, within a frame of that height) than SPICE_RECTS_MOST become
 * fewer, which do not overlap and cover them all. */
void spice_rects_join(GArray *rects, uint32_t height);

#endif
