/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "detile_bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "bands.h"
#include "detile/cpu.h"
#include "frame.h"

#define MAX_PAIRS   64u
#define MAX_ENTRIES 64u
#define MAX_TRIES   5u
#define OLD_PIXEL   0x5ac3a5a5u
#define NEW_PIXEL   0x5ac3a596u
#define MASK        0x00ffffffu

/*
 * A source, and an image as planecast has it: in huge pages, if there are any. Cold rows take
 * turns among so many that none is in a cache.
 */
struct pair {
	uint8_t *source, *image;
	struct frame *frame; /* that holds the image */
};

/* What all rows of one size, state and number of threads share. */
struct scene {
	struct bench *bench;
	uint32_t width, height;
	enum bench_state state;
	unsigned int threads;
	struct detile_rect rect;
	size_t bytes;       /* of the rectangle */
	size_t frame_bytes; /* of the whole surface */
	struct pair pairs[MAX_PAIRS];
	unsigned int pair_count, turn;
};

typedef bool (*peer_function)(const struct detile_surface *s, const struct detile_rect *r,
			      const struct detile_image *dst);

static const peer_function peers[BENCH_PEERS] = {bench_scalar, bench_gmm};

/* One thing that is timed once a round: a reference, a peer, or a row. */
struct entry {
	const struct bench_reference *reference; /* or NULL */
	struct bench_row row;
	struct detile table;
	peer_function peer; /* or NULL */
	double seconds[BENCH_MAX_ROUNDS];
	unsigned int samples;
};

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const struct entry *entry)
{
	double sorted[BENCH_MAX_ROUNDS];

	if (!entry->samples)
		return 0;
	memcpy(sorted, entry->seconds, entry->samples * sizeof(double));
	qsort(sorted, entry->samples, sizeof(double), compare_doubles);
	return (sorted[(entry->samples - 1) / 2] + sorted[entry->samples / 2]) / 2;
}

/* Whether a comma-separated list (NULL: of all) has the word. */
bool bench_listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, word, length) && (at[length] == ',' || !at[length]))
			return true;
	return !list;
}

/*
 * A linear move of what a row writes, on all threads of the scene: in one go if the rows of the
 * rectangle touch each other, row by row if not. A piece is as many rows as bands takes.
 */
struct linear {
	const struct bench_reference *reference;
	const struct scene *scene;
	const struct pair *pair;
	uint32_t rows; /* a piece */
};

static void move_piece(void *data, unsigned int n)
{
	const struct linear *linear = data;
	const struct scene *scene = linear->scene;
	uint32_t from = n * linear->rows, rows = scene->rect.height - from;
	size_t stride = (size_t)scene->width * 4, bytes = (size_t)scene->rect.width * 4;

	rows = rows < linear->rows ? rows : linear->rows;
	if (bytes == stride) {
		bytes *= rows;
		rows = 1;
	}
	for (uint32_t y = from; y < from + rows; y++)
		linear->reference->move(linear->pair->image + y * stride,
					linear->pair->source + y * stride, bytes);
	if (linear->reference->kind == REFERENCE_NT)
		__sync_synchronize(); /* what lies in buffers has not arrived */
}

static void run_reference(const struct scene *scene, const struct bench_reference *reference,
			  const struct pair *pair)
{
	struct linear linear = {reference, scene, pair, scene->rect.height};

	if (scene->threads == 1) {
		move_piece(&linear, 0);
		return;
	}
	linear.rows = (scene->rect.height / (scene->threads * 4) / 32 + 1) * 32;
	bands_each(scene->bench->bands, (scene->rect.height + linear.rows - 1) / linear.rows,
		   move_piece, &linear);
}

/* Makes every cell of a percentage differ, evenly spread, and takes it out of the caches again. */
static void make_dirty(const struct scene *scene, unsigned int percent, const struct pair *pair)
{
	const struct detile_rect *r = &scene->rect;
	unsigned int sum = 0;

	for (uint32_t y = r->y; y < r->y + r->height; y += DETILE_CELL_HEIGHT) {
		for (uint32_t x = r->x; x < r->x + r->width; x += DETILE_CELL_WIDTH) {
			uint32_t bottom = y + DETILE_CELL_HEIGHT, right = x + DETILE_CELL_WIDTH;

			sum += percent;
			if (sum < 100)
				continue;
			sum -= 100;
			bottom = bottom > r->y + r->height ? r->y + r->height : bottom;
			right = right > r->x + r->width ? r->x + r->width : right;
			for (uint32_t row = y; row < bottom; row++) {
				uint8_t *at = pair->image + ((size_t)row * scene->width + x) * 4;

				for (uint32_t i = 0; i < right - x; i++)
					memcpy(at + (size_t)i * 4, &(uint32_t){NEW_PIXEL}, 4);
				if (scene->state == BENCH_COLD)
					bench_flush(at, (right - x) * 4);
			}
		}
	}
}

