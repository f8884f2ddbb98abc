/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status_view.h"

#include <stdbool.h>
#include <string.h>

/* Members as they should be; what is not is NULL, 0 or "-". */

static JsonObject *get_object(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonArray *get_array(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static double get_number(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0;
}

static bool get_bool(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_boolean(node);
}

static const char *get_string(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;
	const char *text = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

	return text ? text : "-";
}

/* Words of a driver or a device's name may end up on a terminal. */
static void add_words(GString *out, const char *words)
{
	for (; *words; words = g_utf8_next_char(words)) {
		gunichar c = g_utf8_get_char(words);

		g_string_append_unichar(out, g_unichar_isprint(c) ? c : '?');
	}
}

static void add_string(GString *out, JsonObject *object, const char *name)
{
	add_words(out, get_string(object, name));
}

static void add_us(GString *out, double us)
{
	if (us < 1000)
		g_string_append_printf(out, "%.0f us", us);
	else if (us < 1000000)
		g_string_append_printf(out, "%.1f ms", us / 1000);
	else
		g_string_append_printf(out, "%.1f s", us / 1000000);
}

/* The time that this part of what a histogram counted stayed below: the end of a bucket. */
static double quantile(JsonObject *histogram, double part)
{
	JsonArray *buckets = get_array(histogram, "log2_us");
	double count = get_number(histogram, "count"), sum = 0;

	for (guint i = 0; buckets && i < json_array_get_length(buckets) && i < 40; i++) {
		JsonNode *node = json_array_get_element(buckets, i);

		sum += JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0;
		if (sum >= count * part)
			return MIN((double)(G_GUINT64_CONSTANT(1) << i),
				   get_number(histogram, "max_us"));
	}
	return 0;
}

static void add_times(GString *out, JsonObject *times, const char *name)
{
	JsonObject *histogram = get_object(times, name);
	double count = get_number(histogram, "count");

	g_string_append_printf(out, "%s ", name);
	if (count < 1) {
		g_string_append_c(out, '-');
		return;
	}
	add_us(out, get_number(histogram, "sum_us") / count);
	g_string_append(out, " (99 % below ");
	add_us(out, quantile(histogram, .99));
	g_string_append_c(out, ')');
}

static double rate(JsonObject *now, JsonObject *before, const char *name, double seconds)
{
	return (get_number(now, name) - get_number(before, name)) / seconds;
}

static double seconds_between(JsonObject *now, JsonObject *before)
{
	double ms = get_number(now, "uptime_ms") - get_number(before, "uptime_ms");

	/* Another server than before, or no time between: no rate means anything. */
	return get_number(now, "pid") == get_number(before, "pid") && ms > 0 ? ms / 1000 : 0;
}

static void add_source(GString *out, JsonObject *now)
{
	JsonObject *source = get_object(now, "source"), *owner = get_object(source, "owner");

	g_string_append(out, "source   ");
	add_string(out, source, "kind");
	if (json_object_has_member(now, "source") && source &&
	    json_object_has_member(source, "held")) {
		g_string_append(out, ", ");
		add_string(out, source, "held");
		if (owner) {
			g_string_append_printf(out, " to %.0f ", get_number(owner, "pid"));
			add_string(out, owner, "command");
		}
		g_string_append(out, ", ");
		add_string(out, source, "way");
	}
	g_string_append(out, ", damage by ");
	add_string(out, source, "damage");
	g_string_append_c(out, '\n');
}

static void add_mode(GString *out, JsonObject *now)
{
	JsonObject *mode = get_object(now, "mode");

	g_string_append(out, "mode     ");
	if (get_bool(now, "signal")) {
		g_string_append_printf(out, "%.0fx%.0f ", get_number(mode, "width"),
				       get_number(mode, "height"));
		add_string(out, mode, "format");
		g_string_append_c(out, ' ');
		add_string(out, mode, "layout");
	} else {
		g_string_append(out, "no signal: ");
		add_string(out, now, "reason");
	}
	g_string_append_c(out, '\n');
}

static void add_pacer(GString *out, JsonObject *now)
{
	JsonObject *pacer = get_object(now, "pacer");

	g_string_append(out, "pacer    ");
	add_string(out, pacer, "state");
	g_string_append_printf(out, ", %.0f clients, %.0f waiting; a second: ",
			       get_number(pacer, "clients"), get_number(pacer, "waiting"));
	if (get_bool(pacer, "events"))
		g_string_append(out, "looks at events");
	else
		g_string_append_printf(out, "asks for %.1f looks", get_number(pacer, "asked_fps"));
	g_string_append_printf(out, ", reached %.1f, of these %.1f changes\n",
			       get_number(pacer, "looks_fps"), get_number(pacer, "changes_fps"));
}

static void add_reading(GString *out, JsonObject *now, JsonObject *before, double seconds)
{
	JsonObject *counters = get_object(now, "counters"), *times = get_object(now, "time");
	JsonObject *past = get_object(before, "counters");

	if (seconds > 0)
		g_string_append_printf(out,
				       "reading  a second: %.1f MB in %.1f passes, %.0f cells "
				       "changed\n",
				       rate(counters, past, "bytes_read", seconds) / 1e6,
				       rate(counters, past, "passes", seconds),
				       rate(counters, past, "cells", seconds));
	else
		g_string_append_printf(
			out, "reading  so far: %.1f MB in %.0f passes, %.0f cells changed\n",
			get_number(counters, "bytes_read") / 1e6, get_number(counters, "passes"),
			get_number(counters, "cells"));
	g_string_append(out, "time     ");
	add_times(out, times, "acquire");
	g_string_append(out, ", ");
	add_times(out, times, "read");
	g_string_append_c(out, '\n');
}

static void add_memory(GString *out, JsonObject *now)
{
	JsonObject *memory = get_object(now, "memory");

	g_string_append_printf(
		out, "memory   %.1f MB, private %.1f MB; %.0f frames of %.1f MB\n",
		get_number(memory, "rss_bytes") / 1e6, get_number(memory, "private_bytes") / 1e6,
		get_number(memory, "frames"), get_number(memory, "frame_bytes") / 1e6);
}

/* Where it comes out, where that is a node for others to take. */
static void add_input(GString *out, JsonObject *now)
{
	JsonObject *input = get_object(now, "input");
	JsonArray *nodes = get_array(input, "nodes");

	if (!nodes || !json_array_get_length(nodes))
		return;
	g_string_append(out, "input    ");
	add_string(out, input, "to");
	for (guint i = 0; i < json_array_get_length(nodes); i++) {
		JsonNode *node = json_array_get_element(nodes, i);

		g_string_append_c(out, ' ');
		add_words(out, JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL);
	}
	g_string_append_c(out, '\n');
}

static JsonObject *object_at(JsonArray *array, guint i)
{
	JsonNode *node = json_array_get_element(array, i);

	return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* The same client in what was said before: peers have no other name. */
static JsonObject *find_client(JsonObject *before, const char *kind, JsonObject *client)
{
	JsonArray *sinks = get_array(before, "sinks");

	for (guint i = 0; sinks && i < json_array_get_length(sinks); i++) {
		JsonObject *sink = object_at(sinks, i);
		JsonArray *clients = get_array(sink, "clients");

		if (strcmp(get_string(sink, "kind"), kind) != 0)
			continue;
		for (guint j = 0; clients && j < json_array_get_length(clients); j++) {
			JsonObject *past = object_at(clients, j);

			if (!strcmp(get_string(past, "peer"), get_string(client, "peer")) &&
			    !strcmp(get_string(past, "since"), get_string(client, "since")))
				return past;
		}
	}
	return NULL;
}

static void add_client(GString *out, const char *kind, JsonObject *client, JsonObject *before,
		       double seconds)
{
	JsonObject *past = seconds > 0 ? find_client(before, kind, client) : NULL;
	JsonObject *send = get_object(client, "send");
	GString *peer = g_string_new(NULL), *what = g_string_new(NULL);

	add_words(peer, kind);
	g_string_append_c(peer, ' ');
	add_string(peer, client, "peer");
	if (json_object_has_member(client, "user") &&
	    !json_object_get_null_member(client, "user")) {
		g_string_append_c(peer, ' ');
		add_string(peer, client, "user");
	}
	add_string(what, client, "encoding");
	if (json_object_has_member(client, "quality") &&
	    !json_object_get_null_member(client, "quality"))
		g_string_append_printf(what, " q%.0f", get_number(client, "quality"));
	g_string_append_printf(out, "%-32s %-10s ", peer->str, what->str);
	if (past)
		g_string_append_printf(out, "%9.1f %9.2f ", rate(client, past, "updates", seconds),
				       rate(client, past, "bytes_sent", seconds) / 1e6);
	else
		g_string_append_printf(out, "%9s %9s ", "-", "-");
	g_string_append_printf(out, "%9.1f %7.0f ms   ", get_number(client, "bytes_sent") / 1e6,
			       get_number(client, "lag_ms"));
	add_us(out, quantile(send, .99));
	g_string_append_c(out, '\n');
	g_string_free(what, TRUE);
	g_string_free(peer, TRUE);
}

static void add_clients(GString *out, JsonObject *now, JsonObject *before, double seconds)
{
	JsonArray *sinks = get_array(now, "sinks");
	bool head = false;

	for (guint i = 0; sinks && i < json_array_get_length(sinks); i++) {
		JsonObject *sink = object_at(sinks, i);
		JsonArray *clients = get_array(sink, "clients");

		for (guint j = 0; clients && j < json_array_get_length(clients); j++) {
			JsonObject *client = object_at(clients, j);

			if (!client)
				continue;
			if (!head)
				g_string_append_printf(out, "\n%-32s %-10s %9s %9s %9s %10s   %s\n",
						       "CLIENT", "ENCODING", "UPDATES/S", "MB/S",
						       "MB", "LAG", "SEND (99 %)");
			head = true;
			add_client(out, get_string(sink, "kind"), client, before, seconds);
		}
	}
}

char *status_view(JsonObject *now, JsonObject *before)
{
	double seconds = before ? seconds_between(now, before) : 0;
	gint64 up = (gint64)(get_number(now, "uptime_ms") / 1000);
	GString *out = g_string_new("server   ");

	add_string(out, now, "device");
	g_string_append(out, ", planecast ");
	add_string(out, now, "version");
	g_string_append_printf(out, ", process %.0f, up %" G_GINT64_FORMAT ":%02d:%02d\n",
			       get_number(now, "pid"), up / 3600, (int)(up / 60 % 60),
			       (int)(up % 60));
	add_source(out, now);
	add_mode(out, now);
	add_pacer(out, now);
	add_reading(out, now, before, seconds);
	add_memory(out, now);
	add_input(out, now);
	add_clients(out, now, before, seconds);
	return g_string_free(out, FALSE);
}
