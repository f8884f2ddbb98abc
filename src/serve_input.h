/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input part of `planecast serve`: where what viewers type and point at goes. */
#ifndef PLANECAST_SERVE_INPUT_H
#define PLANECAST_SERVE_INPUT_H

#include <glib.h>

#include "input.h"
#include "keymap.h"

struct serve_input {
	char *to;     /* NULL: found by itself */
	char *layout; /* NULL: KEYMAP_DEFAULT */
	struct keymap *keymap;
	char *monitor; /* once started: the socket of QEMU's, or NULL */
	const char
		*nodes[3]; /* once started: those of uinput, keyboard and pointer; ends with NULL */
	struct input *input; /* once started; NULL: all viewers only watch */
};

/* Appends the GOptionEntry of this part; they point into *input. */
void serve_input_entries(struct serve_input *input, GArray *entries);

/* What the help says of them, after the list. */
extern const char serve_input_help[];

/* After parsing: 0, or EXIT_USAGE after the one line on stderr. */
int serve_input_check(struct serve_input *input);

/*
 * Opens all that it needs. spec is the DEVICE, by which QEMU's monitor may be found. 0 or -errno.
 */
int serve_input_start(struct serve_input *input, const char *spec, GError **error);
/* Says where input goes. */
void serve_input_announce(const struct serve_input *input);
/* What status calls it: qmp, uinput or none. */
const char *serve_input_kind(const struct serve_input *input);
/* After all sinks are gone. */
void serve_input_finish(struct serve_input *input);

#endif
