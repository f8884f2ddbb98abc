/* SPDX-License-Identifier: MIT */
#include "detile.h"

#include <string.h>

#include "cpu.h"
#include "layout.h"
#include "walk.h"

/* Keeps the compiler from reading the source again for bytes that it has read. */
#define READ_ONCE_BARRIER() __asm__ volatile("" ::: "memory")

/* The kernels in C. */
ALWAYS_INLINE void block_gather(uint8_t out[BLOCK_HEIGHT][BLOCK_WIDTH],
				const uint8_t *const line[4], bool lanes)
{
	UNROLL
	for (unsigned int n = 0; n < 4; n++) {
		if (!lanes) {
			memcpy(out[n], line[n], LINE_BYTES);
			continue;
		}
		UNROLL
		for (unsigned int row = 0; row < BLOCK_HEIGHT; row++)
			memcpy(out[row] + 16 * n, line[n] + 16 * row, 16);
	}
}

ALWAYS_INLINE void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride, bool lanes,
			      enum detile_path path)
{
	(void)path;
	UNROLL
	for (unsigned int n = 0; n < 4; n++) {
		if (!lanes) {
			memcpy(dst + n * stride, line[n], LINE_BYTES);
			continue;
		}
		UNROLL
		for (unsigned int row = 0; row < BLOCK_HEIGHT; row++)
			memcpy(dst + row * stride + 16 * n, line[n] + 16 * row, 16);
	}
}

ALWAYS_INLINE bool block_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				 uint32_t mask, bool lanes, bool wc)
{
	uint8_t block[BLOCK_HEIGHT][BLOCK_WIDTH];
	uint64_t differ = 0;

	(void)wc;
	block_gather(block, line, lanes);
	READ_ONCE_BARRIER();
	UNROLL
	for (unsigned int row = 0; row < BLOCK_HEIGHT; row++) {
		UNROLL
		for (unsigned int x = 0; x < BLOCK_WIDTH; x += 8) {
			uint64_t now, old;

			memcpy(&now, block[row] + x, 8);
			memcpy(&old, dst + row * stride + x, 8);
			differ |= now ^ old;
		}
	}
	if (!(differ & (mask | (uint64_t)mask << 32)))
		return false;
	UNROLL
	for (unsigned int row = 0; row < BLOCK_HEIGHT; row++)
		memcpy(dst + row * stride, block[row], BLOCK_WIDTH);
	return true;
}

DETILE_KERNELS(fill_c)

static void read_line_c(uint8_t out[LINE_BYTES], const uint8_t *line)
{
	memcpy(out, line, LINE_BYTES);
}

void detile_init(struct detile *table, unsigned int cpu_flags)
{
	fill_c(table);
	table->read_line = read_line_c;
	table->isa = "c";
#ifdef DETILE_HAVE_X86
	if (!(cpu_flags & DETILE_CPU_SSE41))
		return;
	detile_init_sse41(table);
	if (!(cpu_flags & DETILE_CPU_AVX2))
		return;
	detile_init_avx2(table);
	if (!(cpu_flags & DETILE_CPU_AVX512))
		return;
	detile_init_avx512(table);
#elif defined(DETILE_HAVE_NEON)
	if (!(cpu_flags & DETILE_CPU_NEON))
		return;
	detile_init_neon(table);
#else
	(void)cpu_flags;
#endif
}

/* Where the 64 lines of a tile lie; by arithmetic of its own, so that layout.c can judge it. */
static unsigned int line_offset(enum detile_layout layout, unsigned int row, unsigned int column)
{
	switch (layout) {
	case DETILE_Y:
		return column * 512 + row * 64;
	case DETILE_YF:
		return (column & 1) << 7 | (column & 2) << 8 | (column & 4) << 9 | (row & 1) << 6 |
		       (row & 2) << 7 | (row & 4) << 8;
	case DETILE_4:
		return (row & 1) << 8 | (row & 6) << 9 | (column & 3) << 6 | (column & 4) << 7;
	default:
		return row * 512 + column * 64;
	}
}

static unsigned int swizzle_line(enum detile_swizzle swizzle, unsigned int offset)
{
	unsigned int bit9 = offset >> 3 & 64, bit10 = offset >> 4 & 64, bit11 = offset >> 5 & 64;

	switch (swizzle) {
	case DETILE_SWIZZLE_9:
		return offset ^ bit9;
	case DETILE_SWIZZLE_9_10:
		return offset ^ bit9 ^ bit10;
	case DETILE_SWIZZLE_9_11:
		return offset ^ bit9 ^ bit11;
	case DETILE_SWIZZLE_9_10_11:
		return offset ^ bit9 ^ bit10 ^ bit11;
	default:
		return offset;
	}
}

