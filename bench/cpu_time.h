/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What processes have taken of the processors, exactly (schedstat), in milliseconds. */
#ifndef BENCH_CPU_TIME_H
#define BENCH_CPU_TIME_H

#include <sys/types.h>

/* All threads of a process that live, but for the virtual processors of a QEMU. */
double cpu_time_ms(pid_t pid);

/* The kernel's workers that are bound to no processor: mplane's gather damage in those. */
double cpu_time_kernel_ms(void);

#endif
