// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages that vmap() was given for good (contract: vmap_put.h).
 *
 * 1. With VM_MAP_PUT_PAGES a reference to each page, and the array that names them, become the mapping's. It is noted
 *    by its address (vmap_notes.h). As long as nobody has such a mapping a look is one load.
 * 2. vfree() ends it: unmapped, references given up, the array freed. vunmap() only unmaps: references and array are
 *    the caller's again, who has the array still. Either takes the note first, so of two that end one mapping at once
 *    one does.
 *
 * Locks: none here.
 */
#include <mm/page.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#include "vmap_notes.h"
#include "vmap_put.h"

/**
 * struct vmap_put - such a mapping
 * @at: its note
 * @pages: the array
 * @count: pages that it names
 */
struct vmap_put {
	struct va_extent at;
	struct page **pages;
	unsigned int count;
};

static DEFINE_VMAP_NOTES(noted);

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
	if (put && va)
		vmap_note_add(&noted, &put->at, va, PAGE_SIZE);
	else
		kfree(put);
}

struct vmap_put *vmap_put_take(const void *va)
{
	struct va_extent *at = vmap_note_take(&noted, va);

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
