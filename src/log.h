/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs to stderr, one line each, "planecast: ..."; any thread. Errors of calls travel as
 * "0 or -errno" with the words in a GError of the domain PLANECAST_ERROR, whose code is the exit
 * code that fits.
 */
#ifndef PLANECAST_LOG_H
#define PLANECAST_LOG_H

#include <glib.h>

/* Exit codes (planecast.1), also the codes of PLANECAST_ERROR. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,     /* failed at run time */
	EXIT_USAGE = 2,      /* wrong command line, or a file that it names */
	EXIT_NO_DISPLAY = 3, /* the device has no display */
	EXIT_REFUSED = 4,    /* busy, or no permission */
};

/*
 * Of a file that the command line names and that cannot be opened or read: EXIT_USAGE if it is not
 * there or is none, so that another try finds the same.
 */
enum exit_code exit_code_of_file(int errnum);

#define PLANECAST_ERROR (planecast_error_quark())
GQuark planecast_error_quark(void);

/* Sets *error ("what is wrong (what to do)") and returns -errnum, for `return fail(...)`. */
int fail(GError **error, enum exit_code code, int errnum, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

void log_set_verbose(gboolean verbose);
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);  /* always shown: addresses, modes */
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2); /* with --verbose */

/*
 * For what a guest or a client can trigger at will: true at most `burst` times in `interval_us`;
 * the first true after a suppressed stretch says how many were suppressed in *missed.
 */
struct log_limit {
	gint64 since;
	unsigned int count, missed;
};
gboolean log_limit_pass(struct log_limit *limit, unsigned int burst, gint64 interval_us,
			unsigned int *missed);

#endif
