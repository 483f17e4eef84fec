// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks in pieces.
 *
 * A block becomes pages by giving each an order of 0 and a user. No page names a CPU's stack: the block's takes blocks
 * of its own order only. They pass to the zone by the slow path, where neighbours merge again. All of it is done under
 * the zone's lock, under which others walk the memmap, and name another stack for blocks of a pageblock that changes
 * its type.
 */
#include <mm/page_exact.h>

#include "compound.h"
#include "hardening.h"
#include "page_owner.h"
#include "page_report.h"

static const char *split_fault(const struct page *page, unsigned int order)
{
	const char *fault = page_free_fault(page, order);

	return fault || !PageCompound(page) ? fault : "the block is compound";
}

static void make_single(struct page *page)
{
	WRITE_ONCE(page->page_stack, 0);
	set_page_order(page, 0);
}

void split_page(struct page *page, unsigned int order)
{
	const char *fault = HARDENED ? split_fault(page, order) : NULL;
	unsigned long flags;

	if (unlikely(fault)) {
		report_bad_page("split", page, order, fault);
		return;
	}
	flags = spin_lock_irqsave(&page_zone(page)->lock);
	for (unsigned long i = (1UL << order) - 1; i; i--) {
		WRITE_ONCE(page[i]._refcount, 1);
		make_single(&page[i]);
	}
	make_single(page);
	spin_unlock_irqrestore(&page_zone(page)->lock, flags);
	page_owner_split(page, order);
}

void join_pages(struct page *page, unsigned int order)
{
	unsigned long flags = spin_lock_irqsave(&page_zone(page)->lock);

	for (unsigned long i = (1UL << order) - 1; i; i--)
		WRITE_ONCE(page[i]._refcount, 0);
	set_page_order(page, order);
	spin_unlock_irqrestore(&page_zone(page)->lock, flags);
	prep_compound_page(page, order);
}

void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	struct page *page = alloc_pages_node(nid, gfp & ~__GFP_COMP, order);

	if (!page)
		return NULL;
	split_page(page, order);
	for (unsigned long i = PFN_UP(size); i < 1UL << order; i++)
		__free_page(page + i);
	return page_address(page);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	return alloc_pages_exact_nid(NUMA_NO_NODE, size, gfp);
}

void free_pages_exact(void *addr, size_t size)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE)
		free_page((unsigned long)addr + done);
}
