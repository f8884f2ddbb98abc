/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_core.h"

#include <glib-unix.h>

struct SpiceTimer {
	SpiceTimerFunc func;
	void *opaque;
	GSource *source; /* NULL: not running */
};

struct SpiceWatch {
	int fd;
	SpiceWatchFunc func;
	void *opaque;
	GSource *source; /* NULL: nothing is waited for */
};

static struct {
	GMainContext *context;
	spice_core_event *event;
	void *data;
} core;

static void drop(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
}

/* Timers. */

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
	SpiceTimer *timer = g_new0(SpiceTimer, 1);

	timer->func = func;
	timer->opaque = opaque;
	return timer;
}

static gboolean on_timer(gpointer data)
{
	SpiceTimer *timer = data;

	drop(&timer->source);
	timer->func(timer->opaque); /* may remove the timer */
	return G_SOURCE_REMOVE;
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
	drop(&timer->source);
	timer->source = g_timeout_source_new(ms);
	g_source_set_callback(timer->source, on_timer, timer, NULL);
	g_source_attach(timer->source, core.context);
}

static void timer_cancel(SpiceTimer *timer)
{
	drop(&timer->source);
}

static void timer_remove(SpiceTimer *timer)
{
	if (!timer)
		return;
	drop(&timer->source);
	g_free(timer);
}

/* Watches. */

static gboolean on_watch(gint fd, GIOCondition condition, gpointer data)
{
	SpiceWatch *watch = data;
	int events = 0;

	if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
		events |= SPICE_WATCH_EVENT_READ;
	if (condition & G_IO_OUT)
		events |= SPICE_WATCH_EVENT_WRITE;
	watch->func(fd, events, watch->opaque); /* may remove the watch */
	return G_SOURCE_CONTINUE;
}

static void watch_update_mask(SpiceWatch *watch, int mask)
{
	GIOCondition condition = 0;

	drop(&watch->source);
	if (mask & SPICE_WATCH_EVENT_READ)
		condition |= G_IO_IN;
	if (mask & SPICE_WATCH_EVENT_WRITE)
		condition |= G_IO_OUT;
	if (!condition)
		return;
	watch->source = g_unix_fd_source_new(watch->fd, condition);
	g_source_set_callback(watch->source, G_SOURCE_FUNC(on_watch), watch, NULL);
	g_source_attach(watch->source, core.context);
}

static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
	SpiceWatch *watch = g_new0(SpiceWatch, 1);

	watch->fd = fd;
	watch->func = func;
	watch->opaque = opaque;
	watch_update_mask(watch, mask);
	return watch;
}

static void watch_remove(SpiceWatch *watch)
{
	if (!watch)
		return;
	drop(&watch->source);
	g_free(watch);
}

static void channel_event(int event, SpiceChannelEventInfo *info)
{
	if (core.event)
		core.event(event, info, core.data);
}

static SpiceCoreInterface interface = {
	.base =
		{
			.type = SPICE_INTERFACE_CORE,
			.description = "planecast",
			.major_version = SPICE_INTERFACE_CORE_MAJOR,
			.minor_version = SPICE_INTERFACE_CORE_MINOR,
		},
	.timer_add = timer_add,
	.timer_start = timer_start,
	.timer_cancel = timer_cancel,
	.timer_remove = timer_remove,
	.watch_add = watch_add,
	.watch_update_mask = watch_update_mask,
	.watch_remove = watch_remove,
	.channel_event = channel_event,
};

SpiceCoreInterface *spice_core_open(GMainContext *context, spice_core_event *event, void *data)
{
	core.context = context;
	core.event = event;
	core.data = data;
	return &interface;
}

void spice_core_close(void)
{
	core.event = NULL;
}

/*
 * No SASL for SPICE. spice-server takes a client's word for it (spice.git server/reds.cpp,
 * reds_handle_auth_mechanism()), also where it has not offered it: who is in the machine's SASL
 * database would come in without the ticket, and each connection that breaks off then leaks what
 * sasl_server_new() gave. There is no switch, so the library finds this function in the program
 * before that of libsasl2 (sasl.h), and ends the connection.
 */
#define SASL_FAIL (-1)

int sasl_server_new(const char *service, const char *server, const char *realm, const char *local,
		    const char *remote, const void *callbacks, unsigned int flags,
		    void **connection);

int sasl_server_new(const char *service, const char *server, const char *realm, const char *local,
		    const char *remote, const void *callbacks, unsigned int flags,
		    void **connection)
{
	(void)service;
	(void)server;
	(void)realm;
	(void)local;
	(void)remote;
	(void)callbacks;
	(void)flags;
	*connection = NULL;
	return SASL_FAIL;
}
