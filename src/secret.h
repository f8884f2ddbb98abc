/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets as a user names them; they are never on a command line themselves.
 *
 *   PATH        a file that others cannot read
 *   cred:NAME   a systemd credential, $CREDENTIALS_DIRECTORY/NAME
 *   fd:N        an inherited descriptor, read to its end
 */
#ifndef PLANECAST_SECRET_H
#define PLANECAST_SECRET_H

#include <glib.h>

#define SECRET_SIZE 65536 /* at most so many bytes */

/*
 * The whole text, with a 0 after it; secret_free() it. 0, or -errno with one line that starts with
 * the name and never has anything of the secret: EXIT_REFUSED for a file that others can read.
 */
int secret_read(const char *name, char **text, GError **error);
void secret_free(char *text); /* wipes it; takes NULL */

/* Likewise, of what is no secret: anybody may read or change the file. */
int secret_read_public(const char *name, char **text, GError **error);

/* The path of the file that a name stands for, to be freed; NULL: there is none, as for fd:N. */
char *secret_path(const char *name);

/* True if both are the same `length` bytes, in a time that depends on `length` alone. */
gboolean secret_equal(const void *a, const void *b, size_t length);

#endif
