/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
/* Alerts and the like that bring no byte, in one read: a peer that says more of them floods. */
#define EMPTY_BURST 16

struct tls_stream {
	gnutls_session_t session;
	struct certificate_use *certificate;
	int wire;
	size_t (*piece)(void *state, const void *bytes, size_t length); /* NULL: all at once */
	void *piece_state;
	size_t done, record; /* bytes of what write() was given; more, up to the record's end */

	pthread_mutex_t lock; /* of the state */
	pthread_cond_t settled;
	enum { TLS_SHAKING, TLS_OPEN, TLS_BROKEN } state;
};

/* In the reading thread, before anything else; who writes waits for it. */
static bool shake_hands(struct tls_stream *tls)
{
	int r;

	do
		r = gnutls_handshake(tls->session);
	while (r < 0 && !gnutls_error_is_fatal(r));
	pthread_mutex_lock(&tls->lock);
	tls->state = r ? TLS_BROKEN : TLS_OPEN;
	pthread_cond_broadcast(&tls->settled);
	pthread_mutex_unlock(&tls->lock);
	return !r;
}

static bool is_open(struct tls_stream *tls)
{
	bool open;

	pthread_mutex_lock(&tls->lock);
	while (tls->state == TLS_SHAKING)
		pthread_cond_wait(&tls->settled, &tls->lock);
	open = tls->state == TLS_OPEN;
	pthread_mutex_unlock(&tls->lock);
	return open;
}

static ssize_t tls_stream_read(void *stream, void *bytes, size_t size)
{
	struct tls_stream *tls = stream;

	/* Only this thread changes the state. */
	if (tls->state == TLS_SHAKING && !shake_hands(tls))
		return -EPROTO;
	for (int i = 0; i < EMPTY_BURST; i++) {
		ssize_t n = gnutls_record_recv(tls->session, bytes, size);

		if (n >= 0)
			return n;
		if (n == GNUTLS_E_REHANDSHAKE || gnutls_error_is_fatal((int)n))
			return -EIO;
	}
	return -EIO;
}

static int tls_stream_write(void *stream, const void *bytes, size_t length)
{
	struct tls_stream *tls = stream;

	if (!is_open(tls))
		return -EPIPE;
	while (tls->done < length) {
		const char *at = (const char *)bytes + tls->done;
		size_t left = length - tls->done;
		ssize_t n;

		if (!tls->record)
			tls->record = tls->piece ? tls->piece(tls->piece_state, at, left) : left;
		n = gnutls_record_send(tls->session, at, tls->record);
		if (n == GNUTLS_E_AGAIN)
			return -EAGAIN;
		if (n < 0 && n != GNUTLS_E_INTERRUPTED)
			return -EIO;
		tls->done += (size_t)MAX(n, 0);
		tls->record -= (size_t)MAX(n, 0);
	}
	tls->done = 0;
	return 0;
}

static void tls_stream_end(void *stream)
{
	struct tls_stream *tls = stream;

	if (is_open(tls))
		gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}

static void tls_stream_close(void *stream)
{
	struct tls_stream *tls = stream;

	if (tls->session)
		gnutls_deinit(tls->session);
	certificate_release(tls->certificate);
	g_free(tls->piece_state);
	close(tls->wire);
	pthread_cond_destroy(&tls->settled);
	pthread_mutex_destroy(&tls->lock);
	g_free(tls);
}

static const struct pump_ops tls_stream_ops = {
	.read = tls_stream_read,
	.write = tls_stream_write,
	.end = tls_stream_end,
	.close = tls_stream_close,
};

/* No session tickets, no early data, no renegotiation: a viewer connects once. */
static int start(struct tls_stream *tls)
{
	int flags = fcntl(tls->wire, F_GETFL);

	if (flags < 0 || fcntl(tls->wire, F_SETFL, flags & ~O_NONBLOCK))
		return -errno;
	if (gnutls_init(&tls->session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS) ||
	    gnutls_priority_set_direct(tls->session, PRIORITIES, NULL) ||
	    gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE,
				   tls->certificate->credentials))
		return -ENOMEM;
	gnutls_transport_set_int(tls->session, tls->wire);
	gnutls_handshake_set_timeout(tls->session, GNUTLS_INDEFINITE_TIMEOUT);
	return 0;
}

int tls_stream_pump(int fd, struct certificate *certificate, struct pump **pump, int *plain)
{
	return tls_stream_pump_pieces(fd, certificate, NULL, NULL, NULL, pump, plain);
}

int tls_stream_pump_pieces(int fd, struct certificate *certificate,
			   size_t (*piece)(void *state, const void *bytes, size_t length),
			   void *state, const struct pump_tap *tap, struct pump **pump, int *plain)
{
	struct tls_stream *tls = g_new0(struct tls_stream, 1);
	int r;

	tls->wire = fd;
	tls->piece = piece;
	tls->piece_state = state;
	tls->certificate = certificate_acquire(certificate);
	pthread_mutex_init(&tls->lock, NULL);
	pthread_cond_init(&tls->settled, NULL);
	r = start(tls);
	if (!r)
		r = pump_create_tapped(&tls_stream_ops, tls, fd, tap, pump, plain);
	if (r)
		tls_stream_close(tls);
	return r;
}
