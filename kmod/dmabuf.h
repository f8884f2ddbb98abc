/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers: a run of a memory's pages as a dma-buf. Every mapping that user space gets of a device,
 * through its descriptor or through a dma-buf's, is a mapping of one of these, so that it has an
 * address space of its own and stays valid when the device is gone.
 */
#ifndef MPLANE_DMABUF_H
#define MPLANE_DMABUF_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct dma_buf;
struct mplane_dirty;
struct mplane_memory;
struct vm_area_struct;

#define MPLANE_BUFFER_WRITABLE 1u /* shared mappings may write: a BAR */
#define MPLANE_BUFFER_NO_CPU   2u /* mappings give -ENODEV: memory that a CPU does not reach */

struct mplane_buffer {
	struct dma_buf *dmabuf;   /* the buffer lives as long as this */
	struct rw_semaphore move; /* guards the next two; faults take it, so no user copy inside */
	struct mplane_memory *memory;
	unsigned long first;           /* page of the memory that the buffer begins with */
	unsigned long count;           /* pages of the buffer */
	unsigned int flags;            /* MPLANE_BUFFER_* */
	struct mplane_dirty *dirty;    /* which pages were written; NULL unless writable */
	struct mutex attachments_lock; /* of the list, and of what is mapped for whom */
	struct list_head attachments;
};

/*
 * A buffer of `count` pages from page `first` on. Unless flags say more, mappings are read-only,
 * shared or private, and stay so (mprotect gives EACCES). The caller owns one reference; 0 or
 * -errno. May sleep.
 */
int mplane_buffer_create(struct mplane_memory *memory, unsigned long first, unsigned long count,
			 unsigned int flags, struct mplane_buffer **buffer);
void mplane_buffer_release(struct mplane_buffer *buffer); /* takes NULL */

/*
 * Lets a read-only buffer show pages from `first` of another memory on: mappings follow. Pages
 * past the memory's end raise SIGBUS.
 */
void mplane_buffer_move(struct mplane_buffer *buffer, struct mplane_memory *memory,
			unsigned long first);

/* Maps the buffer from page `offset` on into a VMA of the device's descriptor. 0 or -errno. */
int mplane_buffer_mmap(struct mplane_buffer *buffer, struct vm_area_struct *vma,
		       unsigned long offset);

/* A new descriptor (O_CLOEXEC) of the buffer in the calling process, or -errno. */
int mplane_buffer_fd(struct mplane_buffer *buffer);

#endif
