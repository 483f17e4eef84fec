// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pageblocks and their migratetypes: what keeps pages of one kind together, so that large blocks come free again.
 *
 * 1. Each pageblock has a type in its section's usage map, and its free blocks are in that type's lists. A request
 *    takes from its own type as long as there is something. When there is nothing, it takes a block of another type, in
 *    the order of `fallbacks`: the two that do not move from each other first, so that movable pageblocks stay unmixed.
 * 2. What is taken is the largest block there is: a pageblock that is mixed once can serve many more such requests
 *    before the next one is. With a block of at least half a pageblock's order, or when at least half of the
 *    pageblock's pages are free or of a kind that goes with the request, the pageblock becomes the request's type with
 *    all its free blocks. A movable request that cannot have a pageblock so takes the smallest block: its page will not
 *    stay for ever.
 * 3. A pageblock that zones share (usage->shared) keeps its type: its blocks lie in the lists of more than one zone,
 *    each under its own lock.
 * 4. MIGRATE_HIGHATOMIC is a reserve for requests of more than one page that cannot wait (__GFP_HIGH). When such a
 *    request was served only by the slow path, the pageblock that served it is kept for the next ones: at most 1 % of
 *    the zone, but one pageblock in a zone of MANY_BLOCKS or more. Before another request fails, the reserve is given
 *    back.
 * 5. MIGRATE_CMA pageblocks lend to movable requests and never become another type.
 * 6. An isolated pageblock is MIGRATE_ISOLATE to everybody, whatever type it has underneath and will have again. Its
 *    free blocks are in the lists of that type, from which nothing is given. One of the reserve is counted as its all
 *    the time.
 * 7. A block that a CPU has cached is in the cache of the type that its pageblock had when it left the free lists.
 *    Between the first three types that does no harm. Blocks of CMA areas are cached with movable ones, and no
 *    pageblock becomes CMA or ceases to be (pcp_type()). Those of isolated and reserved pageblocks are not cached:
 *    their page_stack is 0, and stays so until they have been through the free lists. Who isolates drains the caches.
 *
 * Everything here runs under zone->lock, but for the two that take it. Cost: O(blocks in the pageblock) when its free
 * blocks change lists or are counted, else O(MAX_PAGE_ORDER).
 */
#include "buddy.h"

#include <lib/bitmap.h>

#include <asm/atomic.h>

#include "free_list.h"
#include "pcp.h"

/* From this order on, stealing a block converts its pageblock. */
#define CONVERT_ORDER (PAGEBLOCK_ORDER / 2)

/*
 * Below this order nothing larger is free of another type in the whole zone: to convert pageblocks would group nothing.
 */
#define COUNT_ORDER 3

/* A zone of so many pageblocks may keep one of them in reserve, even when that is more than 1 %. */
#define MANY_BLOCKS 64

_Static_assert(MIGRATE_TYPES <= TYPE_ISOLATED, "a migratetype fits below the bit that says isolated");

/* Whom a request of each type takes from when its own lists are empty, the best first. */
static const enum migratetype fallbacks[MIGRATE_PCPTYPES][MIGRATE_PCPTYPES - 1] = {
	[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
	[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

const char *migratetype_name(enum migratetype type)
{
	static const char *const names[MIGRATE_TYPES] = {
		[MIGRATE_UNMOVABLE] = "Unmovable",
		[MIGRATE_MOVABLE] = "Movable",
		[MIGRATE_RECLAIMABLE] = "Reclaimable",
		[MIGRATE_HIGHATOMIC] = "HighAtomic",
		[MIGRATE_CMA] = "CMA",
		[MIGRATE_ISOLATE] = "Isolate",
	};

	return names[type];
}

/* The word may hold pageblocks of a zone with another lock: change our bits only, atomically. */
static void change_bits(unsigned long pfn, u64 changed)
{
	struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
	unsigned long block = pageblock_nr(pfn);

	xor64(&usage->type[block / TYPES_PER_WORD], changed << block % TYPES_PER_WORD * PAGEBLOCK_TYPE_BITS);
}

void set_pageblock_migratetype(unsigned long pfn, enum migratetype type)
{
	change_bits(pfn, (u64)type ^ get_pageblock_bits(pfn));
}

bool pageblock_shared(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));

	return usage && bit_test(usage->shared, pageblock_nr(pfn));
}

bool pageblock_in_zone(const struct zone *zone, unsigned long pfn)
{
	for (unsigned long end = pfn + PAGEBLOCK_NR_PAGES; pfn < end; pfn++)
		if (!page_test(pfn_to_page(pfn), PG_reserved))
			return page_in_zone(zone, pfn_to_page(pfn));
	return false;
}

/*
 * The pageblock at @pfn has just become @to: its free blocks move to that type's lists, and the others, but for those
 * that are kept from the caches, are freed to that type's stacks, if it has any. Each step is a block, whether free,
 * cached or allocated; a reserved page is a block of order 0.
 */
static void move_blocks(struct zone *zone, unsigned long pfn, enum migratetype from, enum migratetype to)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES, moved = 0;

	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned int order = page_order(page);

		if (page_test(page, PG_buddy)) {
			list_move(&page->lru, &zone->free_area[order].free_list[to]);
			moved += 1UL << order;
		} else if (READ_ONCE(page->page_stack)) {
			WRITE_ONCE(page->page_stack, pcp_stack_of(zone, order, to));
		}
		pfn += 1UL << order;
	}
	count_special(zone, from, -moved);
	count_special(zone, to, moved);
}

