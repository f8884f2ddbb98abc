/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users with passwords of any length, for VeNCrypt's Plain: a file of theirs has hashed passwords
 * (crypt(5)) as `mkpasswd` prints them, one user a line:
 *
 *   NAME:HASH
 *   NAME:HASH:view-only
 *
 * Empty lines and those that begin with "#" say nothing. A file that has changed is read again;
 * while it is broken, the last good one serves.
 */
#ifndef PLANECAST_USERS_H
#define PLANECAST_USERS_H

#include <glib.h>

#include "password.h"

#define USERS_NAME     255 /* bytes of a name at most */
#define USERS_PASSWORD 511 /* of a password: libcrypt's limit */

struct users;

/*
 * Reads a secret (secret.h). 0, or -errno with one line that starts with the name and the number of
 * the line at fault. Hashes of old and quickly guessed kinds are refused.
 */
int users_load(const char *name, struct users **users, GError **error);

/* Users that somebody else knows: check() as users_check(), with names that are good in a log. */
struct users *users_ask(enum password_verdict (*check)(void *data, const char *name,
						       const char *password),
			void *data);

void users_free(struct users *users); /* takes NULL */

/*
 * From any thread. Takes as long as the hash asks for, tens of milliseconds: not for threads with
 * other work. For a name that is not there it takes as long as for one that is.
 */
enum password_verdict users_check(struct users *users, const char *name, const char *password);

#endif
