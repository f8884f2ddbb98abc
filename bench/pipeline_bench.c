/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_bench: what a display costs on which nothing happens. How to read what it prints:
 * bench/README.md.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "detile/layout.h"
#include "detile_bench.h"
#include "log.h"
#include "pacer.h"
#include "screen.h"

#define WIDTH  1920u
#define HEIGHT 1080u

/* Until a display is idle: some looks, the intervals between them doubling up to half a second. */
#define SETTLE_SECONDS 3

#define MAX_ROUNDS 1001

static const char *const layouts[] = {"linear", "x", "y", "yf", "4"};

struct options {
	bool quick, json;
	int rounds, seconds;
};

/* What a look at one layout costs, microseconds of CPU, medians. */
struct look {
	const char *layout;
	bool cold;
	double full, sparse;
	double lines; /* only reading what a sparse look has to read */
};

/* A process in which nothing happens. */
struct rest {
	const char *name;
	const char *source; /* NULL: it sleeps */
	pid_t pid;
	double cpu_us; /* of a second */
	double wakes;  /* a second */
};

static double clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare_doubles);
	return values[count / 2];
}

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "pipeline_bench: %s\n", what);
	exit(1);
}

static struct source *open_source(const char *options)
{
	struct source *source;
	GError *error = NULL;

	if (source_sim_open(options, &source, &error))
		die(error->message);
	return source;
}

/* Looks. */

struct scene {
	struct source *source;
	struct capture *capture;
	struct frame *frame;
	struct damage changed;
	bool cold;
};

static void flush(struct scene *scene, const struct plane *plane)
{
	bench_flush(plane->data, plane->size);
	bench_flush(scene->frame->pixels, scene->frame->stride * HEIGHT);
}

/* One look as the screen does it, and what it took. */
static double time_look(struct scene *scene, bool sparse, uint32_t pass)
{
	const struct source_ops *ops = scene->source->ops;
	struct plane plane = {0};
	bool differs = false;
	double begun, taken;
	int ret;

	if (ops->acquire(scene->source, PLANE_PRIMARY, &plane, NULL))
		die("no plane");
	if (scene->cold)
		flush(scene, &plane);
	ops->release(scene->source, &plane);
	begun = clock_us(CLOCK_THREAD_CPUTIME_ID);
	ret = ops->acquire(scene->source, PLANE_PRIMARY, &plane, NULL);
	if (!ret)
		ret = plane_validate(&plane, NULL);
	if (!ret && sparse)
		ret = capture_probe(scene->capture, &plane, scene->frame, pass, &differs);
	else if (!ret)
		ret = capture_pass(scene->capture, &plane, NULL, scene->frame, &scene->changed);
	if (!ret && !ops->same(scene->source, PLANE_PRIMARY, &plane))
		ret = -EAGAIN;
	ops->release(scene->source, &plane);
	taken = clock_us(CLOCK_THREAD_CPUTIME_ID) - begun;
	if (ret || differs)
		die("a look failed");
	return taken;
}

/* The cache lines that a row of a tile lies in. */
struct tile_lines {
	uint32_t width; /* bytes of a row that are in one tile */
	uint32_t count;
	size_t at[8]; /* from the surface's first byte; the next tile's are behind them */
	size_t step;
};

static void find_lines(const struct detile_surface *surface, uint32_t y, struct tile_lines *lines)
{
	uint32_t height;

	detile_tile_shape(surface->layout, &lines->width, &height);
	lines->step = (size_t)lines->width * height;
	if (surface->layout == DETILE_LINEAR)
		lines->width = lines->step = 64;
	lines->count = 0;
	for (uint32_t x = 0; x < lines->width; x += 16) {
		size_t at = detile_offset(surface->layout, surface->swizzle, 4, surface->stride,
					  x / 4, y) &
			    ~(size_t)63;

		if (!lines->count || at != lines->at[lines->count - 1])
			lines->at[lines->count++] = at;
	}
}

/* Reads a word of each line of a row, and asks for those of another one. */
static uint32_t read_lines(const struct detile_surface *surface, const uint8_t *frame,
			   const uint8_t *next_frame, const struct tile_lines *lines,
			   const struct tile_lines *next)
{
	const uint8_t *tile = surface->data;
	uint32_t sum = 0;

	for (size_t x = 0; x < surface->width * 4; x += lines->width, tile += lines->step) {
		for (uint32_t i = 0; i < lines->count; i++) {
			__builtin_prefetch(tile + next->at[i], 0, 2);
			sum += *(const uint32_t *)(const void *)(tile + lines->at[i]);
		}
		for (size_t at = x; at < x + lines->width && at < surface->width * 4; at += 64) {
			__builtin_prefetch(next_frame + at, 0, 2);
			sum += *(const uint32_t *)(const void *)(frame + at);
		}
	}
	return sum;
}

/*
 * The least that a look can cost which sees whatever is eight rows high: a change as narrow as a
 * pixel is in one line of the surface for each four rows (one for each row of X and linear), so one
 * row in eight has to be read whole, and the same of the frame.
 */
