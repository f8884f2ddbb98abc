/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_sink.h"

#include <errno.h>
#include <string.h>

#include "heap.h"
#include "log.h"
#include "member.h"
#include "spice_agent.h"
#include "spice_core.h"
#include "spice_display.h"
#include "spice_input.h"
#include "spice_links.h"

#define DEFAULT_LINK_MS  10000
#define DEFAULT_STALL_MS 5000
#define TICK_MS          250
#define FINISH_ROUNDS    16 /* of a look at the worker each */
#define PARTING_MS       5
#define PARTING_ROUNDS   400
#define STILL_TICKS      4    /* then who keeps the others waiting has to go */
#define CLOSING_MS       2000 /* for spice-server to let go of everybody */

const char *const spice_compression_names[] = {"lz4",     "lz",       "glz", "quic",
					       "auto_lz", "auto_glz", "off", NULL};
static const SpiceImageCompression compressions[] = {
	SPICE_IMAGE_COMPRESSION_LZ4,     SPICE_IMAGE_COMPRESSION_LZ,
	SPICE_IMAGE_COMPRESSION_GLZ,     SPICE_IMAGE_COMPRESSION_QUIC,
	SPICE_IMAGE_COMPRESSION_AUTO_LZ, SPICE_IMAGE_COMPRESSION_AUTO_GLZ,
	SPICE_IMAGE_COMPRESSION_OFF,
};
const char *const spice_streaming_names[] = {"off", "filter", "all", NULL};
static const int streamings[] = {
	SPICE_STREAM_VIDEO_OFF,
	SPICE_STREAM_VIDEO_FILTER,
	SPICE_STREAM_VIDEO_ALL,
};

struct spice {
	struct sink sink; /* first: ops get it */
	char *name, *ticket;
	guint compression, streaming;
	unsigned int clients;
	struct input *hub;
	struct clipboard *clipboard;

	GThread *thread;
	GMainContext *context;
	gint closing; /* atomic */
	GMutex lock;  /* of what follows */
	GCond ready;
	gint started;                     /* 0: not yet; 1, or -errno */
	uint32_t wish_width, wish_height; /* of a client, not told of yet; 0: none */

	/* Of the thread, but for what they allow. */
	SpiceServer *server;
	struct spice_display *display;
	struct spice_links *links;
	struct spice_input *input; /* NULL: all only watch */
	struct spice_agent *agent; /* NULL: clients neither copy nor resize */
	unsigned int sessions;
	bool served;          /* somebody is with spice-server, perhaps without a ticket yet */
	unsigned int still;   /* ticks without anything taken that was there */
	unsigned int parting; /* how often a new mode has waited for those who are cut off */
};

/* The thread. */

/* For the thread to do, in the order of the calls. */
static void tell_later(struct spice *spice, guint ms, GSourceFunc function)
{
	GSource *source = ms ? g_timeout_source_new(ms) : g_idle_source_new();

	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, function, spice, NULL);
	g_source_attach(source, spice->context);
	g_source_unref(source);
}

static void tell(struct spice *spice, GSourceFunc function)
{
	tell_later(spice, 0, function);
}

/* Later than the event that tells of it, since that comes out of a call of spice-server. */
static gboolean on_watched(gpointer data)
{
	struct spice *spice = data;

	if (spice_links_are_served(spice->links)) {
		spice_display_watch(spice->display);
	} else {
		spice_display_rest(spice->display);
		heap_trim(); /* for as long as nobody watches */
	}
	return G_SOURCE_REMOVE;
}

static void on_changed(void *data)
{
	struct spice *spice = data;
	struct spice_links_counts counts;
	bool served = spice_links_are_served(spice->links);

	spice_links_count(spice->links, &counts);
	if (!counts.sessions && spice->sessions && spice->input)
		spice_input_release(spice->input);
	spice->sessions = counts.sessions;
	if (served != spice->served)
		tell(spice, on_watched);
	spice->served = served;
	if (!g_atomic_int_get(&spice->closing))
		sink_poke(&spice->sink);
}

static void on_drained(void *data)
{
	struct spice *spice = data;

	if (!g_atomic_int_get(&spice->closing))
		sink_poke(&spice->sink);
}

static void on_opened(void *data)
{
	spice_display_join(((struct spice *)data)->display);
}

