/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The passwords of VNC authentication (RFC 6143 section 7.2.2): a full one and one for watching. A
 * client proves that it knows one by encrypting a challenge of the server with it, by DES.
 *
 * Read only after password_load(), so any thread may ask.
 */
#ifndef PLANECAST_PASSWORD_H
#define PLANECAST_PASSWORD_H

#include <glib.h>
#include <stdint.h>

#define PASSWORD_LENGTH    8 /* that is all that the protocol looks at */
#define PASSWORD_CHALLENGE 16

struct passwords {
	uint8_t full[PASSWORD_LENGTH], view[PASSWORD_LENGTH];
	gboolean has_full, has_view;
};

enum password_verdict {
	PASSWORD_WRONG,
	PASSWORD_FULL,
	PASSWORD_VIEW,
};

/*
 * Reads a secret (secret.h): its first line is the full password, the second, if there is one, that
 * for watching; with `view_only` set, the first line is for watching and there is no other. Warns
 * of passwords longer than the protocol. 0, or -errno with one line that starts with the name.
 */
int password_load(struct passwords *passwords, const char *name, gboolean view_only,
		  GError **error);

/* False if there is no randomness to be had. */
gboolean password_challenge(uint8_t challenge[PASSWORD_CHALLENGE]);

/* What a client answers that knows a password: 0 or -errno. */
int password_answer(const uint8_t password[PASSWORD_LENGTH],
		    const uint8_t challenge[PASSWORD_CHALLENGE],
		    uint8_t answer[PASSWORD_CHALLENGE]);

enum password_verdict password_check(const struct passwords *passwords,
				     const uint8_t challenge[PASSWORD_CHALLENGE],
				     const uint8_t answer[PASSWORD_CHALLENGE]);

#endif
