/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether libvncserver is the one that vnc_send writes updates with, out of its buffer, its
 * encoders and the fields between them, and past which vnc_tight writes to a client's socket: none
 * of that is its interface. The version has to be known, and an update that was made so has to be
 * what RFC 6143 says, byte by byte. Where it is not, updates are made by the library's own
 * function.
 *
 * What vnc_session and the others set beside that are fields that servers have always set.
 */
#ifndef PLANECAST_VNC_LAYOUT_H
#define PLANECAST_VNC_LAYOUT_H

#include <stdbool.h>

/* Any thread; the first call tries, and its answer stays: a client's streams are made in one way.
 */
bool vnc_layout_is_known(void);

/* For tests: the answer from now on. */
void vnc_layout_pretend(bool known);

/* The versions: "0.9.N", from the first that was tried on. */
bool vnc_layout_knows_version(const char *version);

#endif
