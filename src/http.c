/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <libsoup/soup.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_head.h"
#include "log.h"
#include "tls_stream.h"
#include "web_files.h"
#include "web_rules.h"
#include "web_stream.h"

#define SOCKET_PATH "/websockify" /* where noVNC looks by default */
#define WASTE_LIMIT (1u << 20)    /* bytes of a body that nobody reads, before it is cut off */
#define VISIT       "planecast-visit"

struct http {
	struct http_options options;
	char **hosts;
	struct web_files *files;
	SoupServer *server;
	GHashTable *visits;
};

struct http_visit {
	struct http *http;
	void *data;
	GSocket *socket;  /* behind TLS: the plain end */
	struct pump *tls; /* or NULL */
	struct http_head head;
	GSource *start; /* until the head is there */
	GIOStream *connection;
	GIOStream *stream; /* the server's until it ends; else NULL */
	GSource *rest;     /* what the server said is still on its way */
	size_t wasted;     /* bytes read meanwhile */
	GSocketAddress *local, *remote;
	char *address; /* our end, numeric; NULL: a unix socket */
};

/* Visits. */

static void visit_free(struct http_visit *visit)
{
	g_hash_table_remove(visit->http->visits, visit);
	g_object_set_data(G_OBJECT(visit->remote), VISIT, NULL);
	if (visit->rest) {
		g_source_destroy(visit->rest);
		g_source_unref(visit->rest);
	}
	if (visit->start) {
		g_source_destroy(visit->start);
		g_source_unref(visit->start);
	}
	pump_destroy(visit->tls);
	http_head_finish(&visit->head);
	g_clear_object(&visit->connection);
	g_object_unref(visit->remote);
	g_object_unref(visit->local);
	g_object_unref(visit->socket);
	g_free(visit->address);
	g_free(visit);
}

static void end_visit(struct http_visit *visit)
{
	struct http *http = visit->http;
	void *owner = visit->data;

	visit_free(visit);
	http->options.gone(owner);
}

static gboolean on_rest(gint wire, GIOCondition condition, gpointer visit)
{
	(void)wire;
	(void)condition;
	end_visit(visit);
	return G_SOURCE_REMOVE;
}

/* A socket that is closed with something unread takes back what was sent. */
static gboolean on_waste(gint fd, GIOCondition condition, gpointer data)
{
	struct http_visit *visit = data;
	char waste[4096];
	ssize_t n = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);

	(void)condition;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	visit->wasted += n > 0 ? (size_t)n : 0;
	if (n > 0 && visit->wasted <= WASTE_LIMIT)
		return G_SOURCE_CONTINUE;
	end_visit(visit);
	return G_SOURCE_REMOVE;
}

static void await_rest(struct http_visit *visit, int fd, GIOCondition condition,
		       GUnixFDSourceFunc function)
{
	visit->rest = g_unix_fd_source_new(fd, condition);
	g_source_set_callback(visit->rest, G_SOURCE_FUNC(function), visit, NULL);
	g_source_attach(visit->rest, g_main_context_get_thread_default());
}

/* The pump of TLS shuts its wire down after the last byte. */
static void on_gone(gpointer data, GObject *stream)
{
	struct http_visit *visit = data;

	(void)stream;
	visit->stream = NULL;
	if (visit->tls) {
		g_socket_close(visit->socket, NULL);
		await_rest(visit, pump_wire(visit->tls), G_IO_HUP, on_rest);
	} else {
		g_socket_shutdown(visit->socket, FALSE, TRUE, NULL);
		await_rest(visit, g_socket_get_fd(visit->socket), G_IO_IN, on_waste);
	}
}

void http_leave(struct http_visit *visit)
{
	if (visit->stream)
		g_object_weak_unref(G_OBJECT(visit->stream), on_gone, visit);
	/* The server finds out by itself, and closes. */
	g_socket_shutdown(visit->socket, TRUE, TRUE, NULL);
	visit_free(visit);
}

/* NULL when the door has lost interest. */
static struct http_visit *visit_of(SoupServerMessage *message)
{
	GSocketAddress *remote = soup_server_message_get_remote_address(message);

