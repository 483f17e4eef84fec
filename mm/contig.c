// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allocating ranges of page frames.
 *
 * 1. alloc_contig_range() isolates the pageblocks of the range, so that what is free there stays free; has the CPUs
 *    drain their caches, unless all pages are in the free lists already; and takes the blocks out of the free lists. A
 *    block that crosses an end of the range is split, the part outside goes back. Then the pageblocks are what they
 *    were. Only a bad page may be taken out of the free lists in between: then what was taken goes back.
 * 2. Nothing is moved: a page that somebody uses stands in the way, and the caller is told which.
 * 3. Ranges of two callers may meet in a pageblock, so one is allocated at a time: contig_mutex. It does not keep
 *    others from allocating or freeing, which is why pages are looked at again once they are isolated.
 * 4. alloc_contig_pages() goes through the zones that the flags allow, near before far, and in each from low to high
 *    addresses. It looks for a range in which every page is free, cached or deferred, goes on with the first such page
 *    behind the last one in the way, and tries each range that it finds.
 */
#include <mm/contig.h>

#include <errno.h>
#include <lib/mutex.h>
#include <lib/printk.h>
#include <mm/page_offline.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/vmstat.h>

#include "buddy.h"
#include "compound.h"
#include "hardening.h"
#include "internal.h"
#include "page_owner.h"
#include "page_report.h"

static DEFINE_MUTEX(contig_mutex);

/*
 * Take the free block at @pfn out of the lists, and give what of it lies outside of [start, end) back. Return: false
 * when it is free no more, because it was taken out of use.
 */
static bool take_block(struct zone *zone, unsigned long pfn, unsigned long start, unsigned long end)
{
	struct page *page = pfn_to_page(pfn);
	unsigned int order = page_order(page);
	unsigned long block_end = pfn + (1UL << order);

	if (!page_test(page, PG_buddy) || !buddy_remove(zone, page, order))
		return false;
	if (pfn < start)
		buddy_free_range(zone, pfn, start - pfn);
	if (block_end > end)
		buddy_free_range(zone, end, block_end - end);
	pfn = max(pfn, start);
	count_pages_taken(zone, min(block_end, end) - pfn, zone);
	for (; pfn < min(block_end, end); pfn++) {
		page = pfn_to_page(pfn);
		page->page_stack = 0;
		WRITE_ONCE(page->_refcount, 1);
	}
	return true;
}

/*
 * Take [start, end), which lies in one pageblock, is isolated and was free. Return: @end, or the first page that could
 * not be taken.
 */
static unsigned long take_part(struct zone *zone, unsigned long start, unsigned long end)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	unsigned long pfn = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES);

	while (pfn < end) {
		unsigned long next = pfn + (1UL << page_order(pfn_to_page(pfn)));

		if (next > start && !take_block(zone, pfn, start, end))
			break;
		pfn = next;
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return pfn < end ? max(pfn, start) : end;
}

/* The same of pages in any number of pageblocks: all, or none and those that were taken are free again. */
static unsigned long take_range(unsigned long start, unsigned long end)
{
	struct zone *zone = zone_of_pageblock(ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES));
	unsigned long pfn = start;

	while (pfn < end) {
		unsigned long part_end = min(end, ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES);
		unsigned long taken = take_part(zone, pfn, part_end);

		if (taken < part_end) {
			free_contig_range(start, taken - start);
			return taken;
		}
		pfn = part_end;
	}
	return end;
}

/*
 * Whether every page is in the free lists, once what is only cached has been drained. Return: @end, or the first that
 * is not.
 */
static unsigned long settle(unsigned long start, unsigned long end)
{
	unsigned long busy = test_pages_isolated(start, end);

	if (busy == end || page_ref_count(pfn_to_page(busy)))
		return busy;
	drain_all_pages();
	return test_pages_isolated(start, end);
}

/* The order of a block of @n pages that begins at @start; -1 when there is no such block. */
static int order_of_range(unsigned long start, unsigned long n)
{
	int order = n ? __builtin_ctzl(n) : 0;

	return n == 1UL << order && order <= MAX_PAGE_ORDER && IS_ALIGNED(start, n) ? order : -1;
}

static void zero_range(unsigned long start, unsigned long end)
{
	for (; start < end; start++)
		clear_page(page_address(pfn_to_page(start)));
}

