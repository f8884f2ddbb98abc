/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP through libsoup on connections that somebody else has accepted, up to the upgrade to a
 * WebSocket; then the connection is a pump's and speaks RFB. GET and HEAD of the files of
 * web_files.h and nothing else; strict headers; who may ask is in web_rules.h.
 *
 * All calls from one thread, whose thread-default GMainContext serves the connections;
 * http_create() and http_destroy() also before that thread starts and after it has ended.
 */
#ifndef PLANECAST_HTTP_H
#define PLANECAST_HTTP_H

#include <gio/gio.h>
#include <stdbool.h>

#include "certificate.h"
#include "pump.h"

struct http;
struct http_visit; /* a connection */

struct http_options {
	const char *root; /* noVNC's folder; NULL: Debian's */
	const char *const
		*hosts; /* further names of this server, NULL at the end; or NULL; copied */
	/* All from the thread of http_visit(). The data is the visit's. */
	void (*served)(void *data); /* a request was answered */
	/* From now on it is a WebSocket. The pump and `plain`, its plain end, are the receiver's.
	 */
	void (*upgraded)(void *data, struct pump *pump, int plain);
	void (*gone)(void *data); /* the connection has ended without that */
};

/* 0 or -errno. */
int http_create(const struct http_options *options, struct http **http, GError **error);
void http_destroy(struct http *http); /* forgets every visit first; takes NULL */

/*
 * Serves a socket, which is taken in any case, by https if there is a certificate. NULL if that
 * cannot be; otherwise one of upgraded() and gone() will follow, unless http_leave() comes first.
 */
struct http_visit *http_visit(struct http *http, int fd, struct certificate *certificate,
			      void *data);

/* Cuts the connection; nothing more is told. */
void http_leave(struct http_visit *visit);

#endif
