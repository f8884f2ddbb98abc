/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC part of `planecast serve`: its options and the sink that they ask for. The other parts
 * (web, SPICE, input) have files of the same shape.
 */
#ifndef PLANECAST_SERVE_VNC_H
#define PLANECAST_SERVE_VNC_H

#include <glib.h>

#include "certificate.h"
#include "clipboard.h"
#include "password.h"
#include "screen.h"
#include "users.h"

struct serve_vnc {
	char **addresses;                                  /* NULL: the default one */
	gboolean quiet;                                    /* NULL: none */
	char *password_file, *view_only_file, *users_file; /* secrets (secret.h) */
	char *pam_service;                                 /* NULL: PAM is not asked */
	char *tls_cert, *tls_key;                          /* NULL: a certificate of its own */
	gboolean tls, tls_only, insecure, lossless, no_copyrect;
	int max_clients, max_per_address;
	struct passwords passwords;
	struct users *users;    /* NULL: none */
	struct pam_helper *pam; /* who asks PAM for them; NULL */
	gboolean no_clipboard;
	struct clipboard *clipboard;     /* that all viewers share; NULL: they do not */
	struct input *input;             /* where all clients type, set before the start */
	struct certificate *certificate; /* NULL: no TLS */
	struct sink *sink;               /* once started */
};

void serve_vnc_init(struct serve_vnc *vnc);
void serve_vnc_finish(struct serve_vnc *vnc);

/* Appends the GOptionEntry of this part; they point into *vnc. */
void serve_vnc_entries(struct serve_vnc *vnc, GArray *entries);

/* What the help says of them, after the list. */
extern const char serve_vnc_help[];

/* After parsing: 0, or EXIT_USAGE after the one line on stderr. */
int serve_vnc_check(const struct serve_vnc *vnc);

/* Whether viewers are asked for anything; once loaded. */
bool serve_vnc_asks(const struct serve_vnc *vnc);

/* Before rights are given up, and before there are threads: starts what keeps them. 0 or -errno. */
int serve_vnc_prepare(struct serve_vnc *vnc, GError **error);

/* Reads the secrets; makes a certificate if there is to be one. 0 or -errno. */
int serve_vnc_load(struct serve_vnc *vnc, GError **error);

/* After that: a sink named after the device, which listens; it belongs to the screen and ends
 * before *vnc. 0 or -errno. */
int serve_vnc_start(struct serve_vnc *vnc, struct screen *screen, const char *name, GError **error);

/* Logs the certificate, with which all that listens has TLS. */
void serve_vnc_announce(const struct serve_vnc *vnc);

#endif
