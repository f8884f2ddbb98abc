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
	spice_core_after *after;
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
	if (core.after)
		core.after(core.data);
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

SpiceCoreInterface *spice_core_open(GMainContext *context, spice_core_event *event,
				    spice_core_after *after, void *data)
{
	core.context = context;
	core.event = event;
	core.after = after;
	core.data = data;
	return &interface;
}

void spice_core_close(void)
{
	core.event = NULL;
	core.after = NULL;
}
