/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdint.h>

/* Bits of CPUID and XCR0: Intel SDM volume 2A, CPUID, and volume 1, chapter 13. */
#define LEAF1_ECX_SSE41    (1u << 19)
#define LEAF1_ECX_OSXSAVE  (1u << 27)
#define LEAF7_EBX_AVX2     (1u << 5)
#define LEAF7_EBX_AVX512F  (1u << 16)
#define LEAF7_EBX_AVX512BW (1u << 30)
#define LEAF7_EBX_AVX512VL (1u << 31)
#define LEAF7_EBX_AVX512   (LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL)
#define XCR0_YMM           0x06u
#define XCR0_ZMM           0xe6u

static uint32_t saved_registers(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

unsigned int detile_cpu_flags(void)
{
	unsigned int flags = 0, eax, ebx, ecx, edx, saved;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return 0;
	if (ecx & LEAF1_ECX_SSE41)
		flags |= DETILE_CPU_SSE41;
	if (!(ecx & LEAF1_ECX_OSXSAVE) || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
		return flags;
	saved = saved_registers();
	if ((saved & XCR0_YMM) == XCR0_YMM && (ebx & LEAF7_EBX_AVX2))
		flags |= DETILE_CPU_AVX2;
	if ((saved & XCR0_ZMM) == XCR0_ZMM && (ebx & LEAF7_EBX_AVX512) == LEAF7_EBX_AVX512)
		flags |= DETILE_CPU_AVX512;
	return flags;
}
#elif defined(__aarch64__)
unsigned int detile_cpu_flags(void)
{
	return DETILE_CPU_NEON; /* part of the base architecture */
}
#else
unsigned int detile_cpu_flags(void)
{
	return 0;
}
#endif
