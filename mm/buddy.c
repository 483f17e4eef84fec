// SPDX-License-Identifier: BSD-2-Clause
/*
 * The buddy allocator of a zone.
 *
 * 1. A free block of order n is 1 << n pages, aligned to its size. Its first page has PG_buddy, its order, and a place
 *    in free_area[n].free_list[migratetype]; the order of its other pages is 0. Its buddy is the block at pfn ^ (1 <<
 *    n).
 * 2. Two free buddies of one zone never both exist: freeing merges them. As a pageblock is a block of MAX_PAGE_ORDER,
 *    all buddies of a page lie in its pageblock, whose struct pages are all written when any is.
 * 3. A block is in the list of its pageblock's migratetype. An allocation takes the smallest block that fits from its
 *    own type's lists and frees the rest of it, halves at a time; then a deferred pageblock, which becomes its type;
 *    then, when it is movable, from CMA areas; then it takes from another type (pageblock.c).
 * 4. The links of a block that leaves its list must lead back. If they do not, the list is made anew, and the block may
 *    be gone with others whose links were written to (free_list.c).
 * 5. nr_free counts pages in the lists and in deferred pageblocks, nr_free_special those of types not for everybody.
 *
 * Everything here runs under zone->lock with interrupts masked. Cost: O(MAX_PAGE_ORDER), and O(blocks in a pageblock)
 * when it is converted.
 */
#include "buddy.h"

#include "debug.h"
#include "free_list.h"
#include "hardening.h"
#include "page_offline.h"
#include "pcp.h"

static void add_block(struct zone *zone, struct page *page, unsigned int order, enum migratetype type)
{
	struct list_head *list = &zone->free_area[order].free_list[type];

	debug_block_enters(zone, page, order);
	if (unlikely(!debug_front_sound(list)))
		mend_list(zone, order, type);
	WRITE_ONCE(page->flags, (page->flags & ~PAGE_STATE_MASK) | BIT(PG_buddy) | order);
	list_add(&page->lru, list);
	ADD_ONCE(zone->free_area[order].nr_free, 1);
}

/* Its order is 0 then, as is that of every page that begins no block. */
static __always_inline void unlink_block(struct zone *zone, struct page *page, unsigned int order)
{
	debug_block_leaves(zone, page);
	list_del(&page->lru);
	WRITE_ONCE(page->flags, page->flags & ~PAGE_STATE_MASK);
	ADD_ONCE(zone->free_area[order].nr_free, -1UL);
}

/* Whether the links of the free block at @page lead back, or its list has been mended and has it still. */
static bool may_unlink(struct zone *zone, const struct page *page, unsigned int order)
{
	return !HARDENED || likely(free_links_sound(page)) || mend_free_list(zone, page, order);
}

/* Whether @buddy begins a free block of @order in @page's zone: section, node, zone, flags and order in one load. */
static bool is_free_buddy(const struct page *page, const struct page *buddy, unsigned int order)
{
	return READ_ONCE(buddy->flags) == ((page->flags & ~PAGE_STATE_MASK) | BIT(PG_buddy) | order);
}

/* A block joins its free buddies, and what they make a free list. */
static __always_inline void merge_and_add(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);
	enum migratetype type = get_pageblock_migratetype(pfn);

	ADD_ONCE(zone->nr_free, 1UL << order);
	count_special(zone, type, 1UL << order);
	set_page_order(page, 0);
	while (order < MAX_PAGE_ORDER) {
		struct page *buddy = pfn_to_page(pfn ^ (1UL << order));

		if (!is_free_buddy(page, buddy, order) || !may_unlink(zone, buddy, order))
			break;
		unlink_block(zone, buddy, order);
		pfn &= ~(1UL << order);
		page = pfn_to_page(pfn);
		order++;
	}
	add_block(zone, page, order, type);
}

/* A block that a page may be in which is to be taken out. */
static __noinline void free_checked(struct zone *zone, struct page *page, unsigned int order)
{
	if (!free_around_bad(zone, page, order))
		merge_and_add(zone, page, order);
}

void buddy_free(struct zone *zone, struct page *page, unsigned int order)
{
	if (unlikely(zone->nr_bad_pending))
		free_checked(zone, page, order);
	else
		merge_and_add(zone, page, order);
}

unsigned int buddy_free_range(struct zone *zone, unsigned long pfn, unsigned long n)
{
	unsigned int blocks = 0;

	for (; n; blocks++) {
		unsigned int order = pfn ? (unsigned int)__builtin_ctzl(pfn) : MAX_PAGE_ORDER;

		order = min(order, (unsigned int)MAX_PAGE_ORDER);
		while (1UL << order > n)
			order--;
		buddy_free(zone, pfn_to_page(pfn), order);
		pfn += 1UL << order;
		n -= 1UL << order;
	}
	return blocks;
}

