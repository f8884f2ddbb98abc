/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signals that ask a process to end: SIGINT, SIGTERM and SIGHUP, as calls of the main loop. */
#ifndef PLANECAST_END_SIGNALS_H
#define PLANECAST_END_SIGNALS_H

#include <glib.h>

struct end_signals {
	guint tags[3];
};

/*
 * Calls `on_signal`, in the main thread, for each of them until end_signals_unwatch(). One that
 * was ignored when the process began, as SIGHUP is under nohup, stays ignored.
 */
void end_signals_watch(struct end_signals *signals, GSourceFunc on_signal, gpointer data);

/* They end the process again. */
void end_signals_unwatch(struct end_signals *signals);

#endif
