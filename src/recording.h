/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The format of recordings (doc/recording.md is its specification): what the writer and the reader
 * share. All numbers are little-endian. Pure, no I/O.
 */
#ifndef PLANECAST_RECORDING_H
#define PLANECAST_RECORDING_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "damage.h"
#include "plane.h"

#define RECORDING_VERSION           1u
#define RECORDING_HEADER_BYTES      32u
#define RECORDING_HEAD_BYTES        24u
#define RECORDING_DESCRIPTION_BYTES 64u

/* Pixels are compared, and stored when they changed, in blocks of a page: one tile each. */
#define RECORDING_BLOCK_BYTES 4096u

/* 8192 x 8192 pixels of 8 bytes: no plane of a recording is larger. */
#define RECORDING_MAX_PLANE_BYTES ((uint64_t)512 << 20)

#define RECORDING_MAX_REASON_BYTES 200u
#define RECORDING_MAX_FRAMES       (1u << 23)
#define RECORDING_MAX_TIME_US      ((int64_t)1 << 48) /* almost nine years */

enum recording_kind {
	RECORDING_WHOLE = 1, /* description, all bytes */
	RECORDING_DELTA = 2, /* description, bitmap of blocks, the bytes of these */
	RECORDING_MOVED = 3, /* description: the bytes are the same */
	RECORDING_STILL = 4, /* nothing is different */
	RECORDING_OFF = 5,   /* no plane; the reason as text */
	RECORDING_END = 6,   /* the recording was finished */
};

/* What precedes each record's body. */
struct recording_head {
	uint16_t kind, plane; /* enum recording_kind, enum plane_type (RECORDING_END: 0) */
	uint32_t body_bytes;
	int64_t time_us; /* monotonic, from the recording's start */
	uint32_t frame;  /* this record belongs to, from 0 */
	uint32_t checksum;
};

void recording_put_header(uint8_t out[RECORDING_HEADER_BYTES], int64_t wall_us);

/* -EINVAL and a line in error: not a recording, damaged, or of an unknown version. */
int recording_get_header(const uint8_t *in, size_t size, int64_t *wall_us, GError **error);

/* Sets head->checksum to that of the head; the body's bytes are to be added by zlib's crc32(). */
void recording_begin_checksum(struct recording_head *head);
void recording_put_head(uint8_t out[RECORDING_HEAD_BYTES], const struct recording_head *head);
void recording_get_head(const uint8_t in[RECORDING_HEAD_BYTES], struct recording_head *head);

/* A plane but for its bytes; plane->size is how many they are. */
void recording_put_description(uint8_t out[RECORDING_DESCRIPTION_BYTES], const struct plane *plane);

/* False if no plane of such numbers can be in a recording. */
bool recording_get_description(const uint8_t in[RECORDING_DESCRIPTION_BYTES], struct plane *plane);

/*
 * How many of the bytes there are belong to a plane: all its rows (of tiles). The format and the
 * modifier may be unknown. 0: it is impossible, or too large for a recording.
 */
uint64_t recording_plane_bytes(const struct plane *plane);

/* How many blocks so many bytes have, and how long one of them is: only the last may be short. */
size_t recording_blocks(uint64_t bytes);
size_t recording_block_bytes(uint64_t bytes, size_t block);

/* Whether so few compressed bytes can be so many: asked before these are allocated. */
bool recording_can_unpack(size_t packed_bytes, size_t bytes);

/* Adds the pixels of a block; everything if the plane cannot be understood. */
void recording_add_block(const struct plane *plane, size_t block, struct damage *damage);

/* Whether two planes differ in nothing that decides what their bytes mean. */
bool recording_same_shape(const struct plane *a, const struct plane *b);

#endif
