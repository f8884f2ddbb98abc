/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of checkdetile: one geometry at a time, what is done to it, and spoiled kernels. */
#ifndef CHECKDETILE_H
#define CHECKDETILE_H

#include "detile/detile.h"

enum task {
	TASK_NORMAL,
	TASK_NT,
	TASK_WC,
	TASK_FUSED,
	TASK_FUSED_WC,
	TASKS,
};

/* Memory whose payload ends, or begins, exactly at a page that nobody may touch. */
struct fence {
	uint8_t *base; /* the first accessible byte */
	size_t bytes;  /* accessible */
};

struct check {
	uint64_t random;
	struct fence source, image;
	uint8_t *before, *expected; /* as big as the image's memory */
	uint64_t *cells, *cells_before;

	/* The geometry; check_begin() draws another. */
	struct detile_surface surface;
	struct detile_rect rect; /* within the surface */
	struct detile_image dst;
	size_t image_bytes; /* from dst.pixels on */
	struct detile_cells map;
	size_t words;
	uint32_t mask;
};

struct check *check_create(uint64_t seed);
void check_destroy(struct check *check);
uint32_t check_random(struct check *check, uint32_t below);

/*
 * A new random geometry with random pixels, written by detile_tile(). NULL, or what was wrong with
 * detile_tile(), detile_size() or detile_check().
 */
const char *check_begin(struct check *check, enum detile_layout layout,
			enum detile_swizzle swizzle);

/* NULL, or what detile_probe(), which has no table, did wrong. */
const char *check_probe(struct check *check);

/* NULL, or what the table did wrong. The geometry stays for other tables. */
const char *check_task(struct check *check, const struct detile *table, enum task task);

/* One mistake in one kernel of a table. */
struct mutant {
	enum detile_layout layout;
	enum task task;
	unsigned int mistake;
};

bool mutant_first(struct mutant *mutant);
bool mutant_next(struct mutant *mutant);
const char *mutant_name(const struct mutant *mutant);
bool mutant_is_caught(struct check *check, const struct mutant *mutant, const struct detile *table);

#endif
