// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages that vmap() was given for good (contract: vmap_put.h).
 *
 * 1. With VM_MAP_PUT_PAGES a reference to each page, and the array that names them, become the mapping's. It is noted here by its
 *    address, for an area has no room for more. As long as nobody has such a mapping a look is one load.
 * 2. vfree() ends it: unmapped, references given up, the array freed. vunmap() only unmaps: references and array are the caller's
 *    again, who has the array still. Either takes the note first, so of two that end one mapping at once one does.
 *
 * put_lock covers the tree.
 */
#include <lib/spinlock.h>
#include <mm/page.h>
#include <mm/slab.h>
#include <mm/va_tree.h>
#include <mm/vmalloc.h>

#include "internal.h"
#include "vmap_put.h"

/**
 * struct vmap_put - such a mapping
 * @at: in the tree, by its first address; one byte long
 * @pages: the array
 * @count: pages that it names
 */
struct vmap_put {
	struct va_extent at;
	struct page **pages;
	unsigned int count;
};

static DEFINE_SPINLOCK(put_lock, LOCK_RANK_VMALLOC);
static struct va_tree noted; /* put_lock */
static unsigned long nr;     /* put_lock; read at any time */

struct vmap_put *vmap_put_new(struct page **pages, unsigned int count)
{
	struct vmap_put *put = kzalloc(sizeof(*put), GFP_KERNEL | __GFP_NOWARN);

	if (put) {
		put->pages = pages;
		put->count = count;
	}
	return put;
}

void vmap_put_mapped(struct vmap_put *put, const void *va)
{
	unsigned long flags;

	if (!put || !va) {
		kfree(put);
		return;
	}
	put->at.start = (uintptr_t)va;
	put->at.len = 1;
	flags = spin_lock_irqsave(&put_lock);
	va_insert(&noted, &put->at);
	ADD_ONCE(nr, 1);
	spin_unlock_irqrestore(&put_lock, flags);
}

struct vmap_put *vmap_put_take(const void *va)
{
	struct va_extent *at;
	unsigned long flags;

	if (!READ_ONCE(nr))
		return NULL;
	flags = spin_lock_irqsave(&put_lock);
	at = va_at_or_below(&noted, (uintptr_t)va);
	if (at && at->start != (uintptr_t)va)
		at = NULL;
	if (at) {
		va_remove(&noted, at);
		ADD_ONCE(nr, -1UL);
	}
	spin_unlock_irqrestore(&put_lock, flags);
	return at ? container_of(at, struct vmap_put, at) : NULL;
}

void *vmap_put_pages(struct vmap_put *put)
{
	void *array = put->pages;

	for (unsigned int i = 0; i < put->count; i++)
		put_page(put->pages[i]);
	kfree(put);
	return array;
}

void vmap_put_drop(struct vmap_put *put)
{
	kfree(put);
}