static void run_row(const struct scene *scene, const struct entry *entry, const struct pair *pair,
		    uint64_t *words)
{
	const struct bench_row *row = &entry->row;
	struct detile_surface s = {
		.data = pair->source,
		.size = scene->frame_bytes,
		.width = scene->width,
		.height = scene->height,
		.stride = scene->width * 4,
		.cpp = 4,
		.layout = row->layout,
	};
	struct detile_image dst = {pair->image, (size_t)scene->width * 4};
	struct detile_cells cells = {words, (scene->width + 4095) / 4096};
	static const enum detile_path paths[BENCH_PATHS] = {
		[BENCH_NORMAL] = DETILE_NORMAL, [BENCH_NT] = DETILE_NT, [BENCH_WC] = DETILE_WC};
	const struct detile_rect *r = &scene->rect;

	if (entry->peer)
		entry->peer(&s, r, &dst);
	else if (row->path == BENCH_FUSED && scene->threads == 1)
		detile_compare(&entry->table, &s, r, &dst, MASK, &cells);
	else if (row->path == BENCH_FUSED)
		bands_compare(scene->bench->bands, &entry->table, &s, r, &dst, MASK, &cells);
	else if (scene->threads == 1)
		detile_copy(&entry->table, &s, r, &dst, paths[row->path]);
	else
		bands_copy(scene->bench->bands, &entry->table, &s, r, &dst, paths[row->path]);
	if (row->path == BENCH_NT)
		__sync_synchronize(); /* as for the reference */
}

/* Makes cells dirty, and then lets the machine come to rest: as if they had been so for long. */
static void prepare(const struct scene *scene, unsigned int percent, const struct pair *pair)
{
	const struct timespec rest = {.tv_nsec = 1000000};
	const struct bench_reference *reader = NULL;

	if (!percent)
		return;
	make_dirty(scene, percent, pair);
	if (scene->state == BENCH_COLD) {
		nanosleep(&rest, NULL); /* what was flushed is still being written */
		return;
	}
	for (unsigned int i = 0; i < bench_reference_count; i++)
		if (bench_references[i].kind == REFERENCE_READ2 &&
		    !(bench_references[i].cpu_flags & ~scene->bench->cpu_flags))
			reader = &bench_references[i];
	if (reader)
		run_reference(scene, reader, pair);
}

static double time_once(struct scene *scene, const struct entry *entry)
{
	static uint64_t words[256 * 8];
	const struct pair *pair = &scene->pairs[scene->turn++ % scene->pair_count];
	double start;

	if (entry->row.path == BENCH_FUSED && !entry->reference)
		prepare(scene, entry->row.dirty, pair);
	memset(words, 0, sizeof(words));
	start = bench_now();
	if (entry->reference)
		run_reference(scene, entry->reference, pair);
	else
		run_row(scene, entry, pair, words);
	return bench_now() - start;
}

/* How often this program lost a processor to another one. */
static long interruptions(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
}

/* Hot states are warmed by doing the same thing before. */
static double time_undisturbed(struct scene *scene, const struct entry *entry)
{
	unsigned int repeat = scene->state == BENCH_COLD ? 1 : scene->state == BENCH_L3 ? 2 : 16;
	double sum = 0;

	if (scene->state != BENCH_COLD)
		time_once(scene, entry);
	for (unsigned int i = 0; i < repeat; i++)
		sum += time_once(scene, entry);
	return sum / repeat;
}

/* Once more if somebody else used the processor meanwhile, but not for ever. */
static double time_entry(struct scene *scene, const struct entry *entry)
{
	double seconds = 0;

	for (unsigned int tries = 0; tries < MAX_TRIES; tries++) {
		long before = interruptions();

		seconds = time_undisturbed(scene, entry);
		if (interruptions() == before)
			break;
	}
	return seconds;
}

