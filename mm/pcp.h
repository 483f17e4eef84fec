/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU page caches: for each zone, order up to PCP_MAX_ORDER and migratetype a stack of free blocks that belongs to
 * one CPU.
 *
 * Touched only by its CPU, interrupts masked. Blocks on a stack have _refcount 0 and no PG_buddy, and count as neither
 * free nor allocated.
 */
#ifndef MM_PCP_H
#define MM_PCP_H

#include <mm/gfp.h>

#define PCP_MAX_ORDER 3
#define PCP_ORDERS    (PCP_MAX_ORDER + 1)
#define PCP_SLOTS     64

/**
 * struct pcp_stack - blocks of one order and migratetype
 * @count: blocks on it
 * @high: no more than this many; half of them go back when one more comes
 * @batch: how many are taken from the zone at once when it is empty
 * @block: the blocks, the hottest at @count - 1
 */
struct pcp_stack {
	u16 count;
	u16 high;
	u16 batch;
	struct page *block[PCP_SLOTS];
};

/**
 * struct per_cpu_pages - one CPU's caches of one zone
 * @zone: (c) whose pages they are
 * @stack: by order and migratetype
 * @refills: times blocks were taken from the zone
 * @drains: times blocks were given back
 */
struct per_cpu_pages {
	struct zone *zone;
	struct pcp_stack stack[PCP_ORDERS][MIGRATE_TYPES];
	unsigned long refills;
	unsigned long drains;
};

/** pcp_init() - caches for every zone and CPU, sized for the zone. Context: boot only, after hand-over. */
void pcp_init(void);

/** pcp_area_bytes() - bytes of each per-CPU area that pcp_init() will ask for */
size_t pcp_area_bytes(void);

/** pcp_pop() - a block from this CPU's cache, NULL when it is empty. Context: any. */
struct page *pcp_pop(struct zone *zone, unsigned int order, enum migratetype type);

/**
 * pcp_pop_bulk() - pages of order 0 from this CPU's cache for the entries of @pages that are NULL, from @from on
 *
 * Their _refcount is 1. Context: any. Return: the first entry that is still NULL, @nr when none is.
 */
unsigned long pcp_pop_bulk(struct zone *zone, enum migratetype type, unsigned long from, unsigned long nr,
			   struct page **pages);

/** pcp_pop_hot() - pcp_pop() of an unmovable block from the zone that ordinary requests take from first. Context: any, after pcp_init(). */
struct page *pcp_pop_hot(unsigned int order);

/** pcp_refill() - fill this CPU's empty cache from the zone and pop one; NULL when the zone has no block */
struct page *pcp_refill(struct zone *zone, unsigned int order, enum migratetype type);

/** pcp_push() - a block to this CPU's cache of its zone, its pageblock's migratetype. Context: any. */
void pcp_push(struct page *page, unsigned int order);

#endif
