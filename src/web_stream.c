/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web_stream.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "websocket.h"

#define FRAME 262144 /* payload of the largest frame that is sent: what a pump moves at once */
/* Frames, and chunks, without a byte for the pump: what pings need and no more. */
#define EMPTY_BURST     256
#define EMPTY_A_SECOND  10
#define CONTROL_MESSAGE (2 + WEBSOCKET_CONTROL)

struct web_stream {
	const struct pump_ops *under_ops;
	void *under;
	uint8_t *early;
	size_t early_left, early_at;
	/* Of the reading thread. */
	struct websocket_reader reader;
	double empty;
	gint64 refilled;
	/* Of who is `busy`. */
	uint8_t frame[WEBSOCKET_HEADER + FRAME];

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t free;
	bool busy; /* somebody writes */
	/* A control frame that waits for that to end: the last one counts. */
	uint8_t due[CONTROL_MESSAGE];
	size_t due_length;
	bool said_close;
};

/* Writing: whole frames, one at a time. */

static void begin(struct web_stream *web)
{
	pthread_mutex_lock(&web->lock);
	while (web->busy)
		pthread_cond_wait(&web->free, &web->lock);
	web->busy = true;
	pthread_mutex_unlock(&web->lock);
}

/* Says what came up meanwhile, then lets others write. */
static int finish(struct web_stream *web)
{
	uint8_t message[CONTROL_MESSAGE];
	int r = 0;

	pthread_mutex_lock(&web->lock);
	while (web->due_length) {
		size_t length = web->due_length;

		memcpy(message, web->due, length);
		web->due_length = 0;
		pthread_mutex_unlock(&web->lock);
		if (!r)
			r = web->under_ops->write(web->under, message, length);
		pthread_mutex_lock(&web->lock);
	}
	web->busy = false;
	pthread_cond_signal(&web->free);
	pthread_mutex_unlock(&web->lock);
	return r;
}

/*
 * Says a control frame now, or after the frame that is being written: the reading thread does not
 * wait for a peer that takes nothing. Nothing follows a close frame.
 */
static void say(struct web_stream *web, enum websocket_opcode opcode, const void *payload,
		size_t length)
{
	uint8_t header[WEBSOCKET_HEADER];
	size_t n = websocket_header(header, opcode, length);
	bool now;

	pthread_mutex_lock(&web->lock);
	if (web->said_close) {
		pthread_mutex_unlock(&web->lock);
		return;
	}
	web->said_close = opcode == WEBSOCKET_CLOSE;
	memcpy(web->due, header, n);
	memcpy(web->due + n, payload, length);
	web->due_length = n + length;
	now = !web->busy;
	web->busy = true;
	pthread_mutex_unlock(&web->lock);
	if (now)
		finish(web);
}

static void say_close(struct web_stream *web, unsigned int code)
{
	const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	/* A close frame without a code is answered by one like it. */
	say(web, WEBSOCKET_CLOSE, payload, code ? sizeof(payload) : 0);
}

/* Reading. */

static ssize_t read_under(struct web_stream *web, void *bytes, size_t size)
{
	size_t length = MIN(size, web->early_left);

	if (!length)
		return web->under_ops->read(web->under, bytes, size);
	memcpy(bytes, web->early + web->early_at, length);
	web->early_at += length;
	web->early_left -= length;
	return (ssize_t)length;
}

/* Pings and empty frames never reach the pump, which looks after floods: so they are counted here.
 */
static bool too_many_empty(struct web_stream *web, uint32_t count)
{
	gint64 now = g_get_monotonic_time();
	double refill = (double)(now - web->refilled) * EMPTY_A_SECOND / G_TIME_SPAN_SECOND;

	web->refilled = now;
	web->empty = MIN(web->empty + refill, EMPTY_BURST) - count;
	return web->empty < 0;
}

static ssize_t web_stream_read(void *stream, void *bytes, size_t size)
{
	struct web_stream *web = stream;
	struct websocket_reader *reader = &web->reader;

	while (!reader->closed) {
		ssize_t n = read_under(web, bytes, size);
		uint32_t empty;

		if (n <= 0)
			return n;
		n = websocket_reader_feed(reader, bytes, (size_t)n);
		if (n < 0) {
			say_close(web, reader->code);
			return n;
		}
		if (reader->ping)
			say(web, WEBSOCKET_PONG, reader->ping_payload, reader->ping_length);
		reader->ping = false;
		/* Many may come at once; a part of one counts, too. */
		empty = reader->empty ? reader->empty : n == 0;
		reader->empty = 0;
		if (empty && !reader->closed && too_many_empty(web, empty)) {
			say_close(web, WEBSOCKET_POLICY);
			return -EDQUOT;
		}
		if (n > 0)
			return n;
	}
	say_close(web, reader->code);
	return 0;
}

