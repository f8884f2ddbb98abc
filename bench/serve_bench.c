/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serve_bench: what serving costs and how fast it is, planecast next to libvncserver alone and to
 * Xvnc, which show the same pixels in the same rounds. How to read it: bench/README.md.
 */
#include "bench/serve_bench_server.h"

#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/watch.h"
#include "kmod/pattern.h"

const char *const bench_servers[BENCH_SERVERS] = {
	"planecast",    "libvncserver",  "xvnc", "x11vnc",   "wayvnc",  "planecast-tls",
	"planecast-ws", "planecast-wss", "door", "door-tls", "door-ws", "door-wss"};

static const struct bench_work works[] = {
	{"static", "static", 30, false, 0, NULL}, {"typing", "typing", 20, true, 0, NULL},
	{"scroll", "scroll", 30, true, 0, NULL},  {"movie", "movie", 30, true, 0, NULL},
	{"movie-60", "movie", 60, true, 0, NULL}, {"film", "film", 10, true, 0, NULL},
	{"peak", "film", 240, false, 16, NULL},   {"steady", "film", 20, false, 8, NULL},
};

#define REPLAY_FPS 30u /* what desktop_recording makes */

#define COMMON VIEWER_LAST_RECT, VIEWER_DESKTOP_SIZE, VIEWER_FENCE, VIEWER_CONTINUOUS_UPDATES
const struct bench_encoding bench_encodings[] = {
	{"raw", {VIEWER_RAW, COMMON}, 5},
	{"zrle", {VIEWER_ZRLE, COMMON}, 5},
	{"tight", {VIEWER_TIGHT, COMMON, VIEWER_COMPRESS_LEVEL_0 + 1}, 6},
	{"jpeg", {VIEWER_TIGHT, COMMON, VIEWER_COMPRESS_LEVEL_0 + 1, VIEWER_JPEG_QUALITY_0 + 6}, 7},
	{"tight-copy", {VIEWER_TIGHT, COMMON, VIEWER_COMPRESS_LEVEL_0 + 1, VIEWER_COPY_RECT}, 7},
	{"jpeg-copy",
	 {VIEWER_TIGHT, COMMON, VIEWER_COMPRESS_LEVEL_0 + 1, VIEWER_JPEG_QUALITY_0 + 6,
	  VIEWER_COPY_RECT},
	 8},
};
const unsigned int bench_encoding_count = sizeof(bench_encodings) / sizeof(bench_encodings[0]);

/* Whether a comma-separated list (NULL: of all) has the word. */
static bool listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	if (!list)
		return true;
	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return false;
}

static double process_ms(void)
{
	return (double)clock() * 1e3 / CLOCKS_PER_SEC;
}

/* What painting a frame of each work costs: sim does it in the server's time. */
static void measure_painting(struct bench *bench)
{
	uint32_t *row = calloc(bench->width, sizeof(*row));

	for (unsigned int i = 0; row && i < bench->work_count; i++) {
		const struct bench_work *work = &bench->works[i];
		struct pattern_rect rects[PATTERN_MAX_RECTS];
		double begun = process_ms();
		struct pattern pattern;

		if (work->replay || work->cycle || !listed(bench->work, work->name))
			continue;
		pattern = (struct pattern){(enum pattern_kind)pattern_kind_from_name(work->pattern),
					   0, bench->width, bench->height};

		for (uint64_t frame = 1; frame <= 10; frame++) {
			unsigned int count = pattern_damage(&pattern, frame, rects);

			for (unsigned int r = 0; r < count; r++)
				for (uint32_t y = 0; y < rects[r].height; y++)
					pattern_row(&pattern, frame, rects[r].y + y, rects[r].x,
						    rects[r].width, row);
		}
		bench->paint_ms[i] = (process_ms() - begun) / 10;
	}
	free(row);
}

static void add_rows(struct bench *bench, const struct bench_work *work,
		     const struct bench_encoding *encoding)
{
	static const unsigned int counts[] = {1, 3, 10};

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		char number[8];

		snprintf(number, sizeof(number), "%u", counts[c]);
		if (!listed(bench->clients, number))
			continue;
		for (int server = 0; server < BENCH_SERVERS; server++)
			if (listed(bench->server, bench_servers[server]) &&
			    bench->count < BENCH_MAX_ROWS)
				bench->rows[bench->count++] = (struct bench_row){
					.work = work,
					.encoding = encoding,
					.clients = counts[c],
					.server = (enum bench_server)server};
	}
}

static void make_rows(struct bench *bench)
{
	for (unsigned int w = 0; w < bench->work_count; w++)
		for (unsigned int e = 0; e < bench_encoding_count; e++)
			if (listed(bench->work, bench->works[w].name) &&
			    listed(bench->encoding, bench_encodings[e].name))
				add_rows(bench, &bench->works[w], &bench_encodings[e]);
}

