/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web part of `planecast serve`: its options and the server that they ask for. It brings
 * browsers to the VNC part, under whose rules they then are.
 */
#ifndef PLANECAST_SERVE_WEB_H
#define PLANECAST_SERVE_WEB_H

#include <glib.h>

#include "serve_vnc.h"
#include "web.h"

struct serve_web {
	char **addresses; /* NULL: no web server */
	char **hosts;
	char *root;
	struct web *server; /* once started */
};

void serve_web_finish(struct serve_web *web);

/* Appends the GOptionEntry of this part; they point into *web. */
void serve_web_entries(struct serve_web *web, GArray *entries);

/* What the help says of them, after the list. */
extern const char serve_web_help[];

/* After parsing: 0, or EXIT_USAGE after the one line on stderr. */
int serve_web_check(const struct serve_web *web);

/* Starts what was asked for, which may be nothing, for the door of a VNC part that has started; to
 * be stopped before that. */
int serve_web_start(struct serve_web *web, const struct serve_vnc *vnc, GError **error);
void serve_web_stop(struct serve_web *web);

#endif
