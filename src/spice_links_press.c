/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom all others wait for, and the times at which spice-server's worker waits for its clients. It
 * uses those who leave meanwhile after it has freed them (server/display-channel.cpp,
 * clear_surface_drawables_from_pipes()): so nobody is cut off then, and nothing of what they say
 * reaches the worker that may end one; their acknowledgements do.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "spice_links_own.h"

#define MUTE_US    G_TIME_SPAN_SECOND
#define UNMOVED_US G_TIME_SPAN_SECOND
#define PASSING_S  2 /* for what is on its way to the worker, which reads */

/* In a pump's reading thread. */

void spice_links_enter(struct link *link, bool waits)
{
	struct spice_links *links = link->links;

	pthread_mutex_lock(&links->lock);
	while (waits && links->hurried)
		pthread_cond_wait(&links->settling, &links->lock);
	link->passing = true;
	pthread_mutex_unlock(&links->lock);
}

void spice_links_end(struct link *link)
{
	spice_links_enter(link, spice_guard_is_workers(&link->guard));
	pthread_mutex_lock(&link->links->lock);
	link->leaving = true;
	pthread_mutex_unlock(&link->links->lock);
}

void spice_links_passed(void *data)
{
	struct link *link = data;

	pthread_mutex_lock(&link->links->lock);
	link->passing = false;
	pthread_cond_broadcast(&link->links->settling);
	pthread_mutex_unlock(&link->links->lock);
}

/* In the context's thread. */

/* With the lock. */
static bool is_passing(const struct spice_links *links)
{
	for (guint i = 0; i < links->links->len; i++) {
		const struct link *link = links->links->pdata[i];

		if (link->stage == STAGE_THROUGH && link->passing &&
		    spice_guard_is_workers(&link->guard))
			return true;
	}
	return false;
}

/* The pumps of those who take nothing hear of it at once, and all at the same time. */
static void tell_pumps(const struct spice_links *links, bool hurry)
{
	eventfd_t count;

	if (hurry)
		eventfd_write(links->hurry_fd, 1);
	else
		eventfd_read(links->hurry_fd, &count);
}

void spice_links_hurry(struct spice_links *links, bool hurry)
{
	struct timespec end;
	int r = 0;

	tell_pumps(links, hurry);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PASSING_S;
	pthread_mutex_lock(&links->lock);
	links->hurried = hurry;
	while (hurry && is_passing(links) && r != ETIMEDOUT)
		r = pthread_cond_clockwait(&links->settling, &links->lock, CLOCK_MONOTONIC, &end);
	pthread_cond_broadcast(&links->settling);
	pthread_mutex_unlock(&links->lock);
}

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

/* With the lock: spice-server, which waits until the pointer is gone everywhere
 * (server/cursor-channel.cpp, cursor_channel_reset()), would wait for a word of this one. */
static bool lacks_pointer(const struct link *link)
{
	return link->guard.type == SPICE_CHANNEL_CURSOR && spice_acks_block(&link->acks);
}

static bool is_there(const struct link *link)
{
	return link->stage == STAGE_THROUGH && !link->leaving;
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
		link->leaving = true;
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
	bool parts = false, others;

	pthread_mutex_lock(&links->lock);
	others = spice_links_count_sessions(links, NULL) > 1;
	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];

		if (others && is_there(link) && is_mute(link, now))
			press(links, link);
		parts |= link->stage == STAGE_THROUGH && (link->leaving || lacks_pointer(link));
	}
	pthread_mutex_unlock(&links->lock);
	return parts;
}