static double time_lines(struct scene *scene, uint32_t pass)
{
	const struct source_ops *ops = scene->source->ops;
	const uint8_t *pixels = (const uint8_t *)scene->frame->pixels;
	uint32_t sum = 0;
	struct detile_surface surface;
	struct tile_lines lines, next;
	struct plane plane = {0};
	double begun;
	uint32_t y = pass % DETILE_PROBE_PASSES;

	if (ops->acquire(scene->source, PLANE_PRIMARY, &plane, NULL))
		die("no plane");
	plane_surface(&plane, &surface);
	if (scene->cold)
		flush(scene, &plane);
	begun = clock_us(CLOCK_THREAD_CPUTIME_ID);
	find_lines(&surface, y, &next);
	for (; y < HEIGHT; y += DETILE_PROBE_PASSES) {
		uint32_t after = y + DETILE_PROBE_PASSES < HEIGHT ? y + DETILE_PROBE_PASSES : y;

		lines = next;
		find_lines(&surface, after, &next);
		sum += read_lines(&surface, pixels + y * scene->frame->stride,
				  pixels + after * scene->frame->stride, &lines, &next);
	}
	__asm__ volatile("" : : "r"(sum)); /* it is wanted, as far as the compiler knows */
	begun = clock_us(CLOCK_THREAD_CPUTIME_ID) - begun;
	ops->release(scene->source, &plane);
	return begun;
}

static void measure_look(const struct options *options, struct look *look)
{
	static double full[MAX_ROUNDS], sparse[MAX_ROUNDS], lines[MAX_ROUNDS];
	char *name = g_strdup_printf("mode=%ux%u,layout=%s,pattern=static,damage=none", WIDTH,
				     HEIGHT, look->layout);
	struct scene scene = {.source = open_source(name), .cold = look->cold};

	scene.frame = frame_create(WIDTH, HEIGHT);
	if (!scene.frame || capture_create(&scene.capture) ||
	    damage_init(&scene.changed, WIDTH, HEIGHT))
		die("no memory");
	time_look(&scene, false, 0);
	damage_clear(&scene.changed);
	/* In turns, so that what disturbs one disturbs the other. */
	for (int i = 0; i < options->rounds; i++) {
		full[i] = time_look(&scene, false, 0);
		sparse[i] = time_look(&scene, true, (uint32_t)i);
		lines[i] = time_lines(&scene, (uint32_t)i);
	}
	if (!damage_is_empty(&scene.changed))
		die("a static picture changed");
	look->full = median(full, options->rounds);
	look->sparse = median(sparse, options->rounds);
	look->lines = median(lines, options->rounds);
	damage_finish(&scene.changed);
	capture_destroy(scene.capture);
	frame_release(scene.frame);
	scene.source->ops->close(scene.source);
	g_free(name);
}

/* A process: a screen with one client that has taken its first frame and wants the next. */

static int sink_resize(struct sink *sink, struct frame *frame)
{
	(void)sink;
	(void)frame;
	return 0;
}

static void sink_wake(struct sink *sink, const struct damage *damage, const struct moves *moves)
{
	(void)sink;
	(void)damage;
	(void)moves;
}

static void sink_pointer(struct sink *sink, struct pointer *shape, int32_t x, int32_t y)
{
	(void)sink;
	(void)shape;
	(void)x;
	(void)y;
}

static void sink_answer(struct sink *sink, int ret)
{
	(void)sink;
	(void)ret;
}

static void sink_nothing(struct sink *sink)
{
	(void)sink;
}

static void sink_demand(struct sink *sink, struct sink_demand *demand)
{
	(void)sink;
	*demand = (struct sink_demand){.clients = 1, .waiting = 1};
}

static void sink_describe(struct sink *sink, JsonBuilder *json)
{
	(void)sink;
	(void)json;
}

static const struct sink_ops sink_ops = {
	.name = "bench",
	.resize = sink_resize,
	.wake = sink_wake,
	.pointer = sink_pointer,
	.captured = sink_nothing,
	.demand = sink_demand,
	.answer = sink_answer,
	.describe = sink_describe,
	.close = sink_nothing,
};

static void be(const char *name)
{
	struct screen_options options = {.max_fps = 60};
	struct sink sink = {.ops = &sink_ops};
	struct screen *screen;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!name)
		for (;;)
			pause();
	if (screen_create(open_source(name), &options, &screen))
		die("no screen");
	screen_add_sink(screen, &sink);
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
}

static void start_rest(struct rest *rest)
{
	rest->pid = fork();
	if (rest->pid < 0)
		die("cannot fork");
	if (rest->pid)
		return;
	be(rest->source);
	_exit(1);
}

