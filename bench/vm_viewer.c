/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm_viewer: one measurement of vm_bench, inside its machine: paints as a guest would, watches with
 * so many VNC viewers, and says what that took as one line of JSON. How to read it:
 * bench/README.md.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/cpu_time.h"
#include "bench/vm_painter.h"
#include "bench/watch.h"

#define MAX_CLIENTS 32u
#define MAX_SAMPLES 65536u
#define STAMP_ROWS  8u
#define WARM_TRIES  3000
#define WARM_STEP   10000 /* microseconds */

struct options {
	const char *work, *encoding;
	pid_t owner, counted;
	int port;
	unsigned int clients, width, height, rate;
	double settle, seconds;
	bool take_events;
};

enum phase { SETTLING, MEASURING, OVER };

struct client {
	const struct options *options;
	const struct vm_painter *painter;
	const _Atomic int *phase;
	bool first, failed;
	pthread_t thread;
	struct viewer viewer;
	atomic_uint updates;
	uint32_t stamp;
	unsigned int frames, taken;
	uint64_t bytes;
	unsigned int samples;
	float *latencies; /* ms */
};

struct result {
	double seconds;
	double cpu_ms, kernel_ms, own_ms; /* of the server, of kernel workers, and ours */
	uint32_t painted;
};

static int usage(FILE *out)
{
	fputs("usage: vm_viewer --owner PID --count PID --port N --clients N --encoding raw|jpeg\n"
	      "                 --work PATTERN --rate FPS --size WxH --settle S --seconds S\n"
	      "       vm_viewer --owner PID --take-events\n"
	      "The owner is a QEMU with an mplane device, whose picture is painted; what the process\n"
	      "--count takes, but for its virtual processors, is counted. --take-events takes the\n"
	      "device's event away from all others, until its standard input ends.\n",
	      out);
	return out == stdout ? 0 : 2;
}

/* The first viewer reads the number in the picture; the others only take the bytes. */
static void look_at_stamp(struct client *client)
{
	uint32_t stamp = bench_stamp(&client->viewer);
	int64_t painted = vm_painter_when(client->painter, stamp);

	if (stamp == client->stamp || !painted)
		return;
	client->stamp = stamp;
	if (*client->phase != MEASURING)
		return;
	client->frames++;
	if (client->samples < MAX_SAMPLES)
		client->latencies[client->samples++] = (float)(bench_now_us() - painted) / 1000.0f;
}

static bool greet(struct client *client)
{
	static const int32_t common[] = {VIEWER_LAST_RECT, VIEWER_DESKTOP_SIZE, VIEWER_FENCE,
					 VIEWER_CONTINUOUS_UPDATES};
	int32_t encodings[8] = {VIEWER_RAW};
	unsigned int count = 1;

	if (!strcmp(client->options->encoding, "jpeg")) {
		encodings[0] = VIEWER_TIGHT;
		encodings[count++] = VIEWER_JPEG_QUALITY_0 + 6;
		encodings[count++] = VIEWER_COMPRESS_LEVEL_0 + 1;
	}
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		encodings[count++] = common[i];
	if (!viewer_open(&client->viewer, bench_dial(client->options->port), client->first))
		return false;
	client->viewer.rows = STAMP_ROWS;
	return viewer_set_encodings(&client->viewer, encodings, count) &&
	       viewer_request(&client->viewer, false);
}

static void *watch(void *data)
{
	struct client *client = data;
	struct viewer *viewer = &client->viewer;
	unsigned int updates = 0;
	uint64_t bytes;

	client->failed = !greet(client);
	while (!client->failed && *client->phase != OVER) {
		if (!bench_take(viewer, true, &bytes)) {
			client->failed = *client->phase != OVER;
			break;
		}
		if (*client->phase == MEASURING)
			client->bytes += bytes;
		if (viewer->counts.updates == updates)
			continue;
		updates = viewer->counts.updates;
		atomic_store(&client->updates, updates);
		client->taken += *client->phase == MEASURING;
		if (client->first)
			look_at_stamp(client);
	}
	if (client->failed)
		fprintf(stderr, "vm_viewer: a client failed: %s\n",
			viewer->reason ? viewer->reason : "?");
	return NULL;
}

