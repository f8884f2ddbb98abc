/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input through virtual devices of this host: a keyboard, and a tablet or a mouse, whose event
 * nodes a QEMU takes (input-linux or virtio-input-host, libvirt's <input type='evdev'> and
 * 'passthrough').
 *
 * What nobody has taken gets no press, no motion and no wheel, so no viewer types to the host;
 * releases of what is down always go out. Positions that follow each other within
 * INPUT_UINPUT_PAUSE are one. Lights come back from who took the keyboard.
 *
 * The tablet knows no distances: a viewer that sends them (SPICE's server mode) needs the mouse.
 */
#ifndef PLANECAST_INPUT_UINPUT_H
#define PLANECAST_INPUT_UINPUT_H

#include <glib.h>

#include "input.h"

#define INPUT_UINPUT_PAUSE 4000 /* microseconds */

/*
 * name is part of the devices' names. Lights and late positions come by the main context. Opens
 * all that it needs now. 0 or -errno, as uinput_create() has it.
 */
int input_uinput_create(const char *name, bool relative, struct input_sink **sink, GError **error);

/* The event node of its keyboard and of its pointer, the sink's own. */
const char *input_uinput_keyboard(const struct input_sink *sink);
const char *input_uinput_pointer(const struct input_sink *sink);

#endif
