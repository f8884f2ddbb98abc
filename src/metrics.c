/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics.h"

#include <stdbool.h>
#include <string.h>

#include "histogram.h"

#define PREFIX "planecast_"

/* A number of the status, by the names of its members from the outermost one on. */
struct family {
	const char *name, *type, *help;
	const char *path[3];
	double scale; /* to the base unit; 0: 1 */
};

static const struct family families[] = {
	{"uptime_seconds", "gauge", "Time since the server started.", {"uptime_ms"}, 1e-3},
	{"resident_memory_bytes",
	 "gauge",
	 "Memory of the server that is in RAM.",
	 {"memory", "rss_bytes"},
	 0},
	{"private_memory_bytes",
	 "gauge",
	 "Of that, what is shared with no other process.",
	 {"memory", "private_bytes"},
	 0},
	{"frames", "gauge", "Pictures held.", {"memory", "frames"}, 0},
	{"frame_bytes", "gauge", "Memory of the pictures held.", {"memory", "frame_bytes"}, 0},
	{"signal", "gauge", "Whether the device shows a picture.", {"signal"}, 0},
	{"mode_width_pixels", "gauge", "Width of the picture.", {"mode", "width"}, 0},
	{"mode_height_pixels", "gauge", "Height of the picture.", {"mode", "height"}, 0},
	{"waiting_clients",
	 "gauge",
	 "Clients that could take a frame now.",
	 {"pacer", "waiting"},
	 0},
	{"looks_total", "counter", "Times the plane was asked for.", {"counters", "looks"}, 0},
	{"passes_total",
	 "counter",
	 "Times the pixels of the plane were read.",
	 {"counters", "passes"},
	 0},
	{"probes_total",
	 "counter",
	 "Times only every eighth row was read, because the plane is at rest.",
	 {"counters", "probes"},
	 0},
	{"read_bytes_total", "counter", "Bytes read of planes.", {"counters", "bytes_read"}, 0},
	{"changed_cells_total",
	 "counter",
	 "Cells of 64x32 pixels that differed.",
	 {"counters", "cells"},
	 0},
	{"retries_total",
	 "counter",
	 "Passes thrown away because the plane changed under them.",
	 {"counters", "retries"},
	 0},
	{"resizes_total", "counter", "New sizes of the picture.", {"counters", "resizes"}, 0},
};

/* Likewise of each element of `sinks`, which is the label. */
static const struct family sink_families[] = {
	{"connections_accepted_total",
	 "counter",
	 "Connections that were accepted.",
	 {"accepted"},
	 0},
	{"connections_refused_total",
	 "counter",
	 "Connections that were refused: by a limit, a rule or a password.",
	 {"refused"},
	 0},
	{"connections_failed_total",
	 "counter",
	 "Connections that ended in their handshake.",
	 {"failed"},
	 0},
	{"clients_stalled_total",
	 "counter",
	 "Clients dropped because they took nothing.",
	 {"stalled"},
	 0},
	{"clients_behind_total",
	 "counter",
	 "Clients dropped because they could not follow changes of the mode.",
	 {"behind"},
	 0},
	{"clients_flooded_total",
	 "counter",
	 "Clients dropped because what they said cost too much.",
	 {"flooded"},
	 0},
	{"sent_updates_total", "counter", "Updates sent to clients.", {"updates"}, 0},
	{"sent_bytes_total", "counter", "Bytes sent to clients.", {"bytes_sent"}, 0},
	{"encoder_groups",
	 "gauge",
	 "Groups of clients that share what is encoded.",
	 {"encoder", "groups"},
	 0},
	{"encoder_cache_bytes", "gauge", "Encoded bytes that are kept.", {"encoder", "bytes"}, 0},
	{"encoder_encoded_pieces_total",
	 "counter",
	 "Pieces of pictures that were encoded.",
	 {"encoder", "encoded"},
	 0},
	{"encoder_shared_pieces_total",
	 "counter",
	 "Pieces of pictures that had been encoded for somebody else already.",
	 {"encoder", "shared"},
	 0},
};

