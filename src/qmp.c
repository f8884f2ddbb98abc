/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define FIRST_PAUSE_MS 250u
#define LONG_PAUSE_MS  8000u

struct qmp {
	char *path;
	struct qmp_events events;
	void *data;
	int fd; /* -1: no connection */
	GString *in, *out;
	guint readable, writable, retry; /* sources */
	guint pause_ms;
	bool heard, complained;
};

static gboolean on_retry(gpointer data);

static void close_connection(struct qmp *qmp)
{
	if (qmp->readable)
		g_source_remove(qmp->readable);
	if (qmp->writable)
		g_source_remove(qmp->writable);
	qmp->readable = qmp->writable = 0;
	if (qmp->fd >= 0)
		close(qmp->fd);
	qmp->fd = -1;
	g_string_truncate(qmp->in, 0);
	g_string_truncate(qmp->out, 0);
}

static void try_later(struct qmp *qmp)
{
	qmp->retry = g_timeout_add(qmp->pause_ms, on_retry, qmp);
	qmp->pause_ms = MIN(2 * qmp->pause_ms, LONG_PAUSE_MS);
}

/* Said once until the monitor has proved itself again: it may be gone for days. */
static void lose(struct qmp *qmp, const char *reason)
{
	bool heard = qmp->heard;

	if (!qmp->complained)
		log_warning("input: %s: %s; trying again", qmp->path, reason);
	qmp->complained = true;
	qmp->heard = false;
	close_connection(qmp);
	try_later(qmp);
	if (heard)
		qmp->events.lost(qmp->data);
}

/* json-glib's parser calls itself for each level. */
static bool is_shallow(const char *line)
{
	bool quoted = false;
	unsigned int depth = 0;

	for (; *line; line++) {
		if (quoted && *line == '\\' && line[1])
			line++;
		else if (*line == '"')
			quoted = !quoted;
		else if (!quoted && strchr("[{", *line) && ++depth > QMP_DEPTH_LIMIT)
			return false;
		else if (!quoted && strchr("]}", *line) && depth)
			depth--;
	}
	return true;
}

JsonObject *qmp_parse(const char *line)
{
	JsonParser *parser;
	JsonObject *object = NULL;
	JsonNode *root;

	if (!is_shallow(line) || !g_utf8_validate(line, -1, NULL))
		return NULL;
	parser = json_parser_new_immutable();
	if (json_parser_load_from_data(parser, line, -1, NULL)) {
		root = json_parser_get_root(parser);
		if (root && JSON_NODE_HOLDS_OBJECT(root))
			object = json_node_dup_object(root);
	}
	g_object_unref(parser);
	return object;
}

/* False if the connection is gone. */
static bool take_line(struct qmp *qmp, char *line)
{
	JsonObject *object = qmp_parse(line);
	int fd = qmp->fd;

	if (!object) {
		lose(qmp, "this is no QMP monitor (start QEMU with -qmp unix:PATH,server=on,"
			  "wait=off)");
		return false;
	}
	qmp->heard = true;
	qmp->events.said(object, qmp->data);
	json_object_unref(object);
	return qmp->fd == fd;
}

static void take_lines(struct qmp *qmp)
{
	char *end;

	while ((end = memchr(qmp->in->str, '\n', qmp->in->len))) {
		size_t length = (size_t)(end - qmp->in->str) + 1;
		char *line = g_strndup(qmp->in->str, length - 1);
		bool goes_on = take_line(qmp, line);

		g_free(line);
		if (!goes_on)
			return;
		g_string_erase(qmp->in, 0, (gssize)length);
	}
	if (qmp->in->len > QMP_LINE_LIMIT)
		lose(qmp, "the monitor's line does not end");
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct qmp *qmp = data;
	char bytes[4096];
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)condition;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (got <= 0) {
		lose(qmp, got ? g_strerror(errno) : "the monitor has closed");
		return G_SOURCE_CONTINUE;
	}
	g_string_append_len(qmp->in, bytes, got);
	take_lines(qmp);
	return G_SOURCE_CONTINUE;
}

/* As much as goes now. An error is seen by who reads. */
static void write_some(struct qmp *qmp)
{
	ssize_t sent = 1;

	while (qmp->out->len && sent > 0) {
		sent = send(qmp->fd, qmp->out->str, qmp->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0)
			g_string_erase(qmp->out, 0, sent);
	}
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct qmp *qmp = data;

	(void)fd;
	write_some(qmp);
	if (qmp->out->len && !(condition & (G_IO_HUP | G_IO_ERR)))
		return G_SOURCE_CONTINUE;
	qmp->writable = 0;
	return G_SOURCE_REMOVE;
}

void qmp_send(struct qmp *qmp, const char *command)
{
	if (qmp->fd < 0)
		return;
	g_string_append_printf(qmp->out, "%s\n", command);
	write_some(qmp);
	if (qmp->out->len && !qmp->writable)
		qmp->writable = g_unix_fd_add(qmp->fd, G_IO_OUT, on_writable, qmp);
}

void qmp_proved(struct qmp *qmp)
{
	qmp->pause_ms = FIRST_PAUSE_MS;
	qmp->complained = false;
}

/* A unix socket connects at once or not at all: its backlog may be full. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static gboolean on_retry(gpointer data)
{
	struct qmp *qmp = data;
	int fd = open_socket(qmp->path);

	qmp->retry = 0;
	if (fd < 0) {
		lose(qmp, g_strerror(-fd));
		return G_SOURCE_REMOVE;
	}
	qmp->fd = fd;
	qmp->readable = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, qmp);
	return G_SOURCE_REMOVE;
}

struct qmp *qmp_create(const char *path, const struct qmp_events *events, void *data)
{
	struct qmp *qmp = g_new0(struct qmp, 1);

	qmp->path = g_strdup(path);
	qmp->events = *events;
	qmp->data = data;
	qmp->fd = -1;
	qmp->in = g_string_new(NULL);
	qmp->out = g_string_new(NULL);
	qmp->pause_ms = FIRST_PAUSE_MS;
	on_retry(qmp);
	return qmp;
}

void qmp_destroy(struct qmp *qmp)
{
	if (qmp->retry)
		g_source_remove(qmp->retry);
	if (qmp->fd >= 0)
		write_some(qmp);
	close_connection(qmp);
	g_string_free(qmp->in, TRUE);
	g_string_free(qmp->out, TRUE);
	g_free(qmp->path);
	g_free(qmp);
}
