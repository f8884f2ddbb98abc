/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc.h"

#include <errno.h>

#include "encoder.h"
#include "log.h"
#include "member.h"
#include "vnc_client.h"
#include "vnc_layout.h"
#include "vnc_library.h"
#include "vnc_own.h"
#include "vnc_session.h"
#include "vnc_thread.h"

#define DEFAULT_NAME     "planecast"
#define DEFAULT_STALL_MS 5000
#define DEFAULT_FLOOD    25
#define MAX_THREADS      64 /* that encode */
/* Called by clients. */

static void poke(void *data)
{
	struct guest *guest = data;

	sink_poke(&guest->vnc->sink);
}

/* By the thread that reads what clients say. */
static void copied(GBytes *text, void *data)
{
	struct guest *guest = data;

	clipboard_set(guest->vnc->clipboard, text, guest->client);
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
		.ended = vnc_thread_ended,
		.resume = vnc_thread_resume,
		.stir = vnc_thread_stir,
		.copied = copied,
		.flood_percent = vnc->flood_percent,
		.clipboard = vnc->clipboard && !arrival->view_only,
		.copies = vnc->copies,
		.data = guest,
		.input = arrival->view_only ? NULL : vnc->input,
		.view_only = arrival->view_only,
		.security = arrival->security,
		.user = arrival->user,
	};
	int r;

	guest->vnc = vnc;
	guest->ticket = arrival->ticket;
	guest->client = vnc_client_create(arrival->fd, arrival->peer, &owner);
	if (arrival->wire >= 0)
		vnc_client_set_wire(guest->client, arrival->wire);
	vnc_say(vnc, arrival->peer, arrival->view_only ? "connected, to watch" : "connected", NULL);
	pthread_mutex_lock(&vnc->lock);
	r = vnc_client_start(guest->client, vnc->frame);
	if (!r) {
		vnc_client_pointer(guest->client, vnc->shape, vnc->x, vnc->y);
		vnc_client_leds(guest->client, vnc->leds);
		if (vnc->text)
			vnc_client_copied(guest->client, vnc->text, true);
		g_ptr_array_add(vnc->guests, guest);
		vnc->counts.clients = vnc->guests->len;
		vnc_thread_watch(guest);
	}
	pthread_mutex_unlock(&vnc->lock);
	if (r < 0) {
		vnc_say(vnc, arrival->peer, "disconnected", g_strerror(-r));
		vnc_guest_free(guest);
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
	for (guint i = 0; i < vnc->guests->len; i++) {
		struct vnc_client *client = ((struct guest *)vnc->guests->pdata[i])->client;

		/* It would keep the old frame. */
		if (vnc_client_is_parked(client)) {
			vnc_client_stop(client, "it took nothing, and the mode has changed");
			vnc->counts.stalled++;
		}
		vnc_client_resize(client, frame);
	}
	vnc_thread_drop_behind(vnc, g_get_monotonic_time());
	pthread_mutex_unlock(&vnc->lock);
	frame_release(old);
	return 0;
}

static void vnc_wake(struct sink *sink, const struct damage *damage, const struct moves *moves)
{
	struct vnc *vnc = (struct vnc *)sink;

	pthread_mutex_lock(&vnc->lock);
	encoder_wake(vnc->encoder, vnc->frame->generation, damage);
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_wake(((struct guest *)vnc->guests->pdata[i])->client, damage, moves);
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

static void on_copied(GBytes *text, const void *from, void *data)
{
	struct vnc *vnc = data;

	pthread_mutex_lock(&vnc->lock);
	g_clear_pointer(&vnc->text, g_bytes_unref);
	vnc->text = g_bytes_ref(text);
	for (guint i = 0; i < vnc->guests->len; i++) {
		struct vnc_client *client = ((struct guest *)vnc->guests->pdata[i])->client;

		vnc_client_copied(client, text, client == from);
	}
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

static void describe_encoder(const struct encoder_counts *counts, JsonBuilder *json)
{
	member_object(json, "encoder");
	member_int(json, "groups", counts->groups);
	member_int(json, "pieces", counts->pieces);
	member_int(json, "bytes", (gint64)counts->bytes);
	member_int(json, "encoded", (gint64)counts->encoded);
	member_int(json, "shared", (gint64)(counts->asked - counts->encoded));
	json_builder_end_object(json);
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
	member_int(json, "flooded", counts.flooded);
	member_int(json, "updates", (gint64)counts.updates);
	member_int(json, "bytes_sent", (gint64)counts.bytes);
	describe_encoder(&counts.encoder, json);
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
	if (vnc->clipboard)
		clipboard_unwatch(vnc->clipboard, vnc);
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
	g_clear_pointer(&vnc->text, g_bytes_unref);
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
		.users = options->users,
		.certificate = options->certificate,
		.only_tls = options->only_tls,
		.insecure = options->insecure,
		.full = full,
		.welcome = welcome,
		.data = vnc,
	};
	unsigned int stall_ms = options->stall_ms ? options->stall_ms : DEFAULT_STALL_MS;
	int r;

	vnc_layout_is_known();
	vnc->sink.ops = &vnc_ops;
	vnc->name = g_strdup(options->name ? options->name : DEFAULT_NAME);
	vnc->leds = VNC_LEDS_UNKNOWN;
	vnc->flood_percent = options->flood_percent ? options->flood_percent : DEFAULT_FLOOD;
	vnc->stall_us = stall_ms * G_TIME_SPAN_MILLISECOND;
	vnc->frame = frame_acquire(frame);
	vnc->guests = g_ptr_array_new();
	pthread_mutex_init(&vnc->lock, NULL);
	vnc->context = g_main_context_new();
	vnc->copies = !options->no_copies;
	vnc->input = options->input;
	vnc->clipboard = options->clipboard;
	if (vnc->input)
		watch_leds(vnc);
	if (vnc->clipboard) {
		vnc->text = clipboard_get(vnc->clipboard);
		clipboard_watch(vnc->clipboard, on_copied, vnc);
	}
	r = encoder_create(CLAMP(g_get_num_processors(), 1, MAX_THREADS), options->lossless,
			   &vnc->encoder);
	if (r < 0) {
		fail(error, EXIT_FAILED, -r, "vnc: cannot start threads");
		goto fail;
	}
	r = door_create(&door, &vnc->door, error);
	if (r < 0)
		goto fail;
	vnc->thread = g_thread_try_new("vnc", vnc_thread_run, vnc, NULL);
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
	for (guint i = 0; i < vnc->guests->len; i++)
		vnc_client_add_sent(((struct guest *)vnc->guests->pdata[i])->client,
				    &counts->updates, &counts->bytes);
	pthread_mutex_unlock(&vnc->lock);
	door_count(vnc->door, &counts->door);
	encoder_count(vnc->encoder, &counts->encoder);
}