/* The caller has all of them: what the flags ask of them is done. */
static void finish_range(unsigned long start, unsigned long end, gfp_t gfp)
{
	int order = gfp & __GFP_COMP ? order_of_range(start, end - start) : 0;

	if (gfp & __GFP_ZERO)
		zero_range(start, end);
	if (order > 0) {
		join_pages(pfn_to_page(start), (unsigned int)order);
		page_owner_alloc(pfn_to_page(start), (unsigned int)order, gfp);
		return;
	}
	for (; start < end; start++)
		page_owner_alloc(pfn_to_page(start), 0, gfp);
}

/* alloc_contig_quietly(), contig_mutex being held. */
static int alloc_locked(unsigned long start, unsigned long end, enum migratetype migratetype, unsigned long *busy)
{
	unsigned long first = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES), last = ALIGN(end, PAGEBLOCK_NR_PAGES);
	int err;

	*busy = end;
	if (start >= end)
		return -EINVAL;
	err = start_isolate_page_range(first, last, migratetype);
	if (!err) {
		*busy = settle(start, end);
		if (*busy == end)
			*busy = take_range(start, end);
		err = *busy == end ? 0 : -EBUSY;
		undo_isolate_page_range(first, last);
	}
	return err;
}

int alloc_contig_quietly(unsigned long start, unsigned long end, enum migratetype migratetype, gfp_t gfp,
			 unsigned long *busy)
{
	int err;

	*busy = end;
	if (gfp & __GFP_COMP && order_of_range(start, end - start) < 0)
		return -EINVAL;
	mutex_lock(&contig_mutex);
	err = alloc_locked(start, end, migratetype, busy);
	mutex_unlock(&contig_mutex);
	if (!err)
		finish_range(start, end, gfp);
	return err;
}

/* The first page of the block that page frame @pfn is in; a moment's answer. */
static const struct page *block_of(unsigned long pfn)
{
	unsigned long first = ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES), next = first;

	while (next <= pfn) {
		first = next;
		next += 1UL << page_order(pfn_to_page(first));
	}
	return pfn_to_page(first);
}

static const char *what_is(const struct page *page)
{
	if (page_test(page, PG_reserved))
		return "reserved";
	if (PageHWPoison(page))
		return "bad";
	if (page_test(page, PG_slab))
		return "a slab's";
	if (page_test(page, PG_kmalloc))
		return "of a large kmalloc()";
	return page_ref_count(page) ? "in use" : "on its way into a cache";
}

/* Why nothing of a range was tried; NULL when a page of it stands in the way. */
static const char *range_fault(unsigned long start, unsigned long end, unsigned long busy, gfp_t gfp, int err)
{
	if (err != -EINVAL)
		return busy == end ? "has pageblocks that are isolated, or of another type" : NULL;
	if (gfp & __GFP_COMP && order_of_range(start, end - start) < 0)
		return "is no block of an order from 0 to 10, which __GFP_COMP asks for";
	return "is not memory of one zone, or wholly reserved in part";
}

static void say_why_not(unsigned long start, unsigned long end, unsigned long busy, gfp_t gfp, int err)
{
	const char *fault = range_fault(start, end, busy, gfp, err);
	const struct page *page;

	if (start >= end) {
		printk("contig: from pfn 0x%lx to before pfn 0x%lx there is no page: not allocated\n", start, end);
		return;
	}
	if (fault) {
		printk("contig: [pfn 0x%lx-0x%lx] %s: not allocated\n", start, end - 1, fault);
		return;
	}
	page = block_of(busy);
	printk("contig: [pfn 0x%lx-0x%lx]: pfn 0x%lx stands in the way: it is %s (order %u, refcount %d)\n", start,
	       end - 1, busy, what_is(page), page_order(page), page_ref_count(page));
}

int alloc_contig_range(unsigned long start, unsigned long end, enum migratetype migratetype, gfp_t gfp)
{
	unsigned long busy;
	int err = alloc_contig_quietly(start, end, migratetype, gfp, &busy);

	if (err && !(gfp & __GFP_NOWARN))
		say_why_not(start, end, busy, gfp, err);
	return err;
}

/* One user less of @page. Return: whether it was the last one. */
static bool put_one(struct page *page, unsigned long *in_use)
{
	const char *fault = HARDENED ? page_free_fault(page, 0) : NULL;
	s32 left;

	if (unlikely(fault)) {
		report_bad_free(page, 0, fault);
		return false;
	}
	left = HARDENED ? drop_user(page, 0) : (s32)dec_return32_acq_rel((u32 *)&page->_refcount);
	if (left == 0) {
		page_owner_free(page);
		return true;
	}
	*in_use += left > 0;
	return false;
}

