// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof of a zone's equations.
 *
 * 1. The memmap is walked pageblock by pageblock, and every page of the zone that is not reserved is put into one of
 *    four sums by its own struct page: free (first pages of buddy blocks, and deferred pageblocks), cached, allocated, bad.
 *    The sums are compared with the zone's counters, which were kept by other code. Reserved pages are not summed: a
 *    pageblock without a free page has no struct pages.
 * 2. The free lists are walked: every member is a free block of that order, aligned, in this zone, of this migratetype,
 *    not next to a free buddy of its order, and the lists of an order are together as long as its counter says, and those
 *    of each special type hold as many pages as theirs.
 * 3. Done under zone->lock. Pages change between cached and allocated without it, so their two sums are compared only as
 *    one, and with the caches' counts when all CPUs are quiet: `free + cached + allocated + bad = managed` is exact always.
 */
#include "internal.h"

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/page_offline.h>
#include <mm/percpu.h>

#include "buddy.h"
#include "pcp.h"

struct page_sums {
	unsigned long free, deferred, deferred_cma, cached, allocated, bad;
	unsigned long highatomic; /* in pageblocks of that type, by the pageblock */
};

static void sum_block(const struct zone *zone, unsigned long pfn, struct page_sums *sums)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;

	if (get_pageblock_bits(pfn) == MIGRATE_HIGHATOMIC && pageblock_in_zone(zone, pfn))
		sums->highatomic += PAGEBLOCK_NR_PAGES;
	while (pfn < end) {
		const struct page *page = pfn_to_page(pfn);
		unsigned long n = 1UL << page_order(page);

		if (page_test(page, PG_reserved) || !page_in_zone(zone, page))
			n = 1;
		else if (page_test(page, PG_buddy))
			sums->free += n;
		else if (page_ref_count(page))
			sums->allocated += n;
		else if (PageHWPoison(page))
			sums->bad += n;
		else
			sums->cached += n;
		pfn += n;
	}
}

static void sum_zone(const struct zone *zone, struct page_sums *sums)
{
	unsigned long pfn = ALIGN_DOWN(zone->zone_start_pfn, PAGEBLOCK_NR_PAGES), end = zone_end_pfn(zone);

	*sums = (struct page_sums){ 0 };
	while (pfn < end) {
		const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
		unsigned long block = pageblock_nr(pfn);

		if (!usage) {
			pfn = ALIGN_DOWN(pfn, PAGES_PER_SECTION) + PAGES_PER_SECTION;
			continue;
		}
		if (bit_test(usage->deferred, block) && deferred_in_zone(zone, pfn))
			*(get_pageblock_migratetype(pfn) == MIGRATE_CMA ? &sums->deferred_cma : &sums->deferred) +=
				PAGEBLOCK_NR_PAGES;
		else if (bit_test_acquire(usage->initialised, block))
			sum_block(zone, pfn, sums);
		pfn += PAGEBLOCK_NR_PAGES;
	}
}

unsigned long zone_allocated_pages(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	struct page_sums s;

	sum_zone(zone, &s);
	spin_unlock_irqrestore(&zone->lock, flags);
	return s.allocated;
}

static bool equal(const struct zone *zone, const char *left, unsigned long a, const char *right, unsigned long b)
{
	if (a != b)
		printk("zone check: node %d zone %s: %s is %lu, %s is %lu\n", zone->node->node_id, zone->name, left, a,
		       right, b);
	return a == b;
}

static const char *block_fault(const struct zone *zone, const struct page *page, unsigned int order, int type)
{
	unsigned long pfn = page_to_pfn(page);
	const struct page *buddy = pfn_to_page(pfn ^ (1UL << order));

	if (!page_test(page, PG_buddy) || page_order(page) != order)
		return "is no free block of that order";
	if (!IS_ALIGNED(pfn, 1UL << order))
		return "is not aligned to its size";
	if (!page_in_zone(zone, page))
		return "is of another zone";
	if ((int)get_pageblock_migratetype(pfn) != type)
		return "is of another migratetype";
	if (page_ref_count(page))
		return "has users";
	if (order < MAX_PAGE_ORDER && page_test(buddy, PG_buddy) && page_order(buddy) == order &&
	    page_in_zone(zone, buddy))
		return "has a free buddy";
	return NULL;
}

/* Check one list. Return: its length, or -1 after a line. */
static long check_list(struct zone *zone, unsigned int order, int type)
{
	struct page *page;
	long n = 0;

	list_for_each_entry(page, &zone->free_area[order].free_list[type], lru) {
		const char *fault = block_fault(zone, page, order, type);

		if (fault) {
			printk("zone check: node %d zone %s: pfn 0x%lx in the free list of order %u type %d %s\n",
			       zone->node->node_id, zone->name, page_to_pfn(page), order, type, fault);
			return -1;
		}
		n++;
	}
	return n;
}

/* All lists of one type. *@pages: their pages, *@blocks[order]: that many more blocks. Return: false after a line. */
static bool check_type(struct zone *zone, int type, unsigned long *pages, unsigned long *blocks)
{
	*pages = 0;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		long n = check_list(zone, order, type);

		if (n < 0)
			return false;
		blocks[order] += (unsigned long)n;
		*pages += (unsigned long)n << order;
	}
	return true;
}

static bool check_lists(struct zone *zone)
{
	unsigned long blocks[NR_PAGE_ORDERS] = { 0 }, pages = 0, part;

	for (int type = 0; type < MIGRATE_TYPES; type++) {
		if (!check_type(zone, type, &part, blocks))
			return false;
		if (type >= MIGRATE_PCPTYPES &&
		    !equal(zone, "pages in the lists of a special type", part, "their counter",
			   zone_free_special(zone, (enum migratetype)type)))
			return false;
		pages += part;
	}
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		if (!equal(zone, "free blocks in the lists", blocks[order], "their counter",
			   zone->free_area[order].nr_free))
			return false;
	return equal(zone, "pages in free lists + deferred", pages + zone_deferred(zone), "nr_free", zone->nr_free);
}

bool zone_check(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	struct page_sums s;
	bool ok;

	sum_zone(zone, &s);
	ok = check_lists(zone) &&
	     equal(zone, "present", zone->present_pages, "reserved + metadata + managed",
		   zone->reserved_pages + zone->metadata_pages + zone->managed_pages) &&
	     equal(zone, "deferred by bitmap", s.deferred, "nr_deferred", zone->nr_deferred) &&
	     equal(zone, "deferred of CMA areas by bitmap", s.deferred_cma, "nr_deferred_cma", zone->nr_deferred_cma) &&
	     equal(zone, "pages of high-atomic pageblocks", s.highatomic, "nr_reserved_highatomic",
		   zone->nr_reserved_highatomic) &&
	     equal(zone, "free by struct page", s.free + s.deferred + s.deferred_cma, "nr_free", zone->nr_free) &&
	     equal(zone, "bad by struct page", s.bad, "nr_bad", zone->nr_bad) &&
	     equal(zone, "free + cached + allocated + bad",
		   s.free + s.deferred + s.deferred_cma + s.cached + s.allocated + s.bad, "managed",
		   zone->managed_pages);
	spin_unlock_irqrestore(&zone->lock, flags);
	return ok;
}

bool page_alloc_check(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		struct page_sums s;

		if (!zone_check(zone) || !pcp_check(zone))
			return false;
		sum_zone(zone, &s);
		if (!equal(zone, "cached by struct page", s.cached, "the caches' counts", zone_pcp_pages(zone)))
			return false;
	}
	return true;
}