/* The file's name without folder and ending. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);

	if (name && strchr(name, '.'))
		*strchr(name, '.') = '\0';
	return name ? name : path;
}

/* All works that there are, or recordings, which only planecast plays. */
static void make_works(struct bench *bench)
{
	char *files = bench->replay ? strdup(bench->replay) : NULL;

	if (!files) {
		memcpy(bench->works, works, sizeof(works));
		bench->work_count = sizeof(works) / sizeof(works[0]);
		return;
	}
	for (char *file; (file = strsep(&files, ",")) && bench->work_count < BENCH_MAX_WORKS;)
		bench->works[bench->work_count++] = (struct bench_work){
			.name = name_of(file), .fps = REPLAY_FPS, .decodes = true, .replay = file};
	bench->server = "planecast";
	bench->work = NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(double), compare);
	return values[count / 2];
}

/* The median of one of the doubles of the results, by its place. */
static double median_of(const struct bench_row *row, size_t offset)
{
	double values[BENCH_MAX_ROUNDS];

	for (unsigned int i = 0; i < row->rounds; i++)
		memcpy(&values[i], (const char *)&row->results[i] + offset, sizeof(double));
	return median(values, row->rounds);
}

static double frame_cost(const struct bench_result *result)
{
	return result->frames > 0 ? result->cpu_ms / result->frames : 0;
}

/* What was slower in a round was so for its neighbours, too: the median of ratios, not their ratio.
 */
static double versus(const struct bench_row *row, const struct bench_row *base)
{
	double ratios[BENCH_MAX_ROUNDS];

	for (unsigned int i = 0; i < row->rounds; i++) {
		double cost = frame_cost(&base->results[i]);

		ratios[i] = cost > 0 ? frame_cost(&row->results[i]) / cost : 0;
	}
	return median(ratios, row->rounds);
}

static const struct bench_row *base_of(const struct bench *bench, const struct bench_row *row)
{
	for (unsigned int i = 0; i < bench->count; i++) {
		const struct bench_row *base = &bench->rows[i];

		if (base->server == BENCH_LIBVNCSERVER && base->work == row->work &&
		    base->encoding == row->encoding && base->clients == row->clients)
			return base;
	}
	return NULL;
}

static bool run_rounds(struct bench *bench)
{
	for (unsigned int round = 0; round < bench->rounds; round++)
		for (unsigned int i = 0; i < bench->count; i++) {
			struct bench_row *row = &bench->rows[i];

			if (!bench_run(bench, row, &row->results[row->rounds])) {
				fprintf(stderr, "serve_bench: %s, %s, %s, %u: failed\n",
					bench_servers[row->server], row->work->name,
					row->encoding->name, row->clients);
				return false;
			}
			row->rounds++;
		}
	for (unsigned int i = 0; i < bench->count; i++) {
		struct bench_row *row = &bench->rows[i];
		const struct bench_row *base = base_of(bench, row);

		row->versus = base ? versus(row, base) : 0;
		for (size_t at = 0; at < sizeof(row->median); at += sizeof(double)) {
			double value = median_of(row, at);

			memcpy((char *)&row->median + at, &value, sizeof(value));
		}
	}
	return true;
}

static void usage(FILE *out)
{
	fputs("usage: serve_bench [--quick] [--json] [--plot FILE.svg] [--rounds N] [--seconds S]\n"
	      "                   [--size WxH] [--requests] [--planecast PROGRAM]\n"
	      "                   [--work LIST] [--encoding LIST] [--clients LIST] [--server LIST]\n"
	      "                   [--replay LIST]\n"
	      "A LIST is comma-separated: --work static,typing,scroll,movie,movie-60,film,peak,\n"
	      "steady  --encoding raw,zrle,tight,jpeg, and only if named: raw-copy,tight-copy,\n"
	      "jpeg-copy  --clients 1,3,10  --server planecast,libvncserver,\n"
	      "xvnc, and only if named: x11vnc,wayvnc,planecast-tls,planecast-ws,planecast-wss, and\n"
	      "libvncserver behind planecast's door: door,door-tls,door-ws,door-wss\n"
	      "--replay: files of desktop_recording instead of works, played by planecast alone\n"
	      "--requests: never ContinuousUpdates\n",
	      out);
}