/* Pages [start, end) of one pageblock, without users, to the free lists. */
static void free_part(unsigned long start, unsigned long end)
{
	struct zone *zone;
	unsigned long flags;

	if (start == end)
		return;
	zone = page_zone(pfn_to_page(start));
	flags = spin_lock_irqsave(&zone->lock);
	buddy_free_range(zone, start, end - start);
	__count_zone_event(zone, PGFREE, end - start);
	spin_unlock_irqrestore(&zone->lock, flags);
}

/* Whether [pfn, pfn + nr) is all of what alloc_contig_range() gave with __GFP_COMP. */
static bool is_compound_block(unsigned long pfn, unsigned long nr)
{
	return nr > 1 && page_initialised(pfn) && PageHead(pfn_to_page(pfn)) &&
	       nr == 1UL << compound_order(pfn_to_page(pfn));
}

void free_contig_range(unsigned long pfn, unsigned long nr)
{
	unsigned long end = pfn + nr, first = pfn, in_use = 0;

	if (is_compound_block(pfn, nr)) {
		put_page(pfn_to_page(pfn));
		return;
	}
	for (; pfn < end; pfn++) {
		/* [first, pfn) has no users any more. */
		if (IS_ALIGNED(pfn, PAGEBLOCK_NR_PAGES)) {
			free_part(first, pfn);
			first = pfn;
		}
		if (!put_one(pfn_to_page(pfn), &in_use)) {
			free_part(first, pfn);
			first = pfn + 1;
		}
	}
	free_part(first, end);
	if (in_use)
		printk("contig: %lu of the pages [pfn 0x%lx-0x%lx] have other users still\n", in_use, end - nr,
		       end - 1);
}

/* Whether the struct page says that somebody uses it, or that nobody ever may. */
static bool in_the_way(const struct zone *zone, const struct page *page)
{
	return page_ref_count(page) || page_test(page, PG_reserved) || PageHWPoison(page) || !page_in_zone(zone, page);
}

/* What stands in the way of a range in a pageblock of @zone's span: all of it, nothing, or what its pages say. */
enum way { ALL_IN_THE_WAY, ALL_FREE, BY_PAGE };

static enum way look_at_block(const struct zone *zone, unsigned long block)
{
	if (!pfn_valid(block) || get_pageblock_migratetype(block) >= MIGRATE_PCPTYPES)
		return ALL_IN_THE_WAY;
	if (pageblock_deferred(block))
		return deferred_in_zone(zone, block) ? ALL_FREE : ALL_IN_THE_WAY;
	return !page_initialised(block) || pageblock_shared(block) ? ALL_IN_THE_WAY : BY_PAGE;
}

/* The last page frame of [start, end), which lies in one pageblock, that stands in the way; @end when none does. */
static unsigned long last_obstacle(const struct zone *zone, unsigned long start, unsigned long end)
{
	unsigned long pfn = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES), found = end;
	enum way way = look_at_block(zone, pfn);

	if (way != BY_PAGE)
		return way == ALL_FREE ? end : end - 1;
	while (pfn < end) {
		unsigned long next = pfn + (1UL << page_order(pfn_to_page(pfn)));

		if (next > start && in_the_way(zone, pfn_to_page(pfn)))
			found = min(next, end) - 1;
		pfn = next;
	}
	return found;
}

/* The first page frame of [start, end), which lies in one pageblock, that does not stand in the way; @end. */
static unsigned long first_free(const struct zone *zone, unsigned long start, unsigned long end)
{
	unsigned long pfn = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES);
	enum way way = look_at_block(zone, pfn);

	if (way != BY_PAGE)
		return way == ALL_FREE ? start : end;
	while (pfn < end) {
		unsigned long next = pfn + (1UL << page_order(pfn_to_page(pfn)));

		if (next > start && !in_the_way(zone, pfn_to_page(pfn)))
			return max(pfn, start);
		pfn = next;
	}
	return end;
}

/*
 * What @look finds in the first pageblock of [start, end) where it finds anything; @end. It looks under the zone's
 * lock.
 */
