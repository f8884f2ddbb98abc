/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "member.h"
#include "vnc_client_own.h"
#include "vnc_link.h"
#include "vnc_sender.h"
#include "vnc_talk.h"

/* What a client may say between two refills: far more than hands and clipboards can. */
#define BUDGET_BYTES    262144
#define BUDGET_MESSAGES 2000
#define FLOODS          "it floods: its messages cost too much"
#define HIGH_FD         1024 /* beyond what libvncserver's fd_set holds: its room is kept for it */

/* Its timed waits go by g_get_monotonic_time(). */
static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct vnc_client *vnc_client_create(int fd, const char *peer, const struct vnc_client_owner *owner)
{
	struct vnc_client *client = g_new0(struct vnc_client, 1);
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	client->owner = *owner;
	client->input.seat = input_seat_create(owner->input);
	client->fd = fd;
	if (high >= 0) {
		close(fd);
		client->fd = high;
	}
	client->wire = client->fd;
	client->peer = g_strdup(peer);
	client->owner.user = g_strdup(owner->user);
	pthread_mutex_init(&client->lock, NULL);
	init_condition(&client->news);
	client->repair_due = VNC_LOSSY_NEVER;
	vnc_parser_init(&client->parser);
	client->leds = VNC_LEDS_UNKNOWN;
	vnc_tally_init(&client->tally);
	vnc_window_init(&client->window);
	vnc_cost_init(&client->cost, owner->flood_percent, g_get_monotonic_time());
	vnc_client_refill(client);
	return client;
}

/* With the lock. */

void vnc_client_stop_locked(struct vnc_client *client, const char *reason)
{
	if (client->stop)
		return;
	client->stop = true;
	client->reason = reason;
	/* Wakes a blocked write; the descriptor itself lives until destroy. */
	shutdown(client->fd, SHUT_RDWR);
	if (client->wire != client->fd)
		shutdown(client->wire, SHUT_RDWR);
	pthread_cond_signal(&client->news);
}

void vnc_client_charge(struct vnc_client *client, gint64 us)
{
	if (vnc_cost_add(&client->cost, us, g_get_monotonic_time()))
		vnc_client_stop_locked(client, FLOODS);
}

bool vnc_client_renew_damage(struct vnc_client *client)
{
	if (vnc_changes_renew(&client->changes, client->frame->width, client->frame->height)) {
		vnc_client_stop_locked(client, "out of memory");
		return false;
	}
	return true;
}

void vnc_client_set_wire(struct vnc_client *client, int wire)
{
	client->wire = wire;
}

int vnc_client_start(struct vnc_client *client, struct frame *frame)
{
	client->frame = frame_acquire(frame);
	if (!vnc_client_renew_damage(client))
		return -ENOMEM;
	client->thread = g_thread_try_new("vnc-client", vnc_sender_run, client, NULL);
	return client->thread ? 0 : -EAGAIN;
}

/* The side of the sink. */

void vnc_client_resize(struct vnc_client *client, struct frame *frame)
{
	struct frame *old;

	pthread_mutex_lock(&client->lock);
	old = client->frame;
	client->frame = frame_acquire(frame);
	if (!client->superseded)
		client->superseded = g_get_monotonic_time();
	if (!client->stop)
		vnc_client_renew_damage(client);
	pthread_cond_signal(&client->news);
	pthread_mutex_unlock(&client->lock);
	frame_release(old);
}

/*
 * With the lock. What it shows is the frame before the move, or is to be sent: it has read nothing
 * of the frame since the move was written, and reads nothing now.
 */
static bool can_move(const struct vnc_client *client, const struct moves *moves)
{
	return client->owner.copies && client->encodings.copy_rect && !client->sending &&
	       client->showing == client->frame->generation && client->seen <= moves->since;
}

void vnc_client_wake(struct vnc_client *client, const struct damage *damage,
		     const struct moves *moves)
{
	const struct damage *known = &client->changes.damage;

	pthread_mutex_lock(&client->lock);
	if (!client->stop && !client->parked && damage->width == known->width &&
	    damage->height == known->height) {
		vnc_changes_add(&client->changes, damage, can_move(client, moves) ? moves : NULL);
		vnc_tally_pending(&client->tally);
		vnc_sender_begins_to_wait(client);
		if (vnc_sender_has_work(client))
			pthread_cond_signal(&client->news);
	}
	pthread_mutex_unlock(&client->lock);
}

void vnc_client_pointer(struct vnc_client *client, struct pointer *shape, int32_t x, int32_t y)
{
	struct pointer *old;

	pthread_mutex_lock(&client->lock);
	old = client->shape;
	client->shape = pointer_acquire(shape);
	client->x = x;
	client->y = y;
	client->moved_pointer = true;
	if (!client->stop) {
		vnc_sender_begins_to_wait(client);
		if (vnc_sender_has_work(client))
			pthread_cond_signal(&client->news);
	}
	pthread_mutex_unlock(&client->lock);
	pointer_release(old);
}

