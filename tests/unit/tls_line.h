/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client's end of a connection that goes over to TLS by VeNCrypt. */
#ifndef PLANECAST_TLS_LINE_H
#define PLANECAST_TLS_LINE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_LINE_TYPES 8

/*
 * Says the version and chooses VeNCrypt, the first type that is offered; its sub-types. How many
 * there are; 0 if the server refuses, and what it says is still to be read.
 */
unsigned int tls_line_knock(int fd, const char *version, uint32_t types[TLS_LINE_TYPES]);

/* True if the sub-type was accepted. */
bool tls_line_choose(int fd, uint32_t type);

struct tls_line {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t trust;
};

/* TLS from here on, whatever the certificate; takes fd. To be closed in any case. */
bool tls_line_open(struct tls_line *line, int fd, const char *priorities);
void tls_line_close(struct tls_line *line);

bool tls_line_receive(struct tls_line *line, void *data, size_t length); /* exactly */
bool tls_line_send(struct tls_line *line, const void *data, size_t length);

#endif