/* A client's window has another size. Of several wishes the last counts. */
static void on_wished(uint32_t width, uint32_t height, void *data)
{
	struct spice *spice = data;

	g_mutex_lock(&spice->lock);
	spice->wish_width = width;
	spice->wish_height = height;
	g_mutex_unlock(&spice->lock);
	if (!g_atomic_int_get(&spice->closing))
		sink_poke(&spice->sink);
}

static gboolean on_tick(gpointer data)
{
	struct spice *spice = data;

	spice->still = spice_display_tick(spice->display) ? 0 : spice->still + 1;
	if (spice->still >= STILL_TICKS)
		spice_links_press(spice->links, STILL_TICKS * TICK_MS * G_TIME_SPAN_MILLISECOND);
	return G_SOURCE_CONTINUE;
}

static GSource *add_tick(struct spice *spice, guint ms)
{
	GSource *tick = g_timeout_source_new(ms);

	g_source_set_callback(tick, on_tick, spice, NULL);
	g_source_attach(tick, spice->context);
	return tick;
}

static void drop_tick(GSource **tick)
{
	if (!*tick)
		return;
	g_source_destroy(*tick);
	g_source_unref(*tick);
	*tick = NULL;
}

static gboolean on_turn(gpointer data)
{
	spice_display_turn(((struct spice *)data)->display);
	return G_SOURCE_REMOVE;
}

static void on_needed(void *data)
{
	tell(data, on_turn);
}

static const struct spice_display_ops watching = {.drained = on_drained, .needed = on_needed};
static const struct spice_display_ops resizing = {
	.drained = on_drained, .needed = on_needed, .wished = on_wished};

static gboolean on_captured(gpointer data)
{
	struct spice *spice = data;

	if (!spice_links_are_held(spice->links))
		return G_SOURCE_REMOVE;
	spice->served = true;
	spice_display_watch(spice->display);
	if (!spice->sessions)
		spice_display_settle(spice->display);
	spice_links_admit(spice->links);
	return G_SOURCE_REMOVE;
}

/* In a hurry: until spice-server has no more to say to anybody. When it takes a surface away it
 * waits for each client by itself, ten milliseconds at a time (server/red-channel-client.cpp); here
 * all are written to at once. False: it waits for a client's word. */
static bool let_finish(struct spice *spice)
{
	bool open = true, more = true;

	for (int i = 0; more && i < FINISH_ROUNDS; i++) {
		uint64_t said = spice_links_said(spice->links);

		open = spice_display_is_open(spice->display);
		more = spice_links_said(spice->links) != said;
	}
	return open;
}

static gboolean on_resized(gpointer data)
{
	struct spice *spice = data;
	bool waits;

	spice_links_hurry(spice->links, true);
	waits = !let_finish(spice);
	waits |= spice_links_part(spice->links);
	if (waits && spice->parting++ < PARTING_ROUNDS) {
		tell_later(spice, PARTING_MS, on_resized);
	} else {
		spice->parting = 0;
		spice_display_adapt(spice->display);
	}
	spice_links_hurry(spice->links, false);
	return G_SOURCE_REMOVE;
}

static int start(struct spice *spice)
{
	SpiceServer *server;
	int r;

	/* spice-server has no other switch for more than one client; it is read at its start. */
	if (spice->clients > 1)
		g_setenv("SPICE_DEBUG_ALLOW_MC", "1", TRUE);
	else
		g_unsetenv("SPICE_DEBUG_ALLOW_MC");
	server = spice->server = spice_server_new();
	spice_server_set_name(server, spice->name);
	if (spice->ticket)
		r = spice_server_set_ticket(server, spice->ticket, 0, FALSE, FALSE);
	else
		r = spice_server_set_noauth(server);
	spice_server_set_image_compression(server, compressions[spice->compression]);
	spice_server_set_streaming_video(server, streamings[spice->streaming]);
	/* Nothing is lossy that was not asked for. */
	spice_server_set_jpeg_compression(server, SPICE_WAN_COMPRESSION_NEVER);
	spice_server_set_zlib_glz_compression(server, SPICE_WAN_COMPRESSION_NEVER);
	spice_server_set_agent_mouse(server, FALSE);
	if (r || spice_server_init(server, spice_core_open(spice->context, spice_links_event,
							   spice_links_after, spice->links)))
		return -EIO;
	spice_links_serve(spice->links, server);
	r = spice_display_attach(spice->display, server);
	if (!r && spice->hub)
		spice->input = spice_input_create(spice->hub, server, spice->context);
	if (!r && (spice->hub || spice->clipboard))
		spice->agent = spice_agent_create(spice->hub != NULL, spice->clipboard, server,
						  spice->context);
	spice_server_vm_start(server);
	return r;
}

