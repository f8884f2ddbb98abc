/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a screen. */
#include "member.h"
#include "screen_own.h"

const struct screen_counters *screen_counters(const struct screen *screen)
{
	return &screen->counters;
}

static void describe_mode(const struct screen *screen, JsonBuilder *json)
{
	const struct plane *shown = &screen->shown;
	enum detile_layout layout = DETILE_LINEAR;
	char name[5];

	if (!screen->has_signal) {
		member_null(json, "mode");
		return;
	}
	plane_layout(shown->modifier, &layout);
	plane_fourcc_name(shown->fourcc, name);
	member_object(json, "mode");
	member_int(json, "width", shown->width);
	member_int(json, "height", shown->height);
	member_int(json, "stride", shown->stride);
	member_string(json, "format", name);
	member_string(json, "layout", plane_layout_name(layout));
	json_builder_end_object(json);
}

static void describe_pacer(struct screen *screen, JsonBuilder *json)
{
	const struct pacer *pacer = &screen->pacer;
	int64_t now = g_get_monotonic_time();

	member_object(json, "pacer");
	member_string(json, "state", pacer_state_name(pacer_state(pacer)));
	member_int(json, "clients", pacer->clients);
	member_int(json, "waiting", pacer->waiting);
	member_bool(json, "events", pacer->has_events);
	member_double(json, "asked_fps", pacer_rate(pacer));
	member_double(json, "looks_fps", meter_rate(&screen->looks, now));
	member_double(json, "changes_fps", meter_rate(&screen->changes, now));
	json_builder_end_object(json);
}

static void describe_counters(const struct screen *screen, JsonBuilder *json)
{
	const struct screen_counters *counters = &screen->counters;

	member_object(json, "counters");
	member_int(json, "looks", (gint64)counters->looks);
	member_int(json, "passes", (gint64)counters->passes);
	member_int(json, "probes", (gint64)counters->probes);
	member_int(json, "bytes_read", (gint64)counters->bytes_read);
	member_int(json, "cells", (gint64)counters->cells);
	member_int(json, "retries", (gint64)counters->retries);
	member_int(json, "resizes", (gint64)counters->resizes);
	json_builder_end_object(json);
	member_object(json, "time");
	histogram_describe(&screen->acquiring, json, "acquire");
	histogram_describe(&screen->reading, json, "read");
	histogram_describe(&screen->probing, json, "probe");
	json_builder_end_object(json);
}

void screen_describe(struct screen *screen, JsonBuilder *json)
{
	struct sink *sink;

	member_object(json, "source");
	member_string(json, "kind", screen->source->ops->name);
	screen->source->ops->describe(screen->source, json);
	json_builder_end_object(json);
	member_bool(json, "signal", screen->has_signal);
	member_string(json, "reason", screen->has_signal ? NULL : screen->reason);
	describe_mode(screen, json);
	describe_pacer(screen, json);
	describe_counters(screen, json);
	member_array(json, "sinks");
	for_each_sink(screen, sink)
	{
		json_builder_begin_object(json);
		member_string(json, "kind", sink->ops->name);
		sink->ops->describe(sink, json);
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
}
