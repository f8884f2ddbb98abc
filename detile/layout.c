/* SPDX-License-Identifier: MIT */
#include "layout.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

#define X_BIT(n) (n)
#define Y_BIT(n) (0x80 | (n))

/* Which coordinate bit is bit 0 .. 11 of an address within a tile; x counts bytes. */
struct shape {
	uint32_t width, height;
	uint8_t bits[12];
};

static const struct shape shapes[DETILE_LAYOUTS] = {
	[DETILE_LINEAR] = {1, 1, {0}},
	[DETILE_X] = {512,
		      8,
		      {X_BIT(0), X_BIT(1), X_BIT(2), X_BIT(3), X_BIT(4), X_BIT(5), X_BIT(6),
		       X_BIT(7), X_BIT(8), Y_BIT(0), Y_BIT(1), Y_BIT(2)}},
	[DETILE_Y] = {128,
		      32,
		      {X_BIT(0), X_BIT(1), X_BIT(2), X_BIT(3), Y_BIT(0), Y_BIT(1), Y_BIT(2),
		       Y_BIT(3), Y_BIT(4), X_BIT(4), X_BIT(5), X_BIT(6)}},
	[DETILE_YF] = {128,
		       32,
		       {X_BIT(0), X_BIT(1), X_BIT(2), X_BIT(3), Y_BIT(0), Y_BIT(1), Y_BIT(2),
			X_BIT(4), Y_BIT(3), X_BIT(5), Y_BIT(4), X_BIT(6)}},
	[DETILE_4] = {128,
		      32,
		      {X_BIT(0), X_BIT(1), X_BIT(2), X_BIT(3), Y_BIT(0), Y_BIT(1), X_BIT(4),
		       X_BIT(5), Y_BIT(2), X_BIT(6), Y_BIT(3), Y_BIT(4)}},
};

bool detile_tile_shape(enum detile_layout layout, uint32_t *width, uint32_t *height)
{
	if ((unsigned int)layout >= DETILE_LAYOUTS)
		return false;
	*width = shapes[layout].width;
	*height = shapes[layout].height;
	return true;
}

uint32_t detile_tile_offset(enum detile_layout layout, uint32_t x, uint32_t y)
{
	uint32_t offset = 0;
	unsigned int i;

	if (layout == DETILE_LINEAR)
		return 0;
	for (i = 0; i < 12; i++) {
		uint8_t bit = shapes[layout].bits[i];
		uint32_t from = bit & 0x80 ? y : x;

		offset |= (from >> (bit & 0x7f) & 1) << i;
	}
	return offset;
}

uint32_t detile_swizzle_bits(enum detile_swizzle swizzle, uint64_t offset)
{
	static const uint8_t masks[DETILE_SWIZZLES] = {
		[DETILE_SWIZZLE_9] = 1,
		[DETILE_SWIZZLE_9_10] = 3,
		[DETILE_SWIZZLE_9_11] = 5,
		[DETILE_SWIZZLE_9_10_11] = 7,
	};
	uint32_t bits = (uint32_t)(offset >> 9) & masks[swizzle];

	return ((bits ^ bits >> 1 ^ bits >> 2) & 1) << 6;
}

uint64_t detile_offset(enum detile_layout layout, enum detile_swizzle swizzle, uint32_t cpp,
		       uint32_t stride, uint32_t x, uint32_t y)
{
	const struct shape *shape = &shapes[layout];
	uint64_t byte = (uint64_t)x * cpp;
	uint32_t column, row, offset;

	if (layout == DETILE_LINEAR)
		return (uint64_t)y * stride + byte;
	/* Shapes are powers of two: no 64-bit division, which a 32-bit kernel lacks. */
	column = (uint32_t)(byte >> (shape->width == 512 ? 9 : 7));
	row = y & ~(shape->height - 1);
	offset = detile_tile_offset(layout, (uint32_t)byte & (shape->width - 1), y - row);
	offset ^= detile_swizzle_bits(swizzle, offset);
	return (uint64_t)row * stride + (uint64_t)column * DETILE_TILE_BYTES + offset;
}

static bool cpp_exists(enum detile_layout layout, uint32_t cpp)
{
	if (layout == DETILE_YF)
		return cpp == 4;
	return cpp == 1 || cpp == 2 || cpp == 4 || cpp == 8;
}

size_t detile_size(enum detile_layout layout, uint32_t cpp, uint32_t stride, uint32_t height)
{
	uint32_t tile_width, tile_height;
	uint64_t size;

	if (!detile_tile_shape(layout, &tile_width, &tile_height) || !cpp_exists(layout, cpp))
		return 0;
	if (!stride || (stride & (tile_width - 1)))
		return 0;
	/* At most 2^32 * (2^32 - 1): no overflow here, maybe one in size_t. */
	size = ((uint64_t)height + tile_height - 1) & ~(uint64_t)(tile_height - 1);
	size *= stride;
	return size == (size_t)size ? (size_t)size : 0;
}