void vnc_client_leds(struct vnc_client *client, int leds)
{
	pthread_mutex_lock(&client->lock);
	client->leds = leds;
	client->new_leds = client->force_look = true;
	if (!client->stop)
		pthread_cond_signal(&client->news);
	pthread_mutex_unlock(&client->lock);
}

void vnc_client_captured(struct vnc_client *client)
{
	pthread_mutex_lock(&client->lock);
	client->again = false;
	if (client->freshness == FRESH_ANNOUNCED) {
		client->freshness = FRESH_CURRENT;
		pthread_cond_signal(&client->news);
	}
	pthread_mutex_unlock(&client->lock);
}

void vnc_client_demand(struct vnc_client *client, struct sink_demand *demand)
{
	pthread_mutex_lock(&client->lock);
	if (!client->stop) {
		demand->clients++;
		vnc_sender_begins_to_wait(client);
		if (client->waiting)
			demand->waiting++;
		demand->moves |= client->owner.copies && client->encodings.copy_rect;
		if (client->freshness == FRESH_NEW) {
			client->freshness = FRESH_ANNOUNCED;
			demand->fresh++;
		}
		if (!demand->wish_width)
			vnc_wish_ask(&client->wish, &demand->wish_width, &demand->wish_height);
	}
	pthread_mutex_unlock(&client->lock);
}

bool vnc_client_answer(struct vnc_client *client, int ret)
{
	bool more;

	pthread_mutex_lock(&client->lock);
	if (vnc_wish_is_asked(&client->wish)) {
		vnc_wish_answer(&client->wish, vnc_wish_status(ret));
		if (vnc_sender_has_work(client))
			pthread_cond_signal(&client->news);
	}
	more = vnc_wish_is_made(&client->wish) && !client->stop;
	pthread_mutex_unlock(&client->lock);
	return more;
}

void vnc_client_copied(struct vnc_client *client, GBytes *text, bool own)
{
	if (!client->owner.clipboard)
		return;
	pthread_mutex_lock(&client->lock);
	vnc_clipboard_set(&client->clipboard, text, own);
	if (!client->stop && vnc_sender_has_work(client))
		pthread_cond_signal(&client->news);
	pthread_mutex_unlock(&client->lock);
}

void vnc_client_describe(struct vnc_client *client, JsonBuilder *json)
{
	json_builder_begin_object(json);
	member_string(json, "peer", client->peer);
	member_bool(json, "view_only", client->owner.view_only || !client->input.seat);
	member_string(json, "security", client->owner.security);
	member_string(json, "user", client->owner.user);
	pthread_mutex_lock(&client->lock);
	vnc_tally_describe(&client->tally, &client->encodings, json);
	member_bool(json, "waiting", client->waiting);
	member_int(json, "pending_cells", (gint64)vnc_changes_count(&client->changes));
	member_int(json, "copied", (gint64)client->copied);
	member_bool(json, "parked", client->parked);
	member_bool(json, "continuous", client->continuous);
	if (client->window.last)
		member_double(json, "round_trip_ms", (double)client->window.last / 1000);
	else
		member_null(json, "round_trip_ms");
	pthread_mutex_unlock(&client->lock);
	json_builder_end_object(json);
}

void vnc_client_add_sent(struct vnc_client *client, uint64_t *updates, uint64_t *bytes)
{
	pthread_mutex_lock(&client->lock);
	*updates += client->tally.updates;
	*bytes += client->tally.bytes;
	pthread_mutex_unlock(&client->lock);
}

int vnc_client_fd(const struct vnc_client *client)
{
	return client->fd;
}

const char *vnc_client_peer(const struct vnc_client *client)
{
	return client->peer;
}

const char *vnc_client_reason(struct vnc_client *client)
{
	const char *reason;

	pthread_mutex_lock(&client->lock);
	reason = client->reason;
	pthread_mutex_unlock(&client->lock);
	return reason;
}

/* With the lock. How many of the n bytes that it said were obeyed; the rest is held. */
static size_t obey(struct vnc_client *client, size_t n)
{
	size_t taken;

	if (vnc_parser_feed(&client->parser, client->said, n, &vnc_talk_ops, client))
		vnc_client_stop_locked(client, client->parser.reason);
	taken = client->parser.taken;
	client->held = n - taken;
	memmove(client->said, client->said + taken, client->held);
	return taken;
}

/* Without the lock: what it copied is unpacked here, a piece of work. True if there was anything.
 */
static bool read_cut_text(struct vnc_client *client)
{
	struct vnc_cut_text_meaning meaning;

	if (!client->cut.complete)
		return false;
	vnc_cut_text_read(&client->cut, &meaning);
	vnc_cut_text_clear(&client->cut);
	client->bytes_left -= (gint64)meaning.cost;
	pthread_mutex_lock(&client->lock);
	vnc_clipboard_obey(&client->clipboard, &meaning);
	if (!client->stop && vnc_sender_has_work(client))
		pthread_cond_signal(&client->news);
	pthread_mutex_unlock(&client->lock);
	if (meaning.text) {
		client->owner.copied(meaning.text, client->owner.data);
		g_bytes_unref(meaning.text);
	}
	return true;
}