static unsigned int isa_flags(const char *isa)
{
	static const struct {
		const char *name;
		unsigned int flags;
	} isas[] = {
		{"sse41", DETILE_CPU_SSE41},
		{"avx2", DETILE_CPU_SSE41 | DETILE_CPU_AVX2},
		{"avx512", DETILE_CPU_SSE41 | DETILE_CPU_AVX2 | DETILE_CPU_AVX512},
		{"neon", DETILE_CPU_NEON},
	};

	for (size_t i = 0; i < sizeof(isas) / sizeof(isas[0]); i++)
		if (!strcmp(isas[i].name, isa))
			return isas[i].flags;
	return 0;
}

static bool is_wanted(const struct bench *bench, const struct entry *entry)
{
	const struct bench_row *row = &entry->row;
	char name[24];

	snprintf(name, sizeof(name), "fused-%u", row->dirty);
	if (row->path != BENCH_FUSED)
		snprintf(name, sizeof(name), "%s", bench_paths[row->path]);
	return bench_listed(bench->layout, bench_layouts[row->layout]) &&
	       (bench_listed(bench->path, name) ||
		bench_listed(bench->path, bench_paths[row->path])) &&
	       bench_listed(bench->isa, row->isa);
}

static unsigned int add_rows(const struct scene *scene, enum detile_layout layout,
			     struct entry *entries)
{
	static const char *const isas[] = {"c", "sse41", "avx2", "avx512", "neon"};
	static const struct {
		enum bench_path path;
		unsigned int dirty;
	} kinds[] = {{BENCH_NORMAL, 0}, {BENCH_NT, 0},      {BENCH_FUSED, 0},
		     {BENCH_FUSED, 10}, {BENCH_FUSED, 100}, {BENCH_WC, 0}};
	unsigned int count = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t i = 0; i < sizeof(isas) / sizeof(isas[0]); i++) {
			struct entry *entry = &entries[count];

			memset(entry, 0, sizeof(*entry));
			entry->row = (struct bench_row){
				.layout = layout,
				.path = kinds[k].path,
				.dirty = kinds[k].dirty,
				.isa = isas[i],
				.width = scene->width,
				.height = scene->height,
				.state = scene->state,
				.threads = scene->threads,
				.bytes = (double)scene->bytes,
			};
			detile_init(&entry->table, isa_flags(isas[i]) & scene->bench->cpu_flags);
			if (!strcmp(entry->table.isa, isas[i]) && is_wanted(scene->bench, entry))
				count++;
		}
	}
	return count;
}

/* The fastest reference of a kind. */
static double best(const struct entry *entries, unsigned int count, enum bench_reference_kind kind)
{
	double least = 0;

	for (unsigned int i = 0; i < count; i++) {
		double seconds = median(&entries[i]);

		if (entries[i].reference && entries[i].reference->kind == kind &&
		    (!least || seconds < least))
			least = seconds;
	}
	return least;
}

static void finish_rows(struct scene *scene, const struct entry *entries, unsigned int count)
{
	struct bench *bench = scene->bench;
	double copy = best(entries, count, REFERENCE_NORMAL);
	double read2 = best(entries, count, REFERENCE_READ2);
	double peer_seconds[BENCH_PEERS] = {0};

	for (unsigned int i = 0; i < count; i++)
		for (enum bench_peer peer = 0; peer < BENCH_PEERS; peer++)
			if (entries[i].peer == peers[peer])
				peer_seconds[peer] = median(&entries[i]);
	for (unsigned int i = 0; i < count && bench->count < BENCH_MAX_ROWS; i++) {
		struct bench_row row = entries[i].row;
		double part = row.dirty / 100.0;

		if (entries[i].reference && bench->references && !bench->json)
			printf("  %-24s %6.2f GB/s\n", entries[i].reference->name,
			       (double)scene->bytes / median(&entries[i]) / 1e9);
		if (entries[i].reference || entries[i].peer)
			continue;
		row.seconds = median(&entries[i]);
		row.memcpy_seconds = best(entries, count, REFERENCE_MEMCPY);
		memcpy(row.peer_seconds, peer_seconds, sizeof(peer_seconds));
		row.limit_seconds = copy;
		if (row.path == BENCH_NT)
			row.limit_seconds = best(entries, count, REFERENCE_NT);
		else if (row.path == BENCH_FUSED)
			row.limit_seconds = (1 - part) * read2 + part * copy;
		bench->rows[bench->count++] = row;
		if (!bench->json)
			bench_print_row(stdout, &row);
	}
}

/* Asks it to move nothing. */
static bool peer_knows(enum bench_peer peer, enum detile_layout layout)
{
	static uint8_t nothing[4096], image[4096];
	struct detile_surface s = {nothing, sizeof(nothing), 1, 1, 512, 4, layout, 0, false};

	return peers[peer](&s, &(struct detile_rect){0, 0, 0, 0},
			   &(struct detile_image){image, 512});
}

