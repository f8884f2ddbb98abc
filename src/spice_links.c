/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_links.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "plain_stream.h"
#include "spice_framing.h"
#include "spice_links_own.h"
#include "tcp_pair.h"
#include "tls_stream.h"

#define HANDSHAKE    0x16 /* the first byte of TLS; that of SPICE is "R" */
#define UNDERWAY     64u  /* links that are not through */
#define CHANNELS     16u  /* of a session; clients have about eight */
#define TICK_MS      250
#define LOG_BURST    20
#define LOG_INTERVAL (10 * G_TIME_SPAN_SECOND)

void spice_links_say(struct spice_links *links, const char *peer, const char *what, const char *why)
{
	unsigned int missed;

	if (!log_limit_pass(&links->limit, LOG_BURST, LOG_INTERVAL, &missed))
		return;
	if (missed)
		log_info("spice: %u lines left out", missed);
	log_info("spice: %s %s%s%s", peer, what, why ? ": " : "", why ? why : "");
}

static void add_count(struct spice_links *links, unsigned int *count)
{
	pthread_mutex_lock(&links->lock);
	(*count)++;
	pthread_mutex_unlock(&links->lock);
}

static void set_stage(struct link *link, enum stage stage)
{
	pthread_mutex_lock(&link->links->lock);
	link->stage = stage;
	link->links->counts.sessions = spice_links_count_sessions(link->links, NULL);
	pthread_mutex_unlock(&link->links->lock);
}

static void drop_source(GSource **source)
{
	if (*source) {
		g_source_destroy(*source);
		g_source_unref(*source);
		*source = NULL;
	}
}

/* Its client's words go on to spice-server, or nowhere any more. */
static void let_speak(struct link *link)
{
	pthread_mutex_lock(&link->links->lock);
	link->settled = true;
	pthread_cond_broadcast(&link->links->settling);
	pthread_mutex_unlock(&link->links->lock);
}

static const char *end_pump(struct link *link)
{
	const char *broken;

	let_speak(link);
	broken = pump_finish(link->pump);
	link->pump = NULL;
	return broken;
}

/* The link is out of spice-server's hands. */
static void link_free(struct link *link)
{
	struct spice_links *links = link->links;
	const char *broken;

	pthread_mutex_lock(&links->lock);
	g_ptr_array_remove_fast(links->links, link);
	links->counts.links = links->links->len;
	links->counts.sessions = spice_links_count_sessions(links, NULL);
	pthread_mutex_unlock(&links->lock);
	if (!links->links->len)
		drop_source(&links->tick);
	drop_source(&link->source);
	if (link->fd >= 0)
		close(link->fd);
	broken = end_pump(link);
	if (broken)
		spice_links_say(links, link->peer, "cut off", broken);
	if (link->wire >= 0) {
		/* Others have no copy any more, but the peer shall know it at once. */
		shutdown(link->wire, SHUT_RDWR);
		close(link->wire);
	}
	g_free(link->peer);
	g_free(link->host);
	g_free(link);
	links->options.changed(links->options.data);
}

/* Ends a link wherever it is; that of spice-server follows by its event. */
static void cut(struct link *link)
{
	if (link->stage >= STAGE_LINKING)
		shutdown(link->wire, SHUT_RDWR);
	else
		link_free(link);
}

static void refuse(struct link *link, const char *why)
{
	add_count(link->links, &link->links->counts.refused);
	spice_links_say(link->links, link->peer, "refused", why);
	cut(link);
}

static void cut_session(struct spice_links *links, uint32_t session)
{
	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];

		if (link->stage != STAGE_THROUGH || link->session != session)
			continue;
		link->leaving = true;
		shutdown(link->wire, SHUT_RDWR);
	}
}

/* With spice-server. */

static void hand_over(struct link *link)
{
	struct spice_links *links = link->links;
	int fd = link->fd;

	set_stage(link, STAGE_LINKING);
	link->fd = -1;
	links->entering = link;
	if (spice_server_add_client(links->server, fd, FALSE) && links->entering) {
		close(fd);
		link_free(link);
	}
	links->entering = NULL;
	/* A quick client is through already. */
	spice_links_after(links);
}

