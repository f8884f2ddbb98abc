/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own agent in `planecast serve`: its option, and what it is joined with. */
#ifndef PLANECAST_SERVE_AGENT_H
#define PLANECAST_SERVE_AGENT_H

#include <glib.h>

#include "clipboard.h"
#include "guest_agent.h"
#include "screen.h"

/* All zero before serve_agent_entries(). */
struct serve_agent {
	char *address;             /* unix:PATH; NULL: no agent */
	struct guest_agent *agent; /* once started */
};

/* Appends its options to an array of GOptionEntry. */
void serve_agent_entries(struct serve_agent *agent, GArray *entries);

/* What the help says of them, after the list. */
extern const char serve_agent_help[];

/* After parsing: 0, or EXIT_USAGE after the one line on stderr. */
int serve_agent_check(const struct serve_agent *agent);

/* Joins it with the clipboard (NULL: there is none) and with viewers' wishes for a size. */
void serve_agent_start(struct serve_agent *agent, struct clipboard *clipboard,
		       struct screen *screen);
/* Before the screen and the clipboard end. */
void serve_agent_stop(struct serve_agent *agent, struct screen *screen);
void serve_agent_finish(struct serve_agent *agent);

#endif