bool detile_job_init(struct detile_job *job, const struct detile_surface *s,
		     const struct detile_rect *r, const struct detile_image *dst)
{
	if (r->x >= s->width || r->y >= s->height || !r->width || !r->height)
		return false;
	job->x1 = r->width > s->width - r->x ? s->width : r->x + r->width;
	job->y1 = r->height > s->height - r->y ? s->height : r->y + r->height;
	job->x0 = (size_t)r->x * s->cpp;
	job->x1 *= s->cpp;
	job->y0 = r->y;
	job->src = s->data;
	job->src_stride = s->stride;
	job->dst = dst->pixels;
	job->dst_stride = dst->stride;
	job->cell_shift = s->cpp == 8 ? 9 : s->cpp == 4 ? 8 : s->cpp == 2 ? 7 : 6;
	job->changed = 0;
	for (unsigned int row = 0; row < 8; row++)
		for (unsigned int column = 0; column < 8; column++)
			job->lines[row][column] = (uint16_t)swizzle_line(
				s->swizzle, line_offset(s->layout, row, column));
	return true;
}

/* The source line n of the block at byte x of row y, both multiples of a block. */
static const uint8_t *block_line(const struct detile_job *job, enum detile_layout layout, size_t x,
				 uint32_t y, unsigned int n)
{
	if (layout == DETILE_LINEAR)
		return job->src + (y + n) * job->src_stride + x;
	if (layout == DETILE_X)
		return job->src + (y & ~7u) * job->src_stride + x / 512 * 4096 +
		       job->lines[y % 8 + n][x / 64 % 8];
	return job->src + (y & ~31u) * job->src_stride + x / 128 * 4096 +
	       job->lines[y % 32 / 4][x / 16 % 8 + n];
}

/* What part of a block is asked for: bytes x0 .. x1-1 of rows y0 .. y1-1, counted in the block. */
struct part {
	size_t x0, x1;
	unsigned int y0, y1;
};

static bool line_is_asked(enum detile_layout layout, const struct part *part, unsigned int n)
{
	if (layout == DETILE_LINEAR || layout == DETILE_X)
		return n >= part->y0 && n < part->y1;
	return 16 * n + 16 > part->x0 && 16 * n < part->x1;
}

/* Reads only bytes of pixels that are asked for. */
static void gather_bytes(uint8_t out[BLOCK_HEIGHT][BLOCK_WIDTH], const uint8_t *line,
			 enum detile_layout layout, const struct part *part, unsigned int n)
{
	size_t x0 = 16 * n, x1 = x0 + 16;

	if (layout == DETILE_LINEAR || layout == DETILE_X) {
		memcpy(out[n] + part->x0, line + part->x0, part->x1 - part->x0);
		return;
	}
	x0 = x0 < part->x0 ? part->x0 : x0;
	x1 = x1 > part->x1 ? part->x1 : x1;
	for (unsigned int row = part->y0; row < part->y1; row++)
		memcpy(out[row] + x0, line + 16 * row + x0 - 16 * n, x1 - x0);
}

static void scatter_line(uint8_t out[BLOCK_HEIGHT][BLOCK_WIDTH], const uint8_t line[LINE_BYTES],
			 enum detile_layout layout, unsigned int n)
{
	if (layout == DETILE_LINEAR || layout == DETILE_X) {
		memcpy(out[n], line, LINE_BYTES);
		return;
	}
	for (unsigned int row = 0; row < BLOCK_HEIGHT; row++)
		memcpy(out[row] + 16 * n, line + 16 * row, 16);
}

struct edge {
	const struct detile *t;
	const struct detile_surface *s;
	struct detile_job *job;
	bool compare, wc;
};

/* A part of a block into a block of our own; whole lines if the source wants that and has them. */
static void gather_part(const struct edge *edge, uint8_t out[BLOCK_HEIGHT][BLOCK_WIDTH], size_t x,
			uint32_t y, const struct part *part)
{
	const uint8_t *end = (const uint8_t *)edge->s->data + edge->s->size;

	for (unsigned int n = 0; n < 4; n++) {
		uint8_t whole[LINE_BYTES];
		const uint8_t *line;

		if (!line_is_asked(edge->s->layout, part, n))
			continue;
		line = block_line(edge->job, edge->s->layout, x, y, n);
		if (!edge->wc || end - line < (ptrdiff_t)LINE_BYTES) {
			gather_bytes(out, line, edge->s->layout, part, n);
			continue;
		}
		edge->t->read_line(whole, line);
		scatter_line(out, whole, edge->s->layout, n);
	}
	READ_ONCE_BARRIER();
}

static bool part_differs(const struct detile_job *job, uint8_t block[BLOCK_HEIGHT][BLOCK_WIDTH],
			 const uint8_t *dst, const struct part *part)
{
	uint8_t mask[4];

	memcpy(mask, &job->mask, 4);
	for (unsigned int row = part->y0; row < part->y1; row++)
		for (size_t x = part->x0; x < part->x1; x++)
			if ((block[row][x] ^ dst[row * job->dst_stride + x]) & mask[x % 4])
				return true;
	return false;
}

