/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of detile_bench: rows and their reports, and what rows are held against. */
#ifndef DETILE_BENCH_H
#define DETILE_BENCH_H

#include <stdio.h>

#include "detile/detile.h"

enum bench_path {
	BENCH_NORMAL,
	BENCH_NT,
	BENCH_FUSED,
	BENCH_WC,
	BENCH_PATHS,
};

enum bench_state {
	BENCH_COLD, /* source and image in no cache */
	BENCH_L3,
	BENCH_L2,
	BENCH_STATES,
};

/* What others do, always on one thread: columns, not rows. */
enum bench_peer {
	BENCH_SCALAR,
	BENCH_GMM,
	BENCH_PEERS,
};

/* A measured row: times are medians for the same bytes in the same rounds. */
struct bench_row {
	enum detile_layout layout;
	enum bench_path path;
	unsigned int dirty; /* of fused: percentage of cells that differ */
	const char *isa;
	uint32_t width, height;
	enum bench_state state;
	unsigned int threads;

	double bytes; /* of pixels in what was measured */
	double seconds, memcpy_seconds, limit_seconds;
	double peer_seconds[BENCH_PEERS]; /* for as many bytes; 0 if it cannot */
};

#define BENCH_MAX_ROWS   8192u
#define BENCH_MAX_ROUNDS 101u

struct bands;

struct bench {
	/* Options: comma-separated lists, NULL is all. */
	const char *layout, *path, *isa, *size, *state, *threads, *plot;
	unsigned int rounds;
	bool json, quick, references;

	unsigned int cpu_flags;
	size_t l2, l3; /* bytes */
	struct bands *bands;
	struct bench_row rows[BENCH_MAX_ROWS];
	size_t count;
};

/* Whether a comma-separated list (NULL: of all) has the word. */
bool bench_listed(const char *list, const char *word);
double bench_now(void); /* seconds */

/* Measures all wanted rows of a size, a state and a number of threads; -1 without memory. */
int bench_run_scene(struct bench *bench, uint32_t width, uint32_t height, enum bench_state state,
		    unsigned int threads);

extern const char *const bench_layouts[DETILE_LAYOUTS];
extern const char *const bench_paths[BENCH_PATHS];
extern const char *const bench_states[BENCH_STATES];
extern const char *const bench_peers[BENCH_PEERS];

/* Things to hold rows against: linear moves of n bytes (a multiple of 256, aligned to 64). */
enum bench_reference_kind {
	REFERENCE_MEMCPY,
	REFERENCE_NORMAL, /* a copy with plain stores */
	REFERENCE_NT,     /* a copy with non-temporal stores */
	REFERENCE_READ2,  /* both streams read, nothing written */
	REFERENCE_KINDS,
};

struct bench_reference {
	enum bench_reference_kind kind;
	const char *name;
	unsigned int cpu_flags; /* that it needs */
	void (*move)(void *dst, const void *src, size_t n);
};

extern const struct bench_reference bench_references[];
extern const unsigned int bench_reference_count;

/* The peers: false if they do not know the layout. What anyone would write first: */
bool bench_scalar(const struct detile_surface *s, const struct detile_rect *r,
		  const struct detile_image *dst);
/* Intel's gmmlib, where it is installed: */
bool bench_gmm(const struct detile_surface *s, const struct detile_rect *r,
	       const struct detile_image *dst);

/* Takes what [p, p + n) has out of all caches, where the machine lets a program do that. */
void bench_flush(const void *p, size_t n);

void bench_print_header(FILE *out);
void bench_print_row(FILE *out, const struct bench_row *row);
void bench_print_json(FILE *out, const struct bench_row *rows, size_t count);
int bench_plot(const char *path, const struct bench_row *rows, size_t count);

#endif
