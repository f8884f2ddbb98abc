/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server gives up before it faces anybody: its user, its capabilities, the files and the
 * system calls that it has no use for. Main thread, before there are others.
 */
#ifndef PLANECAST_SERVE_CONFINE_H
#define PLANECAST_SERVE_CONFINE_H

#include <glib.h>

#include "serve_spice.h"
#include "serve_vnc.h"
#include "serve_web.h"

struct serve_confine {
	char *user;    /* NULL: stays who it is */
	gboolean none; /* --no-sandbox */
	gboolean calls;
	int landlock; /* its version, 0: not restricted */
};

/* Whose files stay in reach. */
struct serve_parts {
	const struct serve_vnc *vnc;
	const struct serve_web *web;
	const struct serve_spice *spice;
	const char *control;
	char **metrics; /* NULL: none */
};

void serve_confine_finish(struct serve_confine *confine);

/* Appends the GOptionEntry of this part; they point into *confine. */
void serve_confine_entries(struct serve_confine *confine, GArray *entries);

/* What the help says of them, after the list. */
extern const char serve_confine_help[];

/* After parsing: 0, or EXIT_USAGE after the one line on stderr. */
int serve_confine_check(const struct serve_confine *confine);

/* The device is open, and can be reached again: its user and its capabilities. 0 or -errno. */
int serve_confine_drop(struct serve_confine *confine, GError **error);

/* Secrets are read, folders are there: its files and its system calls. 0 or -errno. */
int serve_confine_lock(struct serve_confine *confine, const struct serve_parts *parts,
		       GError **error);

#endif
