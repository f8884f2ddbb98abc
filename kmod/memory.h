/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of a device that user space can map: single pages, and one kernel mapping of them all.
 * Counted, because mappings and dma-bufs outlive the device.
 */
#ifndef MPLANE_MEMORY_H
#define MPLANE_MEMORY_H

#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct mplane_memory {
	struct kref kref;
	unsigned long count; /* pages */
	struct page **pages;
	void *data; /* all of it, in the kernel's address space */
};

/* Zeroed memory of that many bytes, rounded up to pages; NULL without memory. May sleep. */
struct mplane_memory *mplane_memory_create(size_t size);
struct mplane_memory *mplane_memory_acquire(struct mplane_memory *memory);
void mplane_memory_release(struct mplane_memory *memory); /* takes NULL; may sleep */

/* At unloading: warns of memory that nobody gave back. */
void mplane_memory_check(void);

static inline size_t mplane_memory_size(const struct mplane_memory *memory)
{
	return (size_t)memory->count << PAGE_SHIFT;
}

#endif
