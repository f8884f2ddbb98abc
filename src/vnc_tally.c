/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_tally.h"

#include <rfb/rfbproto.h>

#include "member.h"
#include "vnc_parser.h"

void vnc_tally_init(struct vnc_tally *tally)
{
	*tally = (struct vnc_tally){
		.since_us = g_get_monotonic_time(),
		.wall_us = g_get_real_time(),
	};
}

void vnc_tally_pending(struct vnc_tally *tally)
{
	if (!tally->pending_us)
		tally->pending_us = g_get_monotonic_time();
}

void vnc_tally_sent(struct vnc_tally *tally, gint64 begun_us, uint32_t counter, bool more)
{
	histogram_add(&tally->send, g_get_monotonic_time() - begun_us);
	tally->updates++;
	tally->bytes += counter - tally->counted;
	tally->counted = counter;
	tally->pending_us = more ? begun_us : 0;
}

static const char *encoding_name(int32_t encoding)
{
	static const struct {
		int32_t encoding;
		const char *name;
	} names[] = {
		{rfbEncodingRaw, "raw"},           {rfbEncodingRRE, "rre"},
		{rfbEncodingCoRRE, "corre"},       {rfbEncodingHextile, "hextile"},
		{rfbEncodingZlib, "zlib"},         {rfbEncodingTight, "tight"},
		{rfbEncodingTightPng, "tightpng"}, {rfbEncodingUltra, "ultra"},
		{rfbEncodingZRLE, "zrle"},         {rfbEncodingZYWRLE, "zywrle"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].encoding == encoding)
			return names[i].name;
	return "other";
}

static void level(JsonBuilder *json, const char *name, int value)
{
	if (value < 0)
		member_null(json, name);
	else
		member_int(json, name, value);
}

static void since(JsonBuilder *json, gint64 wall_us)
{
	GDateTime *time = g_date_time_new_from_unix_utc(wall_us / G_USEC_PER_SEC);
	char *text = g_date_time_format_iso8601(time);

	member_string(json, "since", text);
	g_free(text);
	g_date_time_unref(time);
}

void vnc_tally_describe(const struct vnc_tally *tally, const struct vnc_encodings *encodings,
			JsonBuilder *json)
{
	gint64 now = g_get_monotonic_time();

	since(json, tally->wall_us);
	member_int(json, "connected_ms", (now - tally->since_us) / 1000);
	member_string(json, "encoding", encoding_name(encodings->preferred));
	level(json, "quality", encodings->quality_level);
	level(json, "compression", encodings->compress_level);
	member_int(json, "updates", (gint64)tally->updates);
	member_int(json, "bytes_sent", (gint64)tally->bytes);
	member_int(json, "lag_ms", tally->pending_us ? (now - tally->pending_us) / 1000 : 0);
	histogram_describe(&tally->send, json, "send");
}