void convert_pageblock(struct zone *zone, unsigned long pfn, enum migratetype type)
{
	enum migratetype from = get_pageblock_migratetype(pfn);

	mend_pageblock(zone, pfn, type);
	set_pageblock_migratetype(pfn, type);
	move_blocks(zone, pfn, from, type);
}

static void leave_highatomic(struct zone *zone, unsigned long pfn, enum migratetype type)
{
	convert_pageblock(zone, pfn, type);
	ADD_ONCE(zone->nr_reserved_highatomic, -PAGEBLOCK_NR_PAGES);
}

void isolate_pageblock(struct zone *zone, unsigned long pfn)
{
	mend_pageblock(zone, pfn, MIGRATE_ISOLATE);
	change_bits(pfn, TYPE_ISOLATED);
	move_blocks(zone, pfn, pageblock_old_type(pfn), MIGRATE_ISOLATE);
}

void unisolate_pageblock(struct zone *zone, unsigned long pfn)
{
	mend_pageblock(zone, pfn, pageblock_old_type(pfn));
	change_bits(pfn, TYPE_ISOLATED);
	move_blocks(zone, pfn, MIGRATE_ISOLATE, get_pageblock_migratetype(pfn));
}

/* A free block of just @order that a request of @type may take from another type; NULL when there is none. */
static struct page *fallback_block(struct zone *zone, unsigned int order, enum migratetype type)
{
	for (int i = 0; i < MIGRATE_PCPTYPES - 1; i++) {
		struct list_head *list = &zone->free_area[order].free_list[fallbacks[type][i]];

		if (!list_empty(list))
			return list_first_entry(list, struct page, lru);
	}
	return NULL;
}

static struct page *largest_fallback(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct page *page = NULL;

	for (unsigned int have = MAX_PAGE_ORDER + 1; have-- > order && !page;)
		page = fallback_block(zone, have, type);
	return page;
}

static struct page *smallest_fallback(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct page *page = NULL;

	for (; order <= MAX_PAGE_ORDER && !page; order++)
		page = fallback_block(zone, order, type);
	return page;
}

/* Whether at least half of the pageblock at @pfn is free. */
static bool half_free(unsigned long pfn)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES, free = 0;

	while (pfn < end && free < PAGEBLOCK_NR_PAGES / 2) {
		const struct page *page = pfn_to_page(pfn);

		if (page_test(page, PG_buddy))
			free += 1UL << page_order(page);
		pfn += 1UL << page_order(page);
	}
	return free >= PAGEBLOCK_NR_PAGES / 2;
}

/* Whether the pageblock at @block, out of which a free block of @order is taken, is to become @type. */
static bool worth_converting(unsigned long block, unsigned int order, enum migratetype type)
{
	if (pageblock_shared(block) || order < COUNT_ORDER)
		return false;
	if (order >= CONVERT_ORDER)
		return true;
	/* What is in use there does not move either: it goes with the request, as what is free does. */
	if (type != MIGRATE_MOVABLE && get_pageblock_migratetype(block) != MIGRATE_MOVABLE)
		return true;
	return half_free(block);
}

struct page *steal_block(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct page *page = largest_fallback(zone, order, type);
	unsigned long block;

	if (!page)
		return NULL;
	block = ALIGN_DOWN(page_to_pfn(page), PAGEBLOCK_NR_PAGES);
	if (worth_converting(block, page_order(page), type))
		convert_pageblock(zone, block, type);
	else if (type == MIGRATE_MOVABLE)
		page = smallest_fallback(zone, order, type);
	return page;
}

/* Pages that the reserve of @zone may have. */
static unsigned long highatomic_limit(const struct zone *zone)
{
	unsigned long share = zone->managed_pages / 100;

	if (zone->managed_pages < MANY_BLOCKS * PAGEBLOCK_NR_PAGES)
		return 0;
	return max(share, PAGEBLOCK_NR_PAGES);
}

void reserve_highatomic(struct page *page)
{
	unsigned long pfn = ALIGN_DOWN(page_to_pfn(page), PAGEBLOCK_NR_PAGES);
	struct zone *zone = page_zone(page);
	unsigned long flags = spin_lock_irqsave(&zone->lock);

	if (zone->nr_reserved_highatomic + PAGEBLOCK_NR_PAGES <= highatomic_limit(zone) &&
	    get_pageblock_migratetype(pfn) < MIGRATE_PCPTYPES && !pageblock_shared(pfn)) {
		convert_pageblock(zone, pfn, MIGRATE_HIGHATOMIC);
		ADD_ONCE(zone->nr_reserved_highatomic, PAGEBLOCK_NR_PAGES);
	}
	spin_unlock_irqrestore(&zone->lock, flags);
}

/* One of the pageblocks kept in @zone that has free pages. Return: whether there was one. */
static bool unreserve_one(struct zone *zone, enum migratetype type)
{
	for (unsigned int order = NR_PAGE_ORDERS; order-- > 0;) {
		struct list_head *list = &zone->free_area[order].free_list[MIGRATE_HIGHATOMIC];

		if (list_empty(list))
			continue;
		leave_highatomic(zone,
				 ALIGN_DOWN(page_to_pfn(list_first_entry(list, struct page, lru)), PAGEBLOCK_NR_PAGES),
				 type);
		return true;
	}
	return false;
}

bool unreserve_highatomic(struct zone **list, enum zone_type highest, enum migratetype type)
{
	bool found = false;

	for (; *list && !found; list++) {
		unsigned long flags;

		if ((*list)->idx > highest || !READ_ONCE((*list)->nr_reserved_highatomic))
			continue;
		flags = spin_lock_irqsave(&(*list)->lock);
		found = unreserve_one(*list, type);
		spin_unlock_irqrestore(&(*list)->lock, flags);
	}
	return found;
}
