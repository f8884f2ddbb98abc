/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <zlib.h>

#include "detile/cpu.h"
#include "guard.h"
#include "log.h"
#include "recording.h"

/* A plane's bytes are stored whole after so many records that lean on earlier ones: for seeking. */
#define KEY_INTERVAL 250u

/* Every screen's pixels compress well even so, and it is the level that can follow a screen. */
#define COMPRESSION Z_BEST_SPEED

#define ALIGNMENT 64u

/* Of a record's body: description or text, map, compressed bytes. */
#define PIECES 3

struct buffer {
	uint8_t *bytes;
	size_t size; /* allocated */
};

struct writer_plane {
	bool on;             /* the last record was not RECORDING_OFF */
	struct plane plane;  /* of the last record that had one; data unused */
	struct buffer bytes; /* what it had */
	char *reason;        /* while off; NULL before the first record */
	struct plane taken;
	struct buffer taken_bytes;
	unsigned int since_whole;
};

struct recording_writer {
	struct output *output;
	struct detile detile;
	z_stream deflater;
	bool has_deflater;
	struct writer_plane planes[2];
	struct buffer packed;
	struct buffer map; /* of changed blocks */
	int64_t time_us;
	uint32_t frames;
	uint64_t written;
};

static struct writer_plane *plane_of(struct recording_writer *writer, enum plane_type type)
{
	return &writer->planes[type == PLANE_CURSOR];
}

/* What was in it is lost. */
static int grow(struct buffer *buffer, size_t size)
{
	if (size <= buffer->size)
		return 0;
	free(buffer->bytes);
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	buffer->bytes = aligned_alloc(ALIGNMENT, size);
	buffer->size = buffer->bytes ? size : 0;
	return buffer->bytes ? 0 : -ENOMEM;
}

static int write_bytes(struct recording_writer *writer, const void *bytes, size_t size)
{
	writer->written += size;
	return size ? output_write(writer->output, bytes, size) : 0;
}

int recording_writer_create(struct output *output, int64_t wall_us, struct recording_writer **out)
{
	struct recording_writer *writer = calloc(1, sizeof(*writer));
	uint8_t header[RECORDING_HEADER_BYTES];
	int ret = -ENOMEM;

	if (!writer)
		return -ENOMEM;
	writer->output = output;
	detile_init(&writer->detile, detile_cpu_flags());
	if (deflateInit(&writer->deflater, COMPRESSION) != Z_OK)
		goto fail;
	writer->has_deflater = true;
	recording_put_header(header, wall_us);
	ret = write_bytes(writer, header, sizeof(header));
	if (ret)
		goto fail;
	*out = writer;
	return 0;
fail:
	recording_writer_destroy(writer);
	return ret;
}

void recording_writer_destroy(struct recording_writer *writer)
{
	if (!writer)
		return;
	if (writer->has_deflater)
		deflateEnd(&writer->deflater);
	for (size_t i = 0; i < G_N_ELEMENTS(writer->planes); i++) {
		free(writer->planes[i].bytes.bytes);
		free(writer->planes[i].taken_bytes.bytes);
		g_free(writer->planes[i].reason);
	}
	free(writer->packed.bytes);
	free(writer->map.bytes);
	free(writer);
}

struct copy {
	const struct detile *detile;
	const struct plane *plane;
	uint8_t *to;
	size_t size;
};

/* As an image of blocks, whatever is in them: detile/ knows how to read uncached memory. */
static void copy_work(void *data)
{
	const struct copy *copy = data;
	size_t whole = copy->size / RECORDING_BLOCK_BYTES * RECORDING_BLOCK_BYTES;
	struct detile_surface surface = {
		.data = copy->plane->data,
		.size = whole,
		.wc = copy->plane->wc,
		.width = RECORDING_BLOCK_BYTES / 4,
		.height = (uint32_t)(whole / RECORDING_BLOCK_BYTES),
		.stride = RECORDING_BLOCK_BYTES,
		.cpp = 4,
		.layout = DETILE_LINEAR,
	};
	struct detile_rect rect = {0, 0, surface.width, surface.height};
	struct detile_image image = {copy->to, RECORDING_BLOCK_BYTES};

	if (whole)
		detile_copy(copy->detile, &surface, &rect, &image, DETILE_NORMAL);
	memcpy(copy->to + whole, copy->plane->data + whole, copy->size - whole);
}

