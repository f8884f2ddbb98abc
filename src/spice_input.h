/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard and tablet of a SPICE server, joined to a seat (input.h): spice-server makes one of all
 * its clients' input. In the server's thread.
 */
#ifndef PLANECAST_SPICE_INPUT_H
#define PLANECAST_SPICE_INPUT_H

#include <glib.h>
#include <spice.h>

#include "input.h"

struct spice_input;

/* The context is the server's. */
struct spice_input *spice_input_create(struct input *input, SpiceServer *server,
				       GMainContext *context);
void spice_input_release(struct spice_input *input); /* nobody is there any more: all up */
/* After the server's end. Takes NULL. */
void spice_input_destroy(struct spice_input *input);

#endif
