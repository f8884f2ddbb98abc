/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkdetile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "detile/layout.h"

#define MAX_WIDTH    640u
#define MAX_HEIGHT   150u
#define SOURCE_BYTES (2u << 20)
#define IMAGE_BYTES  (2u << 20)
#define CELL_WORDS   256u
#define CELL_CANARY  UINT64_C(0x5ca1ab1e5ca1ab1e)

uint32_t check_random(struct check *check, uint32_t below)
{
	/* splitmix64 */
	uint64_t z = check->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return below ? (uint32_t)(z % below) : (uint32_t)z;
}

static void fill_random(struct check *check, uint8_t *bytes, size_t n)
{
	for (; n >= 4; n -= 4, bytes += 4) {
		uint32_t word = check_random(check, 0);

		memcpy(bytes, &word, 4);
	}
	while (n--)
		*bytes++ = (uint8_t)check_random(check, 256);
}

static int fence_init(struct fence *fence, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *all = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return -1;
	fence->base = all + page;
	fence->bytes = bytes;
	return mprotect(fence->base, bytes, PROT_READ | PROT_WRITE);
}

static void fence_finish(struct fence *fence)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (fence->base)
		munmap(fence->base - page, fence->bytes + 2 * page);
}

void check_destroy(struct check *check)
{
	if (!check)
		return;
	fence_finish(&check->source);
	fence_finish(&check->image);
	free(check->before);
	free(check->expected);
	free(check->cells);
	free(check->cells_before);
	free(check);
}

struct check *check_create(uint64_t seed)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check)
		return NULL;
	check->random = seed;
	check->before = malloc(IMAGE_BYTES);
	check->expected = malloc(IMAGE_BYTES);
	check->cells = calloc(CELL_WORDS, sizeof(uint64_t));
	check->cells_before = calloc(CELL_WORDS, sizeof(uint64_t));
	if (fence_init(&check->source, SOURCE_BYTES) || fence_init(&check->image, IMAGE_BYTES) ||
	    !check->before || !check->expected || !check->cells || !check->cells_before) {
		check_destroy(check);
		return NULL;
	}
	return check;
}

/* Small, or any, or a multiple of something that the kernels care for. */
static uint32_t draw_length(struct check *check, uint32_t max)
{
	static const uint32_t steps[] = {4, 16, 32, 64, 128};
	uint32_t step = steps[check_random(check, 5)];

	switch (check_random(check, 4)) {
	case 0:
		return 1 + check_random(check, 40);
	case 1:
		return 1 + check_random(check, max);
	default:
		return step * (1 + check_random(check, max / step));
	}
}

static void draw_surface(struct check *check, enum detile_layout layout,
			 enum detile_swizzle swizzle)
{
	struct detile_surface *s = &check->surface;
	uint32_t tile_width, tile_height;

	detile_tile_shape(layout, &tile_width, &tile_height);
	*s = (struct detile_surface){.layout = layout, .swizzle = swizzle};
	s->cpp = layout == DETILE_YF || check_random(check, 2) ? 4 : 1u << check_random(check, 4);
	s->width = draw_length(check, MAX_WIDTH);
	s->height = draw_length(check, MAX_HEIGHT);
	s->stride = s->width * s->cpp;
	if (layout == DETILE_LINEAR)
		tile_width = check_random(check, 2) ? 64 : 1;
	s->stride = (s->stride + tile_width - 1) / tile_width * tile_width;
	if (check_random(check, 2))
		s->stride += tile_width * check_random(check, 3);
}

/* The smallest size that holds every pixel, by asking the oracle for each. */
static size_t needed(const struct detile_surface *s)
{
	uint64_t most = 0;

	for (uint32_t y = 0; y < s->height; y++) {
		for (uint32_t x = 0; x < s->width; x++) {
			uint64_t at = detile_offset(s->layout, s->swizzle, s->cpp, s->stride, x, y);

			most = at + s->cpp > most ? at + s->cpp : most;
		}
	}
	return (size_t)most;
}

/* Flush against the fence below or above; above also whole pages, so that it stays aligned. */
static const char *place_surface(struct check *check)
{
	struct detile_surface *s = &check->surface;
	size_t whole = detile_size(s->layout, s->cpp, s->stride, s->height);
	size_t least = needed(s);

	if (least > whole || whole > SOURCE_BYTES)
		return "detile_size() is wrong";
	s->data = check->source.base;
	s->size = least - 1;
	if (!detile_check(s))
		return "detile_check() accepts a surface that is a byte too small";
	s->size = check_random(check, 3) ? least : whole;
	if (detile_check(s))
		return "detile_check() refuses a surface that is big enough";
	if (check_random(check, 3))
		s->data = check->source.base + check->source.bytes - s->size;
	return NULL;
}

