/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of CONFIG_MM_DEBUG on blocks of pages as they pass between the free lists and the CPUs' caches; without
 * it, nothing. Each panics with the block's state and the zone whose lists or cache it was.
 *
 * They want what buddy.h wants: zone->lock held; debug_block_cached() interrupts masked.
 */
#ifndef MM_DEBUG_H
#define MM_DEBUG_H

#include <mm/mmzone.h>

#ifdef CONFIG_MM_DEBUG

/** debug_block_enters() - the 1 << @order pages at @page are about to join @zone's free lists as one block */
void debug_block_enters(const struct zone *zone, const struct page *page, unsigned int order);

/** debug_front_sound() - whether a block can be put at the front of a free list; list_debug_add() would panic if not */
static inline bool debug_front_sound(const struct list_head *list)
{
	return list->next->prev == list;
}

/** debug_block_leaves() - the free block at @page is about to leave @zone's free list of order page->order */
void debug_block_leaves(const struct zone *zone, const struct page *page);

/** debug_block_cached() - the block at @page goes onto this CPU's stack for @zone and @order, or comes off it */
void debug_block_cached(const struct zone *zone, const struct page *page, unsigned int order);

/** debug_blocks_cached() - debug_block_cached() for @n blocks */
static inline void debug_blocks_cached(const struct zone *zone, void *const *block, unsigned long n, unsigned int order)
{
	for (unsigned long i = 0; i < n; i++)
		debug_block_cached(zone, block[i], order);
}

/** debug_block_passes() - debug_block_cached() for whichever zone it is in. Context: any. */
static inline void debug_block_passes(const struct page *page, unsigned int order)
{
	debug_block_cached(page_zone(page), page, order);
}

#else

static inline void debug_block_enters(const struct zone *zone, const struct page *page, unsigned int order)
{
	(void)zone;
	(void)page;
	(void)order;
}

static inline bool debug_front_sound(const struct list_head *list)
{
	(void)list;
	return true;
}

static inline void debug_block_leaves(const struct zone *zone, const struct page *page)
{
	(void)zone;
	(void)page;
}

static inline void debug_block_cached(const struct zone *zone, const struct page *page, unsigned int order)
{
	(void)zone;
	(void)page;
	(void)order;
}

static inline void debug_blocks_cached(const struct zone *zone, void *const *block, unsigned long n, unsigned int order)
{
	(void)zone;
	(void)block;
	(void)n;
	(void)order;
}

static inline void debug_block_passes(const struct page *page, unsigned int order)
{
	(void)page;
	(void)order;
}

#endif

#endif
