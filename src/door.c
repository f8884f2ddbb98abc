/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "backoff.h"
#include "door_gate.h"
#include "door_handshake.h"
#include "log.h"
#include "tls_stream.h"

#define REFUSED_US   (2 * G_TIME_SPAN_SECOND) /* a refused peer reads its reason */
#define LOG_BURST    10
#define LOG_INTERVAL (10 * G_TIME_SPAN_SECOND)

struct door {
	struct door_options options;
	GThread *thread;
	GMainContext *context;
	gint quit; /* atomic */
	char *full_text;
	struct log_limit limit;  /* of the door's thread */
	struct backoff *backoff; /* of the door's thread */

	pthread_mutex_t lock; /* of all below */
	bool closed;
	GPtrArray *gates;
	GQueue arrivals;    /* handshakes under way, oldest first; changed by the door's thread */
	GHashTable *guests; /* host -> how many */
	struct door_counts counts;
};

struct arrival {
	struct door *door;
	struct handshake handshake;
	GSource *source;
	int fd, wire; /* wire: behind the pump, or -1 */
	struct pump *pump;
	char *peer, *host;
	bool refused;
	gint64 deadline;
};

struct door_ticket {
	struct door *door;
	struct pump *pump;
	char *host, *peer;
};

static void say(struct door *door, const char *peer, const char *what, const char *why)
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

/* Takes a place; NULL, with the reason, if there is none (any more). */
static struct door_ticket *take_place(struct door *door, const char *host, const char **reason)
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

/* Arrivals. */

/* Closes what it still has. */
static void arrival_free(struct arrival *arrival)
{
	struct door *door = arrival->door;

	pthread_mutex_lock(&door->lock);
	g_queue_remove(&door->arrivals, arrival);
	door->counts.underway = door->arrivals.length;
	pthread_mutex_unlock(&door->lock);
	if (arrival->source) {
		g_source_destroy(arrival->source);
		g_source_unref(arrival->source);
	}
	if (arrival->fd >= 0)
		close(arrival->fd);
	pump_destroy(arrival->pump);
	g_free(arrival->peer);
	g_free(arrival->host);
	g_free(arrival);
}

static void count(struct door *door, unsigned int *number)
{
	pthread_mutex_lock(&door->lock);
	(*number)++;
	pthread_mutex_unlock(&door->lock);
}

static void fail_arrival(struct arrival *arrival, const char *why)
{
	struct door *door = arrival->door;
	const char *broken = pump_finish(g_steal_pointer(&arrival->pump));

	why = why ? why : broken;
	if (!arrival->refused) {
		count(door, &door->counts.failed);
		if (why)
			say(door, arrival->peer, "turned away", why);
		else
			log_debug("%s: %s left during the handshake", door->options.name,
				  arrival->peer);
	}
	arrival_free(arrival);
}

static void welcome(struct arrival *arrival)
{
	struct door *door = arrival->door;
	struct door_guest guest = {
		.fd = arrival->fd,
		.peer = arrival->peer,
		.wire = arrival->wire,
		.view_only = arrival->handshake.view_only,
		.security = handshake_security(&arrival->handshake),
	};
	const char *reason;

	guest.ticket = take_place(door, arrival->host, &reason);
	if (!guest.ticket) {
		fail_arrival(arrival, reason);
		return;
	}
	/* No source may look at the descriptor of somebody else. */
	g_source_destroy(arrival->source);
	arrival->fd = -1;
	guest.ticket->peer = g_strdup(arrival->peer);
	guest.ticket->pump = g_steal_pointer(&arrival->pump);
	door->options.welcome(&guest, door->options.data);
	arrival_free(arrival);
}

/* Asked by the handshake once the peer can be told. */
static const char *refusal(void *data)
{
	struct arrival *arrival = data;
	struct door *door = arrival->door;
	const char *reason;

	pthread_mutex_lock(&door->lock);
	reason = no_place(door, arrival->host);
	pthread_mutex_unlock(&door->lock);
	if (!reason && door->options.full)
		reason = door->options.full(door->options.data);
	if (!reason && backoff_waits(door->backoff, arrival->host, g_get_monotonic_time()))
		reason = "too many wrong passwords from this address, try again later";
	return reason;
}

static void proved(bool good, void *data)
{
	struct arrival *arrival = data;
	struct door *door = arrival->door;

	if (good)
		backoff_proved(door->backoff, arrival->host);
	else
		backoff_failed(door->backoff, arrival->host, g_get_monotonic_time());
}

static void set_deadline(struct arrival *arrival, gint64 delay)
{
	arrival->deadline = g_get_monotonic_time() + delay;
	g_source_set_ready_time(arrival->source, arrival->deadline);
}

static void advance(struct arrival *arrival, enum handshake_step step)
{
	struct door *door = arrival->door;

	switch (step) {
	case HANDSHAKE_MORE:
		return;
	case HANDSHAKE_DONE:
		welcome(arrival);
		return;
	case HANDSHAKE_REFUSED:
		if (arrival->refused)
			return;
		arrival->refused = true;
		count(door, &door->counts.refused);
		say(door, arrival->peer, "refused", arrival->handshake.reason);
		set_deadline(arrival, REFUSED_US);
		return;
	case HANDSHAKE_FAILED:
		fail_arrival(arrival, arrival->handshake.reason);
		return;
	}
}

/* Called when the peer sent something and at the deadline, whichever comes first. */
static gboolean on_arrival(gint fd, GIOCondition condition, gpointer data)
{
	struct arrival *arrival = data;

	(void)fd;
	(void)condition;
	if (g_get_monotonic_time() >= arrival->deadline)
		fail_arrival(arrival, "it took too long");
	else
		advance(arrival, handshake_feed(&arrival->handshake));
	return G_SOURCE_CONTINUE;
}

