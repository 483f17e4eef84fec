// SPDX-License-Identifier: BSD-2-Clause
/*
 * The buddy allocator of a zone.
 *
 * 1. A free block of order n is 1 << n pages, aligned to its size. Its first page has PG_buddy, its order, and a place in
 *    free_area[n].free_list[migratetype]; the order of its other pages is 0. Its buddy is the block at pfn ^ (1 << n).
 * 2. Two free buddies of one zone never both exist: freeing merges them. As a pageblock is a block of MAX_PAGE_ORDER, all
 *    buddies of a page lie in its pageblock, whose struct pages are all written when any is.
 * 3. A block is in the list of its pageblock's migratetype. An allocation takes the smallest block that fits from its own
 *    type's lists and frees the rest of it, halves at a time; then a deferred pageblock, which becomes its type; then it
 *    takes from another type: the largest block there is, so that the types mix in as few pageblocks as can be. A stolen
 *    block of at least half a pageblock's order converts the pageblock: all its free blocks change lists. A pageblock
 *    that zones share (usage->shared) keeps its type: its blocks lie in the lists of more than one zone, each under its own
 *    lock.
 * 4. nr_free counts pages in the lists and in deferred pageblocks.
 *
 * Everything here runs under zone->lock with interrupts masked. Cost: O(MAX_PAGE_ORDER), and O(blocks in a pageblock)
 * when it is converted.
 */
#include "buddy.h"

#include <lib/bitmap.h>

#include <asm/atomic.h>

#include "debug.h"
#include "hardening.h"
#include "page_offline.h"
#include "page_report.h"
#include "pcp.h"

/* From this order on, stealing a block converts its pageblock. */
#define CONVERT_ORDER (PAGEBLOCK_ORDER / 2)

_Static_assert(MIGRATE_TYPES <= 1 << PAGEBLOCK_TYPE_BITS, "a migratetype fits its field");

void set_pageblock_migratetype(unsigned long pfn, enum migratetype type)
{
	struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
	unsigned long block = pageblock_nr(pfn), shift = block % TYPES_PER_WORD * PAGEBLOCK_TYPE_BITS;
	u64 changed = (u64)(type ^ get_pageblock_migratetype(pfn)) << shift;

	/* The word may hold pageblocks of a zone with another lock: change our bits only, atomically. */
	xor64(&usage->type[block / TYPES_PER_WORD], changed);
}

static void add_block(struct zone *zone, struct page *page, unsigned int order, enum migratetype type)
{
	debug_block_enters(zone, page, order);
	WRITE_ONCE(page->flags, (page->flags & ~PAGE_STATE_MASK) | BIT(PG_buddy) | order);
	list_add(&page->lru, &zone->free_area[order].free_list[type]);
	ADD_ONCE(zone->free_area[order].nr_free, 1);
}

/* A free block's links are in its struct page, which a stray user of the block may write to. */
static void check_links(const struct zone *zone, const struct page *page, unsigned int order)
{
	const struct list_head *links = &page->lru;

	if (HARDENED && unlikely(links->next->prev != links || links->prev->next != links))
		panic_bad_list(zone, page, order);
}

/* Its order is 0 then, as is that of every page that begins no block. */
static void del_block(struct zone *zone, struct page *page, unsigned int order)
{
	check_links(zone, page, order);
	debug_block_leaves(zone, page);
	list_del(&page->lru);
	WRITE_ONCE(page->flags, page->flags & ~PAGE_STATE_MASK);
	ADD_ONCE(zone->free_area[order].nr_free, -1UL);
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
	set_page_order(page, 0);
	while (order < MAX_PAGE_ORDER) {
		struct page *buddy = pfn_to_page(pfn ^ (1UL << order));

		if (!is_free_buddy(page, buddy, order))
			break;
		del_block(zone, buddy, order);
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
	zone->nr_allocs++;
	return (struct buddy_block){ page, want, type };
}

static struct page *first_block(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct list_head *list = &zone->free_area[order].free_list[type];

	return list_empty(list) ? NULL : list_first_entry(list, struct page, lru);
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
		del_block(zone, page, have);
		return expand(zone, page, have, min(have, most), type);
	}
	return (struct buddy_block){ NULL, order, type };
}

struct buddy_block buddy_take_whole(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type)
{
	return take_listed(zone, order, most, most, type);
}

/*
 * Make @type the type of the pageblock that begins at @pfn and is @zone's alone: its free blocks move to that type's
 * lists, and the others, but for those that are kept from the caches, are freed to that type's stacks. Each step is a
 * block, whether free, cached or allocated; a reserved page is a block of order 0.
 */
static void convert_pageblock(struct zone *zone, unsigned long pfn, enum migratetype type)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;

	set_pageblock_migratetype(pfn, type);
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned int order = page_order(page);

		if (page_test(page, PG_buddy))
			list_move(&page->lru, &zone->free_area[order].free_list[type]);
		else if (READ_ONCE(page->page_stack))
			WRITE_ONCE(page->page_stack, pcp_stack_of(zone, order, type));
		pfn += 1UL << order;
	}
}

/* The largest block of any other type. */
static struct page *find_largest(struct zone *zone, unsigned int order, enum migratetype type)
{
	for (unsigned int have = MAX_PAGE_ORDER + 1; have-- > order;) {
		for (int other = 0; other < MIGRATE_TYPES; other++) {
			struct page *page = first_block(zone, have, (enum migratetype)other);

			if (page && other != (int)type)
				return page;
		}
	}
	return NULL;
}

/* Whether zones share the pageblock of @pfn. */
static bool pageblock_shared(unsigned long pfn)
{
	return bit_test(section_usage(pfn_to_section_nr(pfn))->shared, pageblock_nr(pfn));
}

static struct buddy_block steal(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct page *page = find_largest(zone, order, type);
	unsigned long pfn;
	unsigned int have;

	if (!page)
		return (struct buddy_block){ NULL, order, type };
	zone->nr_fallbacks++;
	pfn = page_to_pfn(page);
	have = page_order(page);
	if (have >= CONVERT_ORDER && !pageblock_shared(pfn))
		convert_pageblock(zone, ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES), type);
	del_block(zone, page, have);
	return expand(zone, page, have, order, get_pageblock_migratetype(pfn));
}

struct buddy_block buddy_take(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type)
{
	struct buddy_block block = take_listed(zone, order, MAX_PAGE_ORDER, most, type);

	if (!block.page && zone_take_deferred(zone, type))
		block = take_listed(zone, order, MAX_PAGE_ORDER, most, type);
	return block.page ? block : steal(zone, order, type);
}

void buddy_remove(struct zone *zone, struct page *page, unsigned int order)
{
	del_block(zone, page, order);
	ADD_ONCE(zone->nr_free, -(1UL << order));
}

bool zone_has_block(const struct zone *zone, unsigned int order)
{
	if (READ_ONCE(zone->nr_deferred))
		return true;
	for (; order <= MAX_PAGE_ORDER; order++)
		if (READ_ONCE(zone->free_area[order].nr_free))
			return true;
	return false;
}
