/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "end_signals.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdbool.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

G_STATIC_ASSERT(G_N_ELEMENTS(numbers) == G_N_ELEMENTS(((struct end_signals *)0)->tags));

static bool is_ignored(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

void end_signals_watch(struct end_signals *signals, GSourceFunc on_signal, gpointer data)
{
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		signals->tags[i] = is_ignored(numbers[i])
					   ? 0
					   : g_unix_signal_add(numbers[i], on_signal, data);
}

void end_signals_unwatch(struct end_signals *signals)
{
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (signals->tags[i])
			g_source_remove(signals->tags[i]);
}
