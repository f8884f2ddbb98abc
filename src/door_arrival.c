/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door_arrival.h"

#include <string.h>
#include <unistd.h>

#include "door_handshake.h"
#include "tls_stream.h"

#define REFUSED_US (2 * G_TIME_SPAN_SECOND) /* a refused peer reads its reason */

struct arrival {
	struct door *door;
	struct handshake handshake;
	GSource *source;
	struct check *check; /* under way; nothing is read meanwhile */
	int fd, wire;        /* wire: behind the pump, or -1 */
	struct pump *pump;
	char *peer, *host;
	bool refused;
	gint64 deadline;
};

static gboolean on_arrival(gpointer data);

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	(void)source;
	return callback(data);
}

static GSourceFuncs source_funcs = {.dispatch = dispatch};

static void look_away(struct arrival *arrival)
{
	if (!arrival->source)
		return;
	g_source_destroy(arrival->source);
	g_source_unref(g_steal_pointer(&arrival->source));
}

/* From now on for the deadline, and for what the peer sends unless that has to wait. */
static void look_out(struct arrival *arrival, bool wait)
{
	look_away(arrival);
	arrival->source = g_source_new(&source_funcs, sizeof(GSource));
	if (!wait)
		g_source_add_unix_fd(arrival->source, arrival->fd, G_IO_IN);
	g_source_set_ready_time(arrival->source, arrival->deadline);
	g_source_set_callback(arrival->source, on_arrival, arrival, NULL);
	g_source_attach(arrival->source, arrival->door->context);
}

/* Closes what it still has. */
static void arrival_free(struct arrival *arrival)
{
	struct door *door = arrival->door;

	pthread_mutex_lock(&door->lock);
	g_queue_remove(&door->arrivals, arrival);
	door->counts.underway = door->arrivals.length;
	pthread_mutex_unlock(&door->lock);
	look_away(arrival);
	check_forget(arrival->check);
	handshake_finish(&arrival->handshake);
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
			door_say(door, arrival->peer, "turned away", why);
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
		.user = handshake_user(&arrival->handshake),
	};
	const char *reason;

	guest.ticket = door_take_place(door, arrival->host, &reason);
	if (!guest.ticket) {
		fail_arrival(arrival, reason);
		return;
	}
	/* No source may look at the descriptor of somebody else. */
	look_away(arrival);
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
	const char *reason = door_no_place(door, arrival->host);

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
	case HANDSHAKE_CHECK:
		arrival->check = checks_ask(door->checks, arrival->host, arrival->handshake.name,
					    arrival->handshake.key, arrival);
		look_out(arrival, true);
		return;
	case HANDSHAKE_DONE:
		welcome(arrival);
		return;
	case HANDSHAKE_REFUSED:
		if (arrival->refused)
			return;
		arrival->refused = true;
		count(door, &door->counts.refused);
		door_say(door, arrival->peer, "refused", arrival->handshake.reason);
		set_deadline(arrival, REFUSED_US);
		return;
	case HANDSHAKE_FAILED:
		fail_arrival(arrival, arrival->handshake.reason);
		return;
	}
}

/* Called when the peer sent something and at the deadline, whichever comes first. */
static gboolean on_arrival(gpointer data)
{
	struct arrival *arrival = data;

	if (g_get_monotonic_time() >= arrival->deadline)
		fail_arrival(arrival, "it took too long");
	else
		advance(arrival, handshake_feed(&arrival->handshake));
	return G_SOURCE_CONTINUE;
}

/* It is heard again. */
static void go_on(struct arrival *arrival, enum handshake_step step)
{
	look_out(arrival, false);
	advance(arrival, step);
}

/* Its host may have used its tries up meanwhile, on other connections. */
static bool check_turn(void *data)
{
	struct arrival *arrival = data;
	const char *reason = refusal(arrival);

	if (!reason)
		return true;
	arrival->check = NULL;
	go_on(arrival, handshake_refuse(&arrival->handshake, reason));
	return false;
}

static void check_done(void *data, enum password_verdict verdict)
{
	struct arrival *arrival = data;

	arrival->check = NULL;
	if (verdict != PASSWORD_WRONG)
		log_info("%s: %s is the user %s", arrival->door->options.name, arrival->peer,
			 arrival->handshake.name);
	go_on(arrival, handshake_judge(&arrival->handshake, verdict));
}

const struct check_ops arrival_check_ops = {
	.turn = check_turn,
	.done = check_done,
};

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

/* The handshake goes on behind TLS: its pump is watched from now on, until the same deadline. */
static int secure(int *fd, void *data)
{
	struct arrival *arrival = data;
	int wire = arrival->fd, r;

	look_away(arrival);
	arrival->fd = -1;
	r = tls_stream_pump(wire, arrival->door->options.certificate, &arrival->pump, &arrival->fd);
	if (r)
		return r;
	arrival->wire = wire;
	*fd = arrival->fd;
	look_out(arrival, false);
	return 0;
}

/* In the door's thread; the arrival has everything but its handshake. */
static void begin(struct arrival *arrival, bool local, bool encrypted)
{
	struct door *door = arrival->door;
	/* Who brings somebody sees to it that he comes by TLS where he has to. */
	bool brought = arrival->pump != NULL;
	struct handshake_rules rules = {
		.open = local || door->options.insecure,
		.plain = local || brought || !door->options.only_tls,
		.encrypted = encrypted,
		.passwords = door->options.passwords,
		.users = door->options.users != NULL,
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
	look_out(arrival, false);
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

void arrival_begin(struct door *door, const struct gate_peer *peer, bool local)
{
	struct arrival *arrival = arrival_new(door, peer->fd);

	arrival->peer = peer->name;
	arrival->host = peer->host;
	begin(arrival, local, false);
}

void arrivals_end(struct door *door)
{
	while (door->arrivals.head)
		arrival_free(door->arrivals.head->data);
}

/* On its way to the door's thread. */
struct adoption {
	struct arrival *arrival; /* NULL: it has arrived */
	bool local, encrypted;
};

static gboolean on_adoption(gpointer data)
{
	struct adoption *adoption = data;

	begin(g_steal_pointer(&adoption->arrival), adoption->local, adoption->encrypted);
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
	adoption->encrypted = stranger->encrypted;
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_adoption, adoption, adoption_free);
	g_source_attach(source, door->context);
	g_source_unref(source);
}