static void on_through(struct link *link, const SpiceChannelEventInfo *info)
{
	struct spice_links *links = link->links;
	unsigned int all = spice_links_count_sessions(links, NULL),
		     same = spice_links_count_sessions(links, link->host);

	backoff_proved(links->backoff, link->host);
	link->main = info->type == SPICE_CHANNEL_MAIN;
	link->session = (uint32_t)info->connection_id;
	set_stage(link, STAGE_THROUGH);
	links->unsettled = true;
	if (!link->main) {
		if (spice_links_count_channels(links, link->session) > CHANNELS)
			refuse(link, "too many channels");
		return;
	}
	if (links->options.sessions > 1 && all >= links->options.sessions)
		refuse(link, "too many clients");
	else if (links->options.per_address && same >= links->options.per_address)
		refuse(link, "too many clients from this address");
	else
		spice_links_say(links, link->peer,
				links->options.view_only ? "connected, to watch" : "connected",
				NULL);
	links->options.changed(links->options.data);
}

static void on_gone(struct link *link)
{
	struct spice_links *links = link->links;
	const char *broken = end_pump(link);

	if (link->stage == STAGE_LINKING) {
		if (links->options.password)
			backoff_failed(links->backoff, link->host, g_get_monotonic_time());
		add_count(links, &links->counts.failed);
		spice_links_say(links, link->peer, "turned away",
				broken ? broken : "it gave no valid ticket or broke off");
	} else if (broken) {
		spice_links_say(links, link->peer, "cut off", broken);
		cut_session(links, link->session);
	} else if (link->main) {
		spice_links_say(links, link->peer, "left", NULL);
	}
	link_free(link);
}

void spice_links_event(int event, const SpiceChannelEventInfo *info, void *data)
{
	struct spice_links *links = data;
	struct link *link = NULL;

	if (event == SPICE_CHANNEL_EVENT_CONNECTED && links->entering) {
		links->entering->info = info;
		links->entering = NULL;
		return;
	}
	for (guint i = 0; i < links->links->len && !link; i++) {
		link = links->links->pdata[i];
		if (link->info != info)
			link = NULL;
	}
	if (link && event == SPICE_CHANNEL_EVENT_INITIALIZED)
		on_through(link, info);
	else if (link && event == SPICE_CHANNEL_EVENT_DISCONNECTED)
		on_gone(link);
}

void spice_links_after(void *data)
{
	struct spice_links *links = data;

	if (!links->unsettled)
		return;
	links->unsettled = false;
	links->options.settle(links->options.data);
	for (guint i = 0; i < links->links->len; i++)
		if (((struct link *)links->links->pdata[i])->stage == STAGE_THROUGH)
			let_speak(links->links->pdata[i]);
}

/* What it says, in its pump's thread. */

/* The link message has been read. The fault, or NULL. */
static const char *ask(struct link *link)
{
	struct spice_links *links = link->links;
	const struct spice_guard *own = &link->guard;
	const char *fault = NULL;

	pthread_mutex_lock(&links->lock);
	for (guint i = 0; own->session && !fault && i < links->links->len; i++) {
		const struct link *other = links->links->pdata[i];

		if (other->asked && other->guard.session == own->session &&
		    other->guard.type == own->type && other->guard.id == own->id)
			fault = "it opens a channel that it has";
	}
	link->asked = !fault;
	pthread_mutex_unlock(&links->lock);
	return fault;
}

/* spice-server has the ticket: waits until it has the channel, or is through with it. */
static void wait_for_server(struct link *link)
{
	struct spice_links *links = link->links;

	pthread_mutex_lock(&links->lock);
	while (!link->settled)
		pthread_cond_wait(&links->settling, &links->lock);
	pthread_mutex_unlock(&links->lock);
}

/* It has acknowledged something. The fault, or NULL. */
static const char *acknowledge(struct link *link)
{
	const char *fault;

	pthread_mutex_lock(&link->links->lock);
	link->acked = link->guard.acks;
	fault = spice_acks_heard(&link->acks, link->guard.generation, g_get_monotonic_time());
	pthread_mutex_unlock(&link->links->lock);
	return fault;
}

static const char *on_heard(void *data, const void *bytes, size_t length, size_t *taken,
			    GByteArray *out)
{
	struct link *link = data;
	const uint8_t *at = bytes;
	const char *fault = NULL;
	bool proved = spice_guard_is_proved(&link->guard);
	bool workers = proved && spice_guard_is_workers(&link->guard);

	if (proved)
		wait_for_server(link);
	if (!length) {
		spice_links_end(link);
		return NULL;
	}
	do {
		*taken += spice_guard_next(&link->guard, at + *taken, length - *taken, out, &fault);
		if (!fault && !link->asked && spice_guard_is_linked(&link->guard))
			fault = ask(link);
		if (!fault && link->acked != link->guard.acks)
			fault = acknowledge(link);
	} while (!workers && !fault && *taken < length &&
		 proved == spice_guard_is_proved(&link->guard));
	if (workers && !fault)
		spice_links_enter(link, !spice_guard_acknowledges(&link->guard));
	return fault;
}

