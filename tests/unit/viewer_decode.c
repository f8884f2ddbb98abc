/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encodings of viewer.h that are compressed: Tight and ZRLE. */
#include "viewer.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "wire.h"

#define STREAMS          5
#define MIN_TO_COMPRESS  12u
#define MAX_INFLATED     (1u << 28)
#define ZRLE_TILE        64u
#define TIGHT_FILTER_BIT 0x40

struct viewer_zlib {
	z_stream stream[STREAMS];
	bool open[STREAMS];
};

/* zlib. */

void viewer_reset_stream(struct viewer *viewer, unsigned int stream)
{
	if (viewer->zlib && viewer->zlib->open[stream])
		inflateReset(&viewer->zlib->stream[stream]);
}

void viewer_end_streams(struct viewer *viewer)
{
	for (unsigned int i = 0; viewer->zlib && i < STREAMS; i++)
		if (viewer->zlib->open[i])
			inflateEnd(&viewer->zlib->stream[i]);
	free(viewer->zlib);
}

void viewer_end_jpeg(struct viewer *viewer)
{
	if (viewer->jpeg)
		tjDestroy(viewer->jpeg);
}

static z_stream *stream_of(struct viewer *viewer, unsigned int index)
{
	if (!viewer->zlib)
		viewer->zlib = calloc(1, sizeof(*viewer->zlib));
	if (!viewer->zlib)
		return NULL;
	if (!viewer->zlib->open[index]) {
		if (inflateInit(&viewer->zlib->stream[index]) != Z_OK)
			return NULL;
		viewer->zlib->open[index] = true;
	}
	return &viewer->zlib->stream[index];
}

static bool grow(struct viewer *viewer, size_t size)
{
	uint8_t *bytes;

	if (size <= viewer->inflated_room)
		return true;
	bytes = size <= MAX_INFLATED ? realloc(viewer->inflated, size) : NULL;
	if (!bytes)
		return viewer_fail(viewer, "inflates to too much");
	viewer->inflated = bytes;
	viewer->inflated_room = size;
	return true;
}

bool viewer_inflate(struct viewer *viewer, unsigned int index, const uint8_t *bytes, size_t length,
		    size_t out, size_t *made)
{
	z_stream *stream = stream_of(viewer, index);
	size_t done = 0;

	if (!stream)
		return viewer_fail(viewer, "out of memory");
	stream->next_in = (uint8_t *)(uintptr_t)bytes;
	stream->avail_in = (uInt)length;
	do {
		int r;

		if (!grow(viewer, out ? out : done + 65536))
			return false;
		stream->next_out = viewer->inflated + done;
		stream->avail_out = (uInt)(viewer->inflated_room - done);
		if (out)
			stream->avail_out = (uInt)(out - done);
		if (!stream->avail_out)
			break;
		r = inflate(stream, Z_SYNC_FLUSH);
		if (r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END)
			return viewer_fail(viewer, "bad compressed data");
		done = (size_t)(stream->next_out - viewer->inflated);
		if (r != Z_OK)
			break;
	} while (stream->avail_in || !stream->avail_out);
	*made = done;
	if (stream->avail_in || (out && done != out))
		return viewer_fail(viewer, "compressed data of another length");
	return true;
}

/* Tight. */

static bool has_three_bytes(const struct viewer_format *format)
{
	return format->bits == 32 && format->depth == 24 && format->max[0] == 255 &&
	       format->max[1] == 255 && format->max[2] == 255;
}

static size_t tight_size(const struct viewer_format *format)
{
	return has_three_bytes(format) ? 3 : format->bits / 8u;
}

static uint32_t compose(const struct viewer_format *format, const uint8_t *rgb)
{
	return (uint32_t)rgb[0] << format->shift[0] | (uint32_t)rgb[1] << format->shift[1] |
	       (uint32_t)rgb[2] << format->shift[2];
}

static uint32_t tight_pixel(const struct viewer_format *format, const uint8_t *bytes)
{
	return has_three_bytes(format) ? compose(format, bytes) : viewer_wire_pixel(format, bytes);
}

static bool compact_length(struct viewer *viewer, size_t *length)
{
	*length = 0;
	for (unsigned int i = 0; i < 3; i++) {
		const uint8_t *byte = viewer_take(viewer, 1);

		if (!byte)
			return false;
		*length |= (size_t)(i < 2 ? *byte & 127 : *byte) << (7 * i);
		if (i < 2 && !(*byte & 128))
			break;
	}
	return true;
}

