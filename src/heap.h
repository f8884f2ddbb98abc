/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C library's heap, in a process that runs for months and whose clients come and go, each with
 * a thread. Facts: glibc's mallopt(3), malloc_trim(3) and mallinfo2(3). Elsewhere than with glibc
 * nothing is done, and nothing counted.
 */
#ifndef PLANECAST_HEAP_H
#define PLANECAST_HEAP_H

#include <stddef.h>

/*
 * For a server, before it has threads: few arenas, as what one thread frees is of no use to
 * others' arenas; and what is as large as a picture is mapped for itself and goes when it is freed.
 */
void heap_settle(void);

/* Gives free pages back to the system. From any thread; takes a millisecond, so not often. */
void heap_trim(void);

/* Bytes that somebody has allocated, threads' caches included; those held from the system. */
void heap_count(size_t *used, size_t *held);

#endif
