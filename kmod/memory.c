// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

static atomic_t mplane_memories;

static void mplane_memory_destroy(struct mplane_memory *memory)
{
	unsigned long i;

	if (memory->data)
		vunmap(memory->data);
	for (i = 0; memory->pages && i < memory->count && memory->pages[i]; i++)
		put_page(memory->pages[i]);
	kvfree(memory->pages);
	kfree(memory);
	atomic_dec(&mplane_memories);
}

struct mplane_memory *mplane_memory_create(size_t size)
{
	struct mplane_memory *memory;
	unsigned long i;

	memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	if (!memory)
		return NULL;
	atomic_inc(&mplane_memories);
	kref_init(&memory->kref);
	memory->count = DIV_ROUND_UP(size, PAGE_SIZE);
	memory->pages = kvcalloc(memory->count, sizeof(*memory->pages), GFP_KERNEL);
	if (!memory->pages)
		goto fail;
	for (i = 0; i < memory->count; i++) {
		memory->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!memory->pages[i])
			goto fail;
	}
	memory->data = vmap(memory->pages, memory->count, VM_MAP, PAGE_KERNEL);
	if (!memory->data)
		goto fail;
	return memory;

fail:
	mplane_memory_destroy(memory);
	return NULL;
}

struct mplane_memory *mplane_memory_acquire(struct mplane_memory *memory)
{
	kref_get(&memory->kref);
	return memory;
}

static void mplane_memory_last(struct kref *kref)
{
	mplane_memory_destroy(container_of(kref, struct mplane_memory, kref));
}

void mplane_memory_release(struct mplane_memory *memory)
{
	if (memory)
		kref_put(&memory->kref, mplane_memory_last);
}

void mplane_memory_check(void)
{
	WARN_ON(atomic_read(&mplane_memories));
}
