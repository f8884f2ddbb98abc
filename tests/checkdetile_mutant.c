/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels that are right but for one small mistake. The mistake is made in a wrapper around the
 * real kernel, so that it is the same for every instruction set.
 */
#include "checkdetile.h"

#include <string.h>

#include "detile/kernel.h"

enum mistake {
	FLIPS_A_BIT,     /* of one pixel that it stored */
	SKIPS_A_ROW,     /* the last one stays as it was */
	SKIPS_A_BLOCK,   /* the last 64 bytes of each row stay as they were */
	MARKS_TOO_MUCH,  /* compare: one cell more */
	MARKS_TOO_FEW,   /* compare: one cell less */
	MISSES_A_BIT,    /* compare: one bit of each pixel is not looked at */
	SEES_ALL_BITS,   /* compare: the mask is not applied */
	COUNTS_TOO_MUCH, /* compare: one more than it marked */
	MISTAKES,
};

static const char *const names[MISTAKES] = {
	"flips a bit",  "skips a row",   "skips a block", "marks a cell too many",
	"drops a cell", "ignores a bit", "has no mask",   "counts too many",
};

/* The wrapper has no room for arguments. */
static void (*real)(struct detile_job *job);
static enum mistake mistake;
static unsigned int made; /* how often */

static bool first_cell(struct detile_job *job, uint64_t **word, uint64_t *bit)
{
	size_t column = job->x0 >> job->cell_shift;

	*word = job->cells.words + job->y0 / DETILE_CELL_HEIGHT * job->cells.stride + column / 64;
	*bit = UINT64_C(1) << column % 64;
	return **word & *bit;
}

static void spoil_cells(struct detile_job *job)
{
	uint32_t before = job->changed;
	uint64_t *word, bit, was;

	first_cell(job, &word, &bit);
	was = *word;
	real(job);
	if (mistake == MARKS_TOO_MUCH && !(*word & bit)) {
		*word |= bit;
		job->changed++;
		made++;
	} else if (mistake == MARKS_TOO_FEW && (*word & bit) && !(was & bit)) {
		*word &= ~bit;
		job->changed--;
		made++;
	} else if (mistake == COUNTS_TOO_MUCH && job->changed != before) {
		job->changed++;
		made++;
	}
}

static void spoiled(struct detile_job *job)
{
	struct detile_job less = *job;

	switch (mistake) {
	case FLIPS_A_BIT:
		real(job);
		job->dst[(job->y1 - 1) * job->dst_stride + job->x1 - 2] ^= 1;
		made++;
		return;
	case SKIPS_A_ROW:
		less.y1 -= BLOCK_HEIGHT;
		made++;
		break;
	case SKIPS_A_BLOCK:
		less.x1 -= BLOCK_WIDTH;
		made++;
		break;
	case MISSES_A_BIT:
		less.mask &= ~0x00000100u;
		made++;
		break;
	case SEES_ALL_BITS:
		less.mask = UINT32_MAX;
		made++;
		break;
	default:
		spoil_cells(job);
		return;
	}
	if (less.x0 < less.x1 && less.y0 < less.y1)
		real(&less);
	job->changed = less.changed;
}

bool mutant_first(struct mutant *mutant)
{
	*mutant = (struct mutant){0, 0, 0};
	return true;
}

bool mutant_next(struct mutant *mutant)
{
	do {
		if (++mutant->mistake == MISTAKES) {
			mutant->mistake = 0;
			if (++mutant->task == TASKS) {
				mutant->task = 0;
				if (++mutant->layout == DETILE_LAYOUTS)
					return false;
			}
		}
	} while (mutant->task < TASK_FUSED && mutant->mistake >= MARKS_TOO_MUCH);
	return true;
}

const char *mutant_name(const struct mutant *mutant)
{
	return names[mutant->mistake];
}

bool mutant_is_caught(struct check *check, const struct mutant *mutant, const struct detile *table)
{
	struct detile bad = *table;

	mistake = mutant->mistake;
	made = 0;
	/* Only this kernel: an unaligned surface or image falls back to another, which stays right.
	 */
	if (mutant->task >= TASK_FUSED) {
		bool wc = mutant->task == TASK_FUSED_WC;

		real = table->compare[mutant->layout][wc];
		bad.compare[mutant->layout][wc] = spoiled;
	} else {
		real = table->copy[mutant->layout][mutant->task];
		bad.copy[mutant->layout][mutant->task] = spoiled;
	}
	for (unsigned int tries = 0; tries < 2000; tries++) {
		if (check_begin(check, mutant->layout, DETILE_SWIZZLE_NONE))
			return false;
		if (check_task(check, &bad, mutant->task))
			return made > 0;
	}
	return false;
}
