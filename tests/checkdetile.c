/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkdetile: holds every kernel of every instruction set that this machine has against the
 * per-pixel oracle (detile/layout.h), on random geometry, with the surface and the image flush
 * against unreadable pages in turn, and everything between and around the pixels watched. Then it
 * does the same with kernels that make one small mistake, and fails if any goes unnoticed.
 */
#include "checkdetile.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "detile/cpu.h"
#include "detile/layout.h"

static const struct isa {
	const char *name;
	unsigned int flags;
} isas[] = {
	{"c", 0},
#ifdef __aarch64__
	{"neon", DETILE_CPU_NEON},
#else
	{"sse41", DETILE_CPU_SSE41},
	{"avx2", DETILE_CPU_SSE41 | DETILE_CPU_AVX2},
	{"avx512", DETILE_CPU_SSE41 | DETILE_CPU_AVX2 | DETILE_CPU_AVX512},
#endif
};

#define ISAS (sizeof(isas) / sizeof(isas[0]))

static const char *const layout_names[DETILE_LAYOUTS] = {"linear", "x", "y", "yf", "4"};
static const char *const task_names[TASKS] = {"normal", "nt", "wc", "fused", "fused-wc"};

/* What is being done, for the handler of a crash. */
static char now[160];

static void on_crash(int number)
{
	static const char words[] = "\ncheckdetile: FAIL: crashed in ";

	if (write(STDERR_FILENO, words, sizeof(words) - 1) > 0 &&
	    write(STDERR_FILENO, now, strlen(now)) > 0 && write(STDERR_FILENO, "\n", 1) > 0) {
		signal(number, SIG_DFL);
		raise(number);
	}
	_exit(1);
}

static void describe(const struct check *check, const char *isa, enum task task)
{
	const struct detile_surface *s = &check->surface;

	snprintf(now, sizeof(now),
		 "%s %s %s: %" PRIu32 "x%" PRIu32 " cpp %" PRIu32 " stride %" PRIu32
		 " swizzle %d, rectangle %" PRIu32 ",%" PRIu32 " %" PRIu32 "x%" PRIu32,
		 isa, layout_names[s->layout], task_names[task], s->width, s->height, s->cpp,
		 s->stride, (int)s->swizzle, check->rect.x, check->rect.y, check->rect.width,
		 check->rect.height);
}

struct options {
	uint64_t seed;
	unsigned long rounds;
	const char *isa;
	bool no_mutants;
};

/* All tasks of all instruction sets on one geometry. */
static int check_geometry(struct check *check, const struct options *options,
			  unsigned int cpu_flags)
{
	for (size_t i = 0; i < ISAS; i++) {
		struct detile table;

		if ((isas[i].flags & ~cpu_flags) ||
		    (options->isa && strcmp(options->isa, isas[i].name)))
			continue;
		detile_init(&table, isas[i].flags);
		if (strcmp(table.isa, isas[i].name)) {
			fprintf(stderr, "checkdetile: FAIL: %s was not built in\n", isas[i].name);
			return -1;
		}
		for (enum task task = 0; task < TASKS; task++) {
			const char *wrong;

			describe(check, isas[i].name, task);
			wrong = check_task(check, &table, task);
			if (!wrong)
				continue;
			fprintf(stderr, "checkdetile: FAIL: %s: %s\n", now, wrong);
			return -1;
		}
	}
	return 0;
}

static int check_rounds(struct check *check, const struct options *options, unsigned int cpu_flags,
			unsigned long *done)
{
	for (unsigned long round = 0; round < options->rounds; round++) {
		for (enum detile_layout layout = 0; layout < DETILE_LAYOUTS; layout++) {
			for (enum detile_swizzle sw = 0; sw < DETILE_SWIZZLES; sw++) {
				const char *wrong = check_begin(check, layout, sw);

				wrong = wrong ? wrong : check_probe(check);
				if (wrong) {
					describe(check, "-", TASK_NORMAL);
					fprintf(stderr, "checkdetile: FAIL: %s: %s\n", now, wrong);
					return -1;
				}
				if (check_geometry(check, options, cpu_flags))
					return -1;
				++*done;
			}
		}
	}
	return 0;
}

/*
 * Every kernel of every table, with every mistake in turn: the checks must notice within a few
 * geometries. Returns how many mistakes were noticed, or -1 if one was not.
 */
static int check_mutants(struct check *check, const struct options *options, unsigned int cpu_flags)
{
	int caught = 0;

	for (size_t i = 0; i < ISAS; i++) {
		struct mutant mutant;
		struct detile table;

		if ((isas[i].flags & ~cpu_flags) ||
		    (options->isa && strcmp(options->isa, isas[i].name)))
			continue;
		detile_init(&table, isas[i].flags);
		for (bool more = mutant_first(&mutant); more; more = mutant_next(&mutant)) {
			snprintf(now, sizeof(now), "%s %s %s that %s", isas[i].name,
				 layout_names[mutant.layout], task_names[mutant.task],
				 mutant_name(&mutant));
			if (!mutant_is_caught(check, &mutant, &table)) {
				fprintf(stderr, "checkdetile: FAIL: nobody noticed %s\n", now);
				return -1;
			}
			caught++;
		}
	}
	return caught;
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"seed", required_argument, NULL, 's'},
		{"rounds", required_argument, NULL, 'r'},
		{"isa", required_argument, NULL, 'i'},
		{"no-mutants", no_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == 's')
			options->seed = strtoull(optarg, NULL, 0);
		else if (option == 'r')
			options->rounds = strtoul(optarg, NULL, 0);
		else if (option == 'i')
			options->isa = optarg;
		else if (option == 'n')
			options->no_mutants = true;
		else
			return -1;
	}
	return optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = (uint64_t)time(NULL), .rounds = 15};
	unsigned int cpu_flags = detile_cpu_flags(), ran = 0;
	unsigned long geometries = 0;
	struct check *check;
	int caught;

	if (getenv("CHECKDETILE_ROUNDS"))
		options.rounds = strtoul(getenv("CHECKDETILE_ROUNDS"), NULL, 0);
	if (parse(argc, argv, &options)) {
		fprintf(stderr,
			"usage: checkdetile [--seed N] [--rounds N] [--isa NAME] [--no-mutants]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("checkdetile: --seed %" PRIu64 " --rounds %lu\n", options.seed, options.rounds);
	for (size_t i = 0; i < ISAS; i++) {
		bool wanted = !options.isa || !strcmp(options.isa, isas[i].name);

		if (wanted && (isas[i].flags & ~cpu_flags))
			printf("SKIP %s: this machine lacks it\n", isas[i].name);
		else if (wanted)
			ran++;
	}
	if (!ran) {
		fprintf(stderr, "checkdetile: nothing to run\n");
		return 77;
	}
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	check = check_create(options.seed);
	if (!check) {
		fprintf(stderr, "checkdetile: no memory\n");
		return 1;
	}
	caught = check_rounds(check, &options, cpu_flags, &geometries);
	if (!caught && !options.no_mutants)
		caught = check_mutants(check, &options, cpu_flags);
	check_destroy(check);
	if (caught < 0)
		return 1;
	printf("checkdetile: %lu geometries, %u instruction sets, %d tasks each: all as the oracle; "
	       "%d mutants caught\n",
	       geometries, ran, (int)TASKS, caught);
	return 0;
}
