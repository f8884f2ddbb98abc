/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the command line, one a file, and what they share. Each takes its own arguments
 * (argv[0] is the verb) and returns the exit code.
 */
#ifndef PLANECAST_CMD_H
#define PLANECAST_CMD_H

#include <glib.h>

#include "palette.h"
#include "source_vfio.h"

/* The words for --palette. */
#define CMD_PALETTE_HELP "colours of C8 pixels: grey, rgb332, or a file of 256 times 3 bytes [grey]"

int cmd_list(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_screenshot(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_status(int argc, char **argv);

/*
 * Parses a verb's options; what is left are its operands: at least and at most so many. 0, or the
 * exit code after the one line on stderr; --help prints and exits. description follows the options
 * in the help text.
 */
int cmd_options(int *argc, char ***argv, const GOptionEntry *entries, const char *operands,
		int count, const char *summary, const char *description);

/* Opens what a DEVICE names; on failure error has the words, and the exit code as its code. */
int cmd_open_source(const char *spec, unsigned int policy, struct source **source, GError **error);

/*
 * Has C8 pixels shown by the palette that --palette names (NULL: grey); the source is borrowing
 * colours from then on.
 */
int cmd_set_palette(struct source *source, const char *name, uint32_t colours[PALETTE_COLOURS],
		    GError **error);

/* "planecast: SUBJECT: message" on stderr; frees the error and returns its exit code. */
int cmd_report(const char *subject, GError *error);

#endif
