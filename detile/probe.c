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

/* Bytes x0 .. x1-1 of a row that share a piece: one by one. */
static uint32_t bytes_differ(const struct detile_job *job, enum detile_layout layout, size_t x0,
			     size_t x1, uint32_t y)
{
	const uint8_t *from = piece(job, layout, x0 & ~(size_t)15, y);
	const uint8_t *dst = job->dst + y * job->dst_stride;
	uint8_t mask[4];
	uint32_t differ = 0;

	memcpy(mask, &job->mask, 4);
	for (size_t x = x0; x < x1; x++)
		differ |= (uint32_t)(from[x % 16] ^ dst[x]) & mask[x % 4];
	return differ;
}

/* Bytes x0 .. x1-1 of a row, which lie in one cell. */
static uint32_t span_differs(const struct detile_job *job, enum detile_layout layout, size_t x0,
			     size_t x1, uint32_t y)
{
	const uint8_t *dst = job->dst + y * job->dst_stride;
	size_t first = (x0 + 15) & ~(size_t)15, last = x1 & ~(size_t)15;
	vector differ = {0};

	if (first > last)
		return bytes_differ(job, layout, x0, x1, y);
	for (size_t x = first; x < last; x += 16)
		differ |= load(piece(job, layout, x, y)) ^ load(dst + x);
	return (any(differ) & job->mask) |
	       (x0 < first ? bytes_differ(job, layout, x0, first, y) : 0) |
	       (last < x1 ? bytes_differ(job, layout, last, x1, y) : 0);
}

uint32_t detile_probe(const struct detile_surface *s, const struct detile_rect *r,
		      const struct detile_image *dst, uint32_t mask, uint32_t pass,
		      const struct detile_cells *cells)
{
	struct detile_job job;
	uint32_t row = order[pass % DETILE_PROBE_PASSES];

	if (!detile_job_init(&job, s, r, dst))
		return 0;
	job.mask = s->cpp == 4 ? mask : UINT32_MAX;
	job.cells = *cells;
	for (uint32_t y = (job.y0 & ~7u) + row; y < job.y1; y += 8) {
		if (y < job.y0)
			continue;
		for (size_t x = job.x0, right; x < job.x1; x = right) {
			right = ((x >> job.cell_shift) + 1) << job.cell_shift;
			if (right > job.x1)
				right = job.x1;
			if (span_differs(&job, s->layout, x, right, y))
				job_mark(&job, x, y);
		}
	}
	return job.changed;
}
