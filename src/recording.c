/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "detile/layout.h"
#include "log.h"

/* Where a record's checksum is: it covers what is before it, and the body. */
#define CHECKED_BYTES 20u

/* Where the header's is. */
#define HEADER_CHECKED_BYTES 28u

/* Rows of tiles that are not known are no higher. */
#define MAX_TILE_HEIGHT 32u

#define FLAG_WC 1u

/* What deflate makes of one byte, at most (zlib's technical notes). */
#define MAX_RATIO 1032u

/* As in PNG: a byte that is no ASCII, and both line ends, show what a transfer as text destroys. */
static const uint8_t magic[8] = {0x89, 'P', 'C', 'R', '\r', '\n', 0x1a, '\n'};

static void put16(uint8_t *out, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	memcpy(out, &value, sizeof(value));
}

static void put32(uint8_t *out, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(out, &value, sizeof(value));
}

static void put64(uint8_t *out, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(out, &value, sizeof(value));
}

static uint16_t get16(const uint8_t *in)
{
	uint16_t value;

	memcpy(&value, in, sizeof(value));
	return GUINT16_FROM_LE(value);
}

static uint32_t get32(const uint8_t *in)
{
	uint32_t value;

	memcpy(&value, in, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static uint64_t get64(const uint8_t *in)
{
	uint64_t value;

	memcpy(&value, in, sizeof(value));
	return GUINT64_FROM_LE(value);
}

void recording_put_header(uint8_t out[RECORDING_HEADER_BYTES], int64_t wall_us)
{
	memset(out, 0, RECORDING_HEADER_BYTES);
	memcpy(out, magic, sizeof(magic));
	put32(out + 8, RECORDING_VERSION);
	put32(out + 12, RECORDING_HEADER_BYTES);
	put64(out + 16, (uint64_t)wall_us);
	put32(out + HEADER_CHECKED_BYTES, (uint32_t)crc32(0, out, HEADER_CHECKED_BYTES));
}

int recording_get_header(const uint8_t *in, size_t size, int64_t *wall_us, GError **error)
{
	size_t compared = size < sizeof(magic) ? size : sizeof(magic);

	if (!size)
		return fail(error, EXIT_FAILED, EINVAL, "the file is empty");
	if (memcmp(in, magic, compared))
		return fail(error, EXIT_FAILED, EINVAL,
			    "not a recording (planecast record makes them)");
	if (size < RECORDING_HEADER_BYTES)
		return fail(error, EXIT_FAILED, EINVAL,
			    "cut short within its header: %zu bytes instead of %u", size,
			    RECORDING_HEADER_BYTES);
	if (get32(in + HEADER_CHECKED_BYTES) != (uint32_t)crc32(0, in, HEADER_CHECKED_BYTES))
		return fail(error, EXIT_FAILED, EINVAL, "its header is damaged");
	if (get32(in + 8) != RECORDING_VERSION || get32(in + 12) != RECORDING_HEADER_BYTES)
		return fail(error, EXIT_FAILED, EINVAL,
			    "a recording of version %u (this planecast reads version %u)",
			    get32(in + 8), RECORDING_VERSION);
	*wall_us = (int64_t)get64(in + 16);
	return 0;
}

void recording_put_head(uint8_t out[RECORDING_HEAD_BYTES], const struct recording_head *head)
{
	put16(out, head->kind);
	put16(out + 2, head->plane);
	put32(out + 4, head->body_bytes);
	put64(out + 8, (uint64_t)head->time_us);
	put32(out + 16, head->frame);
	put32(out + CHECKED_BYTES, head->checksum);
}

void recording_begin_checksum(struct recording_head *head)
{
	uint8_t out[RECORDING_HEAD_BYTES];

	recording_put_head(out, head);
	head->checksum = (uint32_t)crc32(0, out, CHECKED_BYTES);
}

void recording_get_head(const uint8_t in[RECORDING_HEAD_BYTES], struct recording_head *head)
{
	head->kind = get16(in);
	head->plane = get16(in + 2);
	head->body_bytes = get32(in + 4);
	head->time_us = (int64_t)get64(in + 8);
	head->frame = get32(in + 16);
	head->checksum = get32(in + CHECKED_BYTES);
}

void recording_put_description(uint8_t out[RECORDING_DESCRIPTION_BYTES], const struct plane *plane)
{
	put32(out, plane->fourcc);
	put32(out + 4, plane->wc ? FLAG_WC : 0);
	put64(out + 8, plane->modifier);
	put32(out + 16, plane->width);
	put32(out + 20, plane->height);
	put32(out + 24, plane->stride);
	put32(out + 28, (uint32_t)plane->x);
	put32(out + 32, (uint32_t)plane->y);
	put32(out + 36, (uint32_t)plane->hot_x);
	put32(out + 40, (uint32_t)plane->hot_y);
	put32(out + 44, 0);
	put64(out + 48, plane->generation);
	put64(out + 56, plane->size);
}

bool recording_get_description(const uint8_t in[RECORDING_DESCRIPTION_BYTES], struct plane *plane)
{
	uint64_t size = get64(in + 56);

	*plane = (struct plane){
		.fourcc = get32(in),
		.wc = get32(in + 4) & FLAG_WC,
		.modifier = get64(in + 8),
		.width = get32(in + 16),
		.height = get32(in + 20),
		.stride = get32(in + 24),
		.x = (int32_t)get32(in + 28),
		.y = (int32_t)get32(in + 32),
		.hot_x = (int32_t)get32(in + 36),
		.hot_y = (int32_t)get32(in + 40),
		.generation = get64(in + 48),
		.size = size > RECORDING_MAX_PLANE_BYTES ? 0 : (size_t)size,
	};
	return plane->size && recording_plane_bytes(plane) == size;
}

uint64_t recording_plane_bytes(const struct plane *plane)
{
	enum detile_layout layout;
	uint32_t tile_width, tile_height = MAX_TILE_HEIGHT;
	uint64_t bytes;

	if (!plane->width || !plane->height || !plane->stride ||
	    plane->width > PLANE_MAX_DIMENSION || plane->height > PLANE_MAX_DIMENSION ||
	    plane->stride > PLANE_MAX_STRIDE)
		return 0;
	if (!plane_layout(plane->modifier, &layout))
		detile_tile_shape(layout, &tile_width, &tile_height);
	bytes = (uint64_t)plane->stride *
		((plane->height + tile_height - 1) / tile_height * tile_height);
	if (bytes > plane->size)
		bytes = plane->size;
	return bytes > RECORDING_MAX_PLANE_BYTES ? 0 : bytes;
}

size_t recording_blocks(uint64_t bytes)
{
	return (size_t)((bytes + RECORDING_BLOCK_BYTES - 1) / RECORDING_BLOCK_BYTES);
}

size_t recording_block_bytes(uint64_t bytes, size_t block)
{
	uint64_t left = bytes - (uint64_t)block * RECORDING_BLOCK_BYTES;

	return left < RECORDING_BLOCK_BYTES ? (size_t)left : RECORDING_BLOCK_BYTES;
}

bool recording_can_unpack(size_t packed_bytes, size_t bytes)
{
	return bytes / MAX_RATIO <= packed_bytes;
}

static struct detile_rect tile_rect(const struct detile_surface *surface, size_t block)
{
	uint32_t width = 1, height = 1, across;

	detile_tile_shape(surface->layout, &width, &height);
	across = surface->stride / width;
	return (struct detile_rect){(uint32_t)(block % across) * (width / surface->cpp),
				    (uint32_t)(block / across) * height, width / surface->cpp,
				    height};
}

static struct detile_rect linear_rect(const struct detile_surface *surface, size_t block)
{
	uint64_t first = (uint64_t)block * RECORDING_BLOCK_BYTES;
	uint64_t last = first + recording_block_bytes(surface->size, block) - 1;
	uint32_t top = (uint32_t)(first / surface->stride);
	uint32_t bottom = (uint32_t)(last / surface->stride);
	struct detile_rect rect = {0, top, surface->width, bottom - top + 1};

	if (top == bottom) {
		rect.x = (uint32_t)(first % surface->stride) / surface->cpp;
		rect.width = (uint32_t)(last % surface->stride) / surface->cpp - rect.x + 1;
	}
	return rect;
}

void recording_add_block(const struct plane *plane, size_t block, struct damage *damage)
{
	struct detile_surface surface;
	struct detile_rect rect;

	if (plane->width != damage->width || plane->height != damage->height ||
	    plane_validate(plane, NULL)) {
		damage_add_all(damage);
		return;
	}
	plane_surface(plane, &surface);
	rect = surface.layout == DETILE_LINEAR ? linear_rect(&surface, block)
					       : tile_rect(&surface, block);
	damage_add(damage, &rect);
}

bool recording_same_shape(const struct plane *a, const struct plane *b)
{
	return a->fourcc == b->fourcc && a->modifier == b->modifier && a->width == b->width &&
	       a->height == b->height && a->stride == b->stride && a->size == b->size;
}
