/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tight_packer.h"

#include <glib.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#define FLUSH_ROOM 64u /* beyond deflateBound(): the flush's marker */

/* The levels that ISA-L is as good as; it knows no stored data (0). */
#define ISAL_FIRST 1
#define ISAL_LAST  5
#define ISAL_LEVEL 2 /* its own */

struct tight_packer {
	uint8_t *packed;
	size_t room;
	z_stream zlib;
	int level; /* of zlib's stream */
#ifdef HAVE_ISAL
	struct isal_zstream isal;
	_Alignas(16) uint8_t tables[ISAL_DEF_LVL2_DEFAULT];
#endif
};

struct tight_packer *tight_packer_create(void)
{
	struct tight_packer *packer = g_new0(struct tight_packer, 1);

	if (deflateInit(&packer->zlib, Z_BEST_SPEED) != Z_OK)
		g_error("zlib: out of memory"); /* as GLib's own allocations end */
	packer->level = Z_BEST_SPEED;
	return packer;
}

void tight_packer_destroy(struct tight_packer *packer)
{
	if (!packer)
		return;
	deflateEnd(&packer->zlib);
	g_free(packer->packed);
	g_free(packer);
}

/* A bound of both libraries': ISA-L's worst is a byte more for eight. */
static void make_room(struct tight_packer *packer, size_t length)
{
	size_t size = MAX(deflateBound(&packer->zlib, length), length / 4 * 5) + FLUSH_ROOM;

	if (size <= packer->room)
		return;
	g_free(packer->packed);
	packer->packed = g_malloc(size);
	packer->room = size;
}

static size_t run_zlib(struct tight_packer *packer, int level, const uint8_t *plain, size_t length)
{
	z_stream *stream = &packer->zlib;

	deflateReset(stream);
	stream->next_out = packer->packed;
	stream->avail_out = (uInt)packer->room;
	if (level != packer->level) {
		deflateParams(stream, level, Z_DEFAULT_STRATEGY);
		packer->level = level;
	}
	stream->next_in = (Bytef *)(uintptr_t)plain;
	stream->avail_in = (uInt)length;
	deflate(stream, Z_SYNC_FLUSH);
	return packer->room - stream->avail_out;
}

#ifdef HAVE_ISAL
/* 0: it did not fit. */
static size_t run_isal(struct tight_packer *packer, const uint8_t *plain, size_t length)
{
	struct isal_zstream *stream = &packer->isal;

	isal_deflate_init(stream);
	stream->level = ISAL_LEVEL;
	stream->level_buf = packer->tables;
	stream->level_buf_size = sizeof(packer->tables);
	stream->gzip_flag = IGZIP_ZLIB;
	stream->flush = SYNC_FLUSH;
	stream->next_in = (uint8_t *)(uintptr_t)plain;
	stream->avail_in = (uint32_t)length;
	stream->next_out = packer->packed;
	stream->avail_out = (uint32_t)packer->room;
	if (isal_deflate(stream) != COMP_OK || stream->avail_in || !stream->avail_out)
		return 0;
	return packer->room - stream->avail_out;
}
#endif

const uint8_t *tight_pack(struct tight_packer *packer, int level, const uint8_t *plain,
			  size_t length, size_t *packed)
{
	make_room(packer, length);
	*packed = 0;
#ifdef HAVE_ISAL
	if (level >= ISAL_FIRST && level <= ISAL_LAST)
		*packed = run_isal(packer, plain, length);
#endif
	if (!*packed)
		*packed = run_zlib(packer, level, plain, length);
	return packer->packed;
}
