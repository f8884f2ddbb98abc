/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_sender.h"

#include <errno.h>

#include "vnc_client_own.h"

/* What the sending thread takes along, all at once. */
struct work {
	struct frame *frame; /* NULL: the same */
	struct damage damage;
	bool request, whole, format, encodings, announce_size, pointer;
	enum vnc_size_status answer; /* to its wish of a size, VNC_SIZE_SILENT: none */
	struct pointer *shape;
	int32_t x, y;
	struct vnc_rect rect;
	struct vnc_format new_format;
	struct vnc_encodings new_encodings;
};

static bool has_request(const struct vnc_client *client)
{
	return client->asked || client->new_request;
}

bool vnc_sender_has_work(const struct vnc_client *client)
{
	if (client->frame->generation != client->showing)
		return true;
	if (client->force_look)
		return true;
	if (client->new_request && client->rest)
		return true;
	return has_request(client) &&
	       (client->repair_due <= g_get_monotonic_time() || client->announce_size ||
		client->moved_pointer || vnc_wish_is_answered(&client->wish) ||
		!damage_is_empty(&client->damage));
}

bool vnc_sender_begins_to_wait(struct vnc_client *client)
{
	bool before = client->waiting;

	client->waiting = client->freshness == FRESH_CURRENT &&
			  (client->again || (has_request(client) && !client->sending &&
					     !vnc_sender_has_work(client)));
	return client->waiting && !before;
}

static void take_work(struct vnc_client *client, struct work *work)
{
	*work = (struct work){
		.damage = client->damage,
		.request = client->new_request,
		.whole = client->whole,
		.format = client->new_format,
		.encodings = client->new_encodings,
		.announce_size = client->announce_size,
		.answer = vnc_wish_take_answer(&client->wish),
		.pointer = client->moved_pointer,
		.shape = pointer_acquire(client->shape),
		.x = client->x,
		.y = client->y,
		.rect = client->request,
		.new_format = client->format,
		.new_encodings = client->encodings,
	};
	if (client->showing != client->frame->generation)
		work->frame = frame_acquire(client->frame);
	client->showing = client->frame->generation;
	client->superseded = 0;
	client->damage = (struct damage){0};
	client->new_request = client->new_format = client->new_encodings = client->whole = false;
	client->announce_size = client->force_look = false;
	client->moved_pointer = false;
	client->sending = true;
	vnc_client_renew_damage(client);
}

static enum vnc_library_result do_work(struct vnc_library *library, const struct work *work)
{
	if (work->encodings)
		vnc_library_set_encodings(library, &work->new_encodings);
	if (work->format && !vnc_library_set_format(library, &work->new_format))
		return VNC_LIBRARY_FAILED;
	if (work->frame)
		vnc_library_set_frame(library, work->frame);
	if (work->pointer)
		vnc_library_set_pointer(library, work->shape, work->x, work->y);
	vnc_library_add(library, &work->damage);
	if (work->announce_size || work->answer != VNC_SIZE_SILENT)
		vnc_library_announce_size(library, work->answer);
	if (work->request)
		vnc_library_request(library, &work->rect);
	return vnc_library_update(library);
}

static void finish_work(struct work *work)
{
	frame_release(work->frame);
	pointer_release(work->shape);
	damage_finish(&work->damage);
}

/* Waits until the client may see the frame; then attaches with the frame as it is then. */
static struct vnc_library *attach(struct vnc_client *client)
{
	struct vnc_library *library = NULL;
	struct frame *frame = NULL;
	int r = 0;

	pthread_mutex_lock(&client->lock);
	while (!client->stop && client->freshness != FRESH_CURRENT)
		pthread_cond_wait(&client->news, &client->lock);
	if (!client->stop)
		frame = frame_acquire(client->frame);
	pthread_mutex_unlock(&client->lock);
	if (!frame)
		return NULL;
	r = vnc_library_create(client->fd, client->wire, client->owner.desktop, client->peer, frame,
			       client->owner.encoder, &library);
	pthread_mutex_lock(&client->lock);
	if (r < 0)
		vnc_client_stop_locked(client, r == -EPIPE ? NULL : g_strerror(-r));
	else if (client->input.seat)
		vnc_library_take_input(library);
	client->showing = frame->generation;
	client->rest = true; /* all of it */
	pthread_mutex_unlock(&client->lock);
	frame_release(frame);
	return library;
}

/* One turn, with the lock, which it gives up while it works. */
static void turn(struct vnc_client *client, struct vnc_library *library)
{
	enum vnc_library_result result;
	gint64 begun = g_get_monotonic_time();
	struct work work;
	bool poke;

	take_work(client, &work);
	pthread_mutex_unlock(&client->lock);
	result = do_work(library, &work);
	finish_work(&work);
	pthread_mutex_lock(&client->lock);
	client->sending = false;
	client->rest = vnc_library_has_rest(library);
	client->repair_due = vnc_library_repair_due(library);
	if (result == VNC_LIBRARY_SENT)
		vnc_tally_sent(&client->tally, begun, vnc_library_bytes(library),
			       !damage_is_empty(&client->damage));
	if (result == VNC_LIBRARY_SENT)
		client->asked = false;
	else if (work.request)
		client->asked = true;
	client->again |= result == VNC_LIBRARY_SENT && work.whole;
	if (result == VNC_LIBRARY_FAILED)
		vnc_client_stop_locked(client, NULL);
	if (result == VNC_LIBRARY_CANNOT_RESIZE)
		vnc_client_stop_locked(client,
				       "the size changed, and it has no DesktopSize to follow");
	poke = vnc_sender_begins_to_wait(client);
	if (poke && !client->stop) {
		pthread_mutex_unlock(&client->lock);
		client->owner.poke(client->owner.data);
		pthread_mutex_lock(&client->lock);
	}
}

/* With the lock: for news, or until something that the client has only in lossy form rests. */
static void wait_for_work(struct vnc_client *client)
{
	const struct timespec due = {client->repair_due / G_USEC_PER_SEC,
				     client->repair_due % G_USEC_PER_SEC * 1000};

	/* What is due already goes with the next request. */
	if (client->repair_due != VNC_LOSSY_NEVER && client->repair_due > g_get_monotonic_time())
		pthread_cond_timedwait(&client->news, &client->lock, &due);
	else
		pthread_cond_wait(&client->news, &client->lock);
}

gpointer vnc_sender_run(gpointer data)
{
	struct vnc_client *client = data;
	struct vnc_library *library;

	library = attach(client);
	if (library) {
		pthread_mutex_lock(&client->lock);
		while (!client->stop) {
			if (vnc_sender_has_work(client))
				turn(client, library);
			else
				wait_for_work(client);
		}
		pthread_mutex_unlock(&client->lock);
		vnc_library_destroy(library);
	}
	client->owner.ended(client->owner.data);
	return NULL;
}
