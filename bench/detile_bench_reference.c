/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "detile_bench.h"

#include <string.h>

#include "detile/cpu.h"

static void move_memcpy(void *dst, const void *src, size_t n)
{
	memcpy(dst, src, n);
}

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f")))

/* How far ahead of itself a copy asks for its source, where it does. */
#define AHEAD 2048

AVX2 static void copy_avx2(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;

	for (size_t i = 0; i < n; i += 128) {
		__m256i a = _mm256_load_si256((const __m256i *)(s + i));
		__m256i b = _mm256_load_si256((const __m256i *)(s + i + 32));
		__m256i c = _mm256_load_si256((const __m256i *)(s + i + 64));
		__m256i e = _mm256_load_si256((const __m256i *)(s + i + 96));

		_mm256_store_si256((__m256i *)(d + i), a);
		_mm256_store_si256((__m256i *)(d + i + 32), b);
		_mm256_store_si256((__m256i *)(d + i + 64), c);
		_mm256_store_si256((__m256i *)(d + i + 96), e);
	}
}

AVX512 static void copy_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;

	for (size_t i = 0; i < n; i += 256) {
		__m512i a = _mm512_load_si512(s + i), b = _mm512_load_si512(s + i + 64);
		__m512i c = _mm512_load_si512(s + i + 128), e = _mm512_load_si512(s + i + 192);

		_mm512_store_si512(d + i, a);
		_mm512_store_si512(d + i + 64, b);
		_mm512_store_si512(d + i + 128, c);
		_mm512_store_si512(d + i + 192, e);
	}
}

AVX512 static void copy_ahead_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;

	for (size_t i = 0; i < n; i += 64) {
		__builtin_prefetch(s + i + AHEAD, 0, 3);
		_mm512_store_si512(d + i, _mm512_load_si512(s + i));
	}
}

AVX2 static void stream_avx2(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;

	for (size_t i = 0; i < n; i += 64) {
		__m256i a = _mm256_load_si256((const __m256i *)(s + i));
		__m256i b = _mm256_load_si256((const __m256i *)(s + i + 32));

		_mm256_stream_si256((__m256i *)(d + i), a);
		_mm256_stream_si256((__m256i *)(d + i + 32), b);
	}
}

AVX512 static void stream_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;

	for (size_t i = 0; i < n; i += 64)
		_mm512_stream_si512((void *)(d + i), _mm512_load_si512(s + i));
}

AVX512 static void stream_ahead_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;

	for (size_t i = 0; i < n; i += 64) {
		__builtin_prefetch(s + i + AHEAD, 0, 2);
		_mm512_stream_si512((void *)(d + i), _mm512_load_si512(s + i));
	}
}

/* Four pages side by side: more of the prefetcher's streams at work. */
AVX512 static void stream_pages_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src;
	uint8_t *d = dst;
	size_t i = 0;

	for (; i + 16384 <= n; i += 16384) {
		for (size_t k = i; k < i + 4096; k += 64) {
			for (size_t page = 0; page < 16384; page += 4096) {
				__builtin_prefetch(s + k + page + 16384, 0, 2);
				_mm512_stream_si512((void *)(d + k + page),
						    _mm512_load_si512(s + k + page));
			}
		}
	}
	stream_avx512(d + i, s + i, n - i);
}

AVX2 static void read_avx2(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src, *d = dst;
	__m256i all = _mm256_setzero_si256(), more = all;

	for (size_t i = 0; i < n; i += 64) {
		all = _mm256_or_si256(all, _mm256_load_si256((const __m256i *)(s + i)));
		more = _mm256_or_si256(more, _mm256_load_si256((const __m256i *)(d + i)));
		all = _mm256_or_si256(all, _mm256_load_si256((const __m256i *)(s + i + 32)));
		more = _mm256_or_si256(more, _mm256_load_si256((const __m256i *)(d + i + 32)));
	}
	all = _mm256_or_si256(all, more);
	__asm__ volatile("" : : "x"(all));
}

AVX512 static void read_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src, *d = dst;
	__m512i all = _mm512_setzero_si512(), more = all;

	for (size_t i = 0; i < n; i += 64) {
		all = _mm512_or_si512(all, _mm512_load_si512(s + i));
		more = _mm512_or_si512(more, _mm512_load_si512(d + i));
	}
	all = _mm512_or_si512(all, more);
	__asm__ volatile("" : : "v"(all));
}

