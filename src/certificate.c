/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certificate.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "certificate_make.h"
#include "log.h"
#include "secret.h"
#include "stamp.h"

/* One of the two things that are read: the certificate and its key, which may be in one. */
struct part {
	char *name, *path; /* path: NULL for a descriptor, which is read once */
	char *kept;        /* what came from that */
	struct stamp looked;
};

struct certificate {
	struct part file, key; /* key: without a name, it is in the file */
	pthread_mutex_t lock;  /* of all below, and of what was looked at */
	struct certificate_use *use;
};

static void part_name(struct part *part, const char *name)
{
	part->name = g_strdup(name);
	part->path = name ? secret_path(name) : NULL;
}

static void part_finish(struct part *part)
{
	g_free(part->name);
	g_free(part->path);
	secret_free(part->kept);
}

/* A certificate alone is for everybody to read. */
static int part_read(struct part *part, bool is_public, char **text, GError **error)
{
	int r;

	if (part->kept) {
		*text = g_strdup(part->kept);
		return 0;
	}
	r = is_public ? secret_read_public(part->name, text, error)
		      : secret_read(part->name, text, error);
	if (!r && !part->path)
		part->kept = g_strdup(*text);
	return r;
}

static void use_clear(gpointer data)
{
	struct certificate_use *use = data;

	if (use->credentials)
		gnutls_certificate_free_credentials(use->credentials);
	g_free(use->fingerprint);
}

static char *fingerprint_of(gnutls_certificate_credentials_t credentials)
{
	GString *text = g_string_new(NULL);
	unsigned char digest[32];
	size_t size = sizeof(digest);
	gnutls_datum_t der;

	if (gnutls_certificate_get_crt_raw(credentials, 0, 0, &der) ||
	    gnutls_fingerprint(GNUTLS_DIG_SHA256, &der, digest, &size))
		size = 0;
	for (size_t i = 0; i < size; i++)
		g_string_append_printf(text, "%s%02X", i ? ":" : "", digest[i]);
	return g_string_free(text, FALSE);
}

/* GnuTLS looks whether the key fits. */
static int use_texts(const struct certificate *certificate, const char *text, const char *key,
		     struct certificate_use **result, GError **error)
{
	struct certificate_use *use = g_atomic_rc_box_new0(struct certificate_use);
	gnutls_datum_t first = {(unsigned char *)text, (unsigned int)strlen(text)};
	gnutls_datum_t second = {(unsigned char *)key, (unsigned int)strlen(key)};
	int r = gnutls_certificate_allocate_credentials(&use->credentials);

	if (!r)
		r = gnutls_certificate_set_x509_key_mem(use->credentials, &first, &second,
							GNUTLS_X509_FMT_PEM);
	if (r < 0) {
		g_atomic_rc_box_release_full(use, use_clear);
		return fail(error, EXIT_USAGE, EINVAL, "%s: %s (it takes PEM: %s)",
			    certificate->file.name, gnutls_strerror(r),
			    certificate->key.name
				    ? "the certificate here, its key in the other file"
				    : "a certificate and its key");
	}
	use->fingerprint = fingerprint_of(use->credentials);
	*result = use;
	return 0;
}

static int load(struct certificate *certificate, struct certificate_use **use, GError **error)
{
	bool apart = certificate->key.name;
	char *text = NULL, *key = NULL;
	int r;

	certificate->file.looked = stamp_of(certificate->file.path);
	certificate->key.looked = stamp_of(certificate->key.path);
	r = part_read(&certificate->file, apart, &text, error);
	if (!r && apart)
		r = part_read(&certificate->key, false, &key, error);
	if (!r)
		r = use_texts(certificate, text, key ? key : text, use, error);
	secret_free(text);
	secret_free(key);
	return r;
}

int certificate_open(const char *file, const char *key, struct certificate **result, GError **error)
{
	struct certificate *certificate = g_new0(struct certificate, 1);
	int r;

	part_name(&certificate->file, file);
	part_name(&certificate->key, key);
	pthread_mutex_init(&certificate->lock, NULL);
	r = load(certificate, &certificate->use, error);
	if (r)
		certificate_close(certificate);
	else
		*result = certificate;
	return r;
}

int certificate_open_own(const char *folder, struct certificate **certificate, GError **error)
{
	char *file, *key;
	int r = certificate_make(folder, &file, &key, error);

	if (r)
		return r;
	r = certificate_open(file, key, certificate, error);
	g_free(file);
	g_free(key);
	return r;
}

void certificate_close(struct certificate *certificate)
{
	if (!certificate)
		return;
	certificate_release(certificate->use);
	pthread_mutex_destroy(&certificate->lock);
	part_finish(&certificate->file);
	part_finish(&certificate->key);
	g_free(certificate);
}

static bool has_changed(const struct part *part)
{
	struct stamp now = stamp_of(part->path);

	return !stamp_is_same(&now, &part->looked);
}

/* With the lock. Of two files, one may change before the other. */
static void look_again(struct certificate *certificate)
{
	struct certificate_use *use;
	GError *error = NULL;

	if (!has_changed(&certificate->file) && !has_changed(&certificate->key))
		return;
	if (load(certificate, &use, &error)) {
		log_warning("%s; the last one serves on", error->message);
		g_error_free(error);
	} else {
		certificate_release(certificate->use);
		certificate->use = use;
		log_info("%s: read again, SHA-256 %s", certificate->file.name, use->fingerprint);
	}
}

struct certificate_use *certificate_acquire(struct certificate *certificate)
{
	struct certificate_use *use;

	pthread_mutex_lock(&certificate->lock);
	look_again(certificate);
	use = g_atomic_rc_box_acquire(certificate->use);
	pthread_mutex_unlock(&certificate->lock);
	return use;
}

void certificate_release(struct certificate_use *use)
{
	if (use)
		g_atomic_rc_box_release_full(use, use_clear);
}

const char *certificate_name(const struct certificate *certificate)
{
	return certificate->file.name;
}
