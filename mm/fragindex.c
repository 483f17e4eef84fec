// SPDX-License-Identifier: BSD-2-Clause
/*
 * External fragmentation, as a number.
 *
 * 1. unusable_index: of the free pages, the part in blocks too small for the order, in thousandths.
 * 2. fragmentation_index: with F free pages in B free blocks, none of them large enough for a request of R pages,
 *
 *	1 - (1 + F / R) / B
 *
 *    in thousandths. Many small blocks (B large) that would be enough together (F / R large, but below B): near 1000.
 *    Few blocks, F far below R: near 0. When a block is large enough the question does not arise: -1000.
 * 3. Both are about blocks as they lie in the free lists, whoever may have them; a CPU's cache is not free memory.
 */
#include "fragindex.h"

#include "buddy.h"
#include "free_list.h"

unsigned long free_blocks_of_order(const struct zone *zone, unsigned int order)
{
	unsigned long blocks = READ_ONCE(zone->free_area[order].nr_free);

	return order == MAX_PAGE_ORDER ? blocks + (zone_deferred(zone) >> PAGEBLOCK_ORDER) : blocks;
}

/* Free memory of a zone, seen by a request of one order. */
struct free_sums {
	unsigned long pages, blocks;
	unsigned long suitable; /* pages in blocks that are large enough */
};

static struct free_sums sum_free(const struct zone *zone, unsigned int order)
{
	struct free_sums sums = { 0, 0, 0 };

	for (unsigned int have = 0; have < NR_PAGE_ORDERS; have++) {
		unsigned long blocks = free_blocks_of_order(zone, have);

		sums.blocks += blocks;
		sums.pages += blocks << have;
		if (have >= order)
			sums.suitable += blocks << have;
	}
	return sums;
}

int fragmentation_index(const struct zone *zone, unsigned int order)
{
	struct free_sums sums = sum_free(zone, order);

	if (!sums.blocks)
		return 0;
	if (sums.suitable)
		return -1000;
	return 1000 - (int)((1000 + (sums.pages * 1000 >> order)) / sums.blocks);
}

int unusable_index(const struct zone *zone, unsigned int order)
{
	struct free_sums sums = sum_free(zone, order);

	return sums.pages ? (int)((sums.pages - sums.suitable) * 1000 / sums.pages) : 1000;
}

/*
 * The type of the pageblock at @pfn, and whether it is @zone's; one that zones share is of each that has pages in it.
 */
static bool pageblock_of_zone(const struct zone *zone, unsigned long pfn, enum migratetype *type)
{
	unsigned long end = min(pfn + PAGEBLOCK_NR_PAGES, zone_end_pfn(zone));
	bool deferred = pageblock_deferred(pfn);

	*type = get_pageblock_migratetype(pfn);
	if (deferred && *type != MIGRATE_CMA)
		*type = MIGRATE_MOVABLE;
	if (deferred || !page_initialised(pfn))
		return deferred && deferred_in_zone(zone, pfn);
	for (pfn = max(pfn, zone->zone_start_pfn); pfn < end; pfn++)
		if (!page_test(pfn_to_page(pfn), PG_reserved) && page_in_zone(zone, pfn_to_page(pfn)))
			return true;
	return false;
}

static void count_pageblocks(const struct zone *zone, unsigned long *pageblocks)
{
	unsigned long pfn = ALIGN_DOWN(zone->zone_start_pfn, PAGEBLOCK_NR_PAGES);

	while (pfn < zone_end_pfn(zone)) {
		enum migratetype type;

		if (!section_usage(pfn_to_section_nr(pfn))) {
			pfn = ALIGN_DOWN(pfn, PAGES_PER_SECTION) + PAGES_PER_SECTION;
			continue;
		}
		if (pageblock_of_zone(zone, pfn, &type))
			pageblocks[type]++;
		pfn += PAGEBLOCK_NR_PAGES;
	}
}

void count_blocks(struct zone *zone, struct zone_blocks *blocks)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);

	*blocks = (struct zone_blocks){ 0 };
	for (int type = 0; type < MIGRATE_TYPES; type++)
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			blocks->free[type][order] = free_list_length(zone, order, (enum migratetype)type);
	blocks->free[MIGRATE_MOVABLE][MAX_PAGE_ORDER] += zone->nr_deferred >> PAGEBLOCK_ORDER;
	blocks->free[MIGRATE_CMA][MAX_PAGE_ORDER] += zone->nr_deferred_cma >> PAGEBLOCK_ORDER;
	count_pageblocks(zone, blocks->pageblocks);
	spin_unlock_irqrestore(&zone->lock, flags);
}
