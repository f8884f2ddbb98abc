/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual input device of this host (linux Documentation/input/uinput.rst): made by /dev/uinput,
 * there as a node /dev/input/eventN until it is destroyed.
 *
 * Whoever has such a node to itself (EVIOCGRAB) gets its events; as long as nobody has, they go to
 * the host: to its console, its SysRq key and its power button. So ask before each press.
 */
#ifndef PLANECAST_UINPUT_H
#define PLANECAST_UINPUT_H

#include <glib.h>
#include <linux/input.h>
#include <stdbool.h>
#include <stddef.h>

enum uinput_kind {
	UINPUT_KEYBOARD, /* every key below BTN_MISC, three lights */
	UINPUT_TABLET,   /* an absolute pointer from 0 to INPUT_POSITION_MAX, wheel, five buttons */
	UINPUT_MOUSE,    /* a relative one */
};

struct uinput;

/* -errno with a line that names what is missing; EXIT_REFUSED without permission. */
int uinput_create(enum uinput_kind kind, const char *name, struct uinput **device, GError **error);
void uinput_destroy(struct uinput *device); /* takes NULL */

const char *uinput_node(const struct uinput *device); /* /dev/input/eventN */

/* Whether somebody else has the node to itself. */
bool uinput_taken(struct uinput *device);

/* Events of one moment; their times are the kernel's. */
void uinput_write(struct uinput *device, const struct input_event *events, size_t count);

/* What was written to the node (lights): the descriptor is readable when there is some. */
int uinput_descriptor(const struct uinput *device);
bool uinput_read(struct uinput *device, struct input_event *event); /* false: no more for now */

#endif