static uint32_t *row_of(struct viewer *viewer, const struct viewer_rect *rect, uint32_t y)
{
	return viewer->pixels + (size_t)(rect->y + y) * viewer->width + rect->x;
}

static bool tight_fill(struct viewer *viewer, const struct viewer_rect *rect)
{
	const uint8_t *bytes = viewer_take(viewer, tight_size(&viewer->format));
	uint32_t pixel;

	if (!bytes)
		return false;
	viewer->counts.fills++;
	if (!viewer->decodes)
		return true;
	pixel = tight_pixel(&viewer->format, bytes);
	for (uint32_t y = 0; y < rect->height; y++)
		for (uint32_t x = 0; x < rect->width; x++)
			row_of(viewer, rect, y)[x] = pixel;
	return true;
}

static uint32_t scaled(const struct viewer_format *format, const uint8_t *rgb)
{
	return viewer_pixel(format, (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]);
}

static bool tight_jpeg(struct viewer *viewer, const struct viewer_rect *rect)
{
	const uint8_t *bytes;
	size_t length;

	if (!compact_length(viewer, &length))
		return false;
	viewer->counts.jpegs++;
	viewer->counts.jpeg_pixels += (uint64_t)rect->width * rect->height;
	if (!viewer->decodes || (viewer->rows && rect->y >= viewer->rows))
		return viewer_skip(viewer, length);
	bytes = viewer_take(viewer, length);
	if (!bytes || !grow(viewer, (size_t)rect->width * rect->height * 3))
		return false;
	if (!viewer->jpeg)
		viewer->jpeg = tjInitDecompress();
	if (!viewer->jpeg || tjDecompress2(viewer->jpeg, bytes, length, viewer->inflated,
					   (int)rect->width, 0, (int)rect->height, TJPF_RGB, 0))
		return viewer_fail(viewer, "a bad JPEG picture");
	for (uint32_t y = 0; y < rect->height; y++)
		for (uint32_t x = 0; x < rect->width; x++)
			row_of(viewer, rect,
			       y)[x] = scaled(&viewer->format,
					      viewer->inflated + ((size_t)y * rect->width + x) * 3);
	return true;
}

/* The bytes of a basic rectangle, out of its stream if they are compressed. */
static const uint8_t *tight_data(struct viewer *viewer, unsigned int stream, size_t size)
{
	const uint8_t *bytes;
	size_t length;

	if (size < MIN_TO_COMPRESS)
		return viewer_take(viewer, size);
	if (!compact_length(viewer, &length))
		return NULL;
	if (!viewer->decodes) {
		static const uint8_t nothing[1];

		return viewer_skip(viewer, length) ? nothing : NULL;
	}
	bytes = viewer_take(viewer, length);
	if (!bytes || !viewer_inflate(viewer, stream, bytes, length, size, &length))
		return NULL;
	return viewer->inflated;
}

static bool tight_palette(struct viewer *viewer, const struct viewer_rect *rect,
			  unsigned int stream)
{
	size_t size = tight_size(&viewer->format), row;
	const uint8_t *bytes = viewer_take(viewer, 1);
	uint32_t colours[256];
	size_t count;

	if (!bytes)
		return false;
	viewer->counts.palettes++;
	count = bytes[0] + 1u;
	bytes = viewer_take(viewer, count * size);
	if (!bytes)
		return false;
	for (size_t i = 0; i < count; i++)
		colours[i] = tight_pixel(&viewer->format, bytes + i * size);
	row = count == 2 ? (rect->width + 7) / 8 : rect->width;
	bytes = tight_data(viewer, stream, row * rect->height);
	if (!bytes || !viewer->decodes)
		return bytes;
	for (uint32_t y = 0; y < rect->height; y++)
		for (uint32_t x = 0; x < rect->width; x++) {
			size_t index = count == 2 ? bytes[y * row + x / 8] >> (7 - x % 8) & 1
						  : bytes[y * row + x];

			if (index >= count)
				return viewer_fail(viewer, "not in the palette");
			row_of(viewer, rect, y)[x] = colours[index];
		}
	return true;
}

/*
 * The specification's words: each intensity is predicted as left + upper - upper left, cut to the
 * range; what lies outside the rectangle is 0. For pixels of three bytes alone.
 */
