/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers that serve_bench measures, as processes. */
#ifndef SERVE_BENCH_SERVER_H
#define SERVE_BENCH_SERVER_H

#include <sys/types.h>

#include "bench/serve_bench.h"

struct server {
	pid_t pid;          /* what is measured */
	pid_t painter;      /* a program of its own, or 0 */
	pid_t display;      /* whose screen is served, not measured: Xvfb or sway, or 0 */
	pid_t thread, door; /* the painter's thread, and the door's; or 0 */
	int port;           /* where its viewers come */
	int64_t epoch_us;
	char folder[32]; /* sway's, or "" */
};

/* Words of a shell's `command -v` for all that a server needs; NULL: nothing but our own. */
const char *bench_server_needs(enum bench_server server);

/* It listens some time after. */
void bench_server_start(const struct bench *bench, const struct bench_row *row,
			struct server *server);
void bench_server_stop(struct server *server);

#endif