/* In its pump's writing thread. */
static void on_said(void *data, const void *bytes, size_t length)
{
	struct link *link = data;

	pthread_mutex_lock(&link->links->lock);
	link->links->said += length;
	spice_acks_sent(&link->acks, bytes, length, g_get_monotonic_time());
	pthread_mutex_unlock(&link->links->lock);
}

/* Before that. */

static void look_out(struct link *link);

static size_t message(void *framing, const void *bytes, size_t length)
{
	return spice_framing_next(framing, bytes, length);
}

/* What it says from now on comes out of the pump, if this succeeds; else the link is gone. */
static bool put_pump(struct link *link, bool tls)
{
	struct certificate *certificate = link->links->options.certificate;
	const struct pump_tap tap = {.heard = on_heard,
				     .passed = spice_links_passed,
				     .said = on_said,
				     .data = link,
				     .hurry = link->links->hurry_fd,
				     .tcp = tcp_pair_fits(link->fd)};
	int fd = link->fd, r;

	link->wire = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (link->wire < 0) {
		refuse(link, g_strerror(errno));
		return false;
	}
	link->fd = -1;
	link->tls = tls;
	if (tls)
		r = tls_stream_pump_pieces(fd, certificate, message,
					   g_new0(struct spice_framing, 1), &tap, &link->pump,
					   &link->fd);
	else
		r = plain_stream_pump(fd, &tap, &link->pump, &link->fd);
	if (r)
		refuse(link, g_strerror(-r));
	return !r;
}

static void on_word(struct link *link)
{
	struct spice_links *links = link->links;
	bool plain = !links->options.only_tls || link->local;
	uint8_t first;
	ssize_t n = recv(link->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		add_count(links, &links->counts.failed);
		link_free(link);
		return;
	}
	drop_source(&link->source);
	if (first == HANDSHAKE && links->options.certificate && !link->pump) {
		if (put_pump(link, true))
			look_out(link);
	} else if (!link->pump && !plain) {
		refuse(link, "it does not use TLS");
	} else if (!link->pump && !put_pump(link, false)) {
		return;
	} else if (spice_links_count_sessions(links, NULL)) {
		hand_over(link);
	} else {
		set_stage(link, STAGE_HELD);
		links->options.changed(links->options.data);
	}
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	(void)fd;
	(void)condition;
	on_word(data);
	return G_SOURCE_CONTINUE;
}

static void look_out(struct link *link)
{
	link->source = g_unix_fd_source_new(link->fd, G_IO_IN);
	g_source_set_callback(link->source, G_SOURCE_FUNC(on_readable), link, NULL);
	g_source_attach(link->source, link->links->context);
}

/* It has all that was sent to it, and does not say the word that it owes. Who is always late with
 * one, but says it, may owe another at each look. */
static bool is_mute(struct link *link, gint64 now)
{
	gint64 owed;

	pthread_mutex_lock(&link->links->lock);
	owed = spice_acks_owed(&link->acks, now);
	pthread_mutex_unlock(&link->links->lock);
	if (!owed || link->flow.queued || !link->silent)
		link->silent = now;
	return MIN(now - link->silent, owed) >= link->links->options.stall_us;
}

static void check(struct link *link, gint64 now)
{
	struct spice_links *links = link->links;

	if (link->stage < STAGE_THROUGH && now >= link->deadline) {
		if (link->stage < STAGE_LINKING)
			add_count(links, &links->counts.failed);
		link->deadline = G_MAXINT64;
		spice_links_say(links, link->peer, "cut off", "it took too long");
		cut(link);
	} else if (link->stage == STAGE_THROUGH && !link->leaving &&
		   (flow_is_stalled(&link->flow, link->wire, now, links->options.stall_us) ||
		    is_mute(link, now))) {
		add_count(links, &links->counts.stalled);
		spice_links_say(links, link->peer, "cut off",
				"it took nothing that was sent to it");
		cut_session(links, link->session);
	}
}

