/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <errno.h>

#include "door_arrival.h"
#include "door_gate.h"
#include "door_own.h"

#define LOG_BURST    10
#define LOG_INTERVAL (10 * G_TIME_SPAN_SECOND)

void door_say(struct door *door, const char *peer, const char *what, const char *why)
{
	unsigned int missed;

	if (!log_limit_pass(&door->limit, LOG_BURST, LOG_INTERVAL, &missed))
		return;
	if (missed)
		log_info("%s: %u lines left out", door->options.name, missed);
	log_info("%s: %s %s: %s", door->options.name, peer, what, why);
}

/* The places. */

static unsigned int guests_of(struct door *door, const char *host)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(door->guests, host));
}

/* With the lock. */
static const char *no_place(struct door *door, const char *host)
{
	if (door->closed)
		return "the server is closing";
	if (door->counts.guests >= door->options.max_clients)
		return door->full_text;
	if (door->options.per_address && guests_of(door, host) >= door->options.per_address)
		return "too many clients from this address";
	return NULL;
}

const char *door_no_place(struct door *door, const char *host)
{
	const char *reason;

	pthread_mutex_lock(&door->lock);
	reason = no_place(door, host);
	pthread_mutex_unlock(&door->lock);
	return reason;
}

struct door_ticket *door_take_place(struct door *door, const char *host, const char **reason)
{
	struct door_ticket *ticket = NULL;

	pthread_mutex_lock(&door->lock);
	*reason = no_place(door, host);
	if (!*reason) {
		g_hash_table_insert(door->guests, g_strdup(host),
				    GUINT_TO_POINTER(guests_of(door, host) + 1));
		door->counts.guests++;
		door->counts.welcomed++;
		ticket = g_new(struct door_ticket, 1);
		*ticket = (struct door_ticket){.door = door, .host = g_strdup(host)};
	}
	pthread_mutex_unlock(&door->lock);
	return ticket;
}

void door_leave(struct door_ticket *ticket)
{
	const char *reason;
	struct door *door;
	unsigned int left;

	if (!ticket)
		return;
	door = ticket->door;
	reason = pump_finish(ticket->pump);
	if (reason)
		log_info("%s: %s cut off: %s", door->options.name, ticket->peer, reason);
	pthread_mutex_lock(&door->lock);
	left = guests_of(door, ticket->host) - 1;
	if (left)
		g_hash_table_insert(door->guests, g_strdup(ticket->host), GUINT_TO_POINTER(left));
	else
		g_hash_table_remove(door->guests, ticket->host);
	door->counts.guests--;
	pthread_mutex_unlock(&door->lock);
	g_free(ticket->host);
	g_free(ticket->peer);
	g_free(ticket);
}

/* Gates. */

static void on_receive(void *data, const struct listener *listener, const struct gate_peer *peer)
{
	arrival_begin(data, peer, listener->local);
}

static void on_tired(void *data, const struct listener *listener, const char *reason)
{
	door_say(data, listener->name, "accepts nobody", reason);
}

static const struct gate_ops gate_ops = {
	.receive = on_receive,
	.tired = on_tired,
};

int door_listen(struct door *door, const char *spec, GError **error)
{
	const struct door_options *options = &door->options;
	bool by_users = options->users && options->certificate;
	const struct listener_rules rules = {
		.server = options->name,
		.refusal = options->passwords || by_users || options->insecure
				   ? NULL
				   : "no password is asked for (give --password-file",
		.plain = options->only_tls || (by_users && !options->passwords) ? NULL
			 : options->certificate ? " for viewers without TLS"
						: "",
	};
	int r = gates_open(&rules, spec, door->context, &gate_ops, door, door->gates, error);

	pthread_mutex_lock(&door->lock);
	door->counts.listeners = door->gates->len;
	pthread_mutex_unlock(&door->lock);
	return r;
}

/* The house. */

static gpointer run(gpointer data)
{
	struct door *door = data;

	g_main_context_push_thread_default(door->context);
	while (!g_atomic_int_get(&door->quit))
		g_main_context_iteration(door->context, TRUE);
	g_main_context_pop_thread_default(door->context);
	return NULL;
}

int door_create(const struct door_options *options, struct door **result, GError **error)
{
	struct door *door = g_new0(struct door, 1);

	door->options = *options;
	if (!door->options.max_clients)
		door->options.max_clients = DOOR_DEFAULT_CLIENTS;
	if (!door->options.handshakes)
		door->options.handshakes = DOOR_DEFAULT_HANDSHAKES;
	if (!door->options.handshake_ms)
		door->options.handshake_ms = DOOR_DEFAULT_HANDSHAKE;
	door->full_text = g_strdup_printf("too many clients (the limit is %u)",
					  door->options.max_clients);
	pthread_mutex_init(&door->lock, NULL);
	g_queue_init(&door->arrivals);
	door->gates = g_ptr_array_new_with_free_func(gate_close);
	door->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	door->backoff = backoff_create();
	door->context = g_main_context_new();
	if (options->users)
		door->checks = checks_create(options->users, door->context, &arrival_check_ops);
	door->thread = g_thread_try_new("door", run, door, NULL);
	if (!door->thread) {
		door_destroy(door);
		return fail(error, EXIT_FAILED, EAGAIN, "cannot start a thread");
	}
	*result = door;
	return 0;
}

void door_count(struct door *door, struct door_counts *counts)
{
	pthread_mutex_lock(&door->lock);
	*counts = door->counts;
	pthread_mutex_unlock(&door->lock);
}

void door_close(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->closed = true;
	pthread_mutex_unlock(&door->lock);
	if (!door->thread)
		return;
	g_atomic_int_set(&door->quit, 1);
	g_main_context_wakeup(door->context);
	g_thread_join(door->thread);
	door->thread = NULL;
	arrivals_end(door);
	g_ptr_array_set_size(door->gates, 0);
	door->counts.listeners = 0;
}

void door_destroy(struct door *door)
{
	if (!door)
		return;
	door_close(door);
	g_ptr_array_unref(door->gates);
	g_hash_table_unref(door->guests);
	checks_destroy(door->checks);
	g_main_context_unref(door->context);
	backoff_destroy(door->backoff);
	pthread_mutex_destroy(&door->lock);
	g_free(door->full_text);
	g_free(door);
}
