/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's device of a SPICE server. Clients send the size of their windows, and what they copy,
 * to an agent only, so planecast is one: agent_talk.h has its words. Sizes come out of
 * spice-server at the display (client_monitors_config), not here.
 */
#ifndef PLANECAST_SPICE_AGENT_H
#define PLANECAST_SPICE_AGENT_H

#include <spice.h>
#include <stdbool.h>

#include "clipboard.h"

struct spice_agent;

/*
 * From the server's thread, whose loop `context` is: adds it to the server, which has to be
 * initialised, with its display. clipboard (NULL: none) outlives it. NULL: the server wants none.
 */
struct spice_agent *spice_agent_create(bool resizes, struct clipboard *clipboard,
				       SpiceServer *server, GMainContext *context);

/* After the server's end. Takes NULL. */
void spice_agent_destroy(struct spice_agent *agent);

#endif
