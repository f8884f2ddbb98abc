/* SPDX-License-Identifier: MIT */
/* What the machine can run, as flags for detile_init(): nothing is remembered between calls. */
#ifndef DETILE_CPU_H
#define DETILE_CPU_H

enum {
	DETILE_CPU_SSE41 = 1u << 0,
	DETILE_CPU_AVX2 = 1u << 1,
	DETILE_CPU_AVX512 = 1u << 2, /* F, BW and VL */
	DETILE_CPU_NEON = 1u << 3,
};

/* The processor has it and the operating system saves its registers. */
unsigned int detile_cpu_flags(void);

#endif