static int write_frame(struct web_stream *web, const uint8_t *bytes, size_t length)
{
	size_t header = websocket_header(web->frame, WEBSOCKET_BINARY, length);

	memcpy(web->frame + header, bytes, length);
	return web->under_ops->write(web->under, web->frame, header + length);
}

static int web_stream_write(void *stream, const void *bytes, size_t length)
{
	struct web_stream *web = stream;
	const uint8_t *at = bytes;
	int r = 0, last;

	begin(web);
	while (!r && length) {
		size_t part = MIN(length, FRAME);

		pthread_mutex_lock(&web->lock);
		r = web->said_close ? -EPIPE : 0;
		pthread_mutex_unlock(&web->lock);
		if (!r)
			r = write_frame(web, at, part);
		at += part;
		length -= part;
	}
	last = finish(web);
	return r ? r : last;
}

static void web_stream_end(void *stream)
{
	struct web_stream *web = stream;

	say_close(web, WEBSOCKET_GOING_AWAY);
	web->under_ops->end(web->under);
}

static void web_stream_close(void *stream)
{
	struct web_stream *web = stream;

	web->under_ops->close(web->under);
	pthread_cond_destroy(&web->free);
	pthread_mutex_destroy(&web->lock);
	g_free(web->early);
	g_free(web);
}

const struct pump_ops web_stream_ops = {
	.read = web_stream_read,
	.write = web_stream_write,
	.end = web_stream_end,
	.close = web_stream_close,
};

void *web_stream_new(const struct pump_ops *under_ops, void *under, const void *early,
		     size_t early_length)
{
	struct web_stream *web = g_new0(struct web_stream, 1);

	web->under_ops = under_ops;
	web->under = under;
	web->early = g_memdup2(early, early_length);
	web->early_left = early_length;
	web->empty = EMPTY_BURST;
	web->refilled = g_get_monotonic_time();
	pthread_mutex_init(&web->lock, NULL);
	pthread_cond_init(&web->free, NULL);
	return web;
}

/* The plain socket. */

static ssize_t plain_read(void *stream, void *bytes, size_t size)
{
	ssize_t n;

	do
		n = recv(GPOINTER_TO_INT(stream), bytes, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int plain_write(void *stream, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = send(GPOINTER_TO_INT(stream), at, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static void plain_end(void *stream)
{
	(void)stream; /* the pump shuts the wire down */
}

static void plain_close(void *stream)
{
	close(GPOINTER_TO_INT(stream));
}

const struct pump_ops web_stream_plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.end = plain_end,
	.close = plain_close,
};

void *web_stream_plain_new(int fd)
{
	return GINT_TO_POINTER(fd);
}

/* Behind TLS. */

struct behind {
	int fd;
	struct pump *tls;
};

static ssize_t tls_read(void *stream, void *bytes, size_t size)
{
	return plain_read(GINT_TO_POINTER(((struct behind *)stream)->fd), bytes, size);
}

static int tls_write(void *stream, const void *bytes, size_t length)
{
	return plain_write(GINT_TO_POINTER(((struct behind *)stream)->fd), bytes, length);
}

/* The last words are still on their way to the wire, which is shut down after them. */
static void tls_end(void *stream)
{
	struct behind *behind = stream;
	struct pollfd wire = {.fd = pump_wire(behind->tls)};

	shutdown(behind->fd, SHUT_WR);
	while (poll(&wire, 1, -1) < 0 && errno == EINTR)
		;
}

static void tls_close(void *stream)
{
	struct behind *behind = stream;

	pump_destroy(behind->tls);
	close(behind->fd);
	g_free(behind);
}

const struct pump_ops web_stream_tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.end = tls_end,
	.close = tls_close,
};

void *web_stream_tls_new(int fd, struct pump *tls)
{
	struct behind *behind = g_new(struct behind, 1);

	*behind = (struct behind){.fd = fd, .tls = tls};
	return behind;
}