static unsigned long by_pageblock(struct zone *zone, unsigned long start, unsigned long end,
				  unsigned long (*look)(const struct zone *, unsigned long, unsigned long))
{
	while (start < end) {
		unsigned long part_end = min(end, ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES);
		unsigned long flags = spin_lock_irqsave(&zone->lock);
		unsigned long found = look(zone, start, part_end);

		spin_unlock_irqrestore(&zone->lock, flags);
		if (found < part_end)
			return found;
		start = part_end;
	}
	return end;
}

/* Whether @zone stays above its min watermark without @nr pages more; what only some may use does not count. */
static bool can_spare(const struct zone *zone, unsigned long nr)
{
	unsigned long kept = zone->watermark[WMARK_MIN] + zone_free_special(zone, MIGRATE_ISOLATE) +
			     zone_free_cma(zone) + zone_free_special(zone, MIGRATE_HIGHATOMIC);
	unsigned long free = READ_ONCE(zone->nr_free);

	return free > kept && free - kept >= nr;
}

/* Where a range may lie: within page frames [start, end), at a multiple of align. */
struct place {
	unsigned long start, end, align;
};

/*
 * Under contig_mutex, so that nobody else has a pageblock isolated. Return: the first page of a range that was
 * allocated, NULL when the zone has none.
 */
static struct page *find_in_zone(struct zone *zone, unsigned long nr, const struct place *place)
{
	unsigned long start = max(zone->zone_start_pfn, place->start), align = place->align;
	unsigned long end = min(zone_end_pfn(zone), place->end), next;

	if (start >= end || end - start < nr || !can_spare(zone, nr))
		return NULL;
	for (unsigned long pfn = ALIGN(start, align); pfn + nr <= end;
	     pfn = ALIGN(by_pageblock(zone, next + 1, end, first_free), align)) {
		next = by_pageblock(zone, pfn, pfn + nr, last_obstacle);
		if (next < pfn + nr)
			continue;
		if (!alloc_locked(pfn, pfn + nr, MIGRATE_MOVABLE, &next))
			return pfn_to_page(pfn);
		/* Taken between the two looks. */
		next = min(next, ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES - 1);
	}
	return NULL;
}

static struct page *alloc_in_zone(struct zone *zone, unsigned long nr, gfp_t gfp, const struct place *place)
{
	struct page *page;

	mutex_lock(&contig_mutex);
	page = find_in_zone(zone, nr, place);
	mutex_unlock(&contig_mutex);
	if (page)
		finish_range(page_to_pfn(page), page_to_pfn(page) + nr, gfp);
	return page;
}

static bool may_serve(const struct zone *zone, gfp_t gfp, const u64 *nodes)
{
	return zone->idx <= gfp_zone(gfp) && (!nodes || (*nodes >> zone->node->node_id & 1));
}

/* In the zones of the list for @nid that @gfp allows, on the nodes of @nodes. */
static struct page *alloc_in_zones(unsigned long nr, gfp_t gfp, int nid, const u64 *nodes, const struct place *place)
{
	for (struct zone **list = zonelist_of(nid, gfp); *list; list++) {
		struct page *page = may_serve(*list, gfp, nodes) ? alloc_in_zone(*list, nr, gfp, place) : NULL;

		if (page)
			return page;
	}
	return NULL;
}

struct page *alloc_contig_within(unsigned long nr, unsigned int align_order, unsigned long start, unsigned long end,
				 gfp_t gfp)
{
	const struct place place = { start, end, 1UL << align_order };

	return alloc_in_zones(nr, gfp & __GFP_ZERO, this_cpu()->nid, NULL, &place);
}

struct page *alloc_contig_pages(unsigned long nr, gfp_t gfp, int nid, const u64 *nodes)
{
	const struct place anywhere = { 0, ~0UL, nr & (nr - 1) ? 1 : nr };
	struct page *page;

	if (nid == NUMA_NO_NODE)
		nid = this_cpu()->nid;
	if (!nr || !numa_valid_node(nid))
		return NULL;
	/* From anywhere, a range is aligned to its size if that is a power of two. */
	page = gfp & __GFP_COMP && order_of_range(0, nr) < 0 ? NULL : alloc_in_zones(nr, gfp, nid, nodes, &anywhere);
	if (!page && !(gfp & __GFP_NOWARN))
		printk("contig: no %lu free pages behind one another near node %d, gfp 0x%x\n", nr, nid, gfp);
	return page;
}