static void finish(struct spice *spice)
{
	gint64 end = g_get_monotonic_time() + CLOSING_MS * G_TIME_SPAN_MILLISECOND;
	/* What ends a channel are its events. */
	GSource *tick = add_tick(spice, 10);

	while (spice_links_close(spice->links) && g_get_monotonic_time() < end)
		g_main_context_iteration(spice->context, TRUE);
	drop_tick(&tick);
	spice_server_vm_stop(spice->server);
	spice_core_close();
	spice_server_destroy(spice->server);
	spice_input_destroy(spice->input);
	spice_agent_destroy(spice->agent);
}

static gpointer run(gpointer data)
{
	struct spice *spice = data;
	GSource *tick = NULL;
	int r;

	g_main_context_push_thread_default(spice->context);
	r = start(spice);
	g_mutex_lock(&spice->lock);
	spice->started = r ? r : 1;
	g_cond_signal(&spice->ready);
	g_mutex_unlock(&spice->lock);
	while (!g_atomic_int_get(&spice->closing)) {
		/* Ticks while there are clients: without any, the thread sleeps. */
		if (spice->sessions && !tick)
			tick = add_tick(spice, TICK_MS);
		else if (!spice->sessions)
			drop_tick(&tick);
		g_main_context_iteration(spice->context, TRUE);
	}
	drop_tick(&tick);
	finish(spice);
	g_main_context_pop_thread_default(spice->context);
	return NULL;
}

/* The sink. */

static int spice_resize(struct sink *sink, struct frame *frame)
{
	struct spice *spice = (struct spice *)sink;
	int r = spice_display_resize(spice->display, frame);

	if (!r)
		tell(spice, on_resized);
	return r;
}

static void spice_wake(struct sink *sink, const struct damage *damage, const struct moves *moves)
{
	(void)moves;
	spice_display_damage(((struct spice *)sink)->display, damage);
}

static void spice_pointer(struct sink *sink, struct pointer *shape, int32_t x, int32_t y)
{
	spice_display_pointer(((struct spice *)sink)->display, shape, x, y);
}

static void spice_captured(struct sink *sink)
{
	tell((struct spice *)sink, on_captured);
}

static void spice_demand(struct sink *sink, struct sink_demand *demand)
{
	struct spice *spice = (struct spice *)sink;

	*demand = (struct sink_demand){0};
	spice_links_demand(spice->links, demand);
	/* spice-server takes for all of them together. */
	if (spice_display_is_idle(spice->display))
		demand->waiting = demand->clients;
	g_mutex_lock(&spice->lock);
	demand->wish_width = spice->wish_width;
	demand->wish_height = spice->wish_height;
	spice->wish_width = spice->wish_height = 0;
	g_mutex_unlock(&spice->lock);
}

/* The protocol has no answer: a client sees what mode there is. */
static void spice_answer(struct sink *sink, int ret)
{
	(void)sink;
	if (ret && ret != -EINPROGRESS)
		log_debug("spice: a client's size is refused: %s", g_strerror(-ret));
}

struct common {
	struct spice *spice;
	struct spice_display_counts counts;
	size_t pending;
	bool idle;
};

static void describe_common(JsonBuilder *json, void *data)
{
	const struct common *common = data;

	member_string(json, "encoding", spice_compression_names[common->spice->compression]);
	member_null(json, "quality");
	member_null(json, "compression");
	member_int(json, "updates", (gint64)common->counts.drawn);
	member_bool(json, "waiting", common->idle);
	member_int(json, "pending_cells", (gint64)common->pending);
	member_int(json, "lag_ms", 0);
}

