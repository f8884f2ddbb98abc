/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/serve_bench_server.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/watch.h"

#define MAX_CLIENTS  32u
#define MAX_SAMPLES  65536u
#define WARM_UP_US   500000
#define WARM_UPDATES 4u
#define WARM_TRIES   4000
#define WARM_STEP_US 5000
#define SETTLE_US    1200000 /* of a still, until all has arrived */

/* The thread of that name in a process, or 0. */
static pid_t find_thread(pid_t pid, const char *name)
{
	char path[64], comm[32];
	struct dirent *entry;
	pid_t found = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && !found && (entry = readdir(tasks))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", (int)pid, entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && !strncmp(comm, name, strlen(name)))
			found = (pid_t)atoi(entry->d_name);
		fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return found;
}

/* On a processor so far. */
static double thread_ms(pid_t pid, pid_t thread)
{
	char path[64];
	double ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)thread);
	file = thread ? fopen(path, "r") : NULL;
	if (!file)
		return 0;
	if (fscanf(file, "%lf", &ns) != 1)
		ns = 0;
	fclose(file);
	return ns / 1e6;
}

static double server_ms(const struct server *server)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(server->pid, &clock) || clock_gettime(clock, &time))
		return 0;
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6 -
	       thread_ms(server->pid, server->thread);
}

/* Clients. */

struct client {
	const struct bench *bench;
	const struct bench_row *row;
	const struct server *server;
	pthread_t thread;
	struct viewer viewer;
	struct bench_carrier *carrier; /* NULL: none */
	bool decodes, failed;
	atomic_uint taken; /* updates so far */
	const volatile int *measuring, *stop;
	uint32_t stamp;
	unsigned int frames;
	uint64_t bytes;
	unsigned int samples;
	float *latencies; /* ms */
};

static void look_at_stamp(struct client *client)
{
	uint32_t stamp = bench_stamp(&client->viewer);
	int64_t painted = client->server->epoch_us +
			  (int64_t)stamp * 1000000 / client->row->work->fps;

	if (stamp == client->stamp)
		return;
	client->stamp = stamp;
	if (*client->measuring != 1)
		return;
	if (client->samples < MAX_SAMPLES)
		client->latencies[client->samples++] = (float)(bench_now_us() - painted) / 1000.0f;
}

/* A message counts, with all its bytes, if it ends while we measure. */
static bool turn(struct client *client)
{
	uint64_t bytes;

	if (!bench_take(&client->viewer, client->bench->continuous, &bytes))
		return false;
	if (*client->measuring == 1)
		client->bytes += bytes;
	return true;
}

static int connect_client(struct client *client)
{
	enum bench_way way = bench_way(client->row->server);
	int fd = bench_dial(client->server->port);

	return fd < 0 || way == BENCH_PLAIN ? fd : bench_carry(fd, way, &client->carrier);
}

static void *watch(void *data)
{
	struct client *client = data;
	struct viewer *viewer = &client->viewer;
	unsigned int updates = 0;

	client->failed = true;
	if (!viewer_open(viewer, connect_client(client), client->decodes) ||
	    !viewer_set_encodings(viewer, client->row->encoding->encodings,
				  client->row->encoding->count) ||
	    !viewer_request(viewer, false))
		return NULL;
	while (!*client->stop) {
		if (!turn(client))
			break;
		if (viewer->counts.updates == updates)
			continue;
		updates = viewer->counts.updates;
		atomic_store(&client->taken, updates);
		client->frames += *client->measuring == 1;
		if (client->decodes)
			look_at_stamp(client);
	}
	client->failed = !*client->stop;
	if (client->failed)
		fprintf(stderr, "serve_bench: a client failed: %s\n",
			viewer->reason ? viewer->reason : "?");
	return NULL;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void collect(struct client *clients, unsigned int count, struct bench_result *result)
{
	for (unsigned int i = 0; i < count; i++) {
		result->frames += (double)clients[i].frames / count;
		result->bytes += (double)clients[i].bytes / count;
	}
	/* A server may take several updates for a frame. */
	if (clients[0].decodes)
		result->frames = clients[0].samples;
	if (clients[0].samples) {
		unsigned int n = clients[0].samples;

		qsort(clients[0].latencies, n, sizeof(float), compare);
		result->p50_ms = (double)clients[0].latencies[n / 2];
		result->p99_ms = (double)clients[0].latencies[n * 99 / 100];
	}
}

/*
 * Until the painter has begun and every client gets its pictures. sim paints each picture of a
 * cycle when it is asked for it first: a cycle has to be over.
 */
static bool warm_up(struct client *clients, unsigned int count)
{
	const struct bench_work *work = clients[0].row->work;
	bool still = !strcmp(work->name, "static");
	unsigned int wanted = still ? 1 : WARM_UPDATES, warm = 0;
	unsigned int cycle_us = (work->cycle + 2) * 1000000u / work->fps;

	usleep(still ? SETTLE_US : cycle_us > WARM_UP_US ? cycle_us : WARM_UP_US);
	for (int i = 0; i < WARM_TRIES; i++) {
		while (warm < count && atomic_load(&clients[warm].taken) >= wanted)
			warm++;
		if (warm == count)
			return true;
		usleep(WARM_STEP_US);
	}
	return false;
}

bool bench_run(const struct bench *bench, const struct bench_row *row, struct bench_result *result)
{
	static float latencies[MAX_SAMPLES];
	struct client clients[MAX_CLIENTS];
	volatile int measuring = 0, ended = 0;
	unsigned int started = 0;
	bool good = row->clients <= MAX_CLIENTS;
	struct server server;
	int64_t begun;

	*result = (struct bench_result){0};
	bench_server_start(bench, row, &server);
	while (good && started < row->clients) {
		clients[started] = (struct client){
			.bench = bench,
			.row = row,
			.server = &server,
			.decodes = row->work->decodes && !started,
			.measuring = &measuring,
			.stop = &ended,
			.latencies = latencies,
		};
		good = !pthread_create(&clients[started].thread, NULL, watch, &clients[started]);
		started += good;
	}
	good = good && warm_up(clients, started);
	server.thread = find_thread(server.pid, "painter");
	server.door = find_thread(server.pid, "door");
	result->cpu_ms = -server_ms(&server);
	result->door_ms = -thread_ms(server.pid, server.door);
	begun = bench_now_us();
	measuring = 1;
	usleep((useconds_t)(bench->seconds * 1e6));
	measuring = 2;
	result->cpu_ms += server_ms(&server);
	result->door_ms += thread_ms(server.pid, server.door);
	result->seconds = (double)(bench_now_us() - begun) / 1e6;
	ended = 1;
	bench_server_stop(&server);
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(clients[i].thread, NULL);
		good &= !clients[i].failed;
		viewer_close(&clients[i].viewer);
		bench_carry_end(clients[i].carrier);
	}
	collect(clients, started, result);
	return good;
}
