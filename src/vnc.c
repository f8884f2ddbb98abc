/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>

#include "encoder.h"
#include "log.h"
#include "member.h"
#include "vnc_client.h"
#include "vnc_library.h"
#include "vnc_session.h"

#define DEFAULT_NAME     "planecast"
#define DEFAULT_STALL_MS 5000
#define TICK_MS          250
#define MAX_THREADS      64 /* that encode */
/* Frames before the current one that slow clients may keep alive, and how long that is normal. */
#define OLD_FRAMES   3u
#define OLD_GRACE_US (300 * G_TIME_SPAN_MILLISECOND)
/* Lines about clients that come and go. */
#define LOG_BURST    20
#define LOG_INTERVAL (10 * G_TIME_SPAN_SECOND)

struct vnc {
	struct sink sink; /* first: ops get it */
	char *name;
	struct input *input; /* or NULL */
	gint64 stall_us;
	struct door *door;
	struct encoder *encoder;
	GThread *thread;
	GMainContext *context;
	gint closing, ended, resumed; /* atomic: the sink is closing; clients to bury, to hear */

	pthread_mutex_t lock; /* of all below */
	GPtrArray *guests;
	struct frame *frame;
	struct pointer *shape; /* of the guest's pointer, at x, y */
	int32_t x, y;
	int leds; /* of the guest's keyboard, or VNC_LEDS_UNKNOWN */
	struct vnc_counts counts;
	struct log_limit limit;
};

/* A client in the list. */
struct guest {
	struct vnc *vnc;
	struct vnc_client *client;
	struct door_ticket *ticket;
	gint ended;     /* atomic */
	gint resumed;   /* atomic: what it said can be obeyed now */
	GSource *input; /* of the thread; NULL while the client has said too much */
};

/* A line about a client, unless they come by the dozen. reason may be NULL. */
static void say(struct vnc *vnc, const char *peer, const char *what, const char *reason)
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

static void watch(struct guest *guest)
{
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
	if (!vnc_client_input(guest->client))
		unwatch(guest);
	return G_SOURCE_CONTINUE;
}

static void guest_free(struct guest *guest)
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
		vnc->counts.clients = vnc->guests->len;
	}
	pthread_mutex_unlock(&vnc->lock);
	return found;
}

/* Clients whose thread has finished: out of the list, nobody uses them any more. */
static void bury_ended(struct vnc *vnc)
{
	struct guest *guest;

	while ((guest = find_ended(vnc))) {
		const char *reason = vnc_client_reason(guest->client);

		say(vnc, vnc_client_peer(guest->client), reason ? "disconnected" : "left", reason);
		guest_free(guest);
		if (!g_atomic_int_get(&vnc->closing))
			sink_poke(&vnc->sink);
	}
}

/* From the client's thread, the last that it does. */
static void ended(void *data)
{
	struct guest *guest = data;

	g_atomic_int_set(&guest->ended, 1);
	g_atomic_int_set(&guest->vnc->ended, 1);
	g_main_context_wakeup(guest->vnc->context);
}

static void resume(void *data)
{
	struct guest *guest = data;

	g_atomic_int_set(&guest->resumed, 1);
	g_atomic_int_set(&guest->vnc->resumed, 1);
	g_main_context_wakeup(guest->vnc->context);
}

static void hear_resumed(struct vnc *vnc)
{
	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++) {
		struct guest *guest = vnc->guests->pdata[i];

		if (g_atomic_int_compare_and_exchange(&guest->resumed, 1, 0) && !guest->input)
			watch(guest);
	}
	pthread_mutex_unlock(&vnc->lock);
}

static void poke(void *data)
{
	struct guest *guest = data;

	sink_poke(&guest->vnc->sink);
}

/*
 * With the lock. Clients that are slow to finish an old frame keep it in memory. A few may; beyond
 * OLD_FRAMES, those on the oldest are dropped.
 */
static void drop_behind(struct vnc *vnc, gint64 now)
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

	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++) {
		struct guest *guest = vnc->guests->pdata[i];

		if (vnc_client_is_stalled(guest->client, now, vnc->stall_us)) {
			vnc_client_stop(guest->client, "it took nothing that was sent to it");
			vnc->counts.stalled++;
		}
		if (vnc_client_refill(guest->client) && !guest->input)
			watch(guest);
	}
	drop_behind(vnc, now);
	pthread_mutex_unlock(&vnc->lock);
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

/* Ticks while there are clients: without any, the thread sleeps. */
static void set_tick(struct vnc *vnc, GSource **tick)
{
	guint count;

	pthread_mutex_lock(&vnc->lock);
	count = vnc->guests->len;
	pthread_mutex_unlock(&vnc->lock);
	if (count && !*tick) {
		*tick = g_timeout_source_new(TICK_MS);
		g_source_set_callback(*tick, on_tick, vnc, NULL);
		g_source_attach(*tick, vnc->context);
	} else if (!count && *tick) {
		g_source_destroy(*tick);
		g_source_unref(*tick);
		*tick = NULL;
	}
}