/* Cut @page, a block of @have that is on no list, down to @want; the upper halves become free blocks of @type. */
static struct buddy_block expand(struct zone *zone, struct page *page, unsigned int have, unsigned int want,
				 enum migratetype type)
{
	while (have > want) {
		have--;
		add_block(zone, page + (1UL << have), have, type);
	}
	ADD_ONCE(zone->nr_free, -(1UL << want));
	count_special(zone, type, -(1UL << want));
	zone->nr_allocs++;
	return (struct buddy_block){ page, want, type };
}

/* take_listed(), from order @have on, where a link was written to. What has been mended is sound, so this ends. */
static __noinline struct buddy_block take_mended(struct zone *zone, unsigned int have, unsigned int highest,
						 unsigned int most, enum migratetype type)
{
	while (have <= highest) {
		struct list_head *list = &zone->free_area[have].free_list[type];
		struct page *page = list_first_entry(list, struct page, lru);

		if (list_empty(list)) {
			have++;
		} else if (may_unlink(zone, page, have)) {
			unlink_block(zone, page, have);
			return expand(zone, page, have, min(have, most), type);
		}
	}
	return (struct buddy_block){ NULL, most, type };
}

/* The smallest listed block of @order to @highest, and no more of it than a block of @most. */
static struct buddy_block take_listed(struct zone *zone, unsigned int order, unsigned int highest, unsigned int most,
				      enum migratetype type)
{
	for (unsigned int have = order; have <= highest; have++) {
		struct list_head *list = &zone->free_area[have].free_list[type];
		struct page *page;

		if (list_empty(list))
			continue;
		page = list_first_entry(list, struct page, lru);
		if (HARDENED && unlikely(!free_links_sound(page)))
			return take_mended(zone, have, highest, most, type);
		unlink_block(zone, page, have);
		return expand(zone, page, have, min(have, most), type);
	}
	return (struct buddy_block){ NULL, order, type };
}

struct buddy_block buddy_take_whole(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type)
{
	return take_listed(zone, order, most, most, type);
}

struct buddy_block buddy_take_from(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type)
{
	struct buddy_block block = take_listed(zone, order, MAX_PAGE_ORDER, most, type);

	if (!block.page && type != MIGRATE_HIGHATOMIC && zone_take_deferred(zone, type))
		block = take_listed(zone, order, MAX_PAGE_ORDER, most, type);
	return block;
}

static struct buddy_block steal(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct page *page;
	unsigned int have;

	do {
		page = steal_block(zone, order, type);
		if (!page)
			return (struct buddy_block){ NULL, order, type };
		have = page_order(page);
	} while (!may_unlink(zone, page, have));
	zone->nr_fallbacks++;
	unlink_block(zone, page, have);
	return expand(zone, page, have, order, get_pageblock_migratetype(page_to_pfn(page)));
}

struct buddy_block buddy_take(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type)
{
	unsigned long cma = type == MIGRATE_MOVABLE ? zone_free_cma(zone) : 0;
	struct buddy_block block = { NULL, order, type };

	/* When CMA areas have more than half of what is free, they lend first: so both parts last. */
	if (unlikely(cma) && cma > zone->nr_free / 2)
		block = buddy_take_from(zone, order, most, MIGRATE_CMA);
	if (!block.page)
		block = buddy_take_from(zone, order, most, type);
	if (!block.page && cma)
		block = buddy_take_from(zone, order, most, MIGRATE_CMA);
	return block.page ? block : steal(zone, order, type);
}

bool buddy_remove(struct zone *zone, struct page *page, unsigned int order)
{
	if (!may_unlink(zone, page, order))
		return false;
	unlink_block(zone, page, order);
	ADD_ONCE(zone->nr_free, -(1UL << order));
	count_special(zone, get_pageblock_migratetype(page_to_pfn(page)), -(1UL << order));
	return true;
}

/* Whoever has the lock changes the list meanwhile: its head's first word is read once, and not followed. */
static __no_sanitize_thread bool has_listed(const struct free_area *area, u32 types)
{
	for (int type = 0; type < MIGRATE_TYPES; type++)
		if (types & BIT(type) && READ_ONCE(area->free_list[type].next) != &area->free_list[type])
			return true;
	return false;
}

bool zone_has_block(const struct zone *zone, unsigned int order, u32 types)
{
	if ((types & ORDINARY_TYPES && READ_ONCE(zone->nr_deferred)) ||
	    (types & BIT(MIGRATE_CMA) && READ_ONCE(zone->nr_deferred_cma)))
		return true;
	for (; order <= MAX_PAGE_ORDER; order++)
		if (READ_ONCE(zone->free_area[order].nr_free) && has_listed(&zone->free_area[order], types))
			return true;
	return false;
}