static const struct {
	const char *name, *help, *member;
} histograms[] = {
	{"acquire_seconds", "Asking the device for its plane.", "acquire"},
	{"read_seconds", "Reading, converting and comparing a plane.", "read"},
	{"probe_seconds", "Comparing every eighth row of a plane.", "probe"},
};

/* The status, whatever it is. */

/* The member at the end of a path, or NULL. */
static JsonNode *node_at(JsonObject *object, const char *const *path)
{
	JsonNode *node = json_object_get_member(object, path[0]);

	for (size_t i = 1; node && i < 3 && path[i]; i++)
		node = JSON_NODE_HOLDS_OBJECT(node)
			       ? json_object_get_member(json_node_get_object(node), path[i])
			       : NULL;
	return node;
}

static bool number_of(JsonNode *node, double *number)
{
	if (!node || !JSON_NODE_HOLDS_VALUE(node))
		return false;
	switch (json_node_get_value_type(node)) {
	case G_TYPE_INT64:
		*number = (double)json_node_get_int(node);
		return true;
	case G_TYPE_DOUBLE:
		*number = json_node_get_double(node);
		return true;
	case G_TYPE_BOOLEAN:
		*number = json_node_get_boolean(node);
		return true;
	default:
		return false;
	}
}

static const char *string_at(JsonObject *object, const char *outer, const char *inner)
{
	const char *const path[3] = {outer, inner};
	JsonNode *node = node_at(object, path);

	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node)
		       : NULL;
}

/* The text. */

static void put_head(GString *text, const char *name, const char *type, const char *help)
{
	g_string_append_printf(text, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help,
			       name, type);
}

/* Independent of the locale; integers as such up to 2^53. */
static void put_number(GString *text, double number)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_printf(text, " %s\n",
			       g_ascii_formatd(digits, sizeof(digits), "%.17g", number));
}

static void put_label(GString *text, char before, const char *name, const char *value)
{
	g_string_append_printf(text, "%c%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\n')
			g_string_append(text, "\\n");
		else if (*value == '\\' || *value == '"')
			g_string_append_printf(text, "\\%c", *value);
		else
			g_string_append_c(text, *value);
	}
	g_string_append_c(text, '"');
}

static void put_family(GString *text, JsonObject *status, const struct family *family)
{
	double number;

	if (!number_of(node_at(status, family->path), &number))
		return;
	put_head(text, family->name, family->type, family->help);
	g_string_append_printf(text, PREFIX "%s", family->name);
	put_number(text, family->scale != 0 ? number * family->scale : number);
}

/* Sinks. */