static bool parse(int argc, char **argv, struct bench *bench)
{
	static const struct option known[] = {
		{"quick", no_argument, NULL, 'q'},
		{"json", no_argument, NULL, 'j'},
		{"requests", no_argument, NULL, 'R'},
		{"plot", required_argument, NULL, 'P'},
		{"rounds", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 's'},
		{"size", required_argument, NULL, 'S'},
		{"planecast", required_argument, NULL, 'p'},
		{"work", required_argument, NULL, 'w'},
		{"encoding", required_argument, NULL, 'e'},
		{"clients", required_argument, NULL, 'c'},
		{"server", required_argument, NULL, 'v'},
		{"replay", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const struct {
		int option;
		const char **value;
	} words[] = {
		{'P', &bench->plot},     {'p', &bench->planecast}, {'w', &bench->work},
		{'e', &bench->encoding}, {'c', &bench->clients},   {'v', &bench->server},
		{'f', &bench->replay},
	};
	bool quick = false;

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == '?')
			return false;
		quick |= option == 'q';
		bench->json |= option == 'j';
		if (option == 'R')
			bench->continuous = false;
		if (option == 'r')
			bench->rounds = (unsigned int)strtoul(optarg, NULL, 10);
		if (option == 's')
			bench->seconds = strtod(optarg, NULL);
		if (option == 'S' && sscanf(optarg, "%ux%u", &bench->width, &bench->height) != 2)
			return false;
		if (option == 'h') {
			usage(stdout);
			exit(0);
		}
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (words[i].option == option)
				*words[i].value = optarg;
	}
	if (quick) {
		bench->work = bench->work ? bench->work : "typing,peak";
		bench->encoding = bench->encoding ? bench->encoding : "tight,jpeg";
		bench->clients = bench->clients ? bench->clients : "1";
		bench->rounds = 1;
	}
	return optind == argc && bench->rounds && bench->rounds <= BENCH_MAX_ROUNDS &&
	       bench->seconds > 0 && bench->seconds <= 60 && bench->width >= 256 &&
	       bench->width <= 16384 && bench->height >= 16 && bench->height <= 16384;
}

/* The programs lie next to this one, as they are built. */
static void find_programs(struct bench *bench, char *self)
{
	static char planecast[512], peer[512];
	const char *folder = dirname(self);

	snprintf(planecast, sizeof(planecast), "%s/../planecast", folder);
	snprintf(peer, sizeof(peer), "%s/serve_peer", folder);
	bench->planecast = bench->planecast ? bench->planecast : planecast;
	bench->peer = peer;
}

static bool is_there(enum bench_server server)
{
	const char *needs = bench_server_needs(server);
	char command[160];

#ifndef HAVE_XCB
	if (needs)
		return false;
#endif
	snprintf(command, sizeof(command),
		 "for each in %s; do command -v $each >/dev/null || exit 1; done",
		 needs ? needs : "true");
	return !system(command);
}

static void drop_missing(struct bench *bench)
{
	static char rest[160];

	for (int i = 0; i < BENCH_SERVERS; i++) {
		if (!listed(bench->server, bench_servers[i]))
			continue;
		if (!is_there((enum bench_server)i)) {
			fprintf(stderr,
				"serve_bench: %s is left out (it needs %s, and libxcb-shm0-dev when "
				"this is built)\n",
				bench_servers[i], bench_server_needs((enum bench_server)i));
			continue;
		}
		strcat(rest, *rest ? "," : "");
		strcat(rest, bench_servers[i]);
	}
	bench->server = rest;
}

static char state[] = "/tmp/serve_bench.XXXXXX";

/* Where planecast makes its certificate. */
static void make_state(void)
{
	if (!mkdtemp(state) || setenv("STATE_DIRECTORY", state, 1)) {
		perror("serve_bench: " P_tmpdir);
		exit(1);
	}
}

static void remove_state(void)
{
	static const char *const names[] = {"certificate.pem", "key.pem"};
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", state, names[i]);
		unlink(path);
	}
	rmdir(state);
}

int main(int argc, char **argv)
{
	static struct bench bench = {.server = "planecast,libvncserver,xvnc",
				     .width = 1920,
				     .height = 1080,
				     .seconds = 1,
				     .rounds = 3,
				     .continuous = true};
	int64_t begun = bench_now_us();
	int r = 0;

	if (!parse(argc, argv, &bench)) {
		usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	find_programs(&bench, argv[0]);
	make_works(&bench);
	drop_missing(&bench);
	measure_painting(&bench);
	make_rows(&bench);
	if (!bench.count) {
		fputs("serve_bench: nothing of that name\n", stderr);
		return 2;
	}
	make_state();
	atexit(remove_state);
	if (!run_rounds(&bench))
		return 1;
	if (bench.json)
		bench_print_json(stdout, &bench);
	else
		bench_print_table(stdout, &bench);
	if (bench.plot)
		r = bench_plot(bench.plot, &bench);
	if (r)
		fprintf(stderr, "serve_bench: %s: %s\n", bench.plot, strerror(-r));
	fprintf(stderr, "serve_bench: %u rows, %u rounds in %.0f s\n", bench.count, bench.rounds,
		(double)(bench_now_us() - begun) / 1e6);
	return r ? 1 : 0;
}