static void draw_rect(struct check *check)
{
	const struct detile_surface *s = &check->surface;
	struct detile_rect *r = &check->rect;

	*r = (struct detile_rect){0, 0, s->width, s->height};
	if (check_random(check, 3) == 0)
		return;
	r->x = check_random(check, s->width);
	r->y = check_random(check, s->height);
	if (check_random(check, 2)) {
		r->x &= ~63u;
		r->y &= ~31u;
	}
	r->width = 1 + check_random(check, s->width - r->x);
	r->height = 1 + check_random(check, s->height - r->y);
}

static void place_image(struct check *check)
{
	const struct detile_surface *s = &check->surface;
	size_t row = (size_t)s->width * s->cpp, last = row;
	size_t stride = row;

	/* Any stride, or one that non-temporal stores like, or none at all between rows. */
	if (check_random(check, 3))
		stride = (row + 63) & ~(size_t)63;
	if (check_random(check, 3) == 0)
		stride += check_random(check, 2) ? 64 : check_random(check, 100);
	if (check_random(check, 2))
		last = stride;
	check->dst.stride = stride;
	check->image_bytes = stride * (s->height - 1) + last;
	check->dst.pixels = check->image.base;
	if (check_random(check, 2))
		check->dst.pixels = check->image.base + check->image.bytes - check->image_bytes;
}

static const char *write_surface(struct check *check)
{
	const struct detile_surface *s = &check->surface;
	struct detile_image from = {check->expected, (size_t)s->width * s->cpp};
	struct detile_rect left = {0, 0, s->width / 2, s->height}, right = left;
	uint8_t *data = check->source.base + ((const uint8_t *)s->data - check->source.base);

	fill_random(check, check->expected, from.stride * s->height);
	fill_random(check, data, s->size);
	right.x = left.width;
	right.width = UINT32_MAX;
	detile_tile(data, s, &left, &from);
	detile_tile(data, s, &right, &from);
	for (uint32_t y = 0; y < s->height; y++)
		for (uint32_t x = 0; x < s->width; x++)
			if (memcmp(data + detile_offset(s->layout, s->swizzle, s->cpp, s->stride, x,
							y),
				   check->expected + y * from.stride + (size_t)x * s->cpp, s->cpp))
				return "detile_tile() wrote a pixel elsewhere";
	return NULL;
}

static bool in_rect(const struct detile_rect *r, uint32_t x, uint32_t y)
{
	return x >= r->x && x - r->x < r->width && y >= r->y && y - r->y < r->height;
}

static const uint8_t *source_pixel(const struct check *check, uint32_t x, uint32_t y)
{
	const struct detile_surface *s = &check->surface;

	return (const uint8_t *)s->data +
	       detile_offset(s->layout, s->swizzle, s->cpp, s->stride, x, y);
}

static const char *check_copy(struct check *check, const struct detile *table, enum task task)
{
	static const enum detile_path paths[] = {DETILE_NORMAL, DETILE_NT, DETILE_WC};
	const struct detile_surface *s = &check->surface;
	uint8_t *pixels = check->dst.pixels;

	fill_random(check, pixels, check->image_bytes);
	memcpy(check->expected, pixels, check->image_bytes);
	for (uint32_t y = 0; y < s->height; y++)
		for (uint32_t x = 0; x < s->width; x++)
			if (in_rect(&check->rect, x, y))
				memcpy(check->expected + y * check->dst.stride + (size_t)x * s->cpp,
				       source_pixel(check, x, y), s->cpp);
	detile_copy(table, s, &check->rect, &check->dst, paths[task]);
	if (memcmp(check->expected, pixels, check->image_bytes))
		return "the image differs from the oracle's";
	return NULL;
}

static bool pixel_differs(const struct check *check, const uint8_t *a, const uint8_t *b)
{
	uint32_t one, two;

	if (check->surface.cpp != 4)
		return memcmp(a, b, check->surface.cpp) != 0;
	memcpy(&one, a, 4);
	memcpy(&two, b, 4);
	return ((one ^ two) & check->mask) != 0;
}

/* The image as it should be but for some pixels, each of which differs in one bit. */
static void draw_old_image(struct check *check)
{
	const struct detile_surface *s = &check->surface;
	uint32_t changes = check_random(check, 4) ? check_random(check, 12) : 0;
	uint8_t *pixels = check->dst.pixels;

	fill_random(check, pixels, check->image_bytes);
	if (check_random(check, 6) == 0)
		return; /* all is new */
	for (uint32_t y = 0; y < s->height; y++)
		for (uint32_t x = 0; x < s->width; x++)
			memcpy(pixels + y * check->dst.stride + (size_t)x * s->cpp,
			       source_pixel(check, x, y), s->cpp);
	while (changes--) {
		uint32_t x = check_random(check, s->width), y = check_random(check, s->height);
		uint32_t bit = check_random(check, s->cpp * 8);

		pixels[y * check->dst.stride + (size_t)x * s->cpp + bit / 8] ^=
			(uint8_t)(1u << bit % 8);
	}
}

