/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redial.h"

struct qmp {
	struct redial *redial;
	struct qmp_events events;
	void *data;
	int fd; /* -1: no connection */
	GString *in, *out;
	guint readable, writable; /* sources */
	bool heard;
};

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

static void lose(struct qmp *qmp, const char *reason)
{
	bool heard = qmp->heard;

	qmp->heard = false;
	close_connection(qmp);
	redial_lost(qmp->redial, reason);
	if (heard)
		qmp->events.lost(qmp->data);
}

/* Where json-glib can be trusted with a line: its parser calls itself for each level, never frees
 * the first of two values, and takes more than JSON has (comments, other quotes). */
static bool is_plain_object(const char *line)
{
	bool quoted = false, begun = false;
	unsigned int depth = 0;

	for (; *line; line++) {
		if (quoted) {
			quoted = *line != '"';
			if (*line == '\\' && line[1])
				line++;
		} else if (*line == '{' || (*line == '[' && depth)) {
			if ((!depth && begun) || ++depth > QMP_DEPTH_LIMIT)
				return false;
			begun = true;
		} else if (!depth ? !g_ascii_isspace(*line) : strchr("'/#", *line) != NULL) {
			return false;
		} else if (*line == '"') {
			quoted = true;
		} else if (*line == ']' || *line == '}') {
			depth--;
		}
	}
	return true;
}

JsonObject *qmp_parse(const char *line)
{
	JsonParser *parser;
	JsonObject *object = NULL;
	JsonNode *root;

	if (!is_plain_object(line) || !g_utf8_validate(line, -1, NULL))
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
	redial_proved(qmp->redial);
}

static void on_opened(int fd, void *data)
{
	struct qmp *qmp = data;

	qmp->fd = fd;
	qmp->readable = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, qmp);
}

struct qmp *qmp_create(const char *path, const struct qmp_events *events, void *data)
{
	struct qmp *qmp = g_new0(struct qmp, 1);

	qmp->events = *events;
	qmp->data = data;
	qmp->fd = -1;
	qmp->in = g_string_new(NULL);
	qmp->out = g_string_new(NULL);
	qmp->redial = redial_create("input", path, on_opened, qmp);
	return qmp;
}

void qmp_destroy(struct qmp *qmp)
{
	redial_destroy(qmp->redial);
	if (qmp->fd >= 0)
		write_some(qmp);
	close_connection(qmp);
	g_string_free(qmp->in, TRUE);
	g_string_free(qmp->out, TRUE);
	g_free(qmp);
}
