/* SPDX-License-Identifier: MIT */
#include "../kernel.h"

#include <arm_neon.h>

#include "../walk.h"

/* Makes the compiler keep what it loaded: the source may change at any time. */
#define KEEP(vector) __asm__("" : "+w"(vector))

/* Two 16-byte pieces with one load that hints at no reuse, as arm64 has no streaming load. */
ALWAYS_INLINE void load_pair(uint32x4_t *a, uint32x4_t *b, const uint8_t *from, bool wc)
{
	if (wc) {
		__asm__ volatile("ldnp %q0, %q1, [%2]"
				 : "=w"(*a), "=w"(*b)
				 : "r"(from), "m"(*(const uint8_t(*)[32])from));
		return;
	}
	*a = vreinterpretq_u32_u8(vld1q_u8(from));
	*b = vreinterpretq_u32_u8(vld1q_u8(from + 16));
}

ALWAYS_INLINE void store_pair(uint8_t *to, uint32x4_t a, uint32x4_t b, bool nt)
{
	if (nt) {
		__asm__ volatile("stnp %q1, %q2, [%3]"
				 : "=m"(*(uint8_t(*)[32])to)
				 : "w"(a), "w"(b), "r"(to));
		return;
	}
	vst1q_u8(to, vreinterpretq_u8_u32(a));
	vst1q_u8(to + 16, vreinterpretq_u8_u32(b));
}

/* A block as sixteen pieces: v[row][n]. */
ALWAYS_INLINE void block_load(uint32x4_t v[4][4], const uint8_t *const line[4], bool lanes, bool wc)
{
	UNROLL
	for (unsigned int n = 0; n < 4; n++) {
		if (lanes) {
			load_pair(&v[0][n], &v[1][n], line[n], wc);
			load_pair(&v[2][n], &v[3][n], line[n] + 32, wc);
		} else {
			load_pair(&v[n][0], &v[n][1], line[n], wc);
			load_pair(&v[n][2], &v[n][3], line[n] + 32, wc);
		}
	}
}

ALWAYS_INLINE void block_store(uint8_t *dst, size_t stride, uint32x4_t v[4][4], bool nt)
{
	UNROLL
	for (unsigned int row = 0; row < 4; row++) {
		store_pair(dst + row * stride, v[row][0], v[row][1], nt);
		store_pair(dst + row * stride + 32, v[row][2], v[row][3], nt);
	}
}

ALWAYS_INLINE void block_copy(const uint8_t *const line[4], uint8_t *dst, size_t stride, bool lanes,
			      enum detile_path path)
{
	uint32x4_t v[4][4];

	block_load(v, line, lanes, path == DETILE_WC);
	block_store(dst, stride, v, path == DETILE_NT);
}

ALWAYS_INLINE bool block_compare(const uint8_t *const line[4], uint8_t *dst, size_t stride,
				 uint32_t mask, bool lanes, bool wc)
{
	uint32x4_t v[4][4], differ = vdupq_n_u32(0);

	block_load(v, line, lanes, wc);
	UNROLL
	for (unsigned int row = 0; row < 4; row++) {
		UNROLL
		for (unsigned int n = 0; n < 4; n++) {
			uint8x16_t old = vld1q_u8(dst + row * stride + 16 * n);

			KEEP(v[row][n]);
			differ = vorrq_u32(differ, veorq_u32(v[row][n], vreinterpretq_u32_u8(old)));
		}
	}
	if (__builtin_expect(!vmaxvq_u32(vandq_u32(differ, vdupq_n_u32(mask))), 1))
		return false;
	block_store(dst, stride, v, false);
	return true;
}

DETILE_KERNELS(fill)

static void read_line(uint8_t out[LINE_BYTES], const uint8_t *line)
{
	uint32x4_t v[4];

	load_pair(&v[0], &v[1], line, true);
	load_pair(&v[2], &v[3], line + 32, true);
	store_pair(out, v[0], v[1], false);
	store_pair(out + 32, v[2], v[3], false);
}

void detile_init_neon(struct detile *table)
{
	fill(table);
	table->read_line = read_line;
	table->isa = "neon";
}