	return remote ? g_object_get_data(G_OBJECT(remote), VISIT) : NULL;
}

static struct web_rules rules_of(const struct http_visit *visit)
{
	return (struct web_rules){
		.names = (const char *const *)visit->http->hosts,
		.address = visit->address,
		.any_host = !visit->address,
	};
}

/* Answers. */

static const char *header(SoupServerMessage *message, const char *name)
{
	return soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
}

static void set_header(SoupServerMessage *message, const char *name, const char *value)
{
	soup_message_headers_replace(soup_server_message_get_response_headers(message), name,
				     value);
}

/* What a page of ours may do: load from here, talk to here, be framed by nobody. */
static void set_headers(SoupServerMessage *message, const char *host, bool tls)
{
	/* Behind a proxy, or not encrypted: the page's own address says which of the two. */
	char *socket = tls ? g_strdup_printf("wss://%s", host)
			   : g_strdup_printf("ws://%s wss://%s", host, host);
	char *policy = g_strdup_printf(
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
		"media-src 'self'; connect-src 'self' %s; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'",
		socket);

	set_header(message, "Content-Security-Policy", policy);
	set_header(message, "X-Content-Type-Options", "nosniff");
	set_header(message, "X-Frame-Options", "DENY");
	set_header(message, "Referrer-Policy", "no-referrer");
	set_header(message, "Cross-Origin-Opener-Policy", "same-origin");
	set_header(message, "Cross-Origin-Resource-Policy", "same-origin");
	set_header(message, "Cache-Control", "no-cache");
	g_free(policy);
	g_free(socket);
}

/* In words, and the end of the connection: there is no second try on it. */
static void refuse(SoupServerMessage *message, guint status, const char *words)
{
	soup_server_message_set_status(message, status, NULL);
	soup_server_message_set_response(message, "text/plain; charset=utf-8", SOUP_MEMORY_COPY,
					 words, strlen(words));
	set_header(message, "X-Content-Type-Options", "nosniff");
	set_header(message, "Connection", "close");
}

/* The server keeps no connection alive that it has not accepted itself: say so. */
static void give_file(SoupServerMessage *message, const struct http_visit *visit, const char *path)
{
	GBytes *bytes;
	const char *type;

	if (web_files_get(visit->http->files, path, &bytes, &type)) {
		refuse(message, SOUP_STATUS_NOT_FOUND, "Not here.\n");
		return;
	}
	soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
	set_header(message, "Content-Type", type);
	set_header(message, "Connection", "close");
	soup_message_body_append_bytes(soup_server_message_get_response_body(message), bytes);
	g_bytes_unref(bytes);
	set_headers(message, header(message, "Host"), visit->tls != NULL);
}

/* The upgrade. */