/* The host with most handshakes under way loses its oldest. */
static void push_out(struct door *door)
{
	struct arrival *victim = NULL;
	guint most = 0;

	for (GList *i = door->arrivals.head; i; i = i->next) {
		struct arrival *arrival = i->data;
		guint same = 0;

		for (GList *j = i; j; j = j->next)
			if (!strcmp(arrival->host, ((struct arrival *)j->data)->host))
				same++;
		if (same > most) {
			most = same;
			victim = arrival;
		}
	}
	fail_arrival(victim, "pushed out by newcomers");
}

static void look_out(struct arrival *arrival)
{
	arrival->source = g_unix_fd_source_new(arrival->fd, G_IO_IN);
	g_source_set_ready_time(arrival->source, arrival->deadline);
	g_source_set_callback(arrival->source, G_SOURCE_FUNC(on_arrival), arrival, NULL);
	g_source_attach(arrival->source, arrival->door->context);
}

/* The handshake goes on behind TLS: its pump is watched from now on, until the same deadline. */
static int secure(int *fd, void *data)
{
	struct arrival *arrival = data;
	int wire = arrival->fd, r;

	g_source_destroy(arrival->source);
	g_source_unref(g_steal_pointer(&arrival->source));
	arrival->fd = -1;
	r = tls_stream_pump(wire, arrival->door->options.certificate, &arrival->pump, &arrival->fd);
	if (r)
		return r;
	arrival->wire = wire;
	*fd = arrival->fd;
	look_out(arrival);
	return 0;
}

/* In the door's thread; the arrival has everything but its handshake. */
static void begin(struct arrival *arrival, bool local)
{
	struct door *door = arrival->door;
	/* Who brings somebody sees to it that he comes by TLS where he has to. */
	bool brought = arrival->pump != NULL;
	struct handshake_rules rules = {
		.open = local || door->options.insecure,
		.plain = local || brought || !door->options.only_tls,
		.passwords = door->options.passwords,
		.refusal = refusal,
		.proved = proved,
		.secure = door->options.certificate && !brought ? secure : NULL,
		.data = arrival,
	};

	while (door->arrivals.length >= door->options.handshakes)
		push_out(door);
	pthread_mutex_lock(&door->lock);
	g_queue_push_tail(&door->arrivals, arrival);
	door->counts.underway = door->arrivals.length;
	door->counts.accepted++;
	pthread_mutex_unlock(&door->lock);
	arrival->deadline = g_get_monotonic_time() +
			    door->options.handshake_ms * G_TIME_SPAN_MILLISECOND;
	look_out(arrival);
	advance(arrival, handshake_begin(&arrival->handshake, arrival->fd, &rules));
}

static struct arrival *arrival_new(struct door *door, int fd)
{
	struct arrival *arrival = g_new0(struct arrival, 1);

	arrival->door = door;
	arrival->fd = fd;
	arrival->wire = -1;
	return arrival;
}

/* On its way to the door's thread. */
struct adoption {
	struct arrival *arrival; /* NULL: it has arrived */
	bool local;
};

static gboolean on_adoption(gpointer data)
{
	struct adoption *adoption = data;

	begin(g_steal_pointer(&adoption->arrival), adoption->local);
	return G_SOURCE_REMOVE;
}

static void adoption_free(gpointer data)
{
	struct adoption *adoption = data;

	if (adoption->arrival)
		arrival_free(adoption->arrival);
	g_free(adoption);
}

void door_adopt(struct door *door, const struct door_stranger *stranger)
{
	struct adoption *adoption = g_new0(struct adoption, 1);
	GSource *source = g_idle_source_new();

	adoption->arrival = arrival_new(door, stranger->fd);
	adoption->arrival->pump = stranger->pump;
	if (stranger->pump)
		adoption->arrival->wire = pump_wire(stranger->pump);
	adoption->arrival->peer = g_strdup(stranger->peer);
	adoption->arrival->host = g_strdup(stranger->host);
	adoption->local = stranger->local;
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_adoption, adoption, adoption_free);
	g_source_attach(source, door->context);
	g_source_unref(source);
}

/* Gates. */

static void on_receive(void *data, const struct listener *listener, const struct gate_peer *peer)
{
	struct arrival *arrival = arrival_new(data, peer->fd);

	arrival->peer = peer->name;
	arrival->host = peer->host;
	begin(arrival, listener->local);
}

static void on_tired(void *data, const struct listener *listener, const char *reason)
{
	say(data, listener->name, "accepts nobody", reason);
}

static const struct gate_ops gate_ops = {
	.receive = on_receive,
	.tired = on_tired,
};

int door_listen(struct door *door, const char *spec, GError **error)
{
	const struct door_options *options = &door->options;
	const struct listener_rules rules = {
		.server = options->name,
		.refusal = options->passwords || options->insecure
				   ? NULL
				   : "no password is asked for (give --password-file",
		.plain = options->only_tls      ? NULL
			 : options->certificate ? " for viewers without TLS"
						: "",
	};
	GPtrArray *listeners = g_ptr_array_new();
	int r = listener_open_by(&rules, spec, listeners, error);

	for (guint i = 0; i < listeners->len; i++) {
		pthread_mutex_lock(&door->lock);
		g_ptr_array_add(door->gates,
				gate_open(listeners->pdata[i], door->context, &gate_ops, door));
		door->counts.listeners = door->gates->len;
		pthread_mutex_unlock(&door->lock);
	}
	g_ptr_array_unref(listeners);
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
	while (door->arrivals.head)
		arrival_free(door->arrivals.head->data);
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
	g_main_context_unref(door->context);
	backoff_destroy(door->backoff);
	pthread_mutex_destroy(&door->lock);
	g_free(door->full_text);
	g_free(door);
}
