/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backoff.h"

struct backoff {
	GHashTable *hosts; /* name -> struct host */
	GQueue order;      /* of struct host, the latest failure last */
};

struct host {
	char *name;
	unsigned int failures;
	gint64 failed, until;
	GList link;
};

struct backoff *backoff_create(void)
{
	struct backoff *backoff = g_new0(struct backoff, 1);

	backoff->hosts = g_hash_table_new(g_str_hash, g_str_equal);
	g_queue_init(&backoff->order);
	return backoff;
}

static void forget(struct backoff *backoff, struct host *host)
{
	g_hash_table_remove(backoff->hosts, host->name);
	g_queue_unlink(&backoff->order, &host->link);
	g_free(host->name);
	g_free(host);
}

void backoff_destroy(struct backoff *backoff)
{
	if (!backoff)
		return;
	while (backoff->order.head)
		forget(backoff, backoff->order.head->data);
	g_hash_table_unref(backoff->hosts);
	g_free(backoff);
}

gboolean backoff_waits(struct backoff *backoff, const char *host, gint64 now)
{
	const struct host *found = g_hash_table_lookup(backoff->hosts, host);

	return found && now < found->until;
}

static struct host *find(struct backoff *backoff, const char *name)
{
	struct host *host = g_hash_table_lookup(backoff->hosts, name);

	if (host) {
		g_queue_unlink(&backoff->order, &host->link);
	} else {
		host = g_new0(struct host, 1);
		host->name = g_strdup(name);
		host->link.data = host;
		g_hash_table_insert(backoff->hosts, host->name, host);
	}
	g_queue_push_tail_link(&backoff->order, &host->link);
	return host;
}

void backoff_failed(struct backoff *backoff, const char *name, gint64 now)
{
	struct host *oldest, *host;
	gint64 wait = BACKOFF_FIRST;

	while ((oldest = g_queue_peek_head(&backoff->order)) &&
	       now - oldest->failed > BACKOFF_FORGET)
		forget(backoff, oldest);
	host = find(backoff, name);
	host->failures++;
	host->failed = now;
	for (unsigned int i = BACKOFF_FREE + 1; i < host->failures && wait < BACKOFF_LONG; i++)
		wait *= 2;
	if (host->failures > BACKOFF_FREE)
		host->until = now + MIN(wait, BACKOFF_LONG);
	if (backoff->order.length > BACKOFF_HOSTS)
		forget(backoff, g_queue_peek_head(&backoff->order));
}

void backoff_proved(struct backoff *backoff, const char *host)
{
	struct host *found = g_hash_table_lookup(backoff->hosts, host);

	if (found)
		forget(backoff, found);
}