/* A copy of the descriptor, blocking: the server's object keeps and closes its own. */
static int blocking_copy(GSocket *socket)
{
	int fd = fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);

	if (fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A pump on the connection, or NULL. */
static struct pump *start_pump(struct http_visit *visit, int *plain)
{
	int wire = blocking_copy(visit->socket);
	struct pump *pump = NULL;
	const uint8_t *early;
	size_t length;
	void *stream;

	if (wire < 0)
		return NULL;
	early = http_head_rest(&visit->head, &length);
	if (visit->tls) {
		struct pump *tls = g_steal_pointer(&visit->tls);

		stream = web_stream_new(&web_stream_tls_ops, web_stream_tls_new(wire, tls), early,
					length);
		wire = pump_wire(tls);
	} else {
		stream = web_stream_new(&web_stream_plain_ops, web_stream_plain_new(wire), early,
					length);
	}
	if (pump_create(&web_stream_ops, stream, wire, &pump, plain)) {
		web_stream_ops.close(stream);
		return NULL;
	}
	return pump;
}

/* The answer to the handshake is out: the connection is ours. */
static void on_answered(SoupServerMessage *message, gpointer data)
{
	struct http_visit *visit = visit_of(message);
	GIOStream *stream, *stolen;
	struct pump *pump;
	struct http *http = data;
	void *owner;
	int plain;

	if (!visit || soup_server_message_get_status(message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
		return;
	stream = g_object_ref(visit->stream);
	owner = visit->data;
	g_object_weak_unref(G_OBJECT(stream), on_gone, visit);
	stolen = soup_server_message_steal_connection(message);
	pump = start_pump(visit, &plain);
	visit_free(visit);
	g_object_unref(stolen);
	g_object_unref(stream);
	if (pump)
		http->options.upgraded(owner, pump, plain);
	else
		http->options.gone(owner);
}

static void upgrade(SoupServerMessage *message, struct http *http, const struct web_rules *rules)
{
	static const char *const protocols[] = {"binary", NULL};

	if (!web_rules_take_origin(rules, header(message, "Host"), header(message, "Origin"))) {
		refuse(message, SOUP_STATUS_FORBIDDEN,
		       "Another site's page may not connect here.\n");
		return;
	}
	/* The client's list may leave the protocol out; another one than ours is an error of it. */
	if (soup_websocket_server_process_handshake(message, NULL, (char **)protocols, NULL, NULL))
		g_signal_connect(message, "wrote-informational", G_CALLBACK(on_answered), http);
	else
		set_header(message, "Connection", "close");
}

/* As soon as the headers are there: no request has a body that anybody reads. */
static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
		       GHashTable *query, gpointer data)
{
	const char *method = soup_server_message_get_method(message);
	struct http_visit *visit = visit_of(message);
	struct http *http = data;
	struct web_rules rules;

	(void)server;
	(void)query;
	soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
	if (!visit) {
		refuse(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "Gone.\n");
		return;
	}
	rules = rules_of(visit);
	if (!web_rules_take_host(&rules, header(message, "Host"))) {
		refuse(message, SOUP_STATUS_FORBIDDEN,
		       "This name is not known here (see planecast's option --web-host).\n");
	} else if (visit->head.body) {
		refuse(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "No more than a header.\n");
	} else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
		refuse(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "GET or HEAD.\n");
		set_header(message, "Allow", "GET, HEAD");
	} else if (!strcmp(path, SOCKET_PATH)) {
		upgrade(message, http, &rules);
	} else {
		give_file(message, visit, path);
	}
}

static void on_finished(SoupServer *server, SoupServerMessage *message, gpointer data)
{
	struct http_visit *visit = visit_of(message);
	struct http *http = data;

	(void)server;
	if (visit)
		http->options.served(visit->data);
}

/* Arrivals. */

static char *own_address(GSocketAddress *local)
{
	return G_IS_INET_SOCKET_ADDRESS(local)
		       ? g_inet_address_to_string(
				 g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(local)))
		       : NULL;
}

/* The server wants an address of its own for each connection: it is found by that. */
static GSocketAddress *unique_address(GSocket *socket)
{
	GSocketAddress *address = g_socket_get_remote_address(socket, NULL);

	if (address && G_IS_INET_SOCKET_ADDRESS(address))
		return address;
	g_clear_object(&address);
	return g_inet_socket_address_new_from_string("127.0.0.1", 0);
}

/*
 * The server answers at once, and ends the connection or the upgrade then and there: the visit may
 * be gone after it. It reads the head and no more.
 */
static void serve_head(struct http_visit *visit)
{
	GBytes *head = http_head_bytes(&visit->head);
	GInputStream *input = g_memory_input_stream_new_from_bytes(head);
	GOutputStream *output = g_io_stream_get_output_stream(visit->connection);
	GIOStream *stream = g_simple_io_stream_new(input, output);

	g_object_unref(input);
	g_bytes_unref(head);
	visit->stream = stream;
	g_object_weak_ref(G_OBJECT(stream), on_gone, visit);
	soup_server_accept_iostream(visit->http->server, stream, visit->local, visit->remote, NULL);
	g_object_unref(stream);
}