/* The cells in which a pixel differs, of all rows or of those that are row modulo 8. */
static uint32_t expect_cells(struct check *check, uint32_t step, uint32_t row)
{
	const struct detile_rect *r = &check->rect;
	uint64_t *words = check->cells_before;
	uint32_t fresh = 0;

	for (uint32_t y = r->y; y < r->y + r->height; y++) {
		if (y % step != row)
			continue;
		for (uint32_t x = r->x; x < r->x + r->width; x++) {
			size_t at = y * check->dst.stride + (size_t)x * check->surface.cpp;
			uint32_t cx = x / DETILE_CELL_WIDTH, cy = y / DETILE_CELL_HEIGHT;
			uint64_t *word = words + 1 + cy * check->map.stride + cx / 64;
			uint64_t bit = UINT64_C(1) << cx % 64;

			if (!pixel_differs(check, check->before + at, source_pixel(check, x, y)))
				continue;
			fresh += !(*word & bit);
			*word |= bit;
		}
	}
	return fresh;
}

/* Every byte is what it was, or in the rectangle and the source's; there it is so under mask. */
static const char *judge_image(struct check *check)
{
	const struct detile_surface *s = &check->surface;
	const uint8_t *pixels = check->dst.pixels;

	memcpy(check->expected, check->before, check->image_bytes);
	for (uint32_t y = 0; y < s->height; y++) {
		for (uint32_t x = 0; x < s->width; x++) {
			size_t at = y * check->dst.stride + (size_t)x * s->cpp;

			if (!in_rect(&check->rect, x, y))
				continue;
			if (pixel_differs(check, pixels + at, source_pixel(check, x, y)))
				return "a changed pixel was not copied";
			if (!memcmp(pixels + at, source_pixel(check, x, y), s->cpp))
				memcpy(check->expected + at, source_pixel(check, x, y), s->cpp);
		}
	}
	if (memcmp(check->expected, pixels, check->image_bytes))
		return "something was written that is not the source's";
	return NULL;
}

/* One cell is set already, and must neither vanish nor count. */
static void clear_cells(struct check *check)
{
	for (size_t i = 0; i < CELL_WORDS; i++)
		check->cells[i] = CELL_CANARY;
	memset(check->map.words, 0, check->words * sizeof(uint64_t));
	check->map.words[check_random(check, (uint32_t)check->words)] = 1;
	memcpy(check->cells_before, check->cells, CELL_WORDS * sizeof(uint64_t));
}

/* The rows of the passes, in the words of detile.h: all of them in eight passes, one in each. */
const char *check_probe(struct check *check)
{
	static const uint32_t rows[DETILE_PROBE_PASSES] = {0, 4, 2, 6, 1, 5, 3, 7};
	uint32_t pass = check_random(check, 1000), expected, found;

	draw_old_image(check);
	memcpy(check->before, check->dst.pixels, check->image_bytes);
	for (unsigned int i = 0; i < DETILE_PROBE_PASSES; i++, pass++) {
		clear_cells(check);
		expected = expect_cells(check, 8, rows[pass % 8]);
		found = detile_probe(&check->surface, &check->rect, &check->dst, check->mask, pass,
				     &check->map);
		if (memcmp(check->cells, check->cells_before, CELL_WORDS * sizeof(uint64_t)))
			return "the cells found by a probe are not the oracle's";
		if (found != expected)
			return "the count of cells found by a probe is wrong";
	}
	return memcmp(check->before, check->dst.pixels, check->image_bytes)
		       ? "a probe wrote into the image"
		       : NULL;
}

static const char *check_fused(struct check *check, const struct detile *table, enum task task)
{
	struct detile_surface s = check->surface;
	uint32_t expected, found;
	size_t bytes = CELL_WORDS * sizeof(uint64_t);

	draw_old_image(check);
	memcpy(check->before, check->dst.pixels, check->image_bytes);
	clear_cells(check);
	expected = expect_cells(check, 1, 0);
	s.wc = task == TASK_FUSED_WC;
	found = detile_compare(table, &s, &check->rect, &check->dst, check->mask, &check->map);
	if (memcmp(check->cells, check->cells_before, bytes))
		return "the changed cells are not the oracle's";
	if (found != expected)
		return "the count of changed cells is wrong";
	return judge_image(check);
}

const char *check_begin(struct check *check, enum detile_layout layout, enum detile_swizzle swizzle)
{
	static const uint32_t masks[] = {UINT32_MAX, 0x00ffffff};
	const char *wrong;

	draw_surface(check, layout, swizzle);
	wrong = place_surface(check);
	if (wrong)
		return wrong;
	draw_rect(check);
	place_image(check);
	wrong = write_surface(check);
	check->mask = masks[check_random(check, 2)];
	check->map.words = check->cells + 1;
	check->map.stride = 1 + (check->surface.width - 1) / DETILE_CELL_WIDTH / 64 +
			    check_random(check, 2);
	check->words = check->map.stride * (1 + (check->surface.height - 1) / DETILE_CELL_HEIGHT);
	return wrong;
}

const char *check_task(struct check *check, const struct detile *table, enum task task)
{
	return task >= TASK_FUSED ? check_fused(check, table, task)
				  : check_copy(check, table, task);
}
