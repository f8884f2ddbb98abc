/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "metrics.h"
#include "status_view.h"

#define PATIENCE_S 10
/* Of hundreds of clients. More is no server of ours. */
#define MAX_ANSWER ((gsize)4 << 20)

/* A path, unix:PATH, or the DEVICE of a server that listens where it does by default. */
static char *socket_path(const char *operand)
{
	char *address, *path;

	if (g_str_has_prefix(operand, "unix:"))
		return g_strdup(operand + strlen("unix:"));
	if (operand[0] == '/' || operand[0] == '.' || g_str_has_suffix(operand, ".sock"))
		return g_strdup(operand);
	address = control_default(operand, 0);
	path = g_strdup(address + strlen("unix:"));
	g_free(address);
	return path;
}

/* All that there is to read; NULL with an error if it is too much, or nothing. */
static char *read_all(GInputStream *stream, gsize *length, GError **error)
{
	char *text = g_malloc(MAX_ANSWER);

	if (!g_input_stream_read_all(stream, text, MAX_ANSWER, length, NULL, error)) {
		g_free(text);
		return NULL;
	}
	if (*length == 0 || *length == MAX_ANSWER) {
		fail(error, EXIT_FAILED, EPROTO, "it does not answer as planecast does");
		g_free(text);
		return NULL;
	}
	return text;
}

static char *ask(const char *path, gsize *length, GError **error)
{
	GSocketClient *client = g_socket_client_new();
	GSocketAddress *address;
	GSocketConnection *connection;
	char *text = NULL;

	if (strlen(path) > 107) {
		fail(error, EXIT_USAGE, ENAMETOOLONG, "longer than a socket's path can be");
		g_object_unref(client);
		return NULL;
	}
	address = g_unix_socket_address_new(path);
	g_socket_client_set_timeout(client, PATIENCE_S);
	connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
	if (connection)
		text = read_all(g_io_stream_get_input_stream(G_IO_STREAM(connection)), length,
				error);
	g_clear_object(&connection);
	g_object_unref(address);
	g_object_unref(client);
	return text;
}

/* What the server says now: an object, in a node for json_node_unref(). */
static int fetch(const char *path, JsonNode **root, GError **error)
{
	JsonParser *parser = json_parser_new();
	GError *local = NULL;
	gsize length;
	char *text = ask(path, &length, &local);
	int ret = 0;

	if (text && (!json_parser_load_from_data(parser, text, (gssize)length, NULL) ||
		     !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))))
		fail(&local, EXIT_FAILED, EPROTO, "it does not answer as planecast does");
	if (local) {
		bool nobody = g_error_matches(local, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
			      g_error_matches(local, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
		bool refused = g_error_matches(local, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);

		ret = nobody    ? fail(error, EXIT_FAILED, ENOENT,
				       "no server there (planecast serve says where its control "
					  "socket is)")
		      : refused ? fail(error, EXIT_REFUSED, EACCES,
				       "no permission (ask as the server's user)")
				: fail(error,
				       local->domain == PLANECAST_ERROR ? local->code : EXIT_FAILED,
				       EIO, "%s", local->message);
		g_error_free(local);
	} else {
		*root = json_parser_steal_root(parser);
	}
	g_free(text);
	g_object_unref(parser);
	return ret;
}

/* False if it cannot be written; main says so at the end. */
static bool put(const char *text)
{
	return fputs(text, stdout) >= 0 && !fflush(stdout);
}

static bool put_view(JsonNode *root, JsonNode *before, bool clear)
{
	char *view = status_view(json_node_get_object(root),
				 before ? json_node_get_object(before) : NULL);
	/* Home, the text, and nothing left of a longer one. */
	char *text = clear ? g_strconcat("\x1b[H\x1b[2J", view, NULL)
			   : g_strconcat(view, before ? "\n" : "", NULL);
	bool ok = put(text);

	g_free(text);
	g_free(view);
	return ok;
}

static bool put_json(JsonNode *root)
{
	char *text = json_to_string(root, TRUE), *line = g_strconcat(text, "\n", NULL);
	bool ok = put(line);

	g_free(line);
	g_free(text);
	return ok;
}

/* Each second, until the server ends or the user does. */
static int watch(const char *path, bool json, GError **error)
{
	bool clear = !json && isatty(STDOUT_FILENO);
	JsonNode *before = NULL, *root;
	int ret;

	while (!(ret = fetch(path, &root, error))) {
		bool ok = json ? put_json(root) : put_view(root, before, clear);

		g_clear_pointer(&before, json_node_unref);
		before = root;
		if (!ok) {
			ret = -EIO;
			break;
		}
		g_usleep(G_USEC_PER_SEC);
	}
	g_clear_pointer(&before, json_node_unref);
	return ret;
}

static bool put_metrics(JsonNode *root)
{
	char *text = metrics_text(json_node_get_object(root));
	bool ok = put(text);

	g_free(text);
	return ok;
}

static int once(const char *path, bool json, bool metrics, GError **error)
{
	JsonNode *root;
	int ret = fetch(path, &root, error);

	if (ret)
		return ret;
	if (metrics ? !put_metrics(root) : json ? !put_json(root) : !put_view(root, NULL, false))
		ret = -EIO;
	json_node_unref(root);
	return ret;
}

int cmd_status(int argc, char **argv)
{
	gboolean json = FALSE, metrics = FALSE, watching = FALSE;
	const GOptionEntry options[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "print JSON", NULL},
		{"metrics", 0, 0, G_OPTION_ARG_NONE, &metrics, "print metrics for Prometheus",
		 NULL},
		{"watch", 0, 0, G_OPTION_ARG_NONE, &watching, "again every second, with rates",
		 NULL},
		G_OPTION_ENTRY_NULL,
	};
	GError *error = NULL;
	char *path;
	int ret = cmd_options(
		&argc, &argv, options, "SOCKET", 1,
		"Tells what a running server does: clients, rates, damage, cost.",
		"SOCKET is what `planecast serve` logged as its control socket, or the\n"
		"DEVICE that it serves. doc/status.md has all members of the JSON.\n\n"
		"  planecast serve sim:pattern=video & planecast status "
		"sim:pattern=video --watch");

	if (ret)
		return ret;
	if (metrics && (json || watching)) {
		log_error("status: --metrics is printed once and alone (drop %s)",
			  json ? "--json" : "--watch");
		return EXIT_USAGE;
	}
	if (!*argv[1]) {
		log_error("status: no SOCKET given (see planecast status --help)");
		return EXIT_USAGE;
	}
	path = socket_path(argv[1]);
	ret = watching ? watch(path, json, &error) : once(path, json, metrics, &error);
	ret = error ? cmd_report(path, error) : ret ? EXIT_FAILED : EXIT_DONE;
	g_free(path);
	return ret;
}
