/* SPDX-License-Identifier: MIT */
#include "../kernel.h"

#include <smmintrin.h>
#include <string.h>

#include "../walk.h"

/* Makes the compiler keep what it loaded: the source may change at any time. */
#define KEEP(vector) __asm__("" : "+x"(vector))

ALWAYS_INLINE __m128i load(const uint8_t *from, bool wc)
{
	/* The intrinsic takes a pointer to non-const. */
	return wc ? _mm_stream_load_si128((__m128i *)(uintptr_t)from)
		  : _mm_loadu_si128((const __m128i *)from);
}

ALWAYS_INLINE void store(uint8_t *to, __m128i vector, bool nt)
{
	if (nt)
		_mm_stream_si128((__m128i *)to, vector);
	else
		_mm_storeu_si128((__m128i *)to, vector);
}

/* Sixteen bytes of a block: piece n of row `row`. */
ALWAYS_INLINE const uint8_t *piece(const uint8_t *const line[4], unsigned int row, unsigned int n,
				   bool lanes)
{
	return lanes ? line[n] + 16 * row : line[row] + 16 * n;
}

ALWAYS_INLINE void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride, bool lanes,
			      enum detile_path path)
{
	bool nt = path == DETILE_NT, wc = path == DETILE_WC;

	/* Of write-combined memory whole lines at once, of other memory whole rows. */
	UNROLL
	for (unsigned int i = 0; i < 4; i++) {
		__m128i v[4];

		UNROLL
		for (unsigned int k = 0; k < 4; k++)
			v[k] = load(lanes && !wc ? line[k] + 16 * i : line[i] + 16 * k, wc);
		UNROLL
		for (unsigned int k = 0; k < 4; k++)
			store(lanes && wc ? dst + k * stride + 16 * i : dst + i * stride + 16 * k,
			      v[k], nt);
	}
}

/* Two rows at a time: a whole block would not leave a register free. */
ALWAYS_INLINE bool half_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				__m128i mask, bool lanes, unsigned int row)
{
	__m128i v[8], differ = _mm_setzero_si128();

	UNROLL
	for (unsigned int i = 0; i < 8; i++) {
		v[i] = load(piece(line, row + i / 4, i % 4, lanes), false);
		KEEP(v[i]);
	}
	UNROLL
	for (unsigned int i = 0; i < 8; i++) {
		__m128i old = load(dst + (row + i / 4) * stride + 16 * (i % 4), false);

		differ = _mm_or_si128(differ, _mm_xor_si128(v[i], old));
	}
	if (_mm_testz_si128(differ, mask))
		return false;
	UNROLL
	for (unsigned int i = 0; i < 8; i++)
		store(dst + (row + i / 4) * stride + 16 * (i % 4), v[i], false);
	return true;
}

ALWAYS_INLINE bool block_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				 uint32_t mask, bool lanes, bool wc)
{
	__m128i bits = _mm_set1_epi32((int)mask);
	bool first;

	if (wc) {
		/* Each line once, whole, into memory of our own. */
		__attribute__((aligned(16))) uint8_t own[4][LINE_BYTES];
		const uint8_t *const copy[4] = {own[0], own[1], own[2], own[3]};

		UNROLL
		for (unsigned int i = 0; i < 16; i++)
			store(own[i / 4] + 16 * (i % 4), load(line[i / 4] + 16 * (i % 4), true),
			      false);
		first = half_compare(copy, dst, stride, bits, lanes, 0);
		return half_compare(copy, dst, stride, bits, lanes, 2) || first;
	}
	first = half_compare(line, dst, stride, bits, lanes, 0);
	return half_compare(line, dst, stride, bits, lanes, 2) || first;
}

DETILE_KERNELS(fill)

static void read_line(uint8_t out[LINE_BYTES], const uint8_t *line)
{
	for (unsigned int n = 0; n < 4; n++)
		store(out + 16 * n, load(line + 16 * n, true), false);
}

void detile_init_sse41(struct detile *table)
{
	fill(table);
	table->read_line = read_line;
	table->isa = "sse41";
}
