/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of a writable buffer were written, by mappings (their first write after a harvest
 * faults) or by the module itself. A page's bit is set after its lock is taken and before the
 * write can happen; a harvest clears it and then protects the page, so that what is read after the
 * harvest holds every write of before, or the page is marked again.
 */
#ifndef MPLANE_DIRTY_H
#define MPLANE_DIRTY_H

#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct address_space;

struct mplane_dirty {
	unsigned long *bits; /* a bit a page */
	unsigned long count; /* pages */
	spinlock_t lock;     /* guards the next two; notify is called under it */
	void (*notify)(void *data);
	void *data;
};

int mplane_dirty_init(struct mplane_dirty *dirty, unsigned long count); /* -ENOMEM */
void mplane_dirty_finish(struct mplane_dirty *dirty);

/* Who is told of a page that was clean; NULL: nobody. The old one is not called any more then. */
void mplane_dirty_listen(struct mplane_dirty *dirty, void (*notify)(void *data), void *data);

/* A fault: locks the page and marks it, for .page_mkwrite to return VM_FAULT_LOCKED. */
void mplane_dirty_fault(struct mplane_dirty *dirty, unsigned long index, struct page *page);

/* Pages first .. last were written by other ways than mappings. */
void mplane_dirty_mark(struct mplane_dirty *dirty, unsigned long first, unsigned long last);

/* Unmarks and protects one page, as a harvest does. */
void mplane_dirty_protect(struct mplane_dirty *dirty, struct page **pages,
			  struct address_space *mapping, unsigned long index);

/*
 * Unmarks and protects the pages first .. last, of the buffer whose pages those are and whose
 * mappings are in that address space, but for those in `skip` (NULL: none); each(data, first, last)
 * is called for every run of pages that was marked, after all are protected. May sleep.
 */
void mplane_dirty_harvest(struct mplane_dirty *dirty, struct page **pages,
			  struct address_space *mapping, unsigned long first, unsigned long last,
			  unsigned long *scratch, const unsigned long *skip,
			  void (*each)(void *data, unsigned long first, unsigned long last),
			  void *data);

#endif
