/* SPDX-License-Identifier: MIT */
#include "detile.h"

#include <string.h>

#include "kernel.h"

/* Which row of eight a pass looks at: neighbours in time are far apart in the picture. */
static const uint8_t order[DETILE_PROBE_PASSES] = {0, 4, 2, 6, 1, 5, 3, 7};

typedef uint32_t vector __attribute__((vector_size(16), aligned(1), may_alias));

static inline vector load(const uint8_t *p)
{
	vector v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t any(vector v)
{
	return v[0] | v[1] | v[2] | v[3];
}

/* The 16 bytes at byte x of row y, a multiple of 16, by the job's lines. */
static inline const uint8_t *piece(const struct detile_job *job, enum detile_layout layout,
				   size_t x, uint32_t y)
{
	if (layout == DETILE_LINEAR)
		return job->src + y * job->src_stride + x;
	if (layout == DETILE_X)
		return job->src + (y & ~7u) * job->src_stride + x / 512 * 4096 +
		       job->lines[y % 8][x / 64 % 8] + x % 64;
	return job->src + (y & ~31u) * job->src_stride + x / 128 * 4096 +
	       job->lines[y % 32 / 4][x / 16 % 8] + y % 4 * 16;
}

/* Bytes x0 .. x1-1 of a row, one by one. */
static uint32_t bytes_differ(const struct detile_job *job, enum detile_layout layout, size_t x0,
			     size_t x1, uint32_t y)
{
	const uint8_t *dst = job->dst + y * job->dst_stride;
	uint8_t mask[4];
	uint32_t differ = 0;

	memcpy(mask, &job->mask, 4);
	for (size_t x = x0; x < x1; x++)
		differ |= (uint32_t)(piece(job, layout, x & ~(size_t)15, y)[x % 16] ^ dst[x]) &
			  mask[x % 4];
	return differ;
}

/* A row that is looked at, and the one after it, whose lines are asked for ahead. */
struct row {
	const uint8_t *src, *dst; /* of the row, or of its row of tiles */
	const uint8_t *next_src, *next_dst;
	const uint16_t *lines, *next_lines;
	size_t inside; /* byte of the row in its lines of four rows */
};

static void row_init(struct row *row, const struct detile_job *job, enum detile_layout layout,
		     uint32_t y)
{
	uint32_t next = y + DETILE_PROBE_PASSES < job->y1 ? y + DETILE_PROBE_PASSES : y;
	uint32_t tile = layout == DETILE_LINEAR ? 1 : layout == DETILE_X ? 8 : 32;
	uint32_t rows = layout == DETILE_X ? 1 : 4;

	row->src = job->src + (y & ~(tile - 1)) * job->src_stride;
	row->next_src = job->src + (next & ~(tile - 1)) * job->src_stride;
	row->dst = job->dst + y * job->dst_stride;
	row->next_dst = job->dst + next * job->dst_stride;
	row->lines = job->lines[y % tile / rows];
	row->next_lines = job->lines[next % tile / rows];
	row->inside = y % 4 * 16;
}

/* The 64 bytes at byte x of a row, a multiple of 64. */
static inline vector chunk_differs(const struct row *row, enum detile_layout layout, size_t x)
{
	const uint8_t *dst = row->dst + x, *src = row->src + x;
	vector differ = {0};

	__builtin_prefetch(row->next_dst + x, 0, 2);
	if (layout == DETILE_LINEAR) {
		__builtin_prefetch(row->next_src + x, 0, 2);
	} else if (layout == DETILE_X) {
		src = row->src + x / 512 * 4096 + row->lines[x / 64 % 8];
		__builtin_prefetch(row->next_src + x / 512 * 4096 + row->next_lines[x / 64 % 8], 0,
				   2);
	} else {
		const uint8_t *next = row->next_src + x / 128 * 4096;

		src = row->src + x / 128 * 4096 + row->inside;
		for (size_t i = 0; i < 4; i++) {
			__builtin_prefetch(next + row->next_lines[x / 16 % 8 + i], 0, 2);
			differ |= load(src + row->lines[x / 16 % 8 + i]) ^ load(dst + i * 16);
		}
		return differ;
	}
	for (size_t i = 0; i < 4; i++)
		differ |= load(src + i * 16) ^ load(dst + i * 16);
	return differ;
}

static inline size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline __attribute__((always_inline)) void probe_row(struct detile_job *job,
							    enum detile_layout layout, uint32_t y)
{
	struct row row;

	row_init(&row, job, layout, y);
	for (size_t x = job->x0, right; x < job->x1; x = right) {
		size_t first = (x + 63) & ~(size_t)63, last;
		vector differ = {0};
		uint32_t edges = 0;

		right = least(((x >> job->cell_shift) + 1) << job->cell_shift, job->x1);
		last = right & ~(size_t)63;
		if (x < first)
			edges = bytes_differ(job, layout, x, least(first, right), y);
		for (size_t at = first; at < last; at += 64)
			differ |= chunk_differs(&row, layout, at);
		if (last < right && first <= last)
			edges |= bytes_differ(job, layout, last, right, y);
		if ((any(differ) & job->mask) | edges)
			job_mark(job, x, y);
	}
}

static void probe_linear(struct detile_job *job, uint32_t y)
{
	probe_row(job, DETILE_LINEAR, y);
}

static void probe_x(struct detile_job *job, uint32_t y)
{
	probe_row(job, DETILE_X, y);
}

static void probe_four(struct detile_job *job, uint32_t y)
{
	probe_row(job, DETILE_Y, y);
}

uint32_t detile_probe(const struct detile_surface *s, const struct detile_rect *r,
		      const struct detile_image *dst, uint32_t mask, uint32_t pass,
		      const struct detile_cells *cells)
{
	void (*probe)(struct detile_job * job, uint32_t y) = s->layout == DETILE_LINEAR
								     ? probe_linear
							     : s->layout == DETILE_X ? probe_x
										     : probe_four;
	struct detile_job job;
	uint32_t row = order[pass % DETILE_PROBE_PASSES];

	if (!detile_job_init(&job, s, r, dst))
		return 0;
	job.mask = s->cpp == 4 ? mask : UINT32_MAX;
	job.cells = *cells;
	for (uint32_t y = (job.y0 & ~7u) + row; y < job.y1; y += DETILE_PROBE_PASSES)
		if (y >= job.y0)
			probe(&job, y);
	return job.changed;
}
