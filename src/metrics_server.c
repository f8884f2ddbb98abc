/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics_server.h"

#include <errno.h>
#include <glib-unix.h>
#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door_gate.h"
#include "http_head.h"
#include "log.h"
#include "metrics.h"
#include "web_rules.h"

#define PATH        "/metrics"
#define VISIT       "planecast-visit"
#define WASTE_LIMIT (1u << 16) /* bytes that nobody reads, before they are cut off */

struct metrics_server {
	SoupServer *soup;
	GPtrArray *gates;
	GQueue visits; /* oldest first */
	metrics_answer answer;
	void *data;
};

/* A connection, from its arrival to its end: its head comes, libsoup answers, the rest is read. */
struct visit {
	struct metrics_server *server;
	GSocket *socket;
	struct http_head head;
	GIOStream *connection, *answer; /* the answer is libsoup's, until it is gone */
	GSocketAddress *local, *remote;
	char *address; /* our end, numeric; NULL where any name will do */
	guint readable, deadline;
	size_t wasted;
};

/* Visits. */

static void visit_free(struct visit *visit)
{
	g_queue_remove(&visit->server->visits, visit);
	g_object_set_data(G_OBJECT(visit->remote), VISIT, NULL);
	if (visit->readable)
		g_source_remove(visit->readable);
	if (visit->deadline)
		g_source_remove(visit->deadline);
	http_head_finish(&visit->head);
	g_object_unref(visit->connection);
	g_object_unref(visit->remote);
	g_object_unref(visit->local);
	g_object_unref(visit->socket);
	g_free(visit->address);
	g_free(visit);
}

/* A socket that is closed with something unread takes back what was sent. */
static gboolean on_waste(gint fd, GIOCondition condition, gpointer data)
{
	struct visit *visit = data;
	char waste[4096];
	ssize_t n = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);

	(void)condition;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	visit->wasted += n > 0 ? (size_t)n : 0;
	if (n > 0 && visit->wasted <= WASTE_LIMIT)
		return G_SOURCE_CONTINUE;
	visit->readable = 0;
	visit_free(visit);
	return G_SOURCE_REMOVE;
}

static void await(struct visit *visit, GUnixFDSourceFunc function)
{
	visit->readable = g_unix_fd_add(g_socket_get_fd(visit->socket), G_IO_IN | G_IO_HUP,
					function, visit);
}

static void on_gone(gpointer data, GObject *answer)
{
	struct visit *visit = data;

	(void)answer;
	visit->answer = NULL;
	g_socket_shutdown(visit->socket, FALSE, TRUE, NULL);
	await(visit, on_waste);
}

/* libsoup finds out by itself that the connection has ended, and lets it go. */
static void cut(struct visit *visit)
{
	if (visit->answer)
		g_object_weak_unref(G_OBJECT(visit->answer), on_gone, visit);
	g_socket_shutdown(visit->socket, TRUE, TRUE, NULL);
	visit_free(visit);
}

static gboolean on_deadline(gpointer data)
{
	struct visit *visit = data;

	visit->deadline = 0;
	log_debug("metrics: who took too long is cut off");
	cut(visit);
	return G_SOURCE_REMOVE;
}

/* libsoup reads the head and no more, and answers at once. */
static void serve_head(struct visit *visit)
{
	GBytes *head = http_head_bytes(&visit->head);
	GInputStream *input = g_memory_input_stream_new_from_bytes(head);
	GIOStream *answer = g_simple_io_stream_new(
		input, g_io_stream_get_output_stream(visit->connection));

	g_object_unref(input);
	g_bytes_unref(head);
	visit->answer = answer;
	g_object_weak_ref(G_OBJECT(answer), on_gone, visit);
	soup_server_accept_iostream(visit->server->soup, answer, visit->local, visit->remote, NULL);
	g_object_unref(answer);
}

static gboolean on_head(gint fd, GIOCondition condition, gpointer data)
{
	struct visit *visit = data;
	int ret = http_head_read(&visit->head, fd);

	(void)condition;
	if (ret == -EAGAIN)
		return G_SOURCE_CONTINUE;
	visit->readable = 0;
	if (!ret)
		serve_head(visit);
	else
		cut(visit);
	return G_SOURCE_REMOVE;
}

/* libsoup wants an Internet address for each end, and a visit is found again by its remote one. */
static GSocketAddress *own_or(GSocketAddress *address)
{
	if (address && G_IS_INET_SOCKET_ADDRESS(address))
		return address;
	g_clear_object(&address);
	return g_inet_socket_address_new_from_string("127.0.0.1", 0);
}

