/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door_checks.h"

#include <string.h>

#include "secret.h"

#define AT_ONCE 2

struct checks {
	struct users *users;
	const struct check_ops *ops;
	GMainContext *context;
	GThreadPool *pool;
	GQueue waiting, running; /* of struct check */
};

struct check {
	struct checks *checks;
	char *host, *name, *password;
	void *data;
	bool forgotten;
	enum password_verdict verdict;
};

static void check_free(struct check *check)
{
	g_free(check->host);
	g_free(check->name);
	secret_free(check->password);
	g_free(check);
}

static bool is_busy(const struct checks *checks, const char *host)
{
	for (const GList *i = checks->running.head; i; i = i->next)
		if (!strcmp(((const struct check *)i->data)->host, host))
			return true;
	return false;
}

/* The first whose host has none under way; NULL. */
static struct check *take_next(struct checks *checks)
{
	for (GList *i = checks->waiting.head; i; i = i->next) {
		struct check *check = i->data;

		if (is_busy(checks, check->host))
			continue;
		g_queue_delete_link(&checks->waiting, i);
		return check;
	}
	return NULL;
}

static void go_on(struct checks *checks)
{
	struct check *check;

	while (checks->running.length < AT_ONCE && (check = take_next(checks))) {
		if (!checks->ops->turn(check->data)) {
			check_free(check);
			continue;
		}
		g_queue_push_tail(&checks->running, check);
		g_thread_pool_push(checks->pool, check, NULL);
	}
}

static gboolean on_turn(gpointer data)
{
	go_on(data);
	return G_SOURCE_REMOVE;
}

static gboolean on_verdict(gpointer data)
{
	struct check *check = data;
	struct checks *checks = check->checks;

	g_queue_remove(&checks->running, check);
	if (!check->forgotten)
		checks->ops->done(check->data, check->verdict);
	check_free(check);
	go_on(checks);
	return G_SOURCE_REMOVE;
}

static void call(struct checks *checks, GSourceFunc callback, void *data)
{
	GSource *source = g_idle_source_new();

	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, callback, data, NULL);
	g_source_attach(source, checks->context);
	g_source_unref(source);
}

/* In a thread of the pool. */
static void work(gpointer data, gpointer user_data)
{
	struct check *check = data;
	struct checks *checks = user_data;

	check->verdict = users_check(checks->users, check->name, check->password);
	call(checks, on_verdict, check);
}

struct checks *checks_create(struct users *users, GMainContext *context,
			     const struct check_ops *ops)
{
	struct checks *checks = g_new0(struct checks, 1);

	checks->users = users;
	checks->context = context;
	checks->ops = ops;
	checks->pool = g_thread_pool_new(work, checks, AT_ONCE, FALSE, NULL);
	return checks;
}

struct check *checks_ask(struct checks *checks, const char *host, const char *name,
			 const char *password, void *data)
{
	struct check *check = g_new0(struct check, 1);

	check->checks = checks;
	check->host = g_strdup(host);
	check->name = g_strdup(name);
	check->password = g_strdup(password);
	check->data = data;
	g_queue_push_tail(&checks->waiting, check);
	call(checks, on_turn, checks);
	return check;
}

void check_forget(struct check *check)
{
	if (!check)
		return;
	check->forgotten = true;
	if (g_queue_remove(&check->checks->waiting, check))
		check_free(check);
}

void checks_destroy(struct checks *checks)
{
	if (!checks)
		return;
	g_thread_pool_free(checks->pool, FALSE, TRUE);
	while (checks->running.head)
		check_free(g_queue_pop_head(&checks->running));
	g_free(checks);
}
