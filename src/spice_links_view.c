/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of the links. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "member.h"
#include "spice_links_own.h"

bool spice_link_is_session(const struct link *link)
{
	return link->main && link->stage == STAGE_THROUGH;
}

unsigned int spice_links_count_sessions(const struct spice_links *links, const char *host)
{
	unsigned int count = 0;

	for (guint i = 0; i < links->links->len; i++) {
		const struct link *link = links->links->pdata[i];

		count += spice_link_is_session(link) && (!host || !strcmp(link->host, host));
	}
	return count;
}

unsigned int spice_links_count_channels(const struct spice_links *links, uint32_t session)
{
	unsigned int count = 0;

	for (guint i = 0; i < links->links->len; i++) {
		const struct link *link = links->links->pdata[i];

		count += link->stage == STAGE_THROUGH && link->session == session;
	}
	return count;
}

bool spice_links_are_served(struct spice_links *links)
{
	for (guint i = 0; i < links->links->len; i++)
		if (((const struct link *)links->links->pdata[i])->stage >= STAGE_LINKING)
			return true;
	return false;
}

uint64_t spice_links_said(struct spice_links *links)
{
	uint64_t said;

	pthread_mutex_lock(&links->lock);
	said = links->said;
	pthread_mutex_unlock(&links->lock);
	return said;
}

void spice_links_demand(struct spice_links *links, struct sink_demand *demand)
{
	pthread_mutex_lock(&links->lock);
	demand->clients = links->counts.sessions;
	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];

		if (link->stage == STAGE_HELD) {
			link->stage = STAGE_TOLD;
			demand->fresh++;
		}
		/* Between its first word and its end, a newcomer keeps the screen awake. */
		if (link->stage >= STAGE_HELD && link->stage < STAGE_THROUGH)
			demand->clients++;
	}
	pthread_mutex_unlock(&links->lock);
}

void spice_links_count(struct spice_links *links, struct spice_links_counts *counts)
{
	pthread_mutex_lock(&links->lock);
	*counts = links->counts;
	pthread_mutex_unlock(&links->lock);
}

static gint64 bytes_taken(const struct spice_links *links, uint32_t session)
{
	gint64 bytes = 0;

	for (guint i = 0; i < links->links->len; i++) {
		const struct link *link = links->links->pdata[i];
		struct tcp_info info = {0};
		socklen_t length = sizeof(info);

		if (link->stage == STAGE_THROUGH && link->session == session &&
		    !getsockopt(link->wire, IPPROTO_TCP, TCP_INFO, &info, &length))
			bytes += (gint64)info.tcpi_bytes_acked;
	}
	return bytes;
}

static void describe(const struct link *link, JsonBuilder *json)
{
	const struct spice_links *links = link->links;
	gint64 connected = g_get_monotonic_time() - link->since;
	GDateTime *since = g_date_time_new_from_unix_utc(link->wall_us / G_USEC_PER_SEC);
	char *text = g_date_time_format_iso8601(since);
	const char *security = links->options.password ? (link->tls ? "tls password" : "password")
						       : (link->tls ? "tls" : "none");

	member_string(json, "peer", link->peer);
	member_bool(json, "view_only", links->options.view_only);
	member_string(json, "security", security);
	member_string(json, "since", text);
	member_int(json, "connected_ms", connected / 1000);
	member_int(json, "channels", spice_links_count_channels(links, link->session));
	member_int(json, "bytes_sent", bytes_taken(links, link->session));
	g_free(text);
	g_date_time_unref(since);
}

void spice_links_describe(struct spice_links *links, JsonBuilder *json,
			  void (*more)(JsonBuilder *json, void *data), void *data)
{
	pthread_mutex_lock(&links->lock);
	for (guint i = 0; i < links->links->len; i++) {
		const struct link *link = links->links->pdata[i];

		if (!spice_link_is_session(link))
			continue;
		json_builder_begin_object(json);
		describe(link, json);
		more(json, data);
		json_builder_end_object(json);
	}
	pthread_mutex_unlock(&links->lock);
}