static void edge_block(const struct edge *edge, size_t x, uint32_t y, const struct part *part)
{
	struct detile_job *job = edge->job;
	uint8_t block[BLOCK_HEIGHT][BLOCK_WIDTH];
	uint8_t *dst = job->dst + y * job->dst_stride + x;

	gather_part(edge, block, x, y, part);
	if (edge->compare) {
		if (!part_differs(job, block, dst, part))
			return;
		job_mark(job, x, y);
	}
	for (unsigned int row = part->y0; row < part->y1; row++)
		memcpy(dst + row * job->dst_stride + part->x0, block[row] + part->x0,
		       part->x1 - part->x0);
}

/* Bytes x0 .. x1-1 of rows y0 .. y1-1, block by block, none of which need be whole. */
static void edge_rect(const struct edge *edge, size_t x0, size_t x1, uint32_t y0, uint32_t y1)
{
	if (x0 >= x1)
		return;
	for (uint32_t y = y0 & ~(BLOCK_HEIGHT - 1); y < y1; y += BLOCK_HEIGHT) {
		for (size_t x = x0 & ~(size_t)(BLOCK_WIDTH - 1); x < x1; x += BLOCK_WIDTH) {
			struct part part = {
				.x0 = x0 > x ? x0 - x : 0,
				.x1 = x1 - x < BLOCK_WIDTH ? x1 - x : BLOCK_WIDTH,
				.y0 = y0 > y ? y0 - y : 0,
				.y1 = y1 - y < BLOCK_HEIGHT ? y1 - y : BLOCK_HEIGHT,
			};

			edge_block(edge, x, y, &part);
		}
	}
}

/* Whole blocks by the kernel, what surrounds them here: above, left, right, below. */
static void job_run(const struct edge *edge, void (*kernel)(struct detile_job *job))
{
	struct detile_job *job = edge->job;
	size_t x0 = job->x0, x1 = job->x1;
	uint32_t y0 = job->y0, y1 = job->y1;

	job->x0 = (x0 + BLOCK_WIDTH - 1) & ~(size_t)(BLOCK_WIDTH - 1);
	job->x1 = x1 & ~(size_t)(BLOCK_WIDTH - 1);
	job->y0 = (y0 & (BLOCK_HEIGHT - 1)) ? (y0 | (BLOCK_HEIGHT - 1)) + 1 : y0;
	job->y1 = y1 & ~(BLOCK_HEIGHT - 1);
	if (job->x0 >= job->x1 || job->y0 >= job->y1 || job->y0 < y0) {
		edge_rect(edge, x0, x1, y0, y1);
		return;
	}
	edge_rect(edge, x0, x1, y0, job->y0);
	edge_rect(edge, x0, job->x0, job->y0, job->y1);
	kernel(job);
	edge_rect(edge, job->x1, x1, job->y0, job->y1);
	edge_rect(edge, x0, x1, job->y1, y1);
}

static bool is_aligned(const void *pointer, size_t stride)
{
	return ((uintptr_t)pointer | stride) % LINE_BYTES == 0;
}

/* Streaming loads need aligned lines, which in a tiled surface only depend on its start. */
static bool can_stream(const struct detile_surface *s)
{
	return is_aligned(s->data, s->layout == DETILE_LINEAR ? s->stride : 0);
}

void detile_copy(const struct detile *t, const struct detile_surface *s,
		 const struct detile_rect *r, const struct detile_image *dst, enum detile_path path)
{
	struct detile_job job;
	struct edge edge = {.t = t, .s = s, .job = &job};

	if (!detile_job_init(&job, s, r, dst))
		return;
	if (s->wc)
		path = DETILE_WC;
	if (path == DETILE_WC && !can_stream(s))
		path = DETILE_NORMAL;
	if (path == DETILE_NT && !is_aligned(dst->pixels, dst->stride))
		path = DETILE_NORMAL;
	edge.wc = path == DETILE_WC;
	job_run(&edge, t->copy[s->layout][path]);
}

uint32_t detile_compare(const struct detile *t, const struct detile_surface *s,
			const struct detile_rect *r, const struct detile_image *dst, uint32_t mask,
			const struct detile_cells *cells)
{
	struct detile_job job;
	struct edge edge = {.t = t, .s = s, .job = &job, .compare = true};

	if (!detile_job_init(&job, s, r, dst))
		return 0;
	edge.wc = s->wc && can_stream(s);
	job.mask = s->cpp == 4 ? mask : UINT32_MAX;
	job.cells = *cells;
	job_run(&edge, t->compare[s->layout][edge.wc]);
	return job.changed;
}
