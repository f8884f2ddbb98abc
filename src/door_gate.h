/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listener that is being listened to: accepts, names the peers, rests when there are no more
 * descriptors. In the thread of its GMainContext, but for gates_open().
 */
#ifndef PLANECAST_DOOR_GATE_H
#define PLANECAST_DOOR_GATE_H

#include "door_listener.h"

/* Who comes in. */
struct gate_peer {
	int fd;     /* non-blocking, close-on-exec; the receiver's */
	char *name; /* "127.0.0.1:40000", "unix (uid 0, pid 12)"; the receiver's */
	/* The same for all connections of one host, or user of a unix socket; likewise. */
	char *host;
};

struct gate_ops {
	/* In the thread of the context. */
	void (*receive)(void *data, const struct listener *listener, const struct gate_peer *peer);
	/* Nobody can be accepted for now; the reason is not for keeping. */
	void (*tired)(void *data, const struct listener *listener, const char *reason);
};

struct gate;

/*
 * Listens by rules (listener_open_by()) and appends a gate for each socket to a GPtrArray, with
 * gate_close. From any thread. 0, or -errno and nothing appended.
 */
int gates_open(const struct listener_rules *rules, const char *spec, GMainContext *context,
	       const struct gate_ops *ops, void *data, GPtrArray *gates, GError **error);

/* Closes the listener. In the context's thread, or after its end. */
void gate_close(void *gate);

#endif
