/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/viewer.h"

#define MAX_CLIENTS   32u
#define MAX_SAMPLES   65536u
#define WARM_UP_US    500000
#define WARM_UPDATES  4u
#define WARM_TRIES    4000
#define WARM_STEP_US  5000
#define SETTLE_US     1200000 /* of a still, until all has arrived */
#define START_TRIES   400
#define START_STEP_US 10000
#define STOP_TRIES    200
#define STOP_STEP_US  5000

int64_t bench_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Servers. */

struct server {
	pid_t pid, painter; /* painter: a program of its own, or 0 */
	pid_t thread, door; /* the painter's thread, and the door's; or 0 */
	int port;           /* where its viewers come */
	int64_t epoch_us;
};

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0), port = -1;

	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !getsockname(fd, (struct sockaddr *)&address, &length))
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}

static int dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static pid_t start(char *const *words)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		int nothing = open("/dev/null", O_RDWR);

		dup2(nothing, STDIN_FILENO);
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
		execvp(words[0], words);
	}
	_exit(127);
}

/* Xvnc leaves its lock and its socket behind if it is killed. */
static void stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int i = 0; i < STOP_TRIES; i++) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		usleep(STOP_STEP_US);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Connects as soon as the server listens. */
static int dial_patiently(int port)
{
	for (int i = 0; i < START_TRIES; i++) {
		int fd = dial(port);

		if (fd >= 0)
			return fd;
		usleep(START_STEP_US);
	}
	return -1;
}

enum bench_way bench_way(enum bench_server server)
{
	static const enum bench_way ways[BENCH_SERVERS] = {
		[BENCH_PLANECAST_TLS] = BENCH_TLS, [BENCH_DOOR_TLS] = BENCH_TLS,
		[BENCH_PLANECAST_WS] = BENCH_WS,   [BENCH_DOOR_WS] = BENCH_WS,
		[BENCH_PLANECAST_WSS] = BENCH_WSS, [BENCH_DOOR_WSS] = BENCH_WSS,
	};

	return ways[server];
}

static void start_planecast(const struct bench *bench, const struct bench_row *row,
			    struct server *server)
{
	const struct bench_work *work = row->work;
	enum bench_way way = bench_way(row->server);
	bool web = way == BENCH_WS || way == BENCH_WSS;
	char spec[200], address[32];
	char *words[] = {
		(char *)(uintptr_t)bench->planecast, "serve", spec, "--max-fps", "240", "--vnc",
		web ? "127.0.0.1:auto" : address,    NULL,    NULL, NULL,        NULL};
	size_t count = 7;

	if (web) {
		words[count++] = "--web";
		words[count++] = address;
	}
	if (way == BENCH_TLS || way == BENCH_WSS)
		words[count++] = "--tls";
	snprintf(spec, sizeof(spec), "sim:mode=%ux%u,pattern=%s,fps=%u,cycle=%u,epoch=%" PRId64,
		 bench->width, bench->height, work->pattern, work->fps, work->cycle,
		 server->epoch_us);
	snprintf(address, sizeof(address), "127.0.0.1:%d", server->port);
	server->pid = start(words);
}

static pid_t start_peer(const struct bench *bench, const struct bench_work *work, const char *kind,
			const char *where, int64_t epoch_us)
{
	char width[16], height[16], fps[16], cycle[16], epoch[32];
	char *words[] = {(char *)(uintptr_t)bench->peer,
			 (char *)(uintptr_t)kind,
			 (char *)(uintptr_t)where,
			 (char *)(uintptr_t)work->pattern,
			 width,
			 height,
			 fps,
			 cycle,
			 epoch,
			 NULL};

	snprintf(width, sizeof(width), "%u", bench->width);
	snprintf(height, sizeof(height), "%u", bench->height);
	snprintf(fps, sizeof(fps), "%u", work->fps);
	snprintf(cycle, sizeof(cycle), "%u", work->cycle);
	snprintf(epoch, sizeof(epoch), "%" PRId64, epoch_us);
	return start(words);
}

static void start_xvnc(const struct bench *bench, const struct bench_work *work,
		       struct server *server)
{
	char display[16], geometry[32], port[16], rate[32];
	char *words[] = {
		"Xvnc",     display,      "-geometry",  geometry,         "-depth", "24",
		"-rfbport", port,         "-localhost", "-SecurityTypes", "None",   "-nolisten",
		"tcp",      "-FrameRate", rate,         "-AlwaysShared",  NULL};
	int fd;

	snprintf(display, sizeof(display), ":%d", server->port);
	snprintf(geometry, sizeof(geometry), "%ux%u", bench->width, bench->height);
	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(rate, sizeof(rate), "%u", work->fps > 60 ? work->fps : 60);
	server->pid = start(words);
	fd = dial_patiently(server->port);
	if (fd >= 0)
		close(fd);
	server->painter = start_peer(bench, work, "x11", display, server->epoch_us);
}

static void start_server(const struct bench *bench, const struct bench_row *row,
			 struct server *server)
{
	char port[16];

	*server = (struct server){.port = free_port(), .epoch_us = bench_now_us()};
	snprintf(port, sizeof(port), "%d", server->port);
	switch (row->server) {
	case BENCH_XVNC:
		start_xvnc(bench, row->work, server);
		break;
	case BENCH_LIBVNCSERVER:
		server->pid = start_peer(bench, row->work, "libvncserver", port, server->epoch_us);
		break;
	case BENCH_DOOR:
	case BENCH_DOOR_TLS:
	case BENCH_DOOR_WS:
	case BENCH_DOOR_WSS:
		server->pid = start_peer(bench, row->work, bench_servers[row->server], port,
					 server->epoch_us);
		break;
	default:
		start_planecast(bench, row, server);
	}
}

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

static uint32_t read_stamp(const struct viewer *viewer)
{
	uint32_t number = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		uint32_t pixel = viewer->pixels[4 * viewer->width + bit * 8 + 4];

		number = number << 1 | ((pixel >> 8 & 255) > 127);
	}
	return number;
}

static void look_at_stamp(struct client *client)
{
	uint32_t stamp = read_stamp(&client->viewer);
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

static uint64_t bytes_taken(const struct viewer *viewer)
{
	return viewer->counts.bytes - (viewer->have - viewer->at);
}

/*
 * As TigerVNC's viewer does: the next request goes out when an update begins to come. A message
 * counts, with all its bytes, if it ends while we measure.
 */
static bool turn(struct client *client)
{
	struct viewer *viewer = &client->viewer;
	uint64_t before = bytes_taken(viewer);
	const uint8_t *type = viewer_take(viewer, 1);
	bool continuous = client->bench->continuous && viewer->offered_continuous;

	if (!type)
		return false;
	viewer->at--;
	if (*type == VIEWER_UPDATE && !continuous && !viewer_request(viewer, true))
		return false;
	if (*type == VIEWER_END_OF_CONTINUOUS && client->bench->continuous &&
	    !viewer_continuous(viewer, true))
		return false;
	if (viewer_message(viewer) < 0)
		return false;
	if (*client->measuring == 1)
		client->bytes += bytes_taken(viewer) - before;
	return true;
}

static int connect_client(struct client *client)
{
	enum bench_way way = bench_way(client->row->server);
	int fd = dial_patiently(client->server->port);

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
	start_server(bench, row, &server);
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
	stop(server.painter);
	stop(server.pid);
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(clients[i].thread, NULL);
		good &= !clients[i].failed;
		viewer_close(&clients[i].viewer);
		bench_carry_end(clients[i].carrier);
	}
	collect(clients, started, result);
	return good;
}
