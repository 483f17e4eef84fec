// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compound blocks.
 *
 * 1. The first page has PG_head, and the block's order where every block has it. Each other page has the address of the
 *    first in compound_head, with bit 0 set: an address that nothing else can leave in this word, whose other users are
 *    lists.
 * 2. All of that goes when the block is freed, before any of its pages can be another block's: a page that is not of a
 *    compound block never looks as if it were.
 * 3. This is the only work in the page allocator that grows with the pages of a block, and only __GFP_COMP asks for it.
 */
#include "compound.h"

#include <mm/mmzone.h>

void prep_compound_page(struct page *page, unsigned int order)
{
	unsigned long head = (unsigned long)page | 1, flags;

	for (unsigned long i = 1; i < 1UL << order; i++)
		WRITE_ONCE(page[i].compound_head, head);
	page_set(page, PG_head);
	/* Under the lock, as whoever names another stack when the pageblock changes its type. */
	flags = spin_lock_irqsave(&page_zone(page)->lock);
	WRITE_ONCE(page->page_stack, 0);
	spin_unlock_irqrestore(&page_zone(page)->lock, flags);
}

void dissolve_compound_page(struct page *page, unsigned int order)
{
	page_clear(page, PG_head);
	for (unsigned long i = 1; i < 1UL << order; i++)
		WRITE_ONCE(page[i].compound_head, 0);
}
