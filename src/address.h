/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADDR: where to listen, as a user writes it.
 *
 *   HOST:PORT  [V6]:PORT    PORT is 100 .. 65535, or "auto": any free port
 *   PORT  :PORT             the same on loopback, 127.0.0.1
 *   HOST:N  [V6]:N  :N      with N < 100: display N, that is port 5900 + N, as everywhere in VNC
 *   unix:PATH               a socket file, mode 0600, of the server's user and group
 *   unix:PATH,mode=0660,user=NAME,group=NAME    with any of these, names or numbers
 *   fd:N                    an inherited socket that listens already (systemd)
 *
 * A bare number below 100 is refused: it reads as a port and as a display. All interfaces are
 * 0.0.0.0 (IPv4) and [::] (IPv6); nothing else means them.
 */
#ifndef PLANECAST_ADDRESS_H
#define PLANECAST_ADDRESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum address_kind {
	ADDRESS_TCP,
	ADDRESS_UNIX,
	ADDRESS_FD,
};

#define ADDRESS_PORT_AUTO 0

struct address {
	enum address_kind kind;
	char *host;         /* TCP: a name or a numeric address, without brackets */
	uint16_t port;      /* TCP: 1 .. 65535 or ADDRESS_PORT_AUTO */
	char *path;         /* UNIX */
	unsigned int mode;  /* UNIX, of the file */
	char *user, *group; /* UNIX, whom it belongs to; NULL: whoever makes it */
	int fd;             /* FD */
};

/* 0, or -EINVAL with one line that starts with the spec (EXIT_USAGE). Opens nothing. */
int address_parse(const char *spec, struct address *address, GError **error);
void address_finish(struct address *address); /* takes a zeroed one */

/* True if no other machine can reach this socket address: loopback, or a unix socket. */
bool address_is_local(const struct sockaddr *name);

/* "127.0.0.1:5900", "[::1]:5900", "unix:PATH"; in the form that address_parse() takes. */
char *address_format(const struct sockaddr *name, socklen_t length);

/*
 * The same without the port: what makes two peers the same host. Of an IPv6 address that others
 * reach, the first 64 bits: a host has as many of the rest as it likes.
 */
char *address_format_host(const struct sockaddr *name, socklen_t length);

#endif
