/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pump between a stream that is more than a socket (TLS, WebSocket) and a plain descriptor: two
 * threads, one a direction, each with a bounded buffer, that block on nothing but this stream. Who
 * has the plain end reads and writes it as if it were the peer's own socket.
 *
 *   peer ══ wire ══ stream ── in ──► pair ══ plain end      (a client's words)
 *                          ◄─ out ──                        (pixels)
 *
 * The pair hides how much the peer has taken: look at the wire for that (SIOCOUTQ, TCP_INFO).
 */
#ifndef PLANECAST_PUMP_H
#define PLANECAST_PUMP_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PUMP_KEPT (64u << 20)

struct pump;

/*
 * The stream. read() and end/write() are called from a thread each, at the same time, and may block
 * in the wire: shutdown() of the wire has to end that. All are needed.
 */
struct pump_ops {
	/* Some bytes (at most `size`); 0 at the end, or -errno: -EPROTO if the peer speaks
	 * nonsense, -EDQUOT if it floods with what brings no byte. */
	ssize_t (*read)(void *stream, void *bytes, size_t size);
	/* All of the bytes: 0 or -errno. -EAGAIN: nothing was taken for a while, which a tapped
	 * pump alone asks for (SO_SNDTIMEO); the next call has the same bytes and goes on. */
	int (*write)(void *stream, const void *bytes, size_t length);
	/* No write() follows, the plain end was closed: the last words (close_notify). */
	void (*end)(void *stream);
	/* Both threads have finished: frees the stream, and closes the wire if it is the stream's.
	 */
	void (*close)(void *stream);
};

/*
 * Who decides what is passed on of what the peer says, in the reading thread, and may take its
 * time.
 */
struct pump_tap {
	/* Takes some of the bytes, sets *taken to how many, and appends what is passed on. At the
	 * peer's end there is none. NULL, or a static string that tells why the connection is to
	 * be broken. */
	const char *(*heard)(void *data, const void *bytes, size_t length, size_t *taken,
			     GByteArray *out);
	/* What heard() appended has been passed on, or the end has. NULL: nobody asks. */
	void (*passed)(void *data);
	/* In the writing thread: what the plain end has written, before any of it goes out. */
	void (*said)(void *data, const void *bytes, size_t length);
	void *data;
	/* Readable while who has the plain end must not wait for the peer: what he writes is kept
	 * then, up to PUMP_KEPT bytes; with more the connection is broken. -1: he always waits. */
	int hurry;
	bool tcp; /* the plain end is a socket of TCP: spice-server compresses no picture for others
		   */
};

/*
 * Starts the threads. `wire` is the stream's socket, blocking. *plain (blocking, close-on-exec) is
 * the caller's. 0 and the stream is the pump's, or -errno and it is not.
 */
int pump_create(const struct pump_ops *ops, void *stream, int wire, struct pump **pump, int *plain);

/* Likewise, with a tap (copied; NULL: none), whose data has to outlive the pump. */
int pump_create_tapped(const struct pump_ops *ops, void *stream, int wire,
		       const struct pump_tap *tap, struct pump **pump, int *plain);

int pump_wire(const struct pump *pump);

/*
 * From any thread, at any time, whatever the peer does: cuts the wire, joins the threads, closes
 * the stream. Does not wait for the peer. Takes NULL.
 */
void pump_destroy(struct pump *pump);

/*
 * As pump_destroy(). Returns a static string that tells why the pump itself broke the connection,
 * or NULL: a peer whose words cost a quarter of a core for seconds floods; -EDQUOT, -EPROTO; the
 * tap's.
 */
const char *pump_finish(struct pump *pump);

#endif
