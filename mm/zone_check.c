// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof of a zone's equations.
 *
 * 1. The memmap is walked pageblock by pageblock, and every page of the zone that is not reserved is put into one of
 *    four sums by its own struct page: free (first pages of buddy blocks, and deferred pageblocks), cached, allocated,
 *    bad. The sums are compared with the zone's counters, which were kept by other code. Reserved pages are not summed:
 *    a pageblock without a free page has no struct pages. A block ends within its pageblock, and a pageblock is not
 *    deferred and initialised at once, and is in the zone's stock when it is deferred below zone->deferred_pfn.
 * 2. The free lists are walked: every link leads to a struct page that has been written and that leads back, so that a
 *    damaged list is reported and not followed; every member is a free block of that order, aligned, in this zone, of
 *    this migratetype, not next to a free buddy of its order; and the lists of an order are together as long as its
 *    counter says, so that a list that runs in a circle ends the walk, too; and those of each special type hold as many
 *    pages as theirs. With 1: the blocks in the lists are just the blocks that have PG_buddy, for both are as many
 *    pages as nr_free says.
 * 3. Done under zone->lock. Pages change between cached and allocated without it, so their two sums are compared only
 *    as one, and with the caches' counts when all CPUs are quiet: `free + cached + allocated + bad = managed` is exact
 *    always.
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

/* Say what is wrong with the pageblock or the block at @pfn. */
static bool block_wrong(const struct zone *zone, unsigned long pfn, const char *fault)
{
	printk("zone check: node %d zone %s: pfn 0x%lx %s\n", zone->node->node_id, zone->name, pfn, fault);
	return false;
}

/* Return: whether all blocks of the pageblock at @pfn end in it. */
static bool sum_block(const struct zone *zone, unsigned long pfn, struct page_sums *sums)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;

	if (pageblock_old_type(pfn) == MIGRATE_HIGHATOMIC && pageblock_in_zone(zone, pfn))
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
	return pfn == end || block_wrong(zone, end - 1, "belongs to a block that goes beyond its pageblock");
}

static bool in_stock(const struct deferred_stock *stock, unsigned long pfn)
{
	for (u32 i = 0; i < stock->nr; i++)
		if (stock->pfn[i] == pfn)
			return true;
	return stock->writing == pfn;
}

/* The deferred pageblock at @pfn. Return: whether it does not contradict itself. */
static bool sum_deferred(const struct zone *zone, unsigned long pfn, struct page_sums *sums)
{
	bool cma = get_pageblock_migratetype(pfn) == MIGRATE_CMA;

	*(cma ? &sums->deferred_cma : &sums->deferred) += PAGEBLOCK_NR_PAGES;
	if (page_initialised(pfn))
		return block_wrong(zone, pfn, "begins a pageblock that is deferred and initialised");
	if (pfn < (cma ? zone->deferred_cma_pfn : zone->deferred_pfn) && !in_stock(&zone->stock, pfn))
		return block_wrong(zone, pfn, "begins a deferred pageblock that would not be found");
	return true;
}

/* Return: whether no pageblock contradicts itself. */
static bool sum_zone(const struct zone *zone, struct page_sums *sums)
{
	unsigned long pfn = ALIGN_DOWN(zone->zone_start_pfn, PAGEBLOCK_NR_PAGES), end = zone_end_pfn(zone);
	bool ok = true;

	*sums = (struct page_sums){ 0 };
	while (pfn < end) {
		const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
		unsigned long block = pageblock_nr(pfn);

		if (!usage) {
			pfn = ALIGN_DOWN(pfn, PAGES_PER_SECTION) + PAGES_PER_SECTION;
			continue;
		}
		if (bit_test(usage->deferred, block) && deferred_in_zone(zone, pfn))
			ok &= sum_deferred(zone, pfn, sums);
		else if (bit_test_acquire(usage->initialised, block))
			ok &= sum_block(zone, pfn, sums);
		pfn += PAGEBLOCK_NR_PAGES;
	}
	return ok;
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

/* Which page's lru is at @link: its frame number, or none that there can be. */
static unsigned long pfn_of_link(const struct list_head *link)
{
	unsigned long offset = (unsigned long)link - VMEMMAP_START - offsetof(struct page, lru);

	return offset % sizeof(struct page) ? ~0UL : offset / sizeof(struct page);
}

/* What is wrong with the member that follows @link in a list; NULL when nothing is. */
static const char *link_fault(const struct zone *zone, const struct list_head *link, unsigned int order, int type)
{
	unsigned long pfn = pfn_of_link(link->next);
	const struct page *page = pfn_to_page(pfn);

	if (!page_initialised(pfn))
		return "is no struct page";
	if (page->lru.prev != link)
		return "does not lead back";
	return block_fault(zone, page, order, type);
}

/* Check one list, which has no more than @limit members. Return: its length, or -1 after a line. */
static long check_list(struct zone *zone, unsigned int order, int type, unsigned long limit)
{
	const struct list_head *head = &zone->free_area[order].free_list[type];
	const char *fault = NULL;
	unsigned long n = 0;

	for (const struct list_head *link = head; !fault && link->next != head; link = link->next) {
		fault = n++ == limit ? "is one more than their counter says" : link_fault(zone, link, order, type);
		if (fault)
			printk("zone check: node %d zone %s: member %lu, pfn 0x%lx, of the free list of order %u type %d %s\n",
			       zone->node->node_id, zone->name, n, pfn_of_link(link->next), order, type, fault);
	}
	return fault ? -1 : (long)n;
}

/* All lists of one type. *@pages: their pages, *@blocks[order]: that many more blocks. Return: false after a line. */
static bool check_type(struct zone *zone, int type, unsigned long *pages, unsigned long *blocks)
{
	*pages = 0;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		long n = check_list(zone, order, type, zone->free_area[order].nr_free - blocks[order]);

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

	ok = sum_zone(zone, &s) && check_lists(zone) &&
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

/* Idle CPUs write struct pages ahead under the lock, even while nobody allocates. */
static bool check_cached(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	struct page_sums s;
	bool ok = sum_zone(zone, &s);

	spin_unlock_irqrestore(&zone->lock, flags);
	return ok && equal(zone, "cached by struct page", s.cached, "the caches' counts", zone_pcp_pages(zone));
}

bool page_alloc_check(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		if (!zone_check(zone) || !pcp_check(zone) || !check_cached(zone))
			return false;
	return true;
}
