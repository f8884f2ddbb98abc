/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificate of a TLS server: PEM files of the user's, or one of its own that is made at the
 * first start, signed by itself, and kept. Files that have changed are read again; while they are
 * broken, the last good ones serve.
 */
#ifndef PLANECAST_CERTIFICATE_H
#define PLANECAST_CERTIFICATE_H

#include <glib.h>
#include <gnutls/gnutls.h>

struct certificate;

/* What a session uses: keep it until the session is gone. */
struct certificate_use {
	gnutls_certificate_credentials_t credentials;
	char *fingerprint; /* SHA-256 of the certificate, "AB:CD:..." */
};

/*
 * Names as of secrets (secret.h). `file`: the certificate, then its chain, for anybody to read;
 * `key`: its key, a secret. Without one the file has both, and is a secret. What a descriptor has
 * is read once. 0, or -errno with one line that starts with a name.
 */
int certificate_open(const char *file, const char *key, struct certificate **certificate,
		     GError **error);

/*
 * certificate.pem and key.pem in a folder (NULL: $STATE_DIRECTORY, /var/lib/planecast for root, or
 * the user's data folder), which are made if they are missing. For the names localhost, 127.0.0.1,
 * ::1 and this machine's.
 */
int certificate_open_own(const char *folder, struct certificate **certificate, GError **error);

void certificate_close(struct certificate *certificate); /* takes NULL; uses live on */

/* Both from any thread. */
struct certificate_use *certificate_acquire(struct certificate *certificate);
void certificate_release(struct certificate_use *use);

/* What the certificate was opened by, for who has to trust it: its path, or cred:NAME, or fd:N. */
const char *certificate_name(const struct certificate *certificate);

#endif