static bool tight_gradient(struct viewer *viewer, const struct viewer_rect *rect,
			   unsigned int stream)
{
	const uint8_t *bytes;
	uint8_t *row;

	if (tight_size(&viewer->format) != 3)
		return viewer_fail(viewer, "a gradient of other pixels");
	viewer->counts.gradients++;
	bytes = tight_data(viewer, stream, (size_t)3 * rect->width * rect->height);
	if (!bytes || !viewer->decodes)
		return bytes;
	row = calloc(2, (size_t)3 * rect->width);
	for (uint32_t y = 0; row && y < rect->height; y++) {
		uint8_t *is = row + (size_t)3 * rect->width * (y % 2);
		const uint8_t *above = row + (size_t)3 * rect->width * ((y + 1) % 2);

		for (uint32_t x = 0; x < rect->width; x++) {
			for (uint32_t i = 3 * x; i < 3 * x + 3; i++) {
				int left = x ? is[i - 3] : 0, corner = x ? above[i - 3] : 0;
				int guess = left + above[i] - corner;

				guess = guess < 0 ? 0 : guess > 255 ? 255 : guess;
				is[i] = (uint8_t)(*bytes++ + guess);
			}
			row_of(viewer, rect, y)[x] = tight_pixel(&viewer->format, is + 3 * x);
		}
	}
	free(row);
	return row;
}

bool viewer_tight(struct viewer *viewer, const struct viewer_rect *rect)
{
	size_t size = tight_size(&viewer->format);
	const uint8_t *bytes = viewer_take(viewer, 1);
	uint8_t control, filter = 0;
	unsigned int stream;

	if (!bytes)
		return false;
	control = bytes[0];
	for (unsigned int i = 0; i < 4; i++)
		if (control >> i & 1)
			viewer_reset_stream(viewer, i);
	if (control >> 4 == 8)
		return tight_fill(viewer, rect);
	if (control >> 4 == 9)
		return tight_jpeg(viewer, rect);
	if (control & 0x80)
		return viewer_fail(viewer, "an unknown kind of Tight rectangle");
	stream = control >> 4 & 3;
	if (control & TIGHT_FILTER_BIT) {
		bytes = viewer_take(viewer, 1);
		if (!bytes)
			return false;
		filter = bytes[0];
	}
	if (filter == 1)
		return tight_palette(viewer, rect, stream);
	if (filter > 2)
		return viewer_fail(viewer, "an unknown filter");
	viewer->counts.full++;
	if (filter == 2)
		return tight_gradient(viewer, rect, stream);
	bytes = tight_data(viewer, stream, size * rect->width * rect->height);
	if (!bytes || !viewer->decodes)
		return bytes;
	for (uint32_t y = 0; y < rect->height; y++)
		for (uint32_t x = 0; x < rect->width; x++, bytes += size)
			row_of(viewer, rect, y)[x] = tight_pixel(&viewer->format, bytes);
	return true;
}

/* ZRLE. */

struct zrle {
	struct viewer *viewer;
	const uint8_t *at, *end;
	size_t size;       /* of a pixel */
	unsigned int skip; /* of the four bytes of a pixel, before the three */
};

static bool zrle_pixel(struct zrle *zrle, uint32_t *pixel)
{
	const struct viewer_format *format = &zrle->viewer->format;
	uint8_t bytes[4] = {0};

	if ((size_t)(zrle->end - zrle->at) < zrle->size)
		return viewer_fail(zrle->viewer, "a tile is cut short");
	memcpy(bytes + zrle->skip, zrle->at, zrle->size);
	zrle->at += zrle->size;
	*pixel = viewer_wire_pixel(format, bytes);
	return true;
}

static bool zrle_byte(struct zrle *zrle, uint8_t *byte)
{
	if (zrle->at == zrle->end)
		return viewer_fail(zrle->viewer, "a tile is cut short");
	*byte = *zrle->at++;
	return true;
}

static bool zrle_run(struct zrle *zrle, uint32_t *length)
{
	uint8_t byte;

	*length = 1;
	do {
		if (!zrle_byte(zrle, &byte))
			return false;
		*length += byte;
	} while (byte == 255);
	return true;
}