int recording_writer_take(struct recording_writer *writer, enum plane_type type,
			  const struct plane *plane, GError **error)
{
	struct writer_plane *own = plane_of(writer, type);
	struct copy copy = {&writer->detile, plane, NULL, (size_t)recording_plane_bytes(plane)};

	if (!copy.size || !plane->data)
		return fail(error, EXIT_FAILED, EINVAL,
			    "%ux%u with stride %u in %zu bytes is no plane that can be recorded",
			    plane->width, plane->height, plane->stride, plane->size);
	if (grow(&own->taken_bytes, copy.size))
		return fail(error, EXIT_FAILED, ENOMEM, "no memory for a plane of %zu bytes",
			    copy.size);
	copy.to = own->taken_bytes.bytes;
	if (guard_run(copy_work, &copy))
		return fail(error, EXIT_FAILED, EFAULT, "its memory went away while it was read");
	own->taken = *plane;
	own->taken.data = NULL;
	own->taken.size = copy.size;
	return 0;
}

bool recording_writer_has(const struct recording_writer *writer, enum plane_type type,
			  const struct plane *plane)
{
	const struct writer_plane *own = &writer->planes[type == PLANE_CURSOR];
	struct plane shape = *plane;

	shape.size = (size_t)recording_plane_bytes(plane);
	return own->on && recording_same_shape(&shape, &own->plane);
}

/* One record of up to PIECES pieces, those of size 0 left out. */
static int write_record(struct recording_writer *writer, enum recording_kind kind,
			enum plane_type type, int64_t time_us, const struct iovec pieces[PIECES])
{
	struct recording_head head = {
		.kind = (uint16_t)kind,
		.plane = (uint16_t)type,
		.time_us = time_us > writer->time_us ? time_us : writer->time_us,
		.frame = writer->frames,
	};
	uint8_t bytes[RECORDING_HEAD_BYTES];
	int ret;

	if (writer->frames >= RECORDING_MAX_FRAMES && kind != RECORDING_END)
		return -EFBIG;
	for (size_t i = 0; i < PIECES; i++)
		head.body_bytes += (uint32_t)pieces[i].iov_len;
	recording_begin_checksum(&head);
	for (size_t i = 0; i < PIECES; i++)
		if (pieces[i].iov_len)
			head.checksum = (uint32_t)crc32(head.checksum, pieces[i].iov_base,
							(uInt)pieces[i].iov_len);
	recording_put_head(bytes, &head);
	ret = write_bytes(writer, bytes, sizeof(bytes));
	for (size_t i = 0; i < PIECES && !ret; i++)
		ret = write_bytes(writer, pieces[i].iov_base, pieces[i].iov_len);
	if (ret)
		return ret;
	writer->time_us = head.time_us;
	if (type != PLANE_PRIMARY)
		return 0;
	writer->frames++;
	return output_flush(writer->output);
}

/* Sets the bits of the blocks in which the bytes taken differ; how many there are. */
static int find_changes(struct recording_writer *writer, const struct writer_plane *own,
			size_t *changed)
{
	size_t blocks = recording_blocks(own->plane.size);

	*changed = 0;
	if (grow(&writer->map, blocks / 8 + 1))
		return -ENOMEM;
	memset(writer->map.bytes, 0, blocks / 8 + 1);
	for (size_t i = 0; i < blocks; i++) {
		size_t at = i * RECORDING_BLOCK_BYTES;

		if (!memcmp(own->bytes.bytes + at, own->taken_bytes.bytes + at,
			    recording_block_bytes(own->plane.size, i)))
			continue;
		writer->map.bytes[i / 8] |= (uint8_t)(1u << i % 8);
		++*changed;
	}
	return 0;
}

/* Compresses the blocks of the map, all of them if there is none. */
static int pack(struct recording_writer *writer, const struct writer_plane *own, const uint8_t *map,
		struct iovec *packed)
{
	z_stream *deflater = &writer->deflater;
	size_t size = own->plane.size, blocks = recording_blocks(size);
	size_t room = deflateBound(deflater, size);

	if (grow(&writer->packed, room))
		return -ENOMEM;
	deflateReset(deflater);
	deflater->next_out = writer->packed.bytes;
	deflater->avail_out = (uInt)room;
	for (size_t i = 0; i < blocks; i++) {
		if (map && !(map[i / 8] & 1u << i % 8))
			continue;
		deflater->next_in = own->bytes.bytes + i * RECORDING_BLOCK_BYTES;
		deflater->avail_in = (uInt)(map ? recording_block_bytes(size, i) : size);
		if (deflate(deflater, Z_NO_FLUSH) != Z_OK)
			return -EIO;
		if (!map)
			break;
	}
	if (deflate(deflater, Z_FINISH) != Z_STREAM_END)
		return -EIO;
	*packed = (struct iovec){writer->packed.bytes, room - deflater->avail_out};
	return 0;
}

