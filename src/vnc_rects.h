/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudo-rectangles of a FramebufferUpdate: what a client is told beside pixels, as bytes (RFC 6143
 * section 7.8; Cursor With Alpha, Pointer Position and ExtendedDesktopSize as in the community's
 * rfbproto). Nothing here knows the encoder.
 */
#ifndef PLANECAST_VNC_RECTS_H
#define PLANECAST_VNC_RECTS_H

#include <stddef.h>
#include <stdint.h>

#include "moves.h"
#include "pointer.h"
#include "vnc_parser.h"

struct vnc_rects {
	uint8_t *bytes; /* allocated, or NULL */
	size_t length, room;
	uint16_t count; /* of rectangles */
};

/* All zero at first. */
void vnc_rects_finish(struct vnc_rects *rects);

/* What ExtendedDesktopSize answers to a client's wish; a size that comes unasked is silent. */
enum vnc_size_status {
	VNC_SIZE_SILENT = -1,
	VNC_SIZE_DONE = 0,
	VNC_SIZE_PROHIBITED = 1,
	VNC_SIZE_NO_ROOM = 2,
	VNC_SIZE_INVALID = 3,
	VNC_SIZE_FORWARDED = 4, /* it may come, later */
};

void vnc_rects_add_size(struct vnc_rects *rects, uint16_t width, uint16_t height);
void vnc_rects_add_extended_size(struct vnc_rects *rects, enum vnc_size_status status,
				 uint16_t width, uint16_t height);

/* A shape of NULL: no pointer. In the client's pixel format; in two colours; with alpha. */
void vnc_rects_add_cursor(struct vnc_rects *rects, const struct pointer *shape,
			  const struct vnc_format *format);
void vnc_rects_add_x_cursor(struct vnc_rects *rects, const struct pointer *shape);
void vnc_rects_add_alpha_cursor(struct vnc_rects *rects, const struct pointer *shape);

/* What the client has elsewhere (CopyRect): before all that shows pixels. */
void vnc_rects_add_copy(struct vnc_rects *rects, const struct move *move);

/* QEMU's extended key events are understood (QEMU Extended Key Event in rfbproto). */
void vnc_rects_add_extended_keys(struct vnc_rects *rects);

/* Buttons beyond the eighth are understood (ExtendedMouseButtons). */
void vnc_rects_add_extended_mouse(struct vnc_rects *rects);

/* The guest's lights, a mask of enum input_led (QEMU LED State). */
void vnc_rects_add_leds(struct vnc_rects *rects, unsigned int leds);

/* What the desktop is called, in UTF-8 (DesktopName). */
void vnc_rects_add_name(struct vnc_rects *rects, const char *name);

/* Where the hot spot is. */
void vnc_rects_add_position(struct vnc_rects *rects, uint16_t x, uint16_t y);

#endif