static gboolean on_tick(gpointer data)
{
	struct spice_links *links = data;
	gint64 now = g_get_monotonic_time();

	for (guint i = links->links->len; i; i--)
		check(links->links->pdata[i - 1], now);
	return G_SOURCE_CONTINUE;
}

/* The oldest of those who are not through makes room. */
static void make_room(struct spice_links *links)
{
	struct link *oldest = NULL;
	unsigned int count = 0;

	for (guint i = 0; i < links->links->len; i++) {
		struct link *link = links->links->pdata[i];

		if (link->stage == STAGE_THROUGH || link->deadline == G_MAXINT64)
			continue;
		count++;
		if (!oldest || link->since < oldest->since)
			oldest = link;
	}
	if (count < UNDERWAY)
		return;
	oldest->deadline = G_MAXINT64;
	refuse(oldest, "pushed out by newcomers");
}

static void on_receive(void *data, const struct listener *listener, const struct gate_peer *peer)
{
	struct spice_links *links = data;
	struct link *link = g_new0(struct link, 1);

	make_room(links);
	*link = (struct link){.links = links,
			      .fd = peer->fd,
			      .wire = -1,
			      .peer = peer->name,
			      .host = peer->host,
			      .local = listener->local,
			      .since = g_get_monotonic_time(),
			      .wall_us = g_get_real_time()};
	link->deadline = link->since + links->options.link_us;
	pthread_mutex_lock(&links->lock);
	g_ptr_array_add(links->links, link);
	links->counts.links = links->links->len;
	links->counts.accepted++;
	pthread_mutex_unlock(&links->lock);
	if (!links->tick) {
		links->tick = g_timeout_source_new(TICK_MS);
		g_source_set_callback(links->tick, on_tick, links, NULL);
		g_source_attach(links->tick, links->context);
	}
	if (backoff_waits(links->backoff, link->host, link->since)) {
		refuse(link, "too many wrong tickets from this address, try again later");
		return;
	}
	look_out(link);
}

static void on_tired(void *data, const struct listener *listener, const char *reason)
{
	spice_links_say(data, listener->name, "accepts nobody", reason);
}

static const struct gate_ops gate_ops = {
	.receive = on_receive,
	.tired = on_tired,
};

int spice_links_listen(struct spice_links *links, const char *spec, GError **error)
{
	const struct spice_links_options *options = &links->options;
	const struct listener_rules rules = {
		.server = "spice",
		.refusal = options->password || options->insecure
				   ? NULL
				   : "no ticket is asked for (give --spice-password-file",
		.plain = options->only_tls      ? NULL
			 : options->certificate ? " for clients without TLS"
						: "",
	};

	return gates_open(&rules, spec, links->context, &gate_ops, links, links->gates, error);
}

bool spice_links_are_held(struct spice_links *links)
{
	bool held = false;

	for (guint i = 0; i < links->links->len; i++)
		held |= ((struct link *)links->links->pdata[i])->stage == STAGE_TOLD;
	return held;
}

void spice_links_admit(struct spice_links *links)
{
	for (guint i = links->links->len; i; i--) {
		struct link *link = links->links->pdata[i - 1];

		if (link->stage == STAGE_TOLD)
			hand_over(link);
	}
}

bool spice_links_close(struct spice_links *links)
{
	if (!links->closing)
		g_ptr_array_set_size(links->gates, 0);
	links->closing = true;
	for (guint i = links->links->len; i; i--)
		cut(links->links->pdata[i - 1]);
	return links->links->len > 0;
}

struct spice_links *spice_links_create(const struct spice_links_options *options,
				       GMainContext *context)
{
	struct spice_links *links = g_new0(struct spice_links, 1);

	links->options = *options;
	links->context = context;
	links->backoff = backoff_create();
	links->gates = g_ptr_array_new_with_free_func(gate_close);
	links->links = g_ptr_array_new();
	pthread_mutex_init(&links->lock, NULL);
	pthread_cond_init(&links->settling, NULL);
	links->hurry_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return links;
}

void spice_links_serve(struct spice_links *links, SpiceServer *server)
{
	links->server = server;
}

void spice_links_destroy(struct spice_links *links)
{
	if (!links)
		return;
	drop_source(&links->tick);
	g_ptr_array_unref(links->gates);
	g_ptr_array_unref(links->links);
	backoff_destroy(links->backoff);
	if (links->hurry_fd >= 0)
		close(links->hurry_fd);
	pthread_cond_destroy(&links->settling);
	pthread_mutex_destroy(&links->lock);
	g_free(links);
}
