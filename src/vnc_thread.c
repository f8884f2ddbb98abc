/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_thread.h"

#include <glib-unix.h>

#include "heap.h"

#define TICK_MS 250
#define DROP    4 /* times as long as for parking */
/* So many ticks after all clients have everything there are no more, until something is sent. */
#define REST_TICKS 4u
/* Frames before the current one that slow clients may keep alive, and how long that is normal. */
#define OLD_FRAMES   3u
#define OLD_GRACE_US (300 * G_TIME_SPAN_MILLISECOND)
/* Lines about clients that come and go. */
#define LOG_BURST    20
#define LOG_INTERVAL (10 * G_TIME_SPAN_SECOND)

/* A line about a client, unless they come by the dozen. reason may be NULL. */
void vnc_say(struct vnc *vnc, const char *peer, const char *what, const char *reason)
{
	unsigned int missed;
	gboolean pass;

	pthread_mutex_lock(&vnc->lock);
	pass = log_limit_pass(&vnc->limit, LOG_BURST, LOG_INTERVAL, &missed);
	pthread_mutex_unlock(&vnc->lock);
	if (!pass)
		return;
	if (missed)
		log_info("vnc: %u lines left out", missed);
	log_info("vnc: %s %s%s%s", peer, what, reason ? ": " : "", reason ? reason : "");
}

/* The thread: input, stalls, the end of clients. */

static gboolean on_input(gint fd, GIOCondition condition, gpointer data);

void vnc_thread_watch(struct guest *guest)
{
	g_atomic_int_set(&guest->vnc->quiet, 0);
	guest->input = g_unix_fd_source_new(vnc_client_fd(guest->client), G_IO_IN);
	g_source_set_callback(guest->input, G_SOURCE_FUNC(on_input), guest, NULL);
	g_source_set_ready_time(guest->input, 0); /* something may have been read already */
	g_source_attach(guest->input, guest->vnc->context);
}

static void unwatch(struct guest *guest)
{
	if (!guest->input)
		return;
	g_source_destroy(guest->input);
	g_source_unref(guest->input);
	guest->input = NULL;
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer data)
{
	struct guest *guest = data;

	(void)fd;
	(void)condition;
	g_source_set_ready_time(guest->input, -1);
	g_atomic_int_set(&guest->vnc->quiet, 0);
	if (!vnc_client_input(guest->client))
		unwatch(guest);
	return G_SOURCE_CONTINUE;
}

void vnc_guest_free(struct guest *guest)
{
	unwatch(guest);
	vnc_client_destroy(guest->client);
	door_leave(guest->ticket);
	g_free(guest);
}

static struct guest *find_ended(struct vnc *vnc)
{
	struct guest *found = NULL;

	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len && !found; i++) {
		struct guest *guest = vnc->guests->pdata[i];

		if (g_atomic_int_get(&guest->ended))
			found = guest;
	}
	if (found) {
		g_ptr_array_remove_fast(vnc->guests, found);
		vnc_client_add_sent(found->client, &vnc->counts.updates, &vnc->counts.bytes);
		vnc->counts.clients = vnc->guests->len;
	}
	pthread_mutex_unlock(&vnc->lock);
	return found;
}

/* Clients whose thread has finished: out of the list, nobody uses them any more. */
static void bury_ended(struct vnc *vnc)
{
	struct guest *guest;
	bool buried = false, alone;

	while ((guest = find_ended(vnc))) {
		const char *reason = vnc_client_reason(guest->client);

		vnc_say(vnc, vnc_client_peer(guest->client), reason ? "disconnected" : "left",
			reason);
		if (vnc_client_has_flooded(guest->client)) {
			pthread_mutex_lock(&vnc->lock);
			vnc->counts.flooded++;
			pthread_mutex_unlock(&vnc->lock);
		}
		vnc_guest_free(guest);
		buried = true;
		if (!g_atomic_int_get(&vnc->closing))
			sink_poke(&vnc->sink);
	}
	pthread_mutex_lock(&vnc->lock);
	alone = buried && !vnc->guests->len;
	pthread_mutex_unlock(&vnc->lock);
	if (alone)
		heap_trim(); /* for as long as nobody watches */
}

/* From the client's thread, the last that it does. */
void vnc_thread_ended(void *data)
{
	struct guest *guest = data;

	g_atomic_int_set(&guest->ended, 1);
	g_atomic_int_set(&guest->vnc->ended, 1);
	g_main_context_wakeup(guest->vnc->context);
}

void vnc_thread_resume(void *data)
{
	struct guest *guest = data;

	g_atomic_int_set(&guest->resumed, 1);
	g_atomic_int_set(&guest->vnc->resumed, 1);
	g_main_context_wakeup(guest->vnc->context);
}

/* From a client's thread, before it sends. */
void vnc_thread_stir(void *data)
{
	struct guest *guest = data;

	if (g_atomic_int_compare_and_exchange(&guest->vnc->quiet, 1, 0))
		g_main_context_wakeup(guest->vnc->context);
}

