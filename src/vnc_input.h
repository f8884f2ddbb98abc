/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VNC client types and points at, for its seat (input.h; NULL: view-only, nothing happens).
 * Buttons are as in a PointerEvent (RFC 6143 section 7.5.5, and ExtendedMouseButtons): the wheel is
 * buttons 4 to 7 there, a step each time one goes down; 8 goes back, 9 forward.
 */
#ifndef PLANECAST_VNC_INPUT_H
#define PLANECAST_VNC_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "input.h"

struct vnc_input {
	struct input_seat *seat;
	uint16_t buttons; /* as it said last */
};

/* The pointer is at x, y of a picture of that size. */
void vnc_input_pointer(struct vnc_input *input, uint16_t buttons, uint32_t x, uint32_t y,
		       uint32_t width, uint32_t height);

/* A key by its place where that is known (a scancode of 0: it is not), else by its meaning. */
void vnc_input_key(struct vnc_input *input, uint32_t keysym, uint32_t scancode, bool down);

#endif
