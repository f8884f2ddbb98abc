/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certificate.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "certificate_make.h"
#include "log.h"
#include "secret.h"

/* Which version of a file was looked at. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct certificate {
	char *file, *key;
	pthread_mutex_t lock;   /* of all below */
	struct stamp looked[2]; /* file, key */
	struct certificate_use *use;
};

static struct stamp stamp_of(const char *path)
{
	struct stamp stamp = {0};
	struct stat st;

	if (stat(path, &st))
		return stamp;
	stamp.device = st.st_dev;
	stamp.inode = st.st_ino;
	stamp.size = st.st_size;
	stamp.changed = st.st_mtim;
	return stamp;
}

/* A key that is not a file (fd:N) never changes. */
static void look_at(const struct certificate *certificate, struct stamp stamps[2])
{
	stamps[0] = stamp_of(certificate->file);
	stamps[1] = stamp_of(certificate->key ? certificate->key : certificate->file);
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
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
		return fail(error, EXIT_FAILED, EINVAL, "%s: %s (it takes PEM: %s)",
			    certificate->file, gnutls_strerror(r),
			    certificate->key ? "the certificate here, its key in the other file"
					     : "a certificate and its key");
	}
	use->fingerprint = fingerprint_of(use->credentials);
	*result = use;
	return 0;
}

static int load(const struct certificate *certificate, struct certificate_use **use, GError **error)
{
	char *text = NULL, *key = NULL;
	GError *wrong = NULL;
	int r = 0;

	if (!certificate->key) {
		r = secret_read(certificate->file, &text, error);
	} else if (!g_file_get_contents(certificate->file, &text, NULL, &wrong)) {
		r = fail(error, EXIT_FAILED, ENOENT, "%s", wrong->message);
		g_error_free(wrong);
	} else {
		r = secret_read(certificate->key, &key, error);
	}
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

	certificate->file = g_strdup(file);
	certificate->key = g_strdup(key);
	look_at(certificate, certificate->looked);
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
	g_free(certificate->file);
	g_free(certificate->key);
	g_free(certificate);
}

/* With the lock. Of two files, one may change before the other. */
static void look_again(struct certificate *certificate)
{
	struct certificate_use *use;
	struct stamp now[2];
	GError *error = NULL;

	look_at(certificate, now);
	if (is_same(&now[0], &certificate->looked[0]) && is_same(&now[1], &certificate->looked[1]))
		return;
	if (load(certificate, &use, &error)) {
		log_warning("%s; the last one serves on", error->message);
		g_error_free(error);
	} else {
		certificate_release(certificate->use);
		certificate->use = use;
		log_info("%s: read again, SHA-256 %s", certificate->file, use->fingerprint);
	}
	memcpy(certificate->looked, now, sizeof(now));
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

const char *certificate_path(const struct certificate *certificate)
{
	return certificate->file;
}
