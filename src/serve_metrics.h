/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics of `planecast serve`: its option, and who answers. */
#ifndef PLANECAST_SERVE_METRICS_H
#define PLANECAST_SERVE_METRICS_H

#include <glib.h>
#include <stdbool.h>

#include "metrics_server.h"
#include "status.h"

/* All zero before serve_metrics_entries(). */
struct serve_metrics {
	char **addresses;
	struct metrics_server *server;
};

void serve_metrics_finish(struct serve_metrics *metrics);

/* Appends its options to an array of GOptionEntry. */
void serve_metrics_entries(struct serve_metrics *metrics, GArray *entries);

/* Listens; other machines may ask if it is open. 0, or -errno with one line in error. */
int serve_metrics_start(struct serve_metrics *metrics, struct status *status, bool open,
			GError **error);
void serve_metrics_stop(struct serve_metrics *metrics);

#endif