/* How often a process's only thread has gone to sleep. */
static double count_sleeps(pid_t pid)
{
	char *path = g_strdup_printf("/proc/%d/status", (int)pid), *text = NULL, *found = NULL;
	double count;

	if (g_file_get_contents(path, &text, NULL, NULL))
		found = strstr(text, "\nvoluntary_ctxt_switches:");
	if (!found)
		die("a process has ended");
	count = g_ascii_strtod(found + strlen("\nvoluntary_ctxt_switches:"), NULL);
	g_free(path);
	g_free(text);
	return count;
}

static void read_rest(struct rest *rest, double sign)
{
	clockid_t id;

	if (waitpid(rest->pid, NULL, WNOHANG) || clock_getcpuclockid(rest->pid, &id))
		die("a process has ended");
	rest->cpu_us += sign * clock_us(id);
	rest->wakes += sign * count_sleeps(rest->pid);
}

/* All at the same time. */
static void measure_rests(const struct options *options, struct rest *rests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		start_rest(&rests[i]);
	sleep(SETTLE_SECONDS);
	for (size_t i = 0; i < count; i++)
		read_rest(&rests[i], -1);
	sleep((unsigned int)options->seconds);
	for (size_t i = 0; i < count; i++) {
		read_rest(&rests[i], 1);
		kill(rests[i].pid, SIGKILL);
		waitpid(rests[i].pid, NULL, 0);
		rests[i].cpu_us /= options->seconds;
		rests[i].wakes /= options->seconds;
	}
}

/* Reports. */

/* How many times less looks at an idle display cost, the audits among them. */
static double times_less(const struct look *look)
{
	return look->full * (PACER_AUDIT_LOOKS + 1) /
	       (look->sparse * PACER_AUDIT_LOOKS + look->full);
}

static void print_look(const struct options *options, const struct look *look)
{
	if (options->json)
		return;
	printf("%-6s %-5s %10.1f %10.1f %8.2f %8.2f %10.1f %8.2f\n", look->layout,
	       look->cold ? "cold" : "warm", look->full, look->sparse, look->full / look->sparse,
	       times_less(look), look->lines, look->full / look->lines);
	fflush(stdout);
}

static void print_json(const struct look *looks, size_t look_count, const struct rest *rests,
		       size_t rest_count)
{
	printf("{\"width\": %u, \"height\": %u, \"audit\": %u, \"looks\": [", WIDTH, HEIGHT,
	       PACER_AUDIT_LOOKS);
	for (size_t i = 0; i < look_count; i++)
		printf("%s\n {\"layout\": \"%s\", \"cache\": \"%s\", \"full_us\": %.2f, "
		       "\"sparse_us\": %.2f, \"times_less\": %.3f, \"audited\": %.3f, "
		       "\"lines_us\": %.2f}",
		       i ? "," : "", looks[i].layout, looks[i].cold ? "cold" : "warm",
		       looks[i].full, looks[i].sparse, looks[i].full / looks[i].sparse,
		       times_less(&looks[i]), looks[i].lines);
	printf("],\n \"processes\": [");
	for (size_t i = 0; i < rest_count; i++)
		printf("%s\n {\"name\": \"%s\", \"cpu_us_a_second\": %.2f, "
		       "\"wakes_a_second\": %.3f}",
		       i ? "," : "", rests[i].name, rests[i].cpu_us, rests[i].wakes);
	printf("]}\n");
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"help", no_argument, NULL, 'h'},
		{"json", no_argument, NULL, 'j'},
		{"quick", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == 'h') {
			puts("usage: pipeline_bench [--quick] [--json]");
			exit(0);
		}
		if (option == '?')
			return -1;
		options->json |= option == 'j';
		options->quick |= option == 'q';
	}
	options->rounds = options->quick ? 21 : 201;
	options->seconds = options->quick ? 4 : 20;
	return optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct rest rests[] = {
		{.name = "sleeping process"},
		{.name = "device tells of changes",
		 .source = "mode=1920x1080,layout=y,pattern=static,damage=rects"},
		{.name = "nothing tells",
		 .source = "mode=1920x1080,layout=y,pattern=static,damage=none"},
	};
	struct look looks[2 * G_N_ELEMENTS(layouts)];
	struct options options = {0};

	if (parse(argc, argv, &options)) {
		fputs("usage: pipeline_bench [--quick] [--json]\n", stderr);
		return 2;
	}
	if (!options.json)
		printf("%ux%u        full us  sparse us    times  audited   lines us  at most\n",
		       WIDTH, HEIGHT);
	for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
		looks[i] = (struct look){.layout = layouts[i / 2], .cold = !(i % 2)};
		measure_look(&options, &looks[i]);
		print_look(&options, &looks[i]);
	}
	measure_rests(&options, rests, G_N_ELEMENTS(rests));
	if (options.json) {
		print_json(looks, G_N_ELEMENTS(looks), rests, G_N_ELEMENTS(rests));
		return 0;
	}
	printf("\nat rest                    CPU us/s  wakes/s\n");
	for (size_t i = 0; i < G_N_ELEMENTS(rests); i++)
		printf("%-25s %9.1f %8.2f\n", rests[i].name, rests[i].cpu_us, rests[i].wakes);
	return 0;
}
