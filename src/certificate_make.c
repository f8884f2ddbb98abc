/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certificate_make.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define DAY         86400
#define LIFE        (3650 * DAY)
#define SERIAL_SIZE 16

/* Its own folder of state: systemd's word, or where such things are. */
static char *default_folder(void)
{
	const char *state = g_getenv("STATE_DIRECTORY");

	if (state && *state)
		return g_strndup(state, strcspn(state, ":"));
	if (!geteuid())
		return g_strdup("/var/lib/planecast");
	return g_build_filename(g_get_user_data_dir(), "planecast", NULL);
}

static int set_names(gnutls_x509_crt_t crt)
{
	const char *host = g_get_host_name();
	const struct in_addr v4 = {htonl(INADDR_LOOPBACK)};
	const char *const dns[] = {"localhost", host};
	int r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, host,
					      (unsigned int)strlen(host));

	for (size_t i = 0; i < G_N_ELEMENTS(dns) && !r; i++)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, dns[i],
							 (unsigned int)strlen(dns[i]),
							 GNUTLS_FSAN_APPEND);
	if (!r)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &v4, sizeof(v4),
							 GNUTLS_FSAN_APPEND);
	if (!r)
		r = gnutls_x509_crt_set_subject_alt_name(
			crt, GNUTLS_SAN_IPADDRESS, &in6addr_loopback, sizeof(in6addr_loopback),
			GNUTLS_FSAN_APPEND);
	return r;
}

static int describe(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char serial[SERIAL_SIZE];
	time_t now = time(NULL);
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and of full length */
	/* Clocks differ: it is good from yesterday on. */
	if (r || (r = gnutls_x509_crt_set_version(crt, 3)) ||
	    (r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial))) ||
	    (r = gnutls_x509_crt_set_activation_time(crt, now - DAY)) ||
	    (r = gnutls_x509_crt_set_expiration_time(crt, now + LIFE)) || (r = set_names(crt)) ||
	    (r = gnutls_x509_crt_set_key(crt, key)) ||
	    (r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1)) ||
	    (r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) ||
	    (r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0)))
		return r;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

/* Both as PEM; a negative number of GnuTLS. */
static int generate(gnutls_datum_t *crt_text, gnutls_datum_t *key_text)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r;

	if ((r = gnutls_x509_privkey_init(&key)) || (r = gnutls_x509_crt_init(&crt)))
		goto out;
	r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (!r)
		r = describe(crt, key);
	if (!r)
		r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, key_text);
	if (!r)
		r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, crt_text);
out:
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r;
}

static gboolean is_refused(const GError *error)
{
	return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
	       g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PERM) ||
	       g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ROFS);
}

/* The key first: a certificate that is there is complete. */
static int write_both(const char *file, const char *key, GError **error)
{
	const GFileSetContentsFlags safe = G_FILE_SET_CONTENTS_CONSISTENT;
	gnutls_datum_t crt_text = {0}, key_text = {0};
	GError *wrong = NULL;
	int r = generate(&crt_text, &key_text);

	if (r)
		r = fail(error, EXIT_FAILED, EIO, "%s: cannot make a certificate: %s", file,
			 gnutls_strerror(r));
	else if (!g_file_set_contents_full(key, (char *)key_text.data, key_text.size, safe, 0600,
					   &wrong) ||
		 !g_file_set_contents_full(file, (char *)crt_text.data, crt_text.size, safe, 0644,
					   &wrong))
		r = fail(error, is_refused(wrong) ? EXIT_REFUSED : EXIT_FAILED, EIO,
			 "%s (or give --tls-cert FILE)", wrong->message);
	g_clear_error(&wrong);
	if (key_text.data)
		explicit_bzero(key_text.data, key_text.size);
	gnutls_free(key_text.data);
	gnutls_free(crt_text.data);
	return r;
}

int certificate_make(const char *folder, char **file, char **key, GError **error)
{
	char *own = folder ? g_strdup(folder) : default_folder();
	int lock, r = 0;

	if (g_mkdir_with_parents(own, 0755) ||
	    (lock = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		r = fail(error, exit_code_of_file(errno), errno,
			 "%s: there is no place for a certificate: %s (give --tls-cert FILE)", own,
			 g_strerror(errno));
		g_free(own);
		return r;
	}
	*file = g_build_filename(own, "certificate.pem", NULL);
	*key = g_build_filename(own, "key.pem", NULL);
	g_free(own);
	/* One starter at a time; where locks are not to be had, the last one wins. */
	flock(lock, LOCK_EX);
	if (access(*file, F_OK) || access(*key, F_OK))
		r = write_both(*file, *key, error);
	close(lock);
	if (r) {
		g_free(*file);
		g_free(*key);
	}
	return r;
}
