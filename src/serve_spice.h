/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SPICE part of `planecast serve`, as serve_vnc.h; some limits are the VNC part's. */
#ifndef PLANECAST_SERVE_SPICE_H
#define PLANECAST_SERVE_SPICE_H

#include <glib.h>

#include "screen.h"
#include "serve_vnc.h"

struct serve_spice {
	char **addresses;    /* NULL: no SPICE */
	char *password_file; /* a secret (secret.h) */
	char *compression, *streaming;
	int clients;
};

void serve_spice_init(struct serve_spice *spice);
void serve_spice_finish(struct serve_spice *spice);
void serve_spice_entries(struct serve_spice *spice, GArray *entries);
extern const char serve_spice_help[];

/* After parsing: 0, or EXIT_USAGE after the one line on stderr. */
int serve_spice_check(const struct serve_spice *spice);

/* After serve_vnc_start(). 0 or -errno. */
int serve_spice_start(const struct serve_spice *spice, const struct serve_vnc *vnc,
		      struct screen *screen, const char *name, GError **error);

#endif