/* One more than the highest byte of any pixel; the numbers are known to be sound. */
static uint64_t touched(const struct detile_surface *s)
{
	const struct shape *shape = &shapes[s->layout];
	uint64_t row = (uint64_t)s->width * s->cpp;
	uint64_t column = (row - 1) & ~(uint64_t)(shape->width - 1);
	uint32_t width = (uint32_t)(row - column);
	uint32_t top = (s->height - 1) & ~(shape->height - 1);
	uint32_t last = 0, x, y;

	if (s->layout == DETILE_LINEAR)
		return (uint64_t)(s->height - 1) * s->stride + row;
	/* The bottom right tile lies highest. Within it 16 bytes of a row always run upwards. */
	for (y = 0; y < s->height - top; y++) {
		for (x = 0; x < width; x += 16) {
			uint32_t end = width - x < 16 ? width - 1 : x + 15;
			uint32_t offset = detile_tile_offset(s->layout, end, y);

			offset ^= detile_swizzle_bits(s->swizzle, offset);
			if (offset > last)
				last = offset;
		}
	}
	return (uint64_t)top * s->stride +
	       (column >> (shape->width == 512 ? 9 : 7)) * DETILE_TILE_BYTES + last + 1;
}

int detile_check(const struct detile_surface *s)
{
	if (!s->data || !s->width || !s->height || s->height > DETILE_MAX_HEIGHT)
		return -EINVAL;
	if ((unsigned int)s->swizzle >= DETILE_SWIZZLES)
		return -EINVAL;
	if (!detile_size(s->layout, s->cpp, s->stride, s->height))
		return -EINVAL;
	if ((uint64_t)s->width * s->cpp > s->stride)
		return -EINVAL;
	return touched(s) <= s->size ? 0 : -EINVAL;
}

/*
 * No bit of an offset depends on both x and y, and a swizzle is an XOR of bits: so the offset of
 * (x, y) is that of (x, 0) XOR that of (0, y), and a row of a tile is eight runs of bytes.
 */
struct runs {
	uint32_t bytes; /* a run: 64 in a row of X, 16 in all others */
	uint32_t offset[8];
};

static uint32_t swizzled(const struct detile_surface *s, uint32_t x, uint32_t y)
{
	uint32_t offset = detile_tile_offset(s->layout, x, y);

	return offset ^ detile_swizzle_bits(s->swizzle, offset);
}

/* Writes bytes x0 .. x1-1 of row y. */
static void tile_row(uint8_t *data, const struct detile_surface *s, const struct runs *runs,
		     uint64_t x0, uint64_t x1, uint32_t y, const uint8_t *src)
{
	uint32_t in_tile = y & (shapes[s->layout].height - 1);
	uint32_t at = swizzled(s, 0, in_tile);
	unsigned int shift = runs->bytes == 64 ? 6 : 4;
	uint64_t x, end;

	data += (uint64_t)(y - in_tile) * s->stride;
	for (x = x0; x < x1; x = end) {
		uint64_t run = x >> shift;
		uint32_t skip = (uint32_t)x & (runs->bytes - 1);
		uint8_t *to = data + (run >> 3) * DETILE_TILE_BYTES;

		to += (runs->offset[run & 7] ^ at) + skip;
		end = (run + 1) << shift;
		/* Constant lengths compile to plain moves. */
		if (skip || end > x1) {
			end = end > x1 ? x1 : end;
			memcpy(to, src + x, end - x);
		} else if (shift == 6) {
			memcpy(to, src + x, 64);
		} else {
			memcpy(to, src + x, 16);
		}
	}
}

void detile_tile(void *data, const struct detile_surface *s, const struct detile_rect *r,
		 const struct detile_image *src)
{
	struct runs runs;
	const uint8_t *row = src->pixels;
	uint64_t x0, x1;
	uint32_t y2, y, i;

	if (r->x >= s->width || r->y >= s->height)
		return;
	x0 = (uint64_t)r->x * s->cpp;
	x1 = r->width > s->width - r->x ? s->width : r->x + r->width;
	x1 *= s->cpp;
	y2 = r->height > s->height - r->y ? s->height : r->y + r->height;
	runs.bytes = shapes[s->layout].width / 8;
	for (i = 0; i < 8; i++)
		runs.offset[i] = swizzled(s, i * runs.bytes, 0);
	for (y = r->y; y < y2; y++) {
		const uint8_t *from = row + y * src->stride;

		if (s->layout == DETILE_LINEAR)
			memcpy((uint8_t *)data + (uint64_t)y * s->stride + x0, from + x0, x1 - x0);
		else
			tile_row(data, s, &runs, x0, x1, y, from);
	}
}
