/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom all others wait for. Nobody is cut off while spice-server's worker waits for its clients: it
 * uses those who end then after it has freed them.
 */
#include <sys/socket.h>

#include "spice_links_own.h"

#define MUTE_US    (300 * G_TIME_SPAN_MILLISECOND)
#define UNMOVED_US G_TIME_SPAN_SECOND

/* With the lock. How long spice-server has had to keep what it has for it. */
static gint64 lateness(struct link *link, gint64 now)
{
	gint64 unmoved = flow_look(&link->flow, link->wire, now);

	return MAX(unmoved, spice_acks_block(&link->acks) ? spice_acks_owed(&link->acks, now) : 0);
}

/* With the lock: it has all that was sent to it, or has stopped to take it, and does not say so. */
static bool is_mute(struct link *link, gint64 now)
{
	gint64 unmoved = flow_look(&link->flow, link->wire, now);

	return spice_acks_block(&link->acks) && spice_acks_owed(&link->acks, now) >= MUTE_US &&
	       (!link->flow.queued || unmoved >= UNMOVED_US);
}

static bool is_there(const struct link *link)
{
	return link->stage == STAGE_THROUGH && !link->pressed;
}

/* With the lock. */
static void press(struct spice_links *links, const struct link *late)
{
	links->counts.stalled++;
	spice_links_say(links, late->peer, "cut off", "others waited for it");
	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];

		if (link->stage != STAGE_THROUGH || link->session != late->session)
			continue;
		link->pressed = true;
		shutdown(link->wire, SHUT_RDWR);
	}
}

void spice_links_press(struct spice_links *links, gint64 patience_us)
{
	gint64 now = g_get_monotonic_time(), longest = 0;
	struct link *latest = NULL;

	pthread_mutex_lock(&links->lock);
	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];
		gint64 late = is_there(link) ? lateness(link, now) : 0;

		if (late > longest) {
			longest = late;
			latest = link;
		}
	}
	if (longest >= patience_us && spice_links_count_sessions(links, NULL) > 1)
		press(links, latest);
	pthread_mutex_unlock(&links->lock);
}

bool spice_links_part(struct spice_links *links)
{
	gint64 now = g_get_monotonic_time();
	bool parts = false;

	pthread_mutex_lock(&links->lock);
	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];

		if (is_there(link) && is_mute(link, now))
			press(links, link);
		parts |= link->pressed;
	}
	pthread_mutex_unlock(&links->lock);
	return parts;
}
