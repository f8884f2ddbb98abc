/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first words of an RFB connection (RFC 6143 section 7.1 to 7.3.1), spoken as the server: the
 * version, the security type and its steps, the result and the client's ClientInit. VeNCrypt (type
 * 19, version 0.2: its sub-types are listed in QEMU's and TigerVNC's sources and in the community's
 * rfbproto) goes over to TLS and then does the same, or asks for a name and a password. A machine
 * that is fed whenever its socket is readable and never blocks; it reads exactly the bytes of each
 * step, so whatever a client has pipelined stays in the socket for who speaks next.
 *
 * One thread at a time.
 */
#ifndef PLANECAST_DOOR_HANDSHAKE_H
#define PLANECAST_DOOR_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "users.h"

enum handshake_step {
	HANDSHAKE_MORE,    /* wait until the socket is readable again */
	HANDSHAKE_CHECK,   /* `name` and `key` are to be checked: feed on after handshake_judge() */
	HANDSHAKE_DONE,    /* ClientInit has been read; ServerInit is the next word */
	HANDSHAKE_REFUSED, /* refused in RFB's words; feed on, what still comes is thrown away */
	HANDSHAKE_FAILED,  /* over: `reason` says why, NULL when the peer left without a word */
};

/* The longest single thing that a client sends before ClientInit. */
#define HANDSHAKE_BUFFER (USERS_NAME + USERS_PASSWORD)

struct handshake;
struct security;

struct handshake_rules {
	bool open;                         /* to do without a password where there are none */
	bool plain;                        /* to do without TLS */
	bool encrypted;                    /* it has TLS already, or needs none: a proxy's */
	const struct passwords *passwords; /* NULL: none are asked for; borrowed */
	bool users; /* names and passwords are asked for, never in the clear */
	/*
	 * NULL, or why this client is refused: asked when it can be told, and again before a proof
	 * is looked at.
	 */
	const char *(*refusal)(void *data);
	void (*proved)(bool good, void *data); /* a password was looked at */
	/*
	 * Puts TLS between the peer and *fd, which becomes the plain end: 0 or -errno. NULL: there
	 * is no TLS.
	 */
	int (*secure)(int *fd, void *data);
	void *data;
};

struct handshake {
	int fd; /* borrowed; never waited for */
	struct handshake_rules rules;
	enum handshake_step (*received)(struct handshake *handshake);
	const struct security *security; /* chosen */
	uint8_t buffer[HANDSHAKE_BUFFER];
	size_t have, want; /* bytes of this step */
	int minor;         /* protocol 3.x: 3, 7 or 8 */
	bool secured;      /* by VeNCrypt */
	size_t name_length;
	char name[USERS_NAME + 1], key[USERS_PASSWORD + 1];
	uint8_t challenge[PASSWORD_CHALLENGE];
	bool view_only; /* once done: the client proved that it may watch, no more */
	size_t wasted;  /* bytes thrown away after a refusal */
	const char *reason;
};

/* Sends the version. Any of the steps. */
enum handshake_step handshake_begin(struct handshake *handshake, int fd,
				    const struct handshake_rules *rules);

/* The socket is readable (or at its end). */
enum handshake_step handshake_feed(struct handshake *handshake);

/* After HANDSHAKE_CHECK: what came of it. Wipes the key. */
enum handshake_step handshake_judge(struct handshake *handshake, enum password_verdict verdict);

/* Instead: why it is not checked at all (a string that lives on). Likewise. */
enum handshake_step handshake_refuse(struct handshake *handshake, const char *reason);

/* Wipes what is secret of a handshake that has come to its end, in whatever way. */
void handshake_finish(struct handshake *handshake);

/*
 * What a handshake that is done has asked for: "none", "password", "tls", "tls password" or "tls
 * plain" (a name and a password). Static.
 */
const char *handshake_security(const struct handshake *handshake);

/* Who of the users it has proved to be; NULL if that was not asked for. The handshake's. */
const char *handshake_user(const struct handshake *handshake);

#endif
