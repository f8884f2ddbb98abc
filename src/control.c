/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "door_listener.h"
#include "log.h"

/* Of a DEVICE in a file's name: with folder and end it has to fit in a sockaddr_un. */
#define NAME_LENGTH 48

/* So long is nobody listened to while the process is out of descriptors. */
#define PAUSE_MS 250

struct control {
	GPtrArray *listeners;
	struct gate *gates; /* one a listener, once all are open */
	GQueue connections; /* oldest first */
	control_answer answer;
	void *data;
};

struct gate {
	struct control *control;
	int fd;
	guint watch; /* of the listener, or of the end of a pause */
};

struct connection {
	struct control *control;
	int fd;
	char *text;
	size_t length, sent;
	guint writable, deadline;
};

static void connection_end(struct connection *connection)
{
	g_queue_remove(&connection->control->connections, connection);
	if (connection->writable)
		g_source_remove(connection->writable);
	if (connection->deadline)
		g_source_remove(connection->deadline);
	close(connection->fd);
	g_free(connection->text);
	g_free(connection);
}

static gboolean on_deadline(gpointer data)
{
	struct connection *connection = data;

	connection->deadline = 0;
	log_debug("control: a reader that took too long is dropped");
	connection_end(connection);
	return G_SOURCE_REMOVE;
}

/* False: it is over, told or broken. */
static bool send_more(struct connection *connection)
{
	while (connection->sent < connection->length) {
		ssize_t n = send(connection->fd, connection->text + connection->sent,
				 connection->length - connection->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		connection->sent += (size_t)n;
	}
	return false;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct connection *connection = data;

	(void)fd;
	(void)condition;
	if (send_more(connection))
		return G_SOURCE_CONTINUE;
	connection->writable = 0;
	connection_end(connection);
	return G_SOURCE_REMOVE;
}

static void receive(struct control *control, int peer)
{
	struct connection *connection;

	if (control->connections.length == CONTROL_CONNECTIONS)
		connection_end(g_queue_peek_head(&control->connections));
	connection = g_new0(struct connection, 1);
	connection->control = control;
	connection->fd = peer;
	connection->text = control->answer(control->data);
	connection->length = strlen(connection->text);
	g_queue_push_tail(&control->connections, connection);
	if (!send_more(connection)) {
		connection_end(connection);
		return;
	}
	connection->writable = g_unix_fd_add(peer, G_IO_OUT, on_writable, connection);
	connection->deadline = g_timeout_add(CONTROL_PATIENCE_MS, on_deadline, connection);
}

static void gate_watch(struct gate *gate);

static gboolean on_pause_over(gpointer data)
{
	gate_watch(data);
	return G_SOURCE_REMOVE;
}

static gboolean on_connect(gint fd, GIOCondition condition, gpointer data)
{
	struct gate *gate = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)condition;
	if (peer >= 0) {
		receive(gate->control, peer);
		return G_SOURCE_CONTINUE;
	}
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return G_SOURCE_CONTINUE;
	/* It stays readable: rest, instead of spinning. */
	log_debug("control: nobody is answered: %s", g_strerror(errno));
	gate->watch = g_timeout_add(PAUSE_MS, on_pause_over, gate);
	return G_SOURCE_REMOVE;
}

static void gate_watch(struct gate *gate)
{
	gate->watch = g_unix_fd_add(gate->fd, G_IO_IN, on_connect, gate);
}

/* Who watches and from where is for this machine's user alone. */
static int check_kind(const char *spec, GError **error)
{
	struct address address;
	int ret = address_parse(spec, &address, error);

	if (!ret && address.kind == ADDRESS_TCP)
		ret = fail(error, EXIT_USAGE, EINVAL,
			   "%s: the control socket is a file (write unix:PATH)", spec);
	address_finish(&address);
	return ret;
}

int control_create(const char *address, control_answer answer, void *data, struct control **out,
		   GError **error)
{
	struct control *control = g_new0(struct control, 1);
	int ret;

	control->listeners = g_ptr_array_new_with_free_func(listener_free);
	g_queue_init(&control->connections);
	control->answer = answer;
	control->data = data;
	ret = check_kind(address, error);
	if (!ret)
		ret = listener_open(address, control->listeners, error);
	if (ret) {
		control_destroy(control);
		return ret;
	}
	control->gates = g_new0(struct gate, control->listeners->len);
	for (guint i = 0; i < control->listeners->len; i++) {
		const struct listener *listener = control->listeners->pdata[i];

		control->gates[i].control = control;
		control->gates[i].fd = listener->fd;
		gate_watch(&control->gates[i]);
	}
	*out = control;
	return 0;
}

void control_announce(const struct control *control)
{
	for (guint i = 0; control && i < control->listeners->len; i++) {
		const struct listener *listener = control->listeners->pdata[i];

		log_info("control: listening on %s", listener->name);
	}
}

void control_destroy(struct control *control)
{
	if (!control)
		return;
	while (control->connections.length)
		connection_end(g_queue_peek_head(&control->connections));
	for (guint i = 0; control->gates && i < control->listeners->len; i++)
		g_source_remove(control->gates[i].watch);
	g_free(control->gates);
	g_ptr_array_unref(control->listeners);
	g_free(control);
}

char *control_folder(void)
{
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");

	return g_build_filename(runtime && *runtime == '/' ? runtime : "/run", "planecast", NULL);
}

char *control_default(const char *device, unsigned int number)
{
	char *folder = control_folder(), *address;
	char name[NAME_LENGTH + 1];

	g_strlcpy(name, device, sizeof(name));
	for (char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("._-", *c))
			*c = '-';
	if (number)
		address = g_strdup_printf("unix:%s/%s.%u.sock", folder, name, number);
	else
		address = g_strdup_printf("unix:%s/%s.sock", folder, name);
	g_free(folder);
	return address;
}