/* Until every viewer has had its first picture, and then for the time that was asked for. */
static bool settle(const struct client *clients, const struct options *options)
{
	for (unsigned int i = 0, tries = 0; i < options->clients; tries++) {
		if (atomic_load(&clients[i].updates))
			i++;
		else if (tries > WARM_TRIES || clients[i].failed)
			return false;
		else
			usleep(WARM_STEP);
	}
	usleep((useconds_t)(options->settle * 1e6));
	return true;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void report(struct client *clients, const struct options *options,
		   const struct result *result)
{
	double updates = 0, bytes = 0;
	unsigned int n = options->clients ? clients[0].samples : 0;

	for (unsigned int i = 0; i < options->clients; i++) {
		updates += (double)clients[i].taken / options->clients;
		bytes += (double)clients[i].bytes / options->clients;
	}
	printf("{\"seconds\": %.3f, \"cpu_ms\": %.3f, \"kernel_ms\": %.3f, \"viewer_ms\": %.3f,"
	       " \"painted\": %u, \"updates\": %.1f, \"frames\": %u, \"bytes\": %.0f",
	       result->seconds, result->cpu_ms, result->kernel_ms, result->own_ms, result->painted,
	       updates, options->clients ? clients[0].frames : 0, bytes);
	if (n) {
		qsort(clients[0].latencies, n, sizeof(float), compare);
		printf(", \"p50_ms\": %.3f, \"p99_ms\": %.3f", clients[0].latencies[n / 2],
		       clients[0].latencies[n * 99 / 100]);
	}
	puts("}");
}

static void measure(const struct options *options, const struct vm_painter *painter,
		    _Atomic int *phase, struct result *result)
{
	uint32_t painted = vm_painter_frames(painter);
	double cpu = cpu_time_ms(options->counted), kernel = cpu_time_kernel_ms();
	double own = cpu_time_ms(getpid());
	int64_t begun = bench_now_us();

	*phase = MEASURING;
	usleep((useconds_t)(options->seconds * 1e6));
	*phase = OVER;
	result->seconds = (double)(bench_now_us() - begun) / 1e6;
	result->cpu_ms = cpu_time_ms(options->counted) - cpu;
	result->kernel_ms = cpu_time_kernel_ms() - kernel;
	result->own_ms = cpu_time_ms(getpid()) - own;
	result->painted = vm_painter_frames(painter) - painted;
}

static int run(const struct options *options)
{
	static struct client clients[MAX_CLIENTS];
	static float latencies[MAX_SAMPLES];
	const struct pattern pattern = {(enum pattern_kind)pattern_kind_from_name(options->work), 1,
					options->width, options->height};
	struct vm_painter *painter = vm_painter_open(options->owner, &pattern, options->rate);
	_Atomic int phase = SETTLING;
	struct result result = {0};
	bool good = true;

	vm_painter_start(painter);
	for (unsigned int i = 0; i < options->clients; i++) {
		clients[i] = (struct client){.options = options,
					     .painter = painter,
					     .phase = &phase,
					     .first = !i,
					     .latencies = latencies};
		if (pthread_create(&clients[i].thread, NULL, watch, &clients[i]))
			return 1;
	}
	good = settle(clients, options);
	if (good)
		measure(options, painter, &phase, &result);
	phase = OVER;
	for (unsigned int i = 0; i < options->clients; i++) {
		shutdown(clients[i].viewer.fd, SHUT_RDWR);
		pthread_join(clients[i].thread, NULL);
		good &= !clients[i].failed;
		viewer_close(&clients[i].viewer);
	}
	if (good)
		report(clients, options, &result);
	vm_painter_stop(painter);
	return good ? 0 : 1;
}

static int take_events(pid_t owner)
{
	const struct pattern nothing = {PATTERN_OFF, 0, 64, 64};
	struct vm_painter *painter = vm_painter_open(owner, &nothing, 0);

	vm_painter_take_events(painter);
	puts("taken");
	fflush(stdout);
	while (getchar() != EOF)
		;
	vm_painter_stop(painter);
	return 0;
}

static bool parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"owner", required_argument, NULL, 'o'},
		{"count", required_argument, NULL, 'c'},
		{"port", required_argument, NULL, 'p'},
		{"clients", required_argument, NULL, 'n'},
		{"rate", required_argument, NULL, 'r'},
		{"encoding", required_argument, NULL, 'e'},
		{"work", required_argument, NULL, 'w'},
		{"size", required_argument, NULL, 'S'},
		{"settle", required_argument, NULL, 't'},
		{"seconds", required_argument, NULL, 's'},
		{"take-events", no_argument, NULL, 'T'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		int number = optarg ? atoi(optarg) : 0;

		switch (option) {
		case 'o':
			options->owner = number;
			break;
		case 'c':
			options->counted = number;
			break;
		case 'p':
			options->port = number;
			break;
		case 'n':
			options->clients = (unsigned int)number;
			break;
		case 'r':
			options->rate = (unsigned int)number;
			break;
		case 'e':
			options->encoding = optarg;
			break;
		case 'w':
			options->work = optarg;
			break;
		case 'S':
			if (sscanf(optarg, "%ux%u", &options->width, &options->height) != 2)
				return false;
			break;
		case 't':
			options->settle = strtod(optarg, NULL);
			break;
		case 's':
			options->seconds = strtod(optarg, NULL);
			break;
		case 'T':
			options->take_events = true;
			break;
		case 'h':
			exit(usage(stdout));
		default:
			return false;
		}
	}
	return optind == argc && options->owner > 0 && options->clients <= MAX_CLIENTS &&
	       options->width >= 256 && options->width <= 4096 && options->height >= 64 &&
	       options->height <= 4096 && options->rate <= 1000 && options->seconds > 0 &&
	       options->seconds <= 600 && pattern_kind_from_name(options->work) >= 0;
}

int main(int argc, char **argv)
{
	struct options options = {.work = "static",
				  .encoding = "raw",
				  .width = 1024,
				  .height = 768,
				  .settle = 1,
				  .seconds = 2};

	if (!parse(argc, argv, &options))
		return usage(stderr);
	signal(SIGPIPE, SIG_IGN);
	return options.take_events ? take_events(options.owner) : run(&options);
}
