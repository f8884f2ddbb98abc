/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of a request (RFC 9112), read whole before libsoup sees any of it, so that it is bounded
 * and says nothing of a body. libsoup 3.2 forgets to free the path of a request whose
 * Content-Length it does not understand: anybody could fill the memory with that.
 */
#ifndef PLANECAST_HTTP_HEAD_H
#define PLANECAST_HTTP_HEAD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_LIMIT 16384 /* bytes, with what comes in the same piece */

/* All zero at first. */
struct http_head {
	GByteArray *bytes; /* or NULL */
	size_t length;     /* of the head, once it is whole */
	bool body;         /* it announced one */
};

/*
 * The socket is readable. 0: the head is whole; -EAGAIN: it is not; -EMSGSIZE: too large; -EBADMSG:
 * it has a NUL; -EPIPE: the peer has gone; -errno. What was announced of a body is not in the bytes
 * any more.
 */
int http_head_read(struct http_head *head, int fd);

/* A copy of the head, once it is whole, for g_bytes_unref(); what came behind it, the head's. */
GBytes *http_head_bytes(const struct http_head *head);
const uint8_t *http_head_rest(const struct http_head *head, size_t *length);

void http_head_finish(struct http_head *head); /* takes a zeroed one */

#endif
