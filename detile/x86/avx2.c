/* SPDX-License-Identifier: MIT */
#include "../kernel.h"

#include <immintrin.h>

/* Lines are streamed in halves: over four tiles Tile4 was a tenth slower. */
#define GROUP_NT 128u
#include "../walk.h"

/* Makes the compiler keep what it loaded: the source may change at any time. */
#define KEEP(vector) __asm__("" : "+x"(vector))

ALWAYS_INLINE __m256i load(const uint8_t *from, bool wc)
{
	return wc ? _mm256_stream_load_si256((const __m256i *)from)
		  : _mm256_loadu_si256((const __m256i *)from);
}

ALWAYS_INLINE void store(uint8_t *to, __m256i vector, bool nt)
{
	if (nt)
		_mm256_stream_si256((__m256i *)to, vector);
	else
		_mm256_storeu_si256((__m256i *)to, vector);
}

/* A block as eight vectors, two a row. Whole lines are loaded: half as many loads as lanes are. */
ALWAYS_INLINE void block_load(__m256i v[8], const uint8_t *const line[4], bool lanes, bool wc)
{
	if (!lanes) {
		UNROLL
		for (unsigned int n = 0; n < 8; n++)
			v[n] = load(line[n / 2] + 32 * (n % 2), wc);
		return;
	}
	UNROLL
	for (unsigned int n = 0; n < 8; n += 4) {
		const uint8_t *const *pair = line + n / 2;
		__m256i a = load(pair[0], wc), b = load(pair[0] + 32, wc);
		__m256i c = load(pair[1], wc), d = load(pair[1] + 32, wc);

		v[n / 4] = _mm256_permute2x128_si256(a, c, 0x20);
		v[n / 4 + 2] = _mm256_permute2x128_si256(a, c, 0x31);
		v[n / 4 + 4] = _mm256_permute2x128_si256(b, d, 0x20);
		v[n / 4 + 6] = _mm256_permute2x128_si256(b, d, 0x31);
	}
}

ALWAYS_INLINE void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride, bool lanes,
			      enum detile_path path)
{
	__m256i v[8];

	block_load(v, line, lanes, path == DETILE_WC);
	UNROLL
	for (unsigned int n = 0; n < 8; n++)
		store(dst + n / 2 * stride + 32 * (n % 2), v[n], path == DETILE_NT);
}

ALWAYS_INLINE bool block_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				 uint32_t mask, bool lanes, bool wc)
{
	__m256i v[8], differ = _mm256_setzero_si256();

	block_load(v, line, lanes, wc);
	UNROLL
	for (unsigned int n = 0; n < 8; n++) {
		__m256i old = load(dst + n / 2 * stride + 32 * (n % 2), false);

		KEEP(v[n]);
		differ = _mm256_or_si256(differ, _mm256_xor_si256(v[n], old));
	}
	if (__builtin_expect(_mm256_testz_si256(differ, _mm256_set1_epi32((int)mask)), 1))
		return false;
	UNROLL
	for (unsigned int n = 0; n < 8; n++)
		store(dst + n / 2 * stride + 32 * (n % 2), v[n], false);
	return true;
}

DETILE_KERNELS(fill)

static void read_line(uint8_t out[LINE_BYTES], const uint8_t *line)
{
	store(out, load(line, true), false);
	store(out + 32, load(line + 32, true), false);
}

void detile_init_avx2(struct detile *table)
{
	fill(table);
	table->read_line = read_line;
	table->isa = "avx2";
}