/* Obeys n bytes that were read from its socket. False if that was the end of it. */
static bool hear(struct vnc_client *client, ssize_t n, bool *poke)
{
	bool stop;

	pthread_mutex_lock(&client->lock);
	if (n <= 0)
		vnc_client_stop_locked(client, NULL);
	else if (!client->stop)
		client->bytes_left -= (gint64)obey(client, (size_t)n);
	stop = client->stop;
	if (!stop) {
		*poke |= vnc_sender_begins_to_wait(client) || vnc_wish_is_made(&client->wish);
		if (vnc_sender_has_work(client))
			pthread_cond_signal(&client->news);
	}
	pthread_mutex_unlock(&client->lock);
	return !stop;
}

static bool has_budget(const struct vnc_client *client)
{
	return client->bytes_left > 0 && client->messages_left > 0;
}

bool vnc_client_has_flooded(const struct vnc_client *client)
{
	return client->reason && g_str_equal(client->reason, FLOODS);
}

bool vnc_client_input(struct vnc_client *client)
{
	gint64 begun = vnc_cost_clock();
	ssize_t n = (ssize_t)client->held;
	uint64_t messages = client->parser.messages;
	bool poke = false, go_on, more;

	if (!n)
		n = recv(client->fd, client->said, sizeof(client->said), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	do {
		go_on = hear(client, n, &poke);
		more = go_on && read_cut_text(client);
		n = (ssize_t)client->held;
	} while (more && n && has_budget(client));
	client->messages_left -= (gint64)(client->parser.messages - messages);
	pthread_mutex_lock(&client->lock);
	vnc_client_charge(client, vnc_cost_clock() - begun);
	pthread_mutex_unlock(&client->lock);
	if (poke)
		client->owner.poke(client->owner.data);
	return go_on && !client->held && has_budget(client);
}

bool vnc_client_refill(struct vnc_client *client)
{
	bool waits;

	pthread_mutex_lock(&client->lock);
	waits = client->stop || (client->held && vnc_talk_ops.holds(client));
	pthread_mutex_unlock(&client->lock);
	client->bytes_left = MIN(client->bytes_left + BUDGET_BYTES, BUDGET_BYTES);
	client->messages_left = MIN(client->messages_left + BUDGET_MESSAGES, BUDGET_MESSAGES);
	return !waits && has_budget(client);
}

/* With the lock. What changed meanwhile was not noted. */
static void set_parked(struct vnc_client *client, bool parked)
{
	const struct detile_rect all = {0, 0, client->frame->width, client->frame->height};

	if (client->parked && !parked)
		damage_add(&client->changes.damage, &all);
	client->parked = parked;
}

bool vnc_client_look(struct vnc_client *client, gint64 now, gint64 park_us, gint64 drop_us,
		     bool *poke, bool *busy)
{
	bool taken = vnc_link_is_idle(client->fd) && vnc_link_is_idle(client->wire);
	gint64 idle = flow_look(&client->flow, client->wire, now);
	bool drop = false, rests;

	rests = taken && !idle && !client->held && client->bytes_left == BUDGET_BYTES &&
		client->messages_left == BUDGET_MESSAGES;
	pthread_mutex_lock(&client->lock);
	if (!client->stop) {
		drop = idle >= drop_us;
		set_parked(client, idle >= park_us);
		/* One that has everything and does not answer a fence is waited for no longer. */
		vnc_window_look(&client->window, taken, now);
		*poke |= vnc_sender_begins_to_wait(client);
		if (vnc_sender_has_work(client))
			pthread_cond_signal(&client->news);
	}
	*busy |= !rests || client->stop || client->sending || client->parked ||
		 client->window.count;
	pthread_mutex_unlock(&client->lock);
	return drop;
}

bool vnc_client_is_parked(struct vnc_client *client)
{
	bool parked;

	pthread_mutex_lock(&client->lock);
	parked = client->parked && !client->stop;
	pthread_mutex_unlock(&client->lock);
	return parked;
}

gint64 vnc_client_lags_since(struct vnc_client *client, uint64_t *generation)
{
	gint64 since = 0;

	pthread_mutex_lock(&client->lock);
	if (client->sending && !client->stop && client->showing != client->frame->generation)
		since = client->superseded;
	*generation = client->showing;
	pthread_mutex_unlock(&client->lock);
	return since;
}

void vnc_client_stop(struct vnc_client *client, const char *reason)
{
	pthread_mutex_lock(&client->lock);
	vnc_client_stop_locked(client, reason);
	pthread_mutex_unlock(&client->lock);
}

void vnc_client_destroy(struct vnc_client *client)
{
	if (!client)
		return;
	if (client->thread)
		g_thread_join(client->thread);
	frame_release(client->frame);
	pointer_release(client->shape);
	input_seat_destroy(client->input.seat);
	vnc_cut_text_clear(&client->cut);
	vnc_clipboard_finish(&client->clipboard);
	vnc_changes_finish(&client->changes);
	close(client->fd);
	pthread_cond_destroy(&client->news);
	pthread_mutex_destroy(&client->lock);
	g_free(client->peer);
	g_free((char *)(uintptr_t)client->owner.user);
	g_free(client);
}
