/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "door_gate.h"
#include "http.h"
#include "log.h"

#define LOG_BURST    10
#define LOG_INTERVAL (10 * G_TIME_SPAN_SECOND)

struct web {
	struct web_options options;
	char **hosts;
	struct http *http;
	GThread *thread;
	GMainContext *context;
	gint quit;              /* atomic */
	struct log_limit limit; /* of the thread */
	GQueue visitors;        /* of the thread; oldest first */
	GPtrArray *gates;       /* of who listens */

	pthread_mutex_t lock; /* of all below */
	struct web_counts counts;
};

/* A connection that is not a WebSocket yet. */
struct visitor {
	struct web *web;
	struct http_visit *visit;
	GSource *deadline;
	char *peer, *host;
	bool local, served;
	bool encrypted; /* by us, or by the proxy that comes by a unix socket */
};

static void say(struct web *web, const char *who, const char *what, const char *why)
{
	unsigned int missed;

	if (!log_limit_pass(&web->limit, LOG_BURST, LOG_INTERVAL, &missed))
		return;
	if (missed)
		log_info("web: %u lines left out", missed);
	log_info("web: %s %s: %s", who, what, why);
}

static void count(struct web *web, unsigned int *number)
{
	pthread_mutex_lock(&web->lock);
	(*number)++;
	web->counts.visits = web->visitors.length;
	pthread_mutex_unlock(&web->lock);
}

/* Visitors. */

/* Takes NULL for a visit that has ended by itself. */
static void visitor_free(struct visitor *visitor, struct http_visit *visit)
{
	struct web *web = visitor->web;

	g_queue_remove(&web->visitors, visitor);
	pthread_mutex_lock(&web->lock);
	web->counts.visits = web->visitors.length;
	pthread_mutex_unlock(&web->lock);
	if (visit)
		http_leave(visit);
	g_source_destroy(visitor->deadline);
	g_source_unref(visitor->deadline);
	g_free(visitor->peer);
	g_free(visitor->host);
	g_free(visitor);
}

static void cut(struct visitor *visitor, const char *why)
{
	struct web *web = visitor->web;

	say(web, visitor->peer, "cut off", why);
	visitor_free(visitor, visitor->visit);
	count(web, &web->counts.cut);
}

/* Connections that idle after a request are nobody's fault: browsers keep them, just in case. */
static gboolean on_deadline(gpointer data)
{
	struct visitor *visitor = data;

	if (visitor->served)
		visitor_free(visitor, visitor->visit);
	else
		cut(visitor, "no request in time");
	return G_SOURCE_REMOVE;
}

static void set_deadline(struct visitor *visitor)
{
	g_source_set_ready_time(visitor->deadline,
				g_get_monotonic_time() +
					visitor->web->options.visit_ms * G_TIME_SPAN_MILLISECOND);
}

static void on_served(void *data)
{
	struct visitor *visitor = data;

	visitor->served = true;
	set_deadline(visitor);
	count(visitor->web, &visitor->web->counts.requests);
}

static void on_gone(void *data)
{
	visitor_free(data, NULL);
}

static void on_upgraded(void *data, struct pump *pump, int plain)
{
	struct visitor *visitor = data;
	struct web *web = visitor->web;
	struct door_stranger stranger = {
		.fd = plain,
		.pump = pump,
		.peer = visitor->peer,
		.host = visitor->host,
		.local = visitor->local,
		.encrypted = visitor->encrypted,
	};

	count(web, &web->counts.upgraded);
	door_adopt(web->options.door, &stranger);
	visitor_free(visitor, NULL);
}

/* The host with most visits loses its oldest. */
static void push_out(struct web *web)
{
	GHashTable *visits = g_hash_table_new(g_str_hash, g_str_equal);
	struct visitor *victim = NULL;
	guint most = 0;

	/* From the newest on: who has the most at its oldest one is found there. */
	for (GList *i = web->visitors.tail; i; i = i->prev) {
		struct visitor *visitor = i->data;
		guint same = GPOINTER_TO_UINT(g_hash_table_lookup(visits, visitor->host)) + 1;

		g_hash_table_insert(visits, visitor->host, GUINT_TO_POINTER(same));
		if (same >= most) {
			most = same;
			victim = visitor;
		}
	}
	g_hash_table_unref(visits);
	cut(victim, "pushed out by newcomers");
}

static gboolean dispatch_deadline(GSource *source, GSourceFunc callback, gpointer data)
{
	(void)source;
	return callback(data);
}

