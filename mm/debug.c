// SPDX-License-Identifier: BSD-2-Clause
/*
 * The check of blocks in passing.
 *
 * 1. A block that is free or cached is aligned to its size, lies in the zone whose lists or cache it is in, its struct
 *    pages are written, and its first page is neither reserved nor SLUB's and has no user.
 * 2. PG_buddy is set on the first page exactly while the block is in a free list, with that list's order.
 * 3. The report ends the run: whoever freed a block twice, or wrote to its struct page, has two owners for one page.
 *
 * O(1) for each block that passes; the walk over all of them is zone_check().
 */
#include "debug.h"

#include <lib/printk.h>

#include "buddy.h"

/* What is wrong with a block that is not in use; NULL when nothing is. */
static const char *unused_fault(const struct zone *zone, const struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);

	if (order > MAX_PAGE_ORDER || !IS_ALIGNED(pfn, 1UL << order))
		return "it is not aligned to its size";
	if (!pfn_valid(pfn) || !page_initialised(pfn))
		return "its struct page was never written";
	if (!page_in_zone(zone, page))
		return "it is another zone's";
	if (page_test(page, PG_reserved))
		return "it is reserved";
	if (page_test(page, PG_slab) || page_test(page, PG_kmalloc))
		return "it is SLUB's";
	if (page_ref_count(page))
		return "it has users";
	return NULL;
}

static void check(const struct zone *zone, const struct page *page, unsigned int order, const char *event,
		  const char *fault)
{
	if (!fault)
		fault = unused_fault(zone, page, order);
	if (fault)
		panic("block: pfn 0x%lx, order %u, %s of node %d zone %s: %s (flags 0x%lx, refcount %d, order %u)",
		      page_to_pfn(page), order, event, zone->node->node_id, zone->name, fault, READ_ONCE(page->flags),
		      page_ref_count(page), page_order(page));
}

void debug_block_enters(const struct zone *zone, const struct page *page, unsigned int order)
{
	check(zone, page, order, "enters the free lists", page_test(page, PG_buddy) ? "it is in one already" : NULL);
}

void debug_block_leaves(const struct zone *zone, const struct page *page)
{
	const char *fault = NULL;

	if (!page_test(page, PG_buddy))
		fault = "it is in none";
	else if (page_order(page) > MAX_PAGE_ORDER || !zone->free_area[page_order(page)].nr_free)
		fault = "there is none of its order";
	check(zone, page, page_order(page), "leaves the free lists", fault);
}

void debug_block_cached(const struct zone *zone, const struct page *page, unsigned int order)
{
	const char *fault = NULL;

	if (page_test(page, PG_buddy))
		fault = "it is in a free list";
	else if (page_order(page) != order)
		fault = "it is of another order";
	check(zone, page, order, "in a CPU's cache", fault);
}
