/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer's way through TLS (VeNCrypt's X509None) or a WebSocket (RFC 6455): does it at the
 * server's side, and is a server without either to the viewer.
 */
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve_bench.h"

#define RFB_VERSION "RFB 003.008\n"
#define X509_NONE   "\0\0\x01\x04"
#define PIECE       65536
#define MASK        "\x12\x34\x56\x78"

/* A key and a mask are for caches and proxies between: constants do. */
#define UPGRADE                                                                 \
	"GET /websockify HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                  \
	"Sec-WebSocket-Protocol: binary\r\n"                                    \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

struct bench_carrier {
	enum bench_way way;
	int wire, plain;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t trust;
	pthread_t up, down;
	bool carries;
	uint64_t payload; /* left of the server's frame */
	uint8_t buffer[PIECE];
	size_t have, at;
};

static ssize_t receive_some(struct bench_carrier *carrier, void *bytes, size_t size)
{
	ssize_t n;

	if (!carrier->tls)
		return recv(carrier->wire, bytes, size, 0);
	do
		n = gnutls_record_recv(carrier->tls, bytes, size);
	while (n < 0 && !gnutls_error_is_fatal((int)n));
	return n;
}

static bool send_raw(struct bench_carrier *carrier, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = carrier->tls ? gnutls_record_send(carrier->tls, at, length)
					 : send(carrier->wire, at, length, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

/* Something in the buffer, at once. */
static bool fill(struct bench_carrier *carrier)
{
	ssize_t n;

	if (carrier->at < carrier->have)
		return true;
	n = receive_some(carrier, carrier->buffer, sizeof(carrier->buffer));
	carrier->at = 0;
	carrier->have = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool take_raw(struct bench_carrier *carrier, void *bytes, size_t length)
{
	uint8_t *to = bytes;

	while (length--) {
		if (!fill(carrier))
			return false;
		*to++ = carrier->buffer[carrier->at++];
	}
	return true;
}

static bool is_framed(const struct bench_carrier *carrier)
{
	return carrier->way == BENCH_WS || carrier->way == BENCH_WSS;
}

/* The head of a frame with data; others are dropped. */
static bool take_head(struct bench_carrier *carrier)
{
	uint8_t head[2], length[8], byte;
	size_t more;

	while (!carrier->payload) {
		if (!take_raw(carrier, head, 2))
			return false;
		carrier->payload = head[1] & 0x7f;
		more = carrier->payload == 127 ? 8 : carrier->payload == 126 ? 2 : 0;
		if (!take_raw(carrier, length, more))
			return false;
		for (size_t i = 0; i < more; i++)
			carrier->payload = (i ? carrier->payload << 8 : 0) | length[i];
		for (; (head[0] & 0x0f) > 2 && carrier->payload; carrier->payload--)
			if (!take_raw(carrier, &byte, 1))
				return false;
	}
	return true;
}

/* What has come of the stream: *bytes lies in the buffer. 0 at the end. */
static size_t take_some(struct bench_carrier *carrier, const uint8_t **bytes, size_t most)
{
	size_t n;

	if ((is_framed(carrier) && !take_head(carrier)) || !fill(carrier))
		return 0;
	n = carrier->have - carrier->at;
	n = n < most ? n : most;
	if (is_framed(carrier)) {
		n = n < carrier->payload ? n : (size_t)carrier->payload;
		carrier->payload -= n;
	}
	*bytes = carrier->buffer + carrier->at;
	carrier->at += n;
	return n;
}

static bool take(struct bench_carrier *carrier, void *bytes, size_t length)
{
	uint8_t *to = bytes;

	while (length) {
		const uint8_t *from;
		size_t n = take_some(carrier, &from, length);

		if (!n)
			return false;
		memcpy(to, from, n);
		to += n;
		length -= n;
	}
	return true;
}

static bool give(struct bench_carrier *carrier, const uint8_t *bytes, size_t length)
{
	uint8_t frame[8 + PIECE] = {0x82};
	size_t head = length < 126 ? 2 : 4;

	if (!is_framed(carrier))
		return send_raw(carrier, bytes, length);
	frame[1] = (uint8_t)(0x80 | (head == 2 ? length : 126));
	if (head == 4) {
		frame[2] = (uint8_t)(length >> 8);
		frame[3] = (uint8_t)length;
	}
	memcpy(frame + head, MASK, 4);
	for (size_t i = 0; i < length; i++)
		frame[head + 4 + i] = (uint8_t)(bytes[i] ^ (uint8_t)MASK[i % 4]);
	return send_raw(carrier, frame, head + 4 + length);
}

static bool shake_hands(struct bench_carrier *carrier)
{
	int r;

	if (gnutls_certificate_allocate_credentials(&carrier->trust) ||
	    gnutls_init(&carrier->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) ||
	    gnutls_set_default_priority(carrier->tls) ||
	    gnutls_credentials_set(carrier->tls, GNUTLS_CRD_CERTIFICATE, carrier->trust))
		return false;
	gnutls_transport_set_int(carrier->tls, carrier->wire);
	do
		r = gnutls_handshake(carrier->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	return !r;
}

static bool upgrade(struct bench_carrier *carrier)
{
	char head[12], last[4] = "";

	if (!send_raw(carrier, UPGRADE, strlen(UPGRADE)) ||
	    !take_raw(carrier, head, sizeof(head)) || memcmp(head + 9, "101", 3))
		return false;
	while (memcmp(last, "\r\n\r\n", 4)) {
		memmove(last, last + 1, 3);
		if (!take_raw(carrier, last + 3, 1))
			return false;
	}
	return true;
}

static bool vencrypt(struct bench_carrier *carrier)
{
	uint8_t bytes[64];

	return give(carrier, (const uint8_t *)"\x13", 1) && take(carrier, bytes, 2) &&
	       give(carrier, (const uint8_t *)"\0\x02", 2) && take(carrier, bytes, 2) &&
	       bytes[1] <= 8 && take(carrier, bytes, 4u * bytes[1]) &&
	       give(carrier, (const uint8_t *)X509_NONE, 4) && take(carrier, bytes, 1) &&
	       bytes[0] == 1 && shake_hands(carrier);
}

/* Up to the word on which the viewer waits after its own handshake. */
static bool greet(struct bench_carrier *carrier)
{
	uint8_t bytes[256];

	if (!take(carrier, bytes, 12) ||
	    !give(carrier, (const uint8_t *)RFB_VERSION, strlen(RFB_VERSION)) ||
	    !take(carrier, bytes, 1) || !take(carrier, bytes + 1, bytes[0]))
		return false;
	if (carrier->way == BENCH_TLS ? !vencrypt(carrier)
				      : !give(carrier, (const uint8_t *)"\x01", 1))
		return false;
	return take(carrier, bytes, 4);
}

static void *carry_down(void *data)
{
	struct bench_carrier *carrier = data;
	const uint8_t *bytes;
	size_t n;

	while ((n = take_some(carrier, &bytes, PIECE)))
		while (n) {
			ssize_t sent = send(carrier->plain, bytes, n, MSG_NOSIGNAL);

			if (sent <= 0)
				return NULL;
			bytes += sent;
			n -= (size_t)sent;
		}
	shutdown(carrier->plain, SHUT_RDWR);
	return NULL;
}

static void *carry_up(void *data)
{
	struct bench_carrier *carrier = data;
	uint8_t bytes[4096];
	size_t dropped = strlen(RFB_VERSION) + 1; /* the viewer's handshake */
	ssize_t n;

	while ((n = recv(carrier->plain, bytes, dropped ? dropped : sizeof(bytes), 0)) > 0) {
		if (dropped)
			dropped -= (size_t)n;
		else if (!give(carrier, bytes, (size_t)n))
			break;
	}
	shutdown(carrier->wire, SHUT_RDWR);
	return NULL;
}

int bench_carry(int fd, enum bench_way way, struct bench_carrier **result)
{
	static const char words[] = RFB_VERSION "\x01\x01\0\0\0";
	struct bench_carrier *carrier = calloc(1, sizeof(*carrier));
	int pair[2];

	if (!carrier || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		free(carrier);
		close(fd);
		return -1;
	}
	*result = carrier;
	carrier->way = way;
	carrier->wire = fd;
	carrier->plain = pair[1];
	carrier->carries = (way != BENCH_WSS || shake_hands(carrier)) &&
			   (!is_framed(carrier) || upgrade(carrier)) && greet(carrier) &&
			   send(carrier->plain, words, sizeof(words), 0) == sizeof(words) &&
			   !pthread_create(&carrier->down, NULL, carry_down, carrier);
	if (carrier->carries && pthread_create(&carrier->up, NULL, carry_up, carrier))
		abort();
	if (!carrier->carries)
		shutdown(carrier->plain, SHUT_RDWR);
	return pair[0];
}

void bench_carry_end(struct bench_carrier *carrier)
{
	if (!carrier)
		return;
	if (carrier->carries) {
		pthread_join(carrier->up, NULL);
		pthread_join(carrier->down, NULL);
	}
	if (carrier->tls)
		gnutls_deinit(carrier->tls);
	if (carrier->trust)
		gnutls_certificate_free_credentials(carrier->trust);
	close(carrier->plain);
	close(carrier->wire);
	free(carrier);
}