AVX512 static void read_ahead_avx512(void *dst, const void *src, size_t n)
{
	const uint8_t *s = src, *d = dst;
	__m512i all = _mm512_setzero_si512(), more = all;

	for (size_t i = 0; i < n; i += 64) {
		__builtin_prefetch(s + i + AHEAD, 0, 3);
		__builtin_prefetch(d + i + AHEAD, 0, 3);
		all = _mm512_or_si512(all, _mm512_load_si512(s + i));
		more = _mm512_or_si512(more, _mm512_load_si512(d + i));
	}
	all = _mm512_or_si512(all, more);
	__asm__ volatile("" : : "v"(all));
}

const struct bench_reference bench_references[] = {
	{REFERENCE_MEMCPY, "memcpy", 0, move_memcpy},
	{REFERENCE_NORMAL, "copy avx2", DETILE_CPU_AVX2, copy_avx2},
	{REFERENCE_NORMAL, "copy avx512", DETILE_CPU_AVX512, copy_avx512},
	{REFERENCE_NORMAL, "copy avx512, prefetch", DETILE_CPU_AVX512, copy_ahead_avx512},
	{REFERENCE_NT, "stream avx2", DETILE_CPU_AVX2, stream_avx2},
	{REFERENCE_NT, "stream avx512", DETILE_CPU_AVX512, stream_avx512},
	{REFERENCE_NT, "stream avx512, prefetch", DETILE_CPU_AVX512, stream_ahead_avx512},
	{REFERENCE_NT, "stream avx512, 4 pages", DETILE_CPU_AVX512, stream_pages_avx512},
	{REFERENCE_READ2, "read avx2", DETILE_CPU_AVX2, read_avx2},
	{REFERENCE_READ2, "read avx512", DETILE_CPU_AVX512, read_avx512},
	{REFERENCE_READ2, "read avx512, prefetch", DETILE_CPU_AVX512, read_ahead_avx512},
};

void bench_flush(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i += 64)
		_mm_clflush((const uint8_t *)p + i);
	_mm_mfence();
}
#else
static void move_words(void *dst, const void *src, size_t n)
{
	const uint64_t *s = src;
	uint64_t *d = dst;

	for (size_t i = 0; i < n / 8; i++)
		d[i] = s[i];
}

static void read_words(void *dst, const void *src, size_t n)
{
	const uint64_t *s = src, *d = dst;
	uint64_t all = 0;

	for (size_t i = 0; i < n / 8; i++)
		all |= s[i] | d[i];
	__asm__ volatile("" : : "r"(all));
}

const struct bench_reference bench_references[] = {
	{REFERENCE_MEMCPY, "memcpy", 0, move_memcpy},
	{REFERENCE_NORMAL, "copy", 0, move_words},
	{REFERENCE_NT, "copy", 0, move_words},
	{REFERENCE_READ2, "read", 0, read_words},
};

void bench_flush(const void *p, size_t n)
{
	(void)p;
	(void)n;
}
#endif

const unsigned int bench_reference_count = sizeof(bench_references) / sizeof(bench_references[0]);

static inline size_t scalar_offset(enum detile_layout layout, size_t stride, uint32_t x, uint32_t y)
{
	uint32_t tile_x = x / 32, in_x = x % 32 * 4, in_y = y % 32;
	size_t tile = y / 32 * 32 * stride + tile_x * 4096;

	switch (layout) {
	case DETILE_X:
		return y / 8 * 8 * stride + x / 128 * 4096 + y % 8 * 512 + x % 128 * 4;
	case DETILE_Y:
		return tile + in_x / 16 * 512 + in_y * 16 + in_x % 16;
	case DETILE_YF:
		return tile + (in_x & 15) + (in_y & 7) * 16 + (in_x & 16) * 8 + (in_y & 8) * 32 +
		       (in_x & 32) * 16 + (in_y & 16) * 64 + (in_x & 64) * 32;
	case DETILE_4:
		return tile + (in_x & 15) + (in_y & 3) * 16 + (in_x & 48) * 4 + (in_y & 4) * 64 +
		       (in_x & 64) * 8 + (in_y & 24) * 128;
	default:
		return y * stride + (size_t)x * 4;
	}
}

#ifndef BENCH_HAVE_GMM
bool bench_gmm(const struct detile_surface *s, const struct detile_rect *r,
	       const struct detile_image *dst)
{
	(void)s;
	(void)r;
	(void)dst;
	return false;
}
#endif

bool bench_scalar(const struct detile_surface *s, const struct detile_rect *r,
		  const struct detile_image *dst)
{
	for (uint32_t y = r->y; y < r->y + r->height; y++) {
		uint8_t *row = (uint8_t *)dst->pixels + y * dst->stride;

		for (uint32_t x = r->x; x < r->x + r->width; x++) {
			const uint8_t *from = s->data;

			from += scalar_offset(s->layout, s->stride, x, y);
			memcpy(row + (size_t)x * 4, from, 4);
		}
	}
	return true;
}
