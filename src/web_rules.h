/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which requests a web server on a private address may answer. A page of somebody else can make a
 * browser talk to any address: its name for us (DNS rebinding) shows in Host, the page itself in
 * Origin (RFC 6454, RFC 6455 section 10.2). Pure functions.
 */
#ifndef PLANECAST_WEB_RULES_H
#define PLANECAST_WEB_RULES_H

#include <stdbool.h>

struct web_rules {
	const char *const *names; /* further names of this server, NULL at the end; or NULL */
	const char *address; /* the connection's own end, numeric: "192.0.2.1", "::1"; or NULL */
	bool any_host;       /* a unix socket: who reaches it is no browser */
};

/* The Host header (NULL if there was none), with or without a port. */
bool web_rules_take_host(const struct web_rules *rules, const char *host);

/*
 * The Origin header of an upgrade: a page of ours, that is of the same host and port as the Host
 * header, or of a name that was given. Programs that are no browsers send none (NULL): they pass.
 */
bool web_rules_take_origin(const struct web_rules *rules, const char *host, const char *origin);

/* A path that can name a file: "/", then parts of [A-Za-z0-9_-.] that do not begin with a dot. */
bool web_rules_take_path(const char *path);

#endif
