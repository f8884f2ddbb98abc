/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics for Prometheus by HTTP: GET /metrics and nothing else, one request a connection. By
 * libsoup, on connections that are accepted here: they are few, the oldest makes room for a
 * newcomer, and who takes too long is cut off. In the main context; never blocks.
 */
#ifndef PLANECAST_METRICS_SERVER_H
#define PLANECAST_METRICS_SERVER_H

#include <glib.h>
#include <stdbool.h>

struct metrics_server;

/* What there is to tell now, in metrics.h's form; for g_free(). */
typedef char *(*metrics_answer)(void *data);

#define METRICS_VISITS      8u
#define METRICS_PATIENCE_MS 5000u

/* Listens nowhere yet. */
struct metrics_server *metrics_server_new(metrics_answer answer, void *data);

/*
 * At an ADDR, which other machines may reach only if it is open: there is no password. 0, or -errno
 * with one line in error.
 */
int metrics_server_listen(struct metrics_server *server, const char *spec, bool open,
			  GError **error);

/* Takes NULL. */
void metrics_server_destroy(struct metrics_server *server);

#endif