static void hear_resumed(struct vnc *vnc)
{
	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++) {
		struct guest *guest = vnc->guests->pdata[i];

		if (g_atomic_int_compare_and_exchange(&guest->resumed, 1, 0) && !guest->input)
			vnc_thread_watch(guest);
	}
	pthread_mutex_unlock(&vnc->lock);
}

/*
 * With the lock. Clients that are slow to finish an old frame keep it in memory. A few may; beyond
 * OLD_FRAMES, those on the oldest are dropped.
 */
void vnc_thread_drop_behind(struct vnc *vnc, gint64 now)
{
	for (;;) {
		uint64_t seen[OLD_FRAMES + 1], oldest = UINT64_MAX;
		unsigned int count = 0;

		for (guint i = 0; i < vnc->guests->len && count <= OLD_FRAMES; i++) {
			struct guest *guest = vnc->guests->pdata[i];
			uint64_t generation;
			gint64 since = vnc_client_lags_since(guest->client, &generation);
			unsigned int j = 0;

			if (!since || now - since < OLD_GRACE_US)
				continue;
			while (j < count && seen[j] != generation)
				j++;
			if (j == count)
				seen[count++] = generation;
			oldest = MIN(oldest, generation);
		}
		if (count <= OLD_FRAMES)
			return;
		for (guint i = 0; i < vnc->guests->len; i++) {
			struct guest *guest = vnc->guests->pdata[i];
			uint64_t generation;

			if (!vnc_client_lags_since(guest->client, &generation) ||
			    generation != oldest)
				continue;
			vnc_client_stop(guest->client, "too slow for the mode changes");
			vnc->counts.dropped_behind++;
		}
	}
}

static gboolean on_tick(gpointer data)
{
	struct vnc *vnc = data;
	gint64 now = g_get_monotonic_time();
	bool poke = false, busy = false;

	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++) {
		struct guest *guest = vnc->guests->pdata[i];

		if (vnc_client_look(guest->client, now, vnc->stall_us, DROP * vnc->stall_us, &poke,
				    &busy)) {
			vnc_client_stop(guest->client, "it took nothing that was sent to it");
			vnc->counts.stalled++;
		}
		if (vnc_client_refill(guest->client) && !guest->input)
			vnc_thread_watch(guest);
		busy |= !guest->input;
	}
	vnc_thread_drop_behind(vnc, now);
	pthread_mutex_unlock(&vnc->lock);
	if (poke)
		sink_poke(&vnc->sink);
	vnc->rests = busy ? 0 : vnc->rests + 1;
	if (vnc->rests == REST_TICKS)
		g_atomic_int_set(&vnc->quiet, 1);
	return G_SOURCE_CONTINUE;
}

/* How many are left. */
static guint stop_all(struct vnc *vnc)
{
	guint count;

	pthread_mutex_lock(&vnc->lock);
	count = vnc->guests->len;
	for (guint i = 0; i < count; i++)
		vnc_client_stop(((struct guest *)vnc->guests->pdata[i])->client,
				"the server is closing");
	pthread_mutex_unlock(&vnc->lock);
	return count;
}

/*
 * Ticks while something is under way with a client, and a little longer: what a pump has taken
 * from us and not yet given to the peer is in no socket. Otherwise the thread sleeps.
 */
static void set_tick(struct vnc *vnc, GSource **tick)
{
	bool wanted;

	if (!g_atomic_int_get(&vnc->quiet) && vnc->rests > REST_TICKS)
		vnc->rests = 0;
	pthread_mutex_lock(&vnc->lock);
	wanted = vnc->guests->len && vnc->rests <= REST_TICKS;
	pthread_mutex_unlock(&vnc->lock);
	if (wanted && !*tick) {
		*tick = g_timeout_source_new(TICK_MS);
		g_source_set_callback(*tick, on_tick, vnc, NULL);
		g_source_attach(*tick, vnc->context);
	} else if (!wanted && *tick) {
		g_source_destroy(*tick);
		g_source_unref(*tick);
		*tick = NULL;
	}
}

gpointer vnc_thread_run(gpointer data)
{
	struct vnc *vnc = data;
	GSource *tick = NULL;

	g_main_context_push_thread_default(vnc->context);
	while (!g_atomic_int_get(&vnc->closing) || stop_all(vnc)) {
		/* A newcomer wakes the context with its source. */
		set_tick(vnc, &tick);
		g_main_context_iteration(vnc->context, TRUE);
		if (g_atomic_int_compare_and_exchange(&vnc->ended, 1, 0))
			bury_ended(vnc);
		if (g_atomic_int_compare_and_exchange(&vnc->resumed, 1, 0))
			hear_resumed(vnc);
	}
	set_tick(vnc, &tick);
	g_main_context_pop_thread_default(vnc->context);
	return NULL;
}