static JsonArray *array_of(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

/* The i-th sink and its name, or NULL. */
static JsonObject *sink_at(JsonArray *sinks, guint i, const char **kind)
{
	JsonNode *node = json_array_get_element(sinks, i);
	JsonObject *sink = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

	*kind = sink ? string_at(sink, "kind", NULL) : NULL;
	return *kind ? sink : NULL;
}

static void put_sink_sample(GString *text, const char *name, const char *kind, double number)
{
	g_string_append_printf(text, PREFIX "%s", name);
	put_label(text, '{', "sink", kind);
	g_string_append_c(text, '}');
	put_number(text, number);
}

static void put_sink_family(GString *text, JsonArray *sinks, const struct family *family)
{
	bool begun = false;

	for (guint i = 0; i < json_array_get_length(sinks); i++) {
		const char *kind;
		JsonObject *sink = sink_at(sinks, i, &kind);
		double number;

		if (!sink || !number_of(node_at(sink, family->path), &number))
			continue;
		if (!begun)
			put_head(text, family->name, family->type, family->help);
		begun = true;
		put_sink_sample(text, family->name, kind, number);
	}
}

/* Clients for which a member is true; all of them if it is NULL. */
static double clients_with(JsonArray *clients, const char *member)
{
	const char *const path[3] = {member};
	double count = 0, number;

	for (guint i = 0; i < json_array_get_length(clients); i++) {
		JsonNode *node = json_array_get_element(clients, i);

		if (!member)
			count++;
		else if (JSON_NODE_HOLDS_OBJECT(node) &&
			 number_of(node_at(json_node_get_object(node), path), &number))
			count += number != 0;
	}
	return count;
}

static void put_clients(GString *text, JsonArray *sinks, const char *name, const char *help,
			const char *member)
{
	put_head(text, name, "gauge", help);
	for (guint i = 0; i < json_array_get_length(sinks); i++) {
		const char *kind;
		JsonObject *sink = sink_at(sinks, i, &kind);
		JsonArray *clients = sink ? array_of(sink, "clients") : NULL;

		if (clients)
			put_sink_sample(text, name, kind, clients_with(clients, member));
	}
}

static void put_sinks(GString *text, JsonArray *sinks)
{
	put_clients(text, sinks, "clients", "Clients that are connected.", NULL);
	put_clients(text, sinks, "parked_clients",
		    "Clients that take nothing: nothing is done for them until they do.", "parked");
	for (size_t i = 0; i < G_N_ELEMENTS(sink_families); i++)
		put_sink_family(text, sinks, &sink_families[i]);
}

/* Histograms, and what has words for values. */

/*
 * Every bucket each time, since a series must not come and go. Bucket n has what took less than 2^n
 * microseconds and was in no bucket before it; the last one has all the rest.
 */
static void put_buckets(GString *text, const char *name, JsonArray *buckets)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];
	double total = 0, number;

	for (guint i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (i < json_array_get_length(buckets) &&
		    number_of(json_array_get_element(buckets, i), &number))
			total += number;
		if (i < HISTOGRAM_BUCKETS - 1)
			g_ascii_formatd(digits, sizeof(digits), "%.9g", (double)(1u << i) * 1e-6);
		else
			g_strlcpy(digits, "+Inf", sizeof(digits));
		g_string_append_printf(text, PREFIX "%s_bucket{le=\"%s\"}", name, digits);
		put_number(text, total);
	}
}

static void put_histogram(GString *text, JsonObject *status, const char *name, const char *help,
			  const char *member)
{
	const char *const count_path[3] = {"time", member, "count"};
	const char *const sum_path[3] = {"time", member, "sum_us"};
	const char *const path[3] = {"time", member, "log2_us"};
	JsonNode *buckets = node_at(status, path);
	double count, sum;

	if (!buckets || !JSON_NODE_HOLDS_ARRAY(buckets) ||
	    !number_of(node_at(status, count_path), &count) ||
	    !number_of(node_at(status, sum_path), &sum))
		return;
	put_head(text, name, "histogram", help);
	put_buckets(text, name, json_node_get_array(buckets));
	g_string_append_printf(text, PREFIX "%s_sum", name);
	put_number(text, sum * 1e-6);
	g_string_append_printf(text, PREFIX "%s_count", name);
	put_number(text, count);
}

static void put_info(GString *text, JsonObject *status)
{
	const char *version = string_at(status, "version", NULL);
	const char *device = string_at(status, "device", NULL);

	if (!version || !device)
		return;
	put_head(text, "info", "gauge", "The server: always 1.");
	g_string_append(text, PREFIX "info");
	put_label(text, '{', "version", version);
	put_label(text, ',', "device", device);
	g_string_append(text, "} 1\n");
}

static void put_state(GString *text, JsonObject *status)
{
	static const char *const states[] = {"asleep", "idle", "active"};
	const char *now = string_at(status, "pacer", "state");

	if (!now)
		return;
	put_head(text, "pacer_state", "gauge", "1 for what the pacer is in, 0 for the others.");
	for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
		g_string_append(text, PREFIX "pacer_state");
		put_label(text, '{', "state", states[i]);
		g_string_append_printf(text, "} %d\n", !strcmp(now, states[i]));
	}
}

char *metrics_text(JsonObject *status)
{
	GString *text = g_string_new(NULL);
	JsonArray *sinks = array_of(status, "sinks");

	put_info(text, status);
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
		put_family(text, status, &families[i]);
	put_state(text, status);
	for (size_t i = 0; i < G_N_ELEMENTS(histograms); i++)
		put_histogram(text, status, histograms[i].name, histograms[i].help,
			      histograms[i].member);
	if (sinks)
		put_sinks(text, sinks);
	return g_string_free(text, FALSE);
}