static gboolean on_head(gint fd, GIOCondition condition, gpointer data)
{
	static const char too_large[] = "HTTP/1.1 431 Request Header Fields Too Large\r\n"
					"Connection: close\r\n\r\n";
	struct http_visit *visit = data;
	int r = http_head_read(&visit->head, fd);

	(void)condition;
	if (r == -EAGAIN)
		return G_SOURCE_CONTINUE;
	g_source_unref(g_steal_pointer(&visit->start));
	if (!r) {
		serve_head(visit);
		return G_SOURCE_REMOVE;
	}
	if (r == -EMSGSIZE)
		send(fd, too_large, strlen(too_large), MSG_DONTWAIT | MSG_NOSIGNAL);
	end_visit(visit);
	return G_SOURCE_REMOVE;
}

static struct http_visit *visit_new(struct http *http, GSocket *socket, void *data)
{
	GSocketAddress *local = g_socket_get_local_address(socket, NULL);
	struct http_visit *visit;

	if (!local)
		return NULL;
	visit = g_new0(struct http_visit, 1);
	visit->http = http;
	visit->data = data;
	visit->socket = g_object_ref(socket);
	visit->remote = unique_address(socket);
	visit->address = own_address(local);
	visit->local = g_object_ref(visit->address ? local : visit->remote);
	g_object_unref(local);
	return visit;
}

/* The plain end takes the place of the socket, whose addresses have been taken. */
static int put_tls_between(struct http_visit *visit, struct certificate *certificate)
{
	int fd = fcntl(g_socket_get_fd(visit->socket), F_DUPFD_CLOEXEC, 0), plain, r;
	GSocket *socket;

	if (fd < 0)
		return -errno;
	r = tls_stream_pump(fd, certificate, &visit->tls, &plain);
	if (r)
		return r;
	socket = g_socket_new_from_fd(plain, NULL);
	if (!socket) {
		close(plain);
		return -EIO;
	}
	g_object_unref(visit->socket);
	visit->socket = socket;
	return 0;
}

struct http_visit *http_visit(struct http *http, int fd, struct certificate *certificate,
			      void *data)
{
	GSocket *socket = g_socket_new_from_fd(fd, NULL);
	struct http_visit *visit;

	if (!socket) {
		close(fd);
		return NULL;
	}
	visit = visit_new(http, socket, data);
	g_object_unref(socket);
	if (!visit)
		return NULL;
	g_object_set_data(G_OBJECT(visit->remote), VISIT, visit);
	g_hash_table_add(http->visits, visit);
	if (certificate && put_tls_between(visit, certificate)) {
		visit_free(visit);
		return NULL;
	}
	visit->connection = G_IO_STREAM(
		g_socket_connection_factory_create_connection(visit->socket));
	visit->start = g_unix_fd_source_new(g_socket_get_fd(visit->socket), G_IO_IN);
	g_source_set_callback(visit->start, G_SOURCE_FUNC(on_head), visit, NULL);
	g_source_attach(visit->start, g_main_context_get_thread_default());
	return visit;
}

/* The server. */

int http_create(const struct http_options *options, struct http **result, GError **error)
{
	struct http *http = g_new0(struct http, 1);
	int r = web_files_create(options->root, &http->files, error);

	http->options = *options;
	http->hosts = g_strdupv((char **)options->hosts);
	http->visits = g_hash_table_new(NULL, NULL);
	if (r < 0) {
		http_destroy(http);
		return r;
	}
	http->server = soup_server_new("raw-paths", TRUE, NULL);
	soup_server_add_early_handler(http->server, NULL, on_request, http, NULL);
	g_signal_connect(http->server, "request-finished", G_CALLBACK(on_finished), http);
	*result = http;
	return 0;
}

void http_destroy(struct http *http)
{
	GHashTableIter iter;
	gpointer visit;

	if (!http)
		return;
	for (;;) {
		g_hash_table_iter_init(&iter, http->visits);
		if (!g_hash_table_iter_next(&iter, &visit, NULL))
			break;
		http_leave(visit);
	}
	if (http->server)
		soup_server_disconnect(http->server);
	g_clear_object(&http->server);
	g_hash_table_unref(http->visits);
	web_files_destroy(http->files);
	g_strfreev(http->hosts);
	g_free(http);
}
