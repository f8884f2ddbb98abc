/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's end of a connection, which says what it is told to and takes all that it is sent, so
 * that a server never has a reason to wait for it. One thread.
 */
#ifndef PLANECAST_FUZZ_LINE_H
#define PLANECAST_FUZZ_LINE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line {
	int fd;
	bool over;                /* the server has closed it, or broken it */
	gnutls_session_t session; /* once it is secured */
	gnutls_certificate_credentials_t trust;
};

/* Makes a pair of sockets: the server's end. */
int line_open(struct line *line);

/* False if it is over before all is said. */
bool line_say(struct line *line, const void *bytes, size_t size);

/* Waits for exactly so many bytes; not once it is secured. */
bool line_hear(struct line *line, void *bytes, size_t size);

/* Goes over to TLS as its client, with any certificate. */
bool line_secure(struct line *line);

/* Takes what has come. */
void line_take(struct line *line);

/* Its end of the conversation, half closed. */
void line_say_no_more(struct line *line);

/* Says no more, and waits for the server to close it. */
void line_end(struct line *line);

#endif
