// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the pages of coherent memory come from.
 *
 * 1. A master with a region of its own gets pages of that, or none.
 * 2. Others are served from the first of these that has some, all in the master's reach:
 *	a CMA area, if it lies wholly in reach: the master's own; for more than CMA_BYTES, the default one
 *	the highest zone that, with all zones below it, lies in the reach, by the page allocator; up to 4 MiB
 *	free pages behind one another anywhere in a window of the reach (mm/contig.c)
 *    The first and the last take a mutex and may call other CPUs, so they serve only who can wait.
 * 3. The zone is looked for when a mask is set. None is found when the lowest zone that has memory reaches further than
 *    the master does; then only ranges serve.
 * 4. Pages are zeroed by whoever maps them: not here.
 */
#include <mm/contig.h>
#include <mm/page_exact.h>

#include "buddy.h"
#include "dma.h"
#include "internal.h"

/* What the page allocator may lack after a while though enough is free: blocks above order 3. */
#define CMA_BYTES (PAGE_SIZE << 3)

static bool can_wait(gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM) && arch_cross_call_ok();
}

/* --- the zone --- */

static bool zone_in_reach(const struct device *dev, const struct zone *zone)
{
	unsigned long start, end;

	for (int i = 0; dma_next_window(dev, &i, dev->coherent_mask, &start, &end);)
		if (start <= zone->zone_start_pfn && zone_end_pfn(zone) <= end)
			return true;
	return false;
}

int dma_best_zone(const struct device *dev)
{
	int best = -1, i;
	struct zone *zone;

	for (int idx = ZONE_DMA; idx <= ZONE_NORMAL; idx++) {
		for_each_populated_zone(i, zone)
			if ((int)zone->idx == idx && !zone_in_reach(dev, zone))
				return best;
		best = idx;
	}
	return best;
}

static gfp_t zone_gfp(int zone)
{
	if (zone == ZONE_DMA)
		return __GFP_DMA;
	return zone == ZONE_DMA32 ? __GFP_DMA32 : 0;
}

/* --- the sources: each sets the record's phys, and returns whether it had pages --- */

static bool from_region(struct dma_record *rec)
{
	unsigned long pfn = dma_region_take(rec->dev, rec->nr_pages, get_order(rec->size), rec->dev->coherent_mask);

	rec->source = DMA_REGION;
	rec->region = rec->dev->region;
	rec->phys = PFN_PHYS(pfn);
	return pfn != DMA_NO_PFN;
}

static bool from_cma(struct dma_record *rec)
{
	struct cma *cma = rec->dev->cma;
	struct page *page;

	if (!cma && rec->size > CMA_BYTES)
		cma = cma_default_area();
	if (!cma ||
	    dma_reaches(rec->dev, cma_get_base(cma), cma_get_size(cma), rec->dev->coherent_mask) == DMA_MAPPING_ERROR)
		return false;
	page = cma_alloc(cma, rec->nr_pages, get_order(rec->size), true);
	if (!page)
		return false;
	rec->source = DMA_CMA;
	rec->cma = cma;
	rec->phys = page_to_phys(page);
	return true;
}

static bool from_zone(struct dma_record *rec, gfp_t gfp)
{
	void *pages;

	if (rec->dev->zone < 0 || get_order(rec->size) > MAX_PAGE_ORDER)
		return false;
	pages = alloc_pages_exact(rec->size, gfp | zone_gfp(rec->dev->zone) | __GFP_NOWARN);
	if (!pages)
		return false;
	rec->source = DMA_PAGES;
	rec->phys = __pa(pages);
	return true;
}

static bool from_range(struct dma_record *rec)
{
	const struct device *dev = rec->dev;
	unsigned long start, end;

	for (int i = 0; dma_next_window(dev, &i, dev->coherent_mask, &start, &end);) {
		struct page *page = alloc_contig_within(rec->nr_pages, get_order(rec->size), start, end, 0);

		if (!page)
			continue;
		rec->source = DMA_RANGE;
		rec->phys = page_to_phys(page);
		return true;
	}
	return false;
}

static bool take(struct dma_record *rec, gfp_t gfp)
{
	bool wait = can_wait(gfp);

	if (rec->dev->region)
		return from_region(rec);
	return (wait && from_cma(rec)) || from_zone(rec, gfp) || (wait && from_range(rec));
}

bool dma_take_pages(struct dma_record *rec, gfp_t gfp)
{
	if (!take(rec, gfp & (__GFP_DIRECT_RECLAIM | __GFP_HIGH | __GFP_NORETRY)))
		return false;
	rec->dma = dma_reaches(rec->dev, rec->phys, rec->nr_pages << PAGE_SHIFT, rec->dev->coherent_mask);
	BUG_ON(rec->dma == DMA_MAPPING_ERROR);
	return true;
}

void dma_give_pages(const struct dma_record *rec)
{
	unsigned long pfn = PFN_DOWN(rec->phys);

	switch ((enum dma_source)rec->source) {
	case DMA_PAGES:
		free_pages_exact(__va(rec->phys), rec->size);
		break;
	case DMA_RANGE:
		free_contig_range(pfn, rec->nr_pages);
		break;
	case DMA_CMA:
		BUG_ON(!cma_release(rec->cma, pfn_to_page(pfn), rec->nr_pages));
		break;
	case DMA_REGION:
		dma_region_give(rec->region, pfn, rec->nr_pages);
		break;
	}
}

/* --- what there is --- */

/* A run of free pages that is being counted, and the longest so far. */
struct runs {
	unsigned long run, longest;
};

static void count(struct runs *runs, bool free, unsigned long nr)
{
	runs->run = free ? runs->run + nr : 0;
	runs->longest = max(runs->longest, runs->run);
}

/* Page frames [start, end) of one pageblock, under the lock of @zone, in whose span it lies. */
static void count_part(struct zone *zone, struct runs *runs, unsigned long start, unsigned long end)
{
	unsigned long pfn = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES);

	if (!pfn_valid(pfn) || get_pageblock_migratetype(pfn) >= MIGRATE_CMA)
		return count(runs, false, end - start);
	if (pageblock_deferred(pfn))
		return count(runs, deferred_in_zone(zone, pfn), end - start);
	if (!page_initialised(pfn))
		return count(runs, false, end - start);
	while (pfn < end) {
		const struct page *page = pfn_to_page(pfn);
		unsigned long next = pfn + (1UL << page_order(page));

		if (next > start)
			count(runs, page_test(page, PG_buddy) && page_in_zone(zone, page),
			      min(next, end) - max(pfn, start));
		pfn = next;
	}
}

static void count_zone(struct zone *zone, struct runs *runs, unsigned long start, unsigned long end)
{
	start = max(start, zone->zone_start_pfn);
	end = min(end, zone_end_pfn(zone));
	runs->run = 0;
	while (start < end) {
		unsigned long part_end = min(end, ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES);
		unsigned long flags = spin_lock_irqsave(&zone->lock);

		count_part(zone, runs, start, part_end);
		spin_unlock_irqrestore(&zone->lock, flags);
		start = part_end;
	}
}

unsigned long dma_largest_free(const struct device *dev, u64 mask)
{
	struct runs runs = { 0, 0 };
	unsigned long start, end;
	struct zone *zone;
	int n;

	for (int i = 0; dma_next_window(dev, &i, mask, &start, &end);)
		for_each_populated_zone(n, zone)
			count_zone(zone, &runs, start, end);
	return runs.longest;
}
