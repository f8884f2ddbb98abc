/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_sender.h"

#include <errno.h>

#include "vnc_client_own.h"

/* What the sending thread takes along, all at once. */
struct work {
	struct frame *frame; /* NULL: the same */
	struct vnc_changes changes;
	bool request, whole, format, encodings, announce_size, pointer;
	enum vnc_size_status answer; /* to its wish of a size, VNC_SIZE_SILENT: none */
	struct pointer *shape;
	int32_t x, y;
	struct vnc_rect rect;
	struct vnc_format new_format;
	struct vnc_encodings new_encodings;
	struct vnc_answers answers;
	struct vnc_clipboard clipboard; /* what is due, and its text */
	uint32_t probe;                 /* the number of a fence of our own that is due, or 0 */
	bool continuous, open;          /* it takes updates without requests; and one may go now */
	struct vnc_rect part;
	bool new_leds;
	int leds;
	bool marks; /* it answers fences of ours */
};

static bool has_request(const struct vnc_client *client)
{
	return client->asked || client->new_request;
}

static bool has_news(const struct vnc_client *client)
{
	return client->repair_due <= g_get_monotonic_time() || client->announce_size ||
	       client->moved_pointer || vnc_wish_is_answered(&client->wish) ||
	       !vnc_changes_is_empty(&client->changes);
}

/* Without a request; what is closed opens with an answer of the client's. */
static bool can_continue(struct vnc_client *client)
{
	const struct vnc_rect *part = &client->continuous_part;

	return client->continuous && part->width && part->height &&
	       part->x < client->frame->width && part->y < client->frame->height &&
	       vnc_window_is_open(&client->window);
}

bool vnc_sender_has_work(struct vnc_client *client)
{
	if (client->parked)
		return false;
	if (client->frame->generation != client->showing)
		return true;
	if (client->force_look || client->probe || client->clipboard.due)
		return true;
	if (vnc_fences_are_ready(&client->fences, client->parser.messages))
		return true;
	if (client->new_request && client->rest)
		return true;
	if (has_request(client) && has_news(client))
		return true;
	return (client->continuous_rest || has_news(client)) && can_continue(client);
}

bool vnc_sender_begins_to_wait(struct vnc_client *client)
{
	bool before = client->waiting;

	client->waiting = client->freshness == FRESH_CURRENT && !client->parked &&
			  (client->again ||
			   (!client->sending && (has_request(client) || can_continue(client)) &&
			    !vnc_sender_has_work(client)));
	return client->waiting && !before;
}

static void take_answers(struct vnc_client *client, struct work *work)
{
	vnc_fences_take(&client->fences, client->parser.messages, &work->answers);
	client->answering = work->answers.before_length || work->answers.after_length;
}

static void take_work(struct vnc_client *client, struct work *work)
{
	*work = (struct work){
		.changes = client->changes,
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
		.continuous = client->continuous,
		.open = can_continue(client),
		.part = client->continuous_part,
		.new_leds = client->new_leds,
		.leds = client->leds,
		.marks = client->encodings.fence,
	};
	if (client->probe)
		work->probe = vnc_window_mark(&client->window, 0, g_get_monotonic_time());
	client->probe = false;
	take_answers(client, work);
	vnc_clipboard_take(&client->clipboard, &work->clipboard);
	if (client->showing != client->frame->generation)
		work->frame = frame_acquire(client->frame);
	client->showing = client->frame->generation;
	client->superseded = 0;
	client->changes = (struct vnc_changes){.count = 0};
	client->new_request = client->new_format = client->new_encodings = client->whole = false;
	client->announce_size = client->force_look = false;
	client->moved_pointer = client->new_leds = false;
	client->sending = true;
	vnc_client_renew_damage(client);
}

static bool write_probe(struct vnc_library *library, uint32_t number)
{
	uint8_t bytes[VNC_FENCE_BYTES];

	return vnc_library_write(library, bytes,
				 vnc_fence_write(bytes, VNC_FENCE_REQUEST | VNC_FENCE_BLOCK_BEFORE,
						 (const uint8_t *)&number, sizeof(number)));
}

static bool write_clipboard(struct vnc_library *library, const struct vnc_clipboard *clipboard)
{
	GByteArray *bytes = vnc_clipboard_write(clipboard);
	bool ok;

	if (!bytes)
		return true;
	ok = vnc_library_write(library, bytes->data, bytes->len);
	g_byte_array_unref(bytes);
	return ok;
}

/* What the client said takes effect, and it gets the answers that it waits for. */
static bool settle(struct vnc_library *library, const struct work *work)
{
	const struct vnc_answers *answers = &work->answers;

	if (!vnc_library_write(library, answers->before, answers->before_length))
		return false;
	if (work->encodings)
		vnc_library_set_encodings(library, &work->new_encodings);
	if (work->format && !vnc_library_set_format(library, &work->new_format))
		return false;
	return (!work->probe || write_probe(library, work->probe)) &&
	       write_clipboard(library, &work->clipboard) &&
	       vnc_library_write(library, answers->after, answers->after_length);
}