static GSourceFuncs deadline_funcs = {.dispatch = dispatch_deadline};

/* Who comes by a unix socket is on this machine: a proxy, which has done that already. */
static struct certificate *certificate_for(const struct web *web, const struct listener *listener)
{
	return listener_is_unix(listener) ? NULL : web->options.certificate;
}

static void on_receive(void *data, const struct listener *listener, const struct gate_peer *peer)
{
	struct web *web = data;
	struct visitor *visitor = g_new0(struct visitor, 1);

	while (web->visitors.length >= web->options.visits)
		push_out(web);
	visitor->web = web;
	visitor->peer = peer->name;
	visitor->host = peer->host;
	visitor->local = listener->local;
	visitor->encrypted = web->options.certificate != NULL;
	visitor->deadline = g_source_new(&deadline_funcs, sizeof(GSource));
	g_source_set_callback(visitor->deadline, on_deadline, visitor, NULL);
	set_deadline(visitor);
	g_source_attach(visitor->deadline, web->context);
	g_queue_push_tail(&web->visitors, visitor);
	count(web, &web->counts.accepted);
	visitor->visit = http_visit(web->http, peer->fd, certificate_for(web, listener), visitor);
	if (!visitor->visit)
		visitor_free(visitor, NULL);
}

static void on_tired(void *data, const struct listener *listener, const char *reason)
{
	say(data, listener->name, "accepts nobody", reason);
}

static const struct gate_ops gate_ops = {
	.receive = on_receive,
	.tired = on_tired,
};

int web_listen(struct web *web, const char *spec, GError **error)
{
	const struct listener_rules rules = {
		.server = "web",
		.refusal = web->options.open ? NULL
					     : "no password is asked for (give --password-file",
		.plain = web->options.certificate ? NULL : "",
		.scheme = web->options.certificate ? "https" : "http",
	};

	return gates_open(&rules, spec, web->context, &gate_ops, web, web->gates, error);
}

/* The house. */

static gpointer run(gpointer data)
{
	struct web *web = data;

	g_main_context_push_thread_default(web->context);
	while (!g_atomic_int_get(&web->quit))
		g_main_context_iteration(web->context, TRUE);
	g_main_context_pop_thread_default(web->context);
	return NULL;
}

/* This machine's name is one of ours: what announce() prints has to work. */
static char **names(const char *const *hosts)
{
	GPtrArray *list = g_ptr_array_new();

	for (; hosts && *hosts; hosts++)
		g_ptr_array_add(list, g_strdup(*hosts));
	g_ptr_array_add(list, g_strdup(g_get_host_name()));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

int web_create(const struct web_options *options, struct web **result, GError **error)
{
	struct web *web = g_new0(struct web, 1);
	struct http_options http = {
		.root = options->root,
		.served = on_served,
		.upgraded = on_upgraded,
		.gone = on_gone,
	};
	int r;

	web->options = *options;
	if (!web->options.visits)
		web->options.visits = WEB_DEFAULT_VISITS;
	if (!web->options.visit_ms)
		web->options.visit_ms = WEB_DEFAULT_VISIT_MS;
	web->hosts = names(options->hosts);
	pthread_mutex_init(&web->lock, NULL);
	g_queue_init(&web->visitors);
	web->gates = g_ptr_array_new_with_free_func(gate_close);
	web->context = g_main_context_new();
	http.hosts = (const char *const *)web->hosts;
	r = http_create(&http, &web->http, error);
	if (r < 0)
		goto fail;
	web->thread = g_thread_try_new("web", run, web, NULL);
	if (!web->thread) {
		r = fail(error, EXIT_FAILED, EAGAIN, "web: cannot start a thread");
		goto fail;
	}
	*result = web;
	return 0;
fail:
	web_destroy(web);
	return r;
}

void web_count(struct web *web, struct web_counts *counts)
{
	pthread_mutex_lock(&web->lock);
	*counts = web->counts;
	pthread_mutex_unlock(&web->lock);
}

void web_destroy(struct web *web)
{
	if (!web)
		return;
	if (web->thread) {
		g_atomic_int_set(&web->quit, 1);
		g_main_context_wakeup(web->context);
		g_thread_join(web->thread);
	}
	g_ptr_array_unref(web->gates);
	while (web->visitors.head) {
		struct visitor *visitor = web->visitors.head->data;

		visitor_free(visitor, visitor->visit);
	}
	http_destroy(web->http);
	g_main_context_unref(web->context);
	pthread_mutex_destroy(&web->lock);
	g_strfreev(web->hosts);
	g_free(web);
}