/* On loopback a name that is not ours is that of a page which somebody's browser came from. */
static char *checked_address(const struct listener *listener, GSocket *socket)
{
	GSocketAddress *local = g_socket_get_local_address(socket, NULL);
	char *address = NULL;

	if (listener->local && local && G_IS_INET_SOCKET_ADDRESS(local))
		address = g_inet_address_to_string(
			g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(local)));
	g_clear_object(&local);
	return address;
}

static void visit_begin(struct metrics_server *server, const struct listener *listener,
			GSocket *socket)
{
	struct visit *visit = g_new0(struct visit, 1);

	if (server->visits.length == METRICS_VISITS)
		cut(g_queue_peek_head(&server->visits));
	visit->server = server;
	visit->socket = socket;
	visit->local = own_or(g_socket_get_local_address(socket, NULL));
	visit->remote = own_or(g_socket_get_remote_address(socket, NULL));
	visit->address = checked_address(listener, socket);
	visit->connection = G_IO_STREAM(g_socket_connection_factory_create_connection(socket));
	g_object_set_data(G_OBJECT(visit->remote), VISIT, visit);
	visit->deadline = g_timeout_add(METRICS_PATIENCE_MS, on_deadline, visit);
	await(visit, on_head);
	g_queue_push_tail(&server->visits, visit);
}

static void on_receive(void *data, const struct listener *listener, const struct gate_peer *peer)
{
	GSocket *socket = g_socket_new_from_fd(peer->fd, NULL);

	g_free(peer->name);
	g_free(peer->host);
	if (socket)
		visit_begin(data, listener, socket);
	else
		close(peer->fd);
}

static void on_tired(void *data, const struct listener *listener, const char *reason)
{
	(void)data;
	log_debug("metrics: %s accepts nobody: %s", listener->name, reason);
}

static const struct gate_ops gate_ops = {.receive = on_receive, .tired = on_tired};

/* Answers. */

static void reply(SoupServerMessage *message, guint status, const char *type, char *text)
{
	soup_server_message_set_status(message, status, NULL);
	soup_server_message_set_response(message, type, SOUP_MEMORY_TAKE, text, strlen(text));
	soup_message_headers_replace(soup_server_message_get_response_headers(message),
				     "Connection", "close");
}

static void refuse(SoupServerMessage *message, guint status, const char *words)
{
	reply(message, status, "text/plain; charset=utf-8", g_strdup(words));
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path,
		       GHashTable *query, gpointer data)
{
	SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
	GSocketAddress *remote = soup_server_message_get_remote_address(message);
	const struct visit *visit = remote ? g_object_get_data(G_OBJECT(remote), VISIT) : NULL;
	const char *method = soup_server_message_get_method(message);
	struct metrics_server *server = data;
	struct web_rules rules = {0};

	(void)soup;
	(void)query;
	soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
	if (visit)
		rules = (struct web_rules){.address = visit->address, .any_host = !visit->address};
	if (!web_rules_take_host(&rules, soup_message_headers_get_one(headers, "Host"))) {
		refuse(message, SOUP_STATUS_FORBIDDEN, "Ask for localhost or an IP address.\n");
	} else if (!visit || visit->head.body) {
		refuse(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "No more than a header.\n");
	} else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
		refuse(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "GET or HEAD.\n");
		soup_message_headers_replace(soup_server_message_get_response_headers(message),
					     "Allow", "GET, HEAD");
	} else if (strcmp(path, PATH) != 0) {
		refuse(message, SOUP_STATUS_NOT_FOUND, "Metrics are at " PATH ".\n");
	} else {
		reply(message, SOUP_STATUS_OK, METRICS_TYPE, server->answer(server->data));
	}
}

/* The server. */

struct metrics_server *metrics_server_new(metrics_answer answer, void *data)
{
	struct metrics_server *server = g_new0(struct metrics_server, 1);

	server->answer = answer;
	server->data = data;
	server->gates = g_ptr_array_new_with_free_func(gate_close);
	g_queue_init(&server->visits);
	server->soup = soup_server_new("raw-paths", TRUE, NULL);
	soup_server_add_early_handler(server->soup, NULL, on_request, server, NULL);
	return server;
}

int metrics_server_listen(struct metrics_server *server, const char *spec, bool open,
			  GError **error)
{
	const struct listener_rules rules = {
		.server = "metrics",
		.refusal = open ? NULL : "metrics have no password (give --insecure",
	};

	return gates_open(&rules, spec, g_main_context_default(), &gate_ops, server, server->gates,
			  error);
}

void metrics_server_destroy(struct metrics_server *server)
{
	if (!server)
		return;
	g_ptr_array_unref(server->gates);
	while (server->visits.length)
		cut(g_queue_peek_head(&server->visits));
	soup_server_disconnect(server->soup);
	g_object_unref(server->soup);
	g_free(server);
}
