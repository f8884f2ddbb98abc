/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door_gate.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "address.h"

#define ACCEPTS_AT_ONCE 16
#define PAUSE_MS        250 /* out of descriptors */

struct gate {
	struct listener *listener;
	GMainContext *context;
	const struct gate_ops *ops;
	void *data;
	GSource *source;
};

static void name_peer(struct gate_peer *peer, const struct sockaddr *name, socklen_t length)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	if (name->sa_family != AF_UNIX) {
		peer->name = address_format(name, length);
		peer->host = address_format_host(name, length);
	} else if (!getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &who, &size)) {
		peer->name = g_strdup_printf("unix (uid %u, pid %d)", who.uid, who.pid);
		peer->host = g_strdup_printf("unix uid %u", who.uid);
	} else {
		peer->name = g_strdup("unix");
		peer->host = g_strdup("unix");
	}
}

/* Peers that vanish without a word are noticed after two minutes. */
static void tune(int fd)
{
	int one = 1, idle = 60, interval = 20, probes = 3;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static void watch(struct gate *gate);

static gboolean on_pause_over(gpointer data)
{
	watch(data);
	return G_SOURCE_REMOVE;
}

static void set_source(struct gate *gate, GSource *source, GSourceFunc callback)
{
	if (gate->source) {
		g_source_destroy(gate->source);
		g_source_unref(gate->source);
	}
	gate->source = source;
	g_source_set_callback(source, callback, gate, NULL);
	g_source_attach(source, gate->context);
}

static gboolean on_gate(gint fd, GIOCondition condition, gpointer data)
{
	struct gate *gate = data;

	(void)condition;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage name = {0};
		socklen_t length = sizeof(name);
		struct gate_peer peer = {
			.fd = accept4(fd, (struct sockaddr *)&name, &length,
				      SOCK_CLOEXEC | SOCK_NONBLOCK),
		};

		if (peer.fd >= 0) {
			name_peer(&peer, (struct sockaddr *)&name, length);
			if (name.ss_family != AF_UNIX)
				tune(peer.fd);
			gate->ops->receive(gate->data, gate->listener, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* It stays readable: rest, instead of spinning. */
			gate->ops->tired(gate->data, gate->listener, g_strerror(errno));
			set_source(gate, g_timeout_source_new(PAUSE_MS), on_pause_over);
		}
		break;
	}
	return G_SOURCE_CONTINUE;
}

static void watch(struct gate *gate)
{
	set_source(gate, g_unix_fd_source_new(gate->listener->fd, G_IO_IN), G_SOURCE_FUNC(on_gate));
}

static struct gate *gate_open(struct listener *listener, GMainContext *context,
			      const struct gate_ops *ops, void *data)
{
	struct gate *gate = g_new0(struct gate, 1);

	gate->listener = listener;
	gate->context = context;
	gate->ops = ops;
	gate->data = data;
	watch(gate);
	return gate;
}

int gates_open(const struct listener_rules *rules, const char *spec, GMainContext *context,
	       const struct gate_ops *ops, void *data, GPtrArray *gates, GError **error)
{
	GPtrArray *listeners = g_ptr_array_new();
	int r = listener_open_by(rules, spec, listeners, error);

	for (guint i = 0; i < listeners->len; i++)
		g_ptr_array_add(gates, gate_open(listeners->pdata[i], context, ops, data));
	g_ptr_array_unref(listeners);
	return r;
}

void gate_close(void *data)
{
	struct gate *gate = data;

	g_source_destroy(gate->source);
	g_source_unref(gate->source);
	listener_free(gate->listener);
	g_free(gate);
}
