/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rights of this process: given up for good (capabilities(7), PR_SET_NO_NEW_PRIVS of prctl(2)).
 * For the main thread, before there are others: on Linux they are a thread's own.
 */
#ifndef PLANECAST_PRIVILEGES_H
#define PLANECAST_PRIVILEGES_H

#include <glib.h>

/*
 * Becomes that user (a name, with its groups; NULL: stays who it is) without any capability, and
 * without a way to get one by a program. HOME and XDG_RUNTIME_DIR become the user's own. -errno,
 * with a line that names the user: EXIT_USAGE if there is none of that name, EXIT_REFUSED if this
 * process may not become another.
 */
int privileges_drop(const char *user, GError **error);

/* Keeps what it takes to look into another's process: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. */
int privileges_keep_tracing(GError **error);

/* The user's name, for g_free(). */
char *privileges_user(void);

/* Whether this process has a capability. */
gboolean privileges_any(void);

#endif
