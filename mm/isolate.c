// SPDX-License-Identifier: BSD-2-Clause
/*
 * Isolating ranges of pageblocks.
 *
 * 1. An isolated pageblock gives nothing: its free blocks are in the lists of MIGRATE_ISOLATE, which no request takes
 *    from. What is freed of it goes there, too. It stays of its old type underneath.
 * 2. Pages that a CPU's cache holds are neither free nor refused: the cache may give them, and take them again. So
 *    whoever wants a range to fall still isolates it, and then has all CPUs drain their caches (<mm/percpu_stack.h>,
 *    4). A block that is freed after that finds its pageblock isolated and goes to the free lists.
 * 3. A pageblock that is deferred is initialised first. One in which nothing was handed over has no struct pages, or
 *    only reserved ones. One that zones share would need the locks of all of them: it is refused.
 * 4. A range is isolated a pageblock at a time, each under the zone's lock; one that cannot be ends that, and those
 *    before it are undone.
 */
#include <errno.h>
#include <lib/bitmap.h>
#include <mm/contig.h>

#include "buddy.h"
#include "internal.h"

/* Whether the pageblock at @pfn is @zone's alone; it is initialised then. Under the zone's lock. */
static bool own_pageblock(struct zone *zone, unsigned long pfn)
{
	if (!pfn_valid(pfn) || pfn + PAGEBLOCK_NR_PAGES <= zone->zone_start_pfn || pfn >= zone_end_pfn(zone))
		return false;
	zone_init_deferred(zone, pfn);
	return page_initialised(pfn) && !pageblock_shared(pfn) && pageblock_in_zone(zone, pfn);
}

struct zone *zone_of_pageblock(unsigned long pfn)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		unsigned long flags = spin_lock_irqsave(&zone->lock);
		bool own = own_pageblock(zone, pfn);

		spin_unlock_irqrestore(&zone->lock, flags);
		if (own)
			return zone;
	}
	return NULL;
}

static int isolate_one(struct zone *zone, unsigned long pfn, enum migratetype migratetype)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	int err = 0;

	if (!own_pageblock(zone, pfn))
		err = -EINVAL;
	else if (get_pageblock_migratetype(pfn) == MIGRATE_ISOLATE ||
		 (get_pageblock_migratetype(pfn) == MIGRATE_CMA) != (migratetype == MIGRATE_CMA))
		err = -EBUSY;
	else
		isolate_pageblock(zone, pfn);
	spin_unlock_irqrestore(&zone->lock, flags);
	return err;
}

int start_isolate_page_range(unsigned long start, unsigned long end, enum migratetype migratetype)
{
	struct zone *zone;
	int err = 0;

	if (start >= end || !IS_ALIGNED(start | end, PAGEBLOCK_NR_PAGES))
		return -EINVAL;
	zone = zone_of_pageblock(start);
	if (!zone)
		return -EINVAL;
	for (unsigned long pfn = start; pfn < end; pfn += PAGEBLOCK_NR_PAGES) {
		err = isolate_one(zone, pfn, migratetype);
		if (err) {
			undo_isolate_page_range(start, pfn);
			break;
		}
	}
	return err;
}

void undo_isolate_page_range(unsigned long start, unsigned long end)
{
	for (unsigned long pfn = start; pfn < end; pfn += PAGEBLOCK_NR_PAGES) {
		struct zone *zone = zone_of_pageblock(pfn);
		unsigned long flags = spin_lock_irqsave(&zone->lock);

		unisolate_pageblock(zone, pfn);
		spin_unlock_irqrestore(&zone->lock, flags);
	}
}

/* The first page frame of [start, end), which lies in one pageblock, that is not free; @end when all are. */
static unsigned long first_busy(unsigned long start, unsigned long end)
{
	unsigned long pfn = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES);

	while (pfn < end) {
		const struct page *page = pfn_to_page(pfn);
		unsigned long n = 1UL << page_order(page);

		if (pfn + n > start && !page_test(page, PG_buddy))
			return max(pfn, start);
		pfn += n;
	}
	return end;
}

unsigned long test_pages_isolated(unsigned long start, unsigned long end)
{
	struct zone *zone = zone_of_pageblock(ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES));

	while (start < end) {
		unsigned long part_end = min(end, ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES);
		unsigned long flags = spin_lock_irqsave(&zone->lock), busy = first_busy(start, part_end);

		spin_unlock_irqrestore(&zone->lock, flags);
		if (busy < part_end)
			return busy;
		start = part_end;
	}
	return end;
}