static gpointer run(gpointer data)
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

/* The door's thread. */

static const char *full(void *data)
{
	(void)data;
	return vnc_session_room() > 0 ? NULL : "too many open files";
}

static void welcome(const struct door_guest *arrival, void *data)
{
	struct vnc *vnc = data;
	struct guest *guest = g_new0(struct guest, 1);
	struct vnc_client_owner owner = {
		.desktop = vnc->name,
		.encoder = vnc->encoder,
		.poke = poke,
		.ended = ended,
		.resume = resume,
		.data = guest,
		.input = arrival->view_only ? NULL : vnc->input,
		.view_only = arrival->view_only,
		.security = arrival->security,
	};
	int r;

	guest->vnc = vnc;
	guest->ticket = arrival->ticket;
	guest->client = vnc_client_create(arrival->fd, arrival->peer, &owner);
	if (arrival->wire >= 0)
		vnc_client_set_wire(guest->client, arrival->wire);
	say(vnc, arrival->peer, arrival->view_only ? "connected, to watch" : "connected", NULL);
	pthread_mutex_lock(&vnc->lock);
	r = vnc_client_start(guest->client, vnc->frame);
	if (!r) {
		vnc_client_pointer(guest->client, vnc->shape, vnc->x, vnc->y);
		vnc_client_leds(guest->client, vnc->leds);
		g_ptr_array_add(vnc->guests, guest);
		vnc->counts.clients = vnc->guests->len;
		watch(guest);
	}
	pthread_mutex_unlock(&vnc->lock);
	if (r < 0) {
		say(vnc, arrival->peer, "disconnected", g_strerror(-r));
		guest_free(guest);
		return;
	}
	sink_poke(&vnc->sink);
}

/* The sink. */

static int vnc_resize(struct sink *sink, struct frame *frame)
{
	struct vnc *vnc = (struct vnc *)sink;
	struct frame *old;

	pthread_mutex_lock(&vnc->lock);
	old = vnc->frame;
	vnc->frame = frame_acquire(frame);
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_resize(((struct guest *)vnc->guests->pdata[i])->client, frame);
	drop_behind(vnc, g_get_monotonic_time());
	pthread_mutex_unlock(&vnc->lock);
	frame_release(old);
	return 0;
}

static void vnc_wake(struct sink *sink, const struct damage *damage)
{
	struct vnc *vnc = (struct vnc *)sink;

	pthread_mutex_lock(&vnc->lock);
	encoder_wake(vnc->encoder, vnc->frame->generation, damage);
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_wake(((struct guest *)vnc->guests->pdata[i])->client, damage);
	pthread_mutex_unlock(&vnc->lock);
}

static void vnc_pointer(struct sink *sink, struct pointer *shape, int32_t x, int32_t y)
{
	struct vnc *vnc = (struct vnc *)sink;
	struct pointer *old;

	pthread_mutex_lock(&vnc->lock);
	old = vnc->shape;
	vnc->shape = pointer_acquire(shape);
	vnc->x = x;
	vnc->y = y;
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_pointer(((struct guest *)vnc->guests->pdata[i])->client, shape, x, y);
	pthread_mutex_unlock(&vnc->lock);
	pointer_release(old);
}

/* From whatever thread brings them. */
static void on_leds(unsigned int leds, void *data)
{
	struct vnc *vnc = data;

	pthread_mutex_lock(&vnc->lock);
	vnc->leds = (int)leds;
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_leds(((struct guest *)vnc->guests->pdata[i])->client, vnc->leds);
	pthread_mutex_unlock(&vnc->lock);
}

/* A mask of none may mean that nobody has told yet: a viewer would put out its own lights. */
static void watch_leds(struct vnc *vnc)
{
	unsigned int leds;

	input_watch_leds(vnc->input, on_leds, vnc);
	leds = input_leds(vnc->input);
	pthread_mutex_lock(&vnc->lock);
	if (vnc->leds == VNC_LEDS_UNKNOWN && leds)
		vnc->leds = (int)leds;
	pthread_mutex_unlock(&vnc->lock);
}

static void vnc_captured(struct sink *sink)
{
	struct vnc *vnc = (struct vnc *)sink;

	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_captured(((struct guest *)vnc->guests->pdata[i])->client);
	pthread_mutex_unlock(&vnc->lock);
}

static void vnc_demand(struct sink *sink, struct sink_demand *demand)
{
	struct vnc *vnc = (struct vnc *)sink;

	*demand = (struct sink_demand){0};
	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_demand(((struct guest *)vnc->guests->pdata[i])->client, demand);
	pthread_mutex_unlock(&vnc->lock);
}

