/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator of one zone, for page_alloc.c, pcp.c, page_init.c and deferred.c.
 *
 * All of it wants zone->lock held (interrupts masked), but for get_pageblock_migratetype(), which gives a moment's
 * answer without it, and the boot CPU during hand-over, which is alone.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include <mm/gfp.h>
#include <mm/mmzone.h>

/**
 * struct buddy_block - a block that was taken
 * @page: its first page, _refcount 0; NULL: none
 * @order: its order; that in @page's flags is 0
 * @type: the type of its pageblock, which a block that was stolen may not share with the request
 */
struct buddy_block {
	struct page *page;
	unsigned int order;
	enum migratetype type;
};

/**
 * buddy_take() - take the smallest block of at least @order, and no more of it than a block of @most
 *
 * What no free list of @type has comes from a deferred pageblock or from another type, and of that not more than @order.
 * The caller sets the order of what it makes of the block, and page_stack.
 */
struct buddy_block buddy_take(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type);

/** buddy_take_whole() - the smallest block of @order to @most that is in a free list of @type, all of it */
struct buddy_block buddy_take_whole(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type);

/** buddy_remove() - take the free block of @order at @page out of its list */
void buddy_remove(struct zone *zone, struct page *page, unsigned int order);

/** buddy_free() - give a block back; it merges with its buddies as far as they are free */
void buddy_free(struct zone *zone, struct page *page, unsigned int order);

/** buddy_free_range() - give [pfn, pfn + n) back, in the largest aligned blocks. Return: how many. */
unsigned int buddy_free_range(struct zone *zone, unsigned long pfn, unsigned long n);

/* Of mem_section_usage.type: pageblocks in a word, and the bits of one. */
#define TYPES_PER_WORD (64 / PAGEBLOCK_TYPE_BITS)
#define TYPE_MASK      ((1ULL << PAGEBLOCK_TYPE_BITS) - 1)

/** get_pageblock_migratetype() - the group that the pageblock of @pfn, which is present, belongs to */
static inline enum migratetype get_pageblock_migratetype(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
	unsigned long block = pageblock_nr(pfn);

	return (enum migratetype)(READ_ONCE(usage->type[block / TYPES_PER_WORD]) >>
					  block % TYPES_PER_WORD * PAGEBLOCK_TYPE_BITS &
				  TYPE_MASK);
}

/** set_pageblock_migratetype() - make it another's */
void set_pageblock_migratetype(unsigned long pfn, enum migratetype type);

/**
 * zone_take_deferred() - write the struct pages of a deferred pageblock and free it as a block of @type
 *
 * Return: false when the zone has none. Cost: O(PAGEBLOCK_NR_PAGES) stores, unless an idle CPU has done that. See deferred.c.
 */
bool zone_take_deferred(struct zone *zone, enum migratetype type);

/** zone_init_deferred() - the same of the pageblock that begins at @pfn, if it is deferred, as MIGRATE_MOVABLE */
void zone_init_deferred(struct zone *zone, unsigned long pfn);

/** deferred_in_zone() - whether the deferred pageblock at @pfn, in @zone's span, is @zone's. See deferred.c. */
bool deferred_in_zone(const struct zone *zone, unsigned long pfn);

/** page_in_zone() - whether @page, of a pageblock that is initialised, is @zone's */
static inline bool page_in_zone(const struct zone *zone, const struct page *page)
{
	return page_to_nid(page) == zone->node->node_id && page_zonenum(page) == (int)zone->idx;
}

/** zone_has_block() - whether a block of at least @order is free; a moment's answer when the lock is not held */
bool zone_has_block(const struct zone *zone, unsigned int order);

#endif
