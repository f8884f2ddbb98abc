/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * detile_bench: how fast detile/ is, next to memcpy and to the best linear moves of the same
 * bytes in the same rounds. How to read what it prints: bench/README.md.
 */
#include "detile_bench.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bands.h"
#include "detile/cpu.h"

static int run_all(struct bench *bench)
{
	static const uint32_t sizes[][2] = {{1920, 1080}, {2560, 1440}, {3840, 2160}, {7680, 4320}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%" PRIu32 "x%" PRIu32, sizes[i][0], sizes[i][1]);
		if (!bench_listed(bench->size, name))
			continue;
		for (enum bench_state state = 0; state < BENCH_STATES; state++) {
			if (!bench_listed(bench->state, bench_states[state]))
				continue;
			for (unsigned int threads = 1; threads <= 2; threads++)
				if (bench_listed(bench->threads, threads == 1 ? "1" : "2") &&
				    bench_run_scene(bench, sizes[i][0], sizes[i][1], state,
						    threads))
					return -1;
		}
	}
	return 0;
}

/* What the kernel says of a cache of the first core; the C library's answer can be far off. */
static size_t cache_size(unsigned int index, size_t otherwise)
{
	unsigned long kib = 0;
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%u/size", index);
	file = fopen(path, "r");
	if (file && fscanf(file, "%luK", &kib) != 1)
		kib = 0;
	if (file)
		fclose(file);
	return kib ? kib * 1024 : otherwise;
}

static void usage(FILE *out)
{
	fputs("usage: detile_bench [--quick] [--json] [--plot FILE.svg] [--rounds N] "
	      "[--references]\n"
	      "                    [--layout LIST] [--path LIST] [--isa LIST] [--size LIST]\n"
	      "                    [--state LIST] [--threads LIST]\n"
	      "A LIST is comma-separated: --layout linear,x,y,yf,4  --path normal,nt,fused,wc,\n"
	      "fused-0,fused-10,fused-100  --isa c,sse41,avx2,avx512,neon  --size 3840x2160\n"
	      "--state cold,l3,l2  --threads 1,2\n",
	      out);
}

static int parse(int argc, char **argv, struct bench *bench)
{
	static const struct option known[] = {
		{"quick", no_argument, NULL, 'q'},
		{"json", no_argument, NULL, 'j'},
		{"references", no_argument, NULL, 'R'},
		{"plot", required_argument, NULL, 'P'},
		{"rounds", required_argument, NULL, 'r'},
		{"layout", required_argument, NULL, 'l'},
		{"path", required_argument, NULL, 'p'},
		{"isa", required_argument, NULL, 'i'},
		{"size", required_argument, NULL, 's'},
		{"state", required_argument, NULL, 'S'},
		{"threads", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const struct {
		int option;
		const char **value;
	} lists[] = {
		{'l', &bench->layout}, {'p', &bench->path},  {'i', &bench->isa},
		{'s', &bench->size},   {'S', &bench->state}, {'t', &bench->threads},
		{'P', &bench->plot},
	};

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == '?')
			return -1;
		bench->quick |= option == 'q';
		bench->json |= option == 'j';
		bench->references |= option == 'R';
		if (option == 'r')
			bench->rounds = (unsigned int)strtoul(optarg, NULL, 10);
		if (option == 'h') {
			usage(stdout);
			exit(0);
		}
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
			if (lists[i].option == option)
				*lists[i].value = optarg;
	}
	return optind == argc && bench->rounds && bench->rounds <= BENCH_MAX_ROUNDS ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct bench bench = {.rounds = 15};
	double start = bench_now();
	int failed;

	if (parse(argc, argv, &bench)) {
		usage(stderr);
		return 2;
	}
	if (bench.quick) {
		bench.size = bench.size ? bench.size : "3840x2160";
		bench.threads = bench.threads ? bench.threads : "1";
		bench.isa = bench.isa ? bench.isa : "avx2,avx512,neon";
		bench.path = bench.path ? bench.path : "normal,nt,fused-0,fused-100";
	}
	bench.cpu_flags = detile_cpu_flags();
	bench.l2 = cache_size(2, 1u << 20);
	bench.l3 = cache_size(3, 32u << 20);
	if (bands_create(2, &bench.bands)) {
		fprintf(stderr, "detile_bench: cannot start a thread\n");
		return 1;
	}
	if (!bench.json)
		bench_print_header(stdout);
	failed = run_all(&bench);
	if (!failed && bench.json)
		bench_print_json(stdout, bench.rows, bench.count);
	bands_destroy(bench.bands);
	if (!failed && !bench.count) {
		fprintf(stderr, "detile_bench: nothing of that name\n");
		return 2;
	}
	if (!failed && bench.plot) {
		failed = bench_plot(bench.plot, bench.rows, bench.count);
		if (failed)
			fprintf(stderr, "detile_bench: %s: %s\n", bench.plot, strerror(-failed));
	}
	fprintf(stderr, "detile_bench: %zu rows in %.0f s\n", bench.count, bench_now() - start);
	return failed ? 1 : 0;
}
