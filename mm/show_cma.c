// SPDX-License-Identifier: BSD-2-Clause
/*
 * The prompt's `cma`: each area, and how much of it is allocated, free and lent.
 *
 * allocated is the area's own count, free is found by walking its pageblocks, lent is the rest: what movable requests
 * have, CPUs' caches included. A moment's picture; exact while no CPU allocates or frees.
 */
#include <lib/monitor.h>
#include <lib/printk.h>

#include "buddy.h"
#include "cma_area.h"

static unsigned long free_in_block(const struct zone *zone, unsigned long pfn)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES, free = 0;

	if (pageblock_deferred(pfn) && deferred_in_zone(zone, pfn))
		return PAGEBLOCK_NR_PAGES;
	while (pfn < end) {
		unsigned long n = 1UL << page_order(pfn_to_page(pfn));

		free += page_test(pfn_to_page(pfn), PG_buddy) ? n : 0;
		pfn += n;
	}
	return free;
}

static unsigned long free_pages_of(struct cma *cma)
{
	unsigned long free = 0;

	for (unsigned long i = 0; i < cma->count; i += PAGEBLOCK_NR_PAGES) {
		unsigned long flags = spin_lock_irqsave(&cma->zone->lock);

		free += free_in_block(cma->zone, cma->base_pfn + i);
		spin_unlock_irqrestore(&cma->zone->lock, flags);
	}
	return free;
}

static int show_area(struct cma *cma, void *unused)
{
	unsigned long free = free_pages_of(cma), used = cma_used_pages(cma);

	(void)unused;
	con_printf("%-24s %4d %-8s 0x%012llx %8lu %8lu %8lu %8ld %8llu %8llu%s\n", cma->name, cma->zone->node->node_id,
		   cma->zone->name, cma_get_base(cma), cma->count, used, free, (long)(cma->count - used - free),
		   READ_ONCE(cma->nr_allocs), READ_ONCE(cma->nr_failures), cma->is_default ? " default" : "");
	return 0;
}

static int show_cma(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	con_printf("%-24s %4s %-8s %14s %8s %8s %8s %8s %8s %8s\n", "area", "node", "zone", "base", "pages", "used",
		   "free", "lent", "allocs", "failures");
	return cma_for_each_area(show_area, NULL);
}
MONITOR_CMD(cma, "", "CMA areas: pages allocated, free and lent", show_cma);
