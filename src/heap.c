/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap.h"

#include <stdlib.h> /* tells whether the library is glibc */
#ifdef __GLIBC__
#include <malloc.h>

#define ARENAS 2
/* Above the encoder's pieces, which come by the thousand. Setting it also keeps it: glibc raises it
 * to the size of whatever mapping is freed. */
#define MAPPED_BYTES (512 << 10)
#define TRIM_BYTES   (512 << 10)

void heap_settle(void)
{
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

void heap_trim(void)
{
	malloc_trim(0);
}

void heap_count(size_t *used, size_t *held)
{
	struct mallinfo2 info = mallinfo2();

	*used = info.uordblks + info.hblkhd;
	*held = info.arena + info.hblkhd;
}

#else

void heap_settle(void)
{
}

void heap_trim(void)
{
}

void heap_count(size_t *used, size_t *held)
{
	*used = *held = 0;
}
#endif