/* A client that asks for all of something may have lost what is to be copied. */
static void add_changes(struct vnc_library *library, const struct work *work)
{
	for (unsigned int i = 0; i < work->changes.count; i++) {
		const struct vnc_moved *moved = &work->changes.moved[i];

		vnc_library_add(library, &moved->before);
		vnc_library_move(library, &moved->moves, &moved->with);
	}
	vnc_library_add(library, &work->changes.damage);
	if (work->whole || work->format)
		vnc_library_forget_moves(library);
}

static enum vnc_library_result update(struct vnc_library *library, const struct work *work)
{
	if (work->frame)
		vnc_library_set_frame(library, work->frame);
	if (work->pointer)
		vnc_library_set_pointer(library, work->shape, work->x, work->y);
	if (work->new_leds)
		vnc_library_set_leds(library, work->leds);
	add_changes(library, work);
	if (work->announce_size || work->answer != VNC_SIZE_SILENT)
		vnc_library_announce_size(library, work->answer);
	vnc_library_set_continuous(library, work->continuous ? &work->part : NULL);
	if (work->request)
		vnc_library_request(library, &work->rect);
	return vnc_library_update(library, work->open);
}

static void finish_work(struct work *work)
{
	frame_release(work->frame);
	pointer_release(work->shape);
	vnc_clipboard_finish(&work->clipboard);
	vnc_changes_finish(&work->changes);
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
	client->seen = frame_touched(frame);
	client->rest = true; /* all of it */
	pthread_mutex_unlock(&client->lock);
	frame_release(frame);
	return library;
}

/* The answers are sent: what the client said after its fences may be obeyed. */
static void release(struct vnc_client *client)
{
	bool resume;

	pthread_mutex_lock(&client->lock);
	client->answering = false;
	resume = client->held && !client->stop;
	pthread_mutex_unlock(&client->lock);
	if (resume)
		client->owner.resume(client->owner.data);
}

/* How far the client has come with this update tells a fence behind it. */
static enum vnc_library_result send_mark(struct vnc_client *client, struct vnc_library *library)
{
	uint32_t number, bytes = vnc_library_bytes(library);

	pthread_mutex_lock(&client->lock);
	number = vnc_window_mark(&client->window, bytes - client->marked, g_get_monotonic_time());
	client->marked = bytes;
	pthread_mutex_unlock(&client->lock);
	return write_probe(library, number) ? VNC_LIBRARY_SENT : VNC_LIBRARY_FAILED;
}

/* With the lock. */
static void note_result(struct vnc_client *client, const struct work *work,
			enum vnc_library_result result)
{
	if (result == VNC_LIBRARY_SENT)
		client->asked = false;
	else if (work->request)
		client->asked = true;
	client->again |= result == VNC_LIBRARY_SENT && work->whole;
	if (result == VNC_LIBRARY_FAILED)
		vnc_client_stop_locked(client, NULL);
	if (result == VNC_LIBRARY_CANNOT_RESIZE)
		vnc_client_stop_locked(client,
				       "the size changed, and it has no DesktopSize to follow");
}

/* It serves a client's settings rather than its eyes. */
static bool is_unusual(const struct work *work)
{
	return work->format || work->encodings || work->answers.before_length ||
	       work->answers.after_length;
}

/* One turn, with the lock, which it gives up while it works. */
static void turn(struct vnc_client *client, struct vnc_library *library)
{
	enum vnc_library_result result = VNC_LIBRARY_FAILED;
	gint64 begun = g_get_monotonic_time(), cpu = vnc_cost_clock();
	struct work work;
	bool poke;

	take_work(client, &work);
	pthread_mutex_unlock(&client->lock);
	client->owner.stir(client->owner.data);
	if (settle(library, &work)) {
		release(client);
		result = update(library, &work);
	}
	if (result == VNC_LIBRARY_SENT && work.continuous && work.marks)
		result = send_mark(client, library);
	finish_work(&work);
	pthread_mutex_lock(&client->lock);
	client->sending = false;
	/* In case it has read what is being written now. */
	if (client->showing == client->frame->generation)
		client->seen = frame_touched(client->frame);
	client->rest = vnc_library_has_rest(library);
	client->copied = vnc_library_copied(library);
	client->repair_due = vnc_library_repair_due(library);
	client->continuous_rest = vnc_library_has_continuous_rest(library);
	if (result == VNC_LIBRARY_SENT)
		vnc_tally_sent(&client->tally, begun, vnc_library_bytes(library),
			       !vnc_changes_is_empty(&client->changes));
	if (result == VNC_LIBRARY_NOTHING || is_unusual(&work))
		vnc_client_charge(client, vnc_cost_clock() - cpu);
	note_result(client, &work, result);
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

	/* What is due goes with the next request, or answer to a fence, which signals then. */
	if (!client->parked && client->repair_due != VNC_LOSSY_NEVER &&
	    (has_request(client) || can_continue(client) ||
	     client->repair_due > g_get_monotonic_time()))
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
