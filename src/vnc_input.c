/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_input.h"

#include "scancode.h"

enum {
	BUTTON_LEFT = 1 << 0,
	BUTTON_MIDDLE = 1 << 1,
	BUTTON_RIGHT = 1 << 2,
	WHEEL_UP = 1 << 3,
	WHEEL_DOWN = 1 << 4,
	WHEEL_LEFT = 1 << 5,
	WHEEL_RIGHT = 1 << 6,
	BUTTON_BACK = 1 << 7,
	BUTTON_FORWARD = 1 << 8,
};

static unsigned int buttons_of(unsigned int buttons)
{
	return (buttons & BUTTON_LEFT ? INPUT_LEFT : 0u) |
	       (buttons & BUTTON_MIDDLE ? INPUT_MIDDLE : 0u) |
	       (buttons & BUTTON_RIGHT ? INPUT_RIGHT : 0u) |
	       (buttons & BUTTON_BACK ? INPUT_SIDE : 0u) |
	       (buttons & BUTTON_FORWARD ? INPUT_EXTRA : 0u);
}

void vnc_input_pointer(struct vnc_input *input, uint16_t buttons, uint32_t x, uint32_t y,
		       uint32_t width, uint32_t height)
{
	unsigned int pressed = buttons & ~(unsigned int)input->buttons;

	input->buttons = buttons;
	input_seat_pointer(input->seat, x, y, width, height, buttons_of(buttons));
	input_seat_wheel(input->seat, !!(pressed & WHEEL_RIGHT) - !!(pressed & WHEEL_LEFT),
			 !!(pressed & WHEEL_DOWN) - !!(pressed & WHEEL_UP));
}

void vnc_input_key(struct vnc_input *input, uint32_t keysym, uint32_t scancode, bool down)
{
	if (scancode_to_key(scancode))
		input_seat_scancode(input->seat, scancode, down);
	else
		input_seat_keysym(input->seat, keysym, down);
}