static int write_pixels(struct recording_writer *writer, enum plane_type type, bool whole,
			const uint8_t *description, int64_t time_us)
{
	struct writer_plane *own = plane_of(writer, type);
	struct iovec pieces[PIECES] = {
		{(void *)(uintptr_t)description, RECORDING_DESCRIPTION_BYTES}};
	int ret;

	if (!whole)
		pieces[1] = (struct iovec){writer->map.bytes,
					   (recording_blocks(own->plane.size) + 7) / 8};
	ret = pack(writer, own, whole ? NULL : writer->map.bytes, &pieces[2]);
	if (ret) {
		/* No reader knows these bytes: the next record is a whole one. */
		own->on = false;
		g_clear_pointer(&own->reason, g_free);
		return ret;
	}
	own->since_whole = whole ? 0 : own->since_whole + 1;
	return write_record(writer, whole ? RECORDING_WHOLE : RECORDING_DELTA, type, time_us,
			    pieces);
}

/* The least that tells of a plane, whose bytes are own->bytes: changed blocks of them are new. */
static int write_plane(struct recording_writer *writer, enum plane_type type,
		       const struct plane *plane, size_t changed, bool whole, int64_t time_us)
{
	struct writer_plane *own = plane_of(writer, type);
	uint8_t before[RECORDING_DESCRIPTION_BYTES], now[RECORDING_DESCRIPTION_BYTES];
	const struct iovec none[PIECES] = {{0}}, moved[PIECES] = {{now, sizeof(now)}};

	recording_put_description(before, &own->plane);
	recording_put_description(now, plane);
	own->plane = *plane;
	own->on = true;
	if (!whole && !changed && !memcmp(before, now, sizeof(now)))
		return type == PLANE_CURSOR
			       ? 0
			       : write_record(writer, RECORDING_STILL, type, time_us, none);
	if (own->since_whole >= KEY_INTERVAL)
		whole = true;
	if (whole || changed)
		return write_pixels(writer, type, whole, now, time_us);
	own->since_whole++;
	return write_record(writer, RECORDING_MOVED, type, time_us, moved);
}

int recording_writer_put(struct recording_writer *writer, enum plane_type type, int64_t time_us)
{
	struct writer_plane *own = plane_of(writer, type);
	bool whole = !own->on || !recording_same_shape(&own->plane, &own->taken);
	struct buffer bytes = own->bytes;
	size_t changed = 0;

	if (!whole) {
		int ret = find_changes(writer, own, &changed);

		if (ret)
			return ret;
		whole = changed == recording_blocks(own->plane.size);
	}
	if (whole || changed) {
		own->bytes = own->taken_bytes;
		own->taken_bytes = bytes;
	}
	return write_plane(writer, type, &own->taken, changed, whole, time_us);
}

int recording_writer_keep(struct recording_writer *writer, enum plane_type type,
			  const struct plane *plane, int64_t time_us)
{
	struct plane same = *plane;

	same.data = NULL;
	same.size = plane_of(writer, type)->plane.size;
	return write_plane(writer, type, &same, 0, false, time_us);
}

/* What fits of a text, for g_free(). */
static char *cut(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);

	if (strlen(valid) > RECORDING_MAX_REASON_BYTES)
		*g_utf8_find_prev_char(valid, valid + RECORDING_MAX_REASON_BYTES + 1) = '\0';
	return valid;
}

int recording_writer_off(struct recording_writer *writer, enum plane_type type, const char *reason,
			 int64_t time_us)
{
	struct writer_plane *own = plane_of(writer, type);
	char *text = cut(reason);
	struct iovec pieces[PIECES] = {{text, strlen(text)}};
	enum recording_kind kind = RECORDING_OFF;

	if (!own->on && !g_strcmp0(text, own->reason)) {
		kind = RECORDING_STILL;
		pieces[0].iov_len = 0;
	}
	own->on = false;
	g_free(own->reason);
	own->reason = text;
	if (kind == RECORDING_STILL && type == PLANE_CURSOR)
		return 0;
	return write_record(writer, kind, type, time_us, pieces);
}

int recording_writer_end(struct recording_writer *writer, int64_t time_us)
{
	const struct iovec none[PIECES] = {{0}};

	return write_record(writer, RECORDING_END, 0, time_us, none);
}

uint32_t recording_writer_frames(const struct recording_writer *writer)
{
	return writer->frames;
}

uint64_t recording_writer_bytes(const struct recording_writer *writer)
{
	return writer->written;
}
