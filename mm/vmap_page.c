// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pages behind vmalloc's addresses.
 *
 * 1. vmalloc() takes pages in blocks (vmalloc.c, point 2). Of a block only the first page has a user, so that a pair of
 *    vmalloc() and vfree() has no cost for each page. get_page() of another one would count users of a page that has
 *    none.
 * 2. Who wants to hold a page asks for it first: vmalloc_to_page() and vmalloc_to_pfn() are the ways to it. They split
 *    the block that it is part of, into pages that each have a user and are freed on their own. vfree() finds a block
 *    or single pages by their orders. So a reference holds its page, and no more, past vfree(), and what is asked for
 *    once pays.
 * 3. A block is found from the beginning of its area, or of the 2 MiB of a large one, by the orders of the blocks
 *    before. Its tails have no user, its head has an order: that tells whether there is anything to split, without the
 *    lock.
 * 4. That is for who has the area: nobody frees it meanwhile. Who looks at somebody else's (vmallocinfo) asks
 *    vmap_page_at(), and may not rely on what he finds.
 *
 * split_lock covers the orders of the blocks of all areas in use: several may ask for pages of one block at once.
 */
#include <lib/spinlock.h>
#include <mm/page_exact.h>

#include "internal.h"
#include "vmap.h"

static DEFINE_SPINLOCK(split_lock, LOCK_RANK_VMALLOC);

struct page *vmap_page_at(unsigned long addr)
{
	phys_addr_t pa;

	if (!is_vmalloc_addr((const void *)addr) || !arch_vmap_lookup(addr, &pa))
		return NULL;
	return pfn_to_page(PFN_DOWN(pa));
}

/* Whether @page could be part of a block. What is mapped need not be RAM: then it has no struct page. */
static bool may_be_part(const struct page *page)
{
	return page_initialised(page_to_pfn(page)) && (!page_ref_count(page) || page_order(page));
}

/* Split the block that is mapped at @addr, of the blocks from @at on. Context: split_lock. */
static void split_block_at(unsigned long addr, unsigned long at)
{
	for (;;) {
		struct page *head = vmap_page_at(at);
		unsigned int order;

		if (!head)
			return;
		order = page_order(head);
		if (addr - at < PAGE_SIZE << order) {
			if (order)
				split_page(head, order);
			return;
		}
		at += PAGE_SIZE << order;
	}
}

static void make_single(unsigned long addr)
{
	struct vmap_area area;
	unsigned long flags;

	if (!vmap_area_at(addr, &area) || !area.nr_pages || !vmap_owns_pages(area.use))
		return;
	flags = spin_lock_irqsave(&split_lock);
	split_block_at(ALIGN_DOWN(addr, PAGE_SIZE), max(area.addr, ALIGN_DOWN(addr, VMAP_BLOCK_SIZE)));
	spin_unlock_irqrestore(&split_lock, flags);
}

bool vmap_holds(unsigned long addr, unsigned long last)
{
	struct vmap_area area;

	return vmap_area_at(addr, &area) &&
	       (vmap_owns_pages(area.use) || area.use == VMAP_VMAP || area.use == VMAP_RAM) && last >= addr &&
	       last - area.addr < (unsigned long)area.nr_pages << PAGE_SHIFT;
}

struct page *vmalloc_to_page(const void *addr)
{
	struct page *page = vmap_page_at((uintptr_t)addr);

	if (page && may_be_part(page))
		make_single((uintptr_t)addr);
	return page;
}

unsigned long vmalloc_to_pfn(const void *addr)
{
	return page_to_pfn(vmalloc_to_page(addr));
}

unsigned long vmalloc_nr_pages(void)
{
	struct vmap_area area = { .addr = 0 };
	unsigned long pages = 0;

	while (vmap_area_next(area.addr + PAGE_SIZE, &area))
		pages += vmap_owns_pages(area.use) ? area.nr_pages : 0;
	return pages;
}