/* All rows of a layout with their references, each once in every round. */
static void run_layout(struct scene *scene, enum detile_layout layout)
{
	static struct entry entries[MAX_ENTRIES];
	struct bench *bench = scene->bench;
	unsigned int count = add_rows(scene, layout, entries);

	if (!count)
		return;
	for (unsigned int i = 0; i < bench_reference_count; i++) {
		if (bench_references[i].cpu_flags & ~bench->cpu_flags)
			continue;
		memset(&entries[count], 0, sizeof(entries[count]));
		entries[count++].reference = &bench_references[i];
	}
	for (enum bench_peer peer = 0; peer < BENCH_PEERS; peer++) {
		if (!peer_knows(peer, layout))
			continue;
		memset(&entries[count], 0, sizeof(entries[count]));
		entries[count].row.layout = layout;
		entries[count++].peer = peers[peer];
	}
	for (unsigned int round = 0; round < bench->rounds; round++) {
		for (unsigned int i = 0; i < count; i++) {
			/* The scalar loop is slow and steady: three rounds say it. */
			if (entries[i].peer == bench_scalar && round >= 3)
				continue;
			entries[i].seconds[entries[i].samples++] = time_entry(scene, &entries[i]);
		}
		/* No entry keeps a pair of its own: where its pages lie makes a difference. */
		scene->turn = round;
	}
	finish_rows(scene, entries, count);
}

/* One colour: then the image is the same for every layout, and what it is costs nothing. */
static void fill(void *pixels, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 4)
		memcpy((uint8_t *)pixels + i, &(uint32_t){OLD_PIXEL}, 4);
}

static bool pair_create(struct pair *pair, const struct scene *scene)
{
	pair->frame = frame_create(scene->width, scene->height);
	pair->source = mmap(NULL, scene->frame_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pair->source == MAP_FAILED)
		pair->source = NULL;
	if (!pair->source || !pair->frame)
		return false;
	pair->image = (uint8_t *)pair->frame->pixels;
	fill(pair->source, scene->frame_bytes);
	fill(pair->image, pair->frame->stride * scene->height);
	return true;
}

static void scene_finish(struct scene *scene)
{
	for (unsigned int i = 0; i < scene->pair_count; i++) {
		if (scene->pairs[i].source)
			munmap(scene->pairs[i].source, scene->frame_bytes);
		frame_release(scene->pairs[i].frame);
	}
}

/* How much of the frame is used: all, or what fits well into a cache with its image. */
static int scene_init(struct scene *scene)
{
	const struct bench *bench = scene->bench;
	size_t row = (size_t)scene->width * 4, want = 2;
	uint32_t rows;

	scene->rect = (struct detile_rect){0, 0, scene->width, scene->height};
	scene->pair_count = 0;
	scene->turn = 0;
	scene->frame_bytes = row * ((scene->height + 31) / 32 * 32);
	if (scene->state == BENCH_COLD) {
		while (want < MAX_PAIRS && want * 2 * scene->frame_bytes < bench->l3 * 5)
			want++;
	} else {
		want = 1;
		if (scene->state == BENCH_L2)
			scene->rect.width = 512;
		rows = (uint32_t)((scene->state == BENCH_L2 ? bench->l2 * 3 / 4
							    : bench->l3 * 3 / 8) /
				  2 / (scene->rect.width * 4));
		rows = rows < 32 ? 32 : rows / 32 * 32;
		if (rows < scene->height)
			scene->rect.height = rows;
	}
	scene->bytes = (size_t)scene->rect.width * 4 * scene->rect.height;
	for (; scene->pair_count < want; scene->pair_count++) {
		if (!pair_create(&scene->pairs[scene->pair_count], scene)) {
			fprintf(stderr, "detile_bench: no memory for %u frames\n",
				scene->pair_count * 2 + 2);
			scene->pair_count++;
			scene_finish(scene);
			return -1;
		}
	}
	return 0;
}

int bench_run_scene(struct bench *bench, uint32_t width, uint32_t height, enum bench_state state,
		    unsigned int threads)
{
	static struct scene scene;

	scene.bench = bench;
	scene.width = width;
	scene.height = height;
	scene.state = state;
	scene.threads = threads;
	if (scene_init(&scene))
		return -1;
	for (enum detile_layout layout = 0; layout < DETILE_LAYOUTS; layout++)
		run_layout(&scene, layout);
	scene_finish(&scene);
	return 0;
}
