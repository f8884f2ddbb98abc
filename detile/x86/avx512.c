/* SPDX-License-Identifier: MIT */
#include "../kernel.h"

#include <immintrin.h>

#include "../walk.h"

/* Makes the compiler keep what it loaded: the source may change at any time. */
#define KEEP(vector) __asm__("" : "+v"(vector))

#define OR_OF_XOR 0xf6 /* ternary logic: a | (b ^ c) */

ALWAYS_INLINE __m512i load(const uint8_t *from, bool wc)
{
	/* The intrinsic takes a pointer to non-const in some compilers. */
	return wc ? _mm512_stream_load_si512((void *)(uintptr_t)from) : _mm512_loadu_si512(from);
}

ALWAYS_INLINE void store(uint8_t *to, __m512i vector, bool nt)
{
	if (nt)
		_mm512_stream_si512((void *)to, vector);
	else
		_mm512_storeu_si512(to, vector);
}

/* A block as four rows; lanes are transposed, 16 bytes at a time. */
ALWAYS_INLINE void block_load(__m512i row[4], const uint8_t *const line[4], bool lanes, bool wc)
{
	__m512i l[4], t[4];

	UNROLL
	for (unsigned int n = 0; n < 4; n++)
		l[n] = load(line[n], wc);
	if (!lanes) {
		UNROLL
		for (unsigned int n = 0; n < 4; n++)
			row[n] = l[n];
		return;
	}
	t[0] = _mm512_shuffle_i64x2(l[0], l[1], 0x44);
	t[1] = _mm512_shuffle_i64x2(l[2], l[3], 0x44);
	t[2] = _mm512_shuffle_i64x2(l[0], l[1], 0xee);
	t[3] = _mm512_shuffle_i64x2(l[2], l[3], 0xee);
	row[0] = _mm512_shuffle_i64x2(t[0], t[1], 0x88);
	row[1] = _mm512_shuffle_i64x2(t[0], t[1], 0xdd);
	row[2] = _mm512_shuffle_i64x2(t[2], t[3], 0x88);
	row[3] = _mm512_shuffle_i64x2(t[2], t[3], 0xdd);
}

ALWAYS_INLINE void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride, bool lanes,
			      enum detile_path path)
{
	__m512i row[4];

	block_load(row, line, lanes, path == DETILE_WC);
	UNROLL
	for (unsigned int n = 0; n < 4; n++)
		store(dst + n * stride, row[n], path == DETILE_NT);
}

ALWAYS_INLINE bool block_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				 uint32_t mask, bool lanes, bool wc)
{
	__m512i row[4], differ = _mm512_setzero_si512();

	block_load(row, line, lanes, wc);
	UNROLL
	for (unsigned int n = 0; n < 4; n++) {
		__m512i old = load(dst + n * stride, false);

		KEEP(row[n]);
		differ = _mm512_ternarylogic_epi32(differ, row[n], old, OR_OF_XOR);
	}
	if (__builtin_expect(!_mm512_test_epi32_mask(differ, _mm512_set1_epi32((int)mask)), 1))
		return false;
	UNROLL
	for (unsigned int n = 0; n < 4; n++)
		store(dst + n * stride, row[n], false);
	return true;
}

DETILE_KERNELS(fill)

static void read_line(uint8_t out[LINE_BYTES], const uint8_t *line)
{
	store(out, load(line, true), false);
}

void detile_init_avx512(struct detile *table)
{
	fill(table);
	table->read_line = read_line;
	table->isa = "avx512";
}