static void vnc_answer(struct sink *sink, int ret)
{
	struct vnc *vnc = (struct vnc *)sink;
	bool more = false;

	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++)
		more |= vnc_client_answer(((struct guest *)vnc->guests->pdata[i])->client, ret);
	pthread_mutex_unlock(&vnc->lock);
	if (more)
		sink_poke(sink);
}

static void vnc_describe(struct sink *sink, JsonBuilder *json)
{
	struct vnc *vnc = (struct vnc *)sink;
	struct vnc_counts counts;

	vnc_count(sink, &counts);
	member_int(json, "accepted", counts.door.accepted);
	member_int(json, "refused", counts.door.refused);
	member_int(json, "failed", counts.door.failed);
	member_int(json, "stalled", counts.stalled);
	member_int(json, "behind", counts.dropped_behind);
	member_array(json, "clients");
	pthread_mutex_lock(&vnc->lock);
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_describe(((struct guest *)vnc->guests->pdata[i])->client, json);
	pthread_mutex_unlock(&vnc->lock);
	json_builder_end_array(json);
}

static void vnc_close(struct sink *sink)
{
	struct vnc *vnc = (struct vnc *)sink;

	if (vnc->input)
		input_unwatch_leds(vnc->input, vnc);
	if (vnc->door)
		door_close(vnc->door);
	if (vnc->thread) {
		g_atomic_int_set(&vnc->closing, 1);
		g_main_context_wakeup(vnc->context);
		g_thread_join(vnc->thread);
	}
	door_destroy(vnc->door);
	encoder_destroy(vnc->encoder);
	g_main_context_unref(vnc->context);
	g_ptr_array_unref(vnc->guests);
	frame_release(vnc->frame);
	pointer_release(vnc->shape);
	pthread_mutex_destroy(&vnc->lock);
	g_free(vnc->name);
	g_free(vnc);
}

static const struct sink_ops vnc_ops = {
	.name = "vnc",
	.resize = vnc_resize,
	.wake = vnc_wake,
	.pointer = vnc_pointer,
	.captured = vnc_captured,
	.demand = vnc_demand,
	.answer = vnc_answer,
	.describe = vnc_describe,
	.close = vnc_close,
};

int vnc_create(const struct vnc_options *options, struct frame *frame, struct sink **sink,
	       GError **error)
{
	struct vnc *vnc = g_new0(struct vnc, 1);
	struct door_options door = {
		.name = "vnc",
		.max_clients = options->max_clients,
		.per_address = options->per_address,
		.handshakes = options->handshakes,
		.handshake_ms = options->handshake_ms,
		.passwords = options->passwords,
		.certificate = options->certificate,
		.only_tls = options->only_tls,
		.insecure = options->insecure,
		.full = full,
		.welcome = welcome,
		.data = vnc,
	};
	unsigned int stall_ms = options->stall_ms ? options->stall_ms : DEFAULT_STALL_MS;
	int r;

	vnc->sink.ops = &vnc_ops;
	vnc->name = g_strdup(options->name ? options->name : DEFAULT_NAME);
	vnc->leds = VNC_LEDS_UNKNOWN;
	vnc->stall_us = stall_ms * G_TIME_SPAN_MILLISECOND;
	vnc->frame = frame_acquire(frame);
	vnc->guests = g_ptr_array_new();
	pthread_mutex_init(&vnc->lock, NULL);
	vnc->context = g_main_context_new();
	vnc->input = options->input;
	if (vnc->input)
		watch_leds(vnc);
	r = encoder_create(CLAMP(g_get_num_processors(), 1, MAX_THREADS), options->lossless,
			   &vnc->encoder);
	if (r < 0) {
		fail(error, EXIT_FAILED, -r, "vnc: cannot start threads");
		goto fail;
	}
	r = door_create(&door, &vnc->door, error);
	if (r < 0)
		goto fail;
	vnc->thread = g_thread_try_new("vnc", run, vnc, NULL);
	if (!vnc->thread) {
		r = fail(error, EXIT_FAILED, EAGAIN, "vnc: cannot start a thread");
		goto fail;
	}
	*sink = &vnc->sink;
	return 0;
fail:
	vnc_close(&vnc->sink);
	return r;
}

int vnc_listen(struct sink *sink, const char *address, GError **error)
{
	return door_listen(((struct vnc *)sink)->door, address, error);
}

struct door *vnc_door(struct sink *sink)
{
	return ((struct vnc *)sink)->door;
}

void vnc_count(struct sink *sink, struct vnc_counts *counts)
{
	struct vnc *vnc = (struct vnc *)sink;

	pthread_mutex_lock(&vnc->lock);
	*counts = vnc->counts;
	pthread_mutex_unlock(&vnc->lock);
	door_count(vnc->door, &counts->door);
}
