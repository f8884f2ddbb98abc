/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web server: a page that shows the screen in a browser, and the WebSocket that it connects to,
 * on one port (http.h). Upgraded connections go to the door as strangers and are under its rules
 * from there on; before that they are under limits and deadlines here. A thread of its own.
 */
#ifndef PLANECAST_WEB_H
#define PLANECAST_WEB_H

#include <gio/gio.h>
#include <stdbool.h>

#include "door.h"

struct web;

struct web_options {
	struct door *door;               /* for upgraded connections; closed after the web server */
	struct certificate *certificate; /* https, but on unix sockets; NULL: http; borrowed */
	const char *root;                /* noVNC's folder; NULL: Debian's */
	const char *const
		*hosts;        /* further names of this server, NULL at the end; or NULL; copied */
	unsigned int visits;   /* connections at a time; a newcomer pushes out the oldest */
	unsigned int visit_ms; /* time for a request */
	bool open; /* other machines may come in: the door asks for a password, or is told not to */
};

/* What happened so far. */
struct web_counts {
	unsigned int accepted; /* connections */
	unsigned int requests; /* answered, in whatever way */
	unsigned int upgraded; /* handed to the door */
	unsigned int cut;      /* took too long or were pushed out */
	unsigned int visits;   /* now */
};

#define WEB_DEFAULT_VISITS   128
#define WEB_DEFAULT_VISIT_MS 10000

/* Zero numbers mean the defaults. 0 or -errno. */
int web_create(const struct web_options *options, struct web **web, GError **error);

/*
 * Listens on an ADDR as door_listen() does; logs "web: open URL" (for a unix socket: "web:
 * listening on ADDR"). Refuses, with EXIT_USAGE, an address that other machines could reach
 * unless `open`.
 */
int web_listen(struct web *web, const char *address, GError **error);

void web_count(struct web *web, struct web_counts *counts);

/* Ends the thread and every connection that is not the door's yet. Takes NULL. */
void web_destroy(struct web *web);

#endif
