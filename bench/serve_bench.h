/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of serve_bench: what is run, one run of it, and the reports. */
#ifndef SERVE_BENCH_H
#define SERVE_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum bench_server {
	BENCH_PLANECAST,
	BENCH_LIBVNCSERVER,
	BENCH_XVNC,
	BENCH_X11VNC,        /* of Xvfb */
	BENCH_WAYVNC,        /* of sway, with Xwayland */
	BENCH_PLANECAST_TLS, /* through VeNCrypt, a WebSocket, and one behind TLS */
	BENCH_PLANECAST_WS,
	BENCH_PLANECAST_WSS,
	BENCH_DOOR, /* libvncserver behind planecast's door, in these ways */
	BENCH_DOOR_TLS,
	BENCH_DOOR_WS,
	BENCH_DOOR_WSS,
	BENCH_SERVERS,
};

/* How a viewer comes. */
enum bench_way {
	BENCH_PLAIN,
	BENCH_TLS,
	BENCH_WS,
	BENCH_WSS,
};

enum bench_way bench_way(enum bench_server server);

struct bench_work {
	const char *name;
	const char *pattern; /* of sim:, or NULL: a recording */
	unsigned int fps;    /* that it changes with */
	bool decodes;        /* the first client does, and measures latencies by the stamp */
	unsigned int cycle;  /* so many frames, painted beforehand; 0: painted as they come */
	const char *replay;  /* a file whose frames are stamped; its name is the work's */
};

struct bench_encoding {
	const char *name;
	int32_t encodings[8];
	unsigned int count;
};

/* What a run gave. */
struct bench_result {
	double seconds;
	double frames;  /* a client took, on average */
	double cpu_ms;  /* of the server, the painter's left out where it has a thread */
	double door_ms; /* of that, by planecast's door */
	double bytes;   /* a client took, on average */
	double p50_ms,
		p99_ms; /* from the moment of a frame to its decoded stamp; 0: not measured */
};

#define BENCH_MAX_WORKS  16u
#define BENCH_MAX_ROUNDS 31u
#define BENCH_MAX_ROWS   512u

struct bench_row {
	const struct bench_work *work;
	const struct bench_encoding *encoding;
	unsigned int clients;
	enum bench_server server;
	unsigned int rounds;
	struct bench_result results[BENCH_MAX_ROUNDS];
	struct bench_result median;
	double versus; /* CPU time of a frame against libvncserver's in the same round, or 0 */
};

struct bench {
	/* Options: comma-separated lists, NULL is all. */
	const char *work, *encoding, *clients, *server, *plot;
	const char *replay;           /* files, instead of works */
	const char *planecast, *peer; /* programs */
	uint32_t width, height;
	double seconds; /* of a run */
	unsigned int rounds;
	bool json, continuous;
	struct bench_work works[BENCH_MAX_WORKS];
	unsigned int work_count;
	double paint_ms[BENCH_MAX_WORKS]; /* of a frame of each, what sim's thread paints in */

	struct bench_row rows[BENCH_MAX_ROWS];
	unsigned int count;
};

extern const char *const bench_servers[BENCH_SERVERS];
extern const struct bench_encoding bench_encodings[];
extern const unsigned int bench_encoding_count;

/* Starts the server, lets the clients watch for a while, ends it. False if something failed. */
bool bench_run(const struct bench *bench, const struct bench_row *row, struct bench_result *result);

/*
 * Puts a carrier between a connection and its viewer, with threads of its own that take no time of
 * the server's; the viewer's end, or -1. Takes fd. To be ended when that end is closed.
 */
struct bench_carrier;
int bench_carry(int fd, enum bench_way way, struct bench_carrier **carrier);
void bench_carry_end(struct bench_carrier *carrier); /* takes NULL */

void bench_print_table(FILE *out, const struct bench *bench);
void bench_print_json(FILE *out, const struct bench *bench);
int bench_plot(const char *path, const struct bench *bench); /* 0 or -errno */

#endif