static bool zrle_packed(struct zrle *zrle, const struct viewer_rect *tile, const uint32_t *palette,
			unsigned int count)
{
	unsigned int bits = count == 2 ? 1 : count <= 4 ? 2 : 4;

	for (uint32_t y = 0; y < tile->height; y++) {
		unsigned int left = 0;
		uint8_t byte = 0;

		for (uint32_t x = 0; x < tile->width; x++, left -= bits) {
			if (!left) {
				if (!zrle_byte(zrle, &byte))
					return false;
				left = 8;
			}
			row_of(zrle->viewer, tile,
			       y)[x] = palette[byte >> (left - bits) & ((1u << bits) - 1)];
		}
	}
	return true;
}

static bool zrle_runs(struct zrle *zrle, const struct viewer_rect *tile, const uint32_t *palette,
		      unsigned int count)
{
	uint32_t total = tile->width * tile->height;

	for (uint32_t i = 0, length; i < total;) {
		uint32_t pixel = 0;
		uint8_t index = 0;

		length = 1;
		if (count) {
			if (!zrle_byte(zrle, &index))
				return false;
			pixel = palette[index & 127];
			if (index & 128 && !zrle_run(zrle, &length))
				return false;
		} else if (!zrle_pixel(zrle, &pixel) || !zrle_run(zrle, &length)) {
			return false;
		}
		if (length > total - i)
			return viewer_fail(zrle->viewer, "a run is too long");
		for (; length--; i++)
			row_of(zrle->viewer, tile, i / tile->width)[i % tile->width] = pixel;
	}
	return true;
}

static bool zrle_tile(struct zrle *zrle, const struct viewer_rect *tile)
{
	uint32_t palette[128] = {0};
	unsigned int count;
	uint8_t kind = 0;

	if (!zrle_byte(zrle, &kind))
		return false;
	if (kind == 129 || (kind > 16 && kind < 128))
		return viewer_fail(zrle->viewer, "an unknown kind of tile");
	count = kind & 127;
	for (unsigned int i = 0; i < count; i++)
		if (!zrle_pixel(zrle, &palette[i]))
			return false;
	if (kind >= 128)
		return zrle_runs(zrle, tile, palette, count);
	if (kind >= 2)
		return zrle_packed(zrle, tile, palette, count);
	for (uint32_t y = 0; y < tile->height; y++)
		for (uint32_t x = 0; x < tile->width; x++) {
			if (!kind && !zrle_pixel(zrle, &palette[0]))
				return false;
			row_of(zrle->viewer, tile, y)[x] = palette[0];
		}
	return true;
}

/* Three bytes a pixel if the colours fit in the lower or the upper ones. */
static void zrle_pixel_size(struct zrle *zrle)
{
	const struct viewer_format *format = &zrle->viewer->format;
	uint32_t used = 0;

	zrle->size = format->bits / 8u;
	zrle->skip = 0;
	if (format->bits != 32 || format->depth > 24)
		return;
	for (unsigned int i = 0; i < 3; i++)
		used |= (uint32_t)format->max[i] << format->shift[i];
	if (!(used & 0xff000000)) {
		zrle->size = 3;
		zrle->skip = format->big_endian;
	} else if (!(used & 0xff)) {
		zrle->size = 3;
		zrle->skip = !format->big_endian;
	}
}

bool viewer_zrle(struct viewer *viewer, const struct viewer_rect *rect)
{
	const uint8_t *bytes = viewer_take(viewer, 4);
	struct zrle zrle = {.viewer = viewer};
	size_t length;

	if (!bytes)
		return false;
	viewer->counts.zrle++;
	length = wire_u32(bytes);
	if (!viewer->decodes)
		return viewer_skip(viewer, length);
	bytes = viewer_take(viewer, length);
	if (!bytes || !viewer_inflate(viewer, VIEWER_ZRLE_STREAM, bytes, length, 0, &length))
		return false;
	zrle.at = viewer->inflated;
	zrle.end = viewer->inflated + length;
	zrle_pixel_size(&zrle);
	for (uint32_t y = 0; y < rect->height; y += ZRLE_TILE)
		for (uint32_t x = 0; x < rect->width; x += ZRLE_TILE) {
			uint32_t w = rect->width - x, h = rect->height - y;
			struct viewer_rect tile = {rect->x + x, rect->y + y,
						   w < ZRLE_TILE ? w : ZRLE_TILE,
						   h < ZRLE_TILE ? h : ZRLE_TILE};

			if (!zrle_tile(&zrle, &tile))
				return false;
		}
	return true;
}