static void spice_describe(struct sink *sink, JsonBuilder *json)
{
	struct spice *spice = (struct spice *)sink;
	struct common common = {
		.spice = spice,
		.pending = spice_display_pending(spice->display),
		.idle = spice_display_is_idle(spice->display),
	};
	struct spice_links_counts counts;

	spice_links_count(spice->links, &counts);
	spice_display_count(spice->display, &common.counts);
	member_int(json, "accepted", counts.accepted);
	member_int(json, "refused", counts.refused);
	member_int(json, "failed", counts.failed);
	member_int(json, "stalled", counts.stalled);
	member_int(json, "links", counts.links);
	member_int(json, "drawables", common.counts.held);
	member_int(json, "out_of_room", (gint64)common.counts.oom);
	member_array(json, "clients");
	spice_links_describe(spice->links, json, describe_common, &common);
	json_builder_end_array(json);
}

static void spice_close(struct sink *sink)
{
	struct spice *spice = (struct spice *)sink;

	if (spice->thread) {
		g_atomic_int_set(&spice->closing, 1);
		g_main_context_wakeup(spice->context);
		g_thread_join(spice->thread);
	}
	spice_links_destroy(spice->links);
	spice_display_destroy(spice->display);
	g_main_context_unref(spice->context);
	g_cond_clear(&spice->ready);
	g_mutex_clear(&spice->lock);
	g_free(spice->name);
	if (spice->ticket)
		explicit_bzero(spice->ticket, strlen(spice->ticket));
	g_free(spice->ticket);
	g_free(spice);
}

static const struct sink_ops spice_ops = {
	.name = "spice",
	.resize = spice_resize,
	.wake = spice_wake,
	.pointer = spice_pointer,
	.captured = spice_captured,
	.demand = spice_demand,
	.answer = spice_answer,
	.describe = spice_describe,
	.close = spice_close,
};

static guint find(const char *const *names, const char *name)
{
	guint i = 0;

	while (name && names[i] && strcmp(names[i], name) != 0)
		i++;
	return names[i] ? i : 0;
}

static struct spice_links *make_links(const struct spice_options *options, struct spice *spice)
{
	unsigned int link_ms = options->link_ms ? options->link_ms : DEFAULT_LINK_MS;
	unsigned int stall_ms = options->stall_ms ? options->stall_ms : DEFAULT_STALL_MS;
	struct spice_links_options links = {
		.sessions = spice->clients,
		.per_address = options->per_address,
		.password = options->ticket != NULL,
		.view_only = !options->input,
		.certificate = options->certificate,
		.only_tls = options->only_tls,
		.insecure = options->insecure,
		.link_us = link_ms * G_TIME_SPAN_MILLISECOND,
		.stall_us = stall_ms * G_TIME_SPAN_MILLISECOND,
		.changed = on_changed,
		.settle = on_opened,
		.data = spice,
	};

	return spice_links_create(&links, spice->context);
}

int spice_create(const struct spice_options *options, struct frame *frame, struct sink **sink,
		 GError **error)
{
	struct spice *spice = g_new0(struct spice, 1);
	int r = -ENOMEM;

	spice->sink.ops = &spice_ops;
	spice->name = g_strdup(options->name ? options->name : "planecast");
	spice->ticket = g_strdup(options->ticket);
	spice->compression = find(spice_compression_names, options->compression);
	spice->streaming = find(spice_streaming_names, options->streaming);
	spice->clients = MAX(options->clients, 1);
	spice->hub = options->input;
	spice->clipboard = options->clipboard;
	g_mutex_init(&spice->lock);
	g_cond_init(&spice->ready);
	spice->context = g_main_context_new();
	spice->links = make_links(options, spice);
	spice->display = spice_display_create(frame, spice->hub ? &resizing : &watching, spice);
	if (spice->display) {
		spice->thread = g_thread_try_new("spice", run, spice, NULL);
		r = spice->thread ? 0 : -EAGAIN;
	}
	g_mutex_lock(&spice->lock);
	while (!r && !spice->started)
		g_cond_wait(&spice->ready, &spice->lock);
	r = spice->started < 0 ? spice->started : r;
	g_mutex_unlock(&spice->lock);
	if (r) {
		spice_close(&spice->sink);
		return fail(error, EXIT_FAILED, -r, "spice-server does not start: %s",
			    g_strerror(-r));
	}
	*sink = &spice->sink;
	return 0;
}

int spice_listen(struct sink *sink, const char *address, GError **error)
{
	return spice_links_listen(((struct spice *)sink)->links, address, error);
}
