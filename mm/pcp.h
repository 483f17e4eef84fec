/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU page caches: for each zone, order and migratetype a stack of free blocks (<mm/percpu_stack.h>) that belongs
 * to one CPU.
 *
 * Blocks on a stack have _refcount 0 and no PG_buddy, and count as neither free nor allocated. Hits are in
 * page_alloc.c; what misses comes here. pcp.c fills and drains the stacks, pcp_size.c says how large they are.
 */
#ifndef MM_PCP_H
#define MM_PCP_H

#include <mm/gfp.h>
#include <mm/percpu.h>

#include "buddy.h"

/**
 * struct pcp_list - one stack and what its head does not say
 * @head: (c) its head in this CPU's area; NULL when this CPU has none for these blocks
 * @slots: (c) its array, capacity + 1 of them
 * @capacity: (c) as many blocks as the limit may ever be
 * @busy: (o) it was found empty or full since the hand last came by
 */
struct pcp_list {
	struct percpu_stack *head;
	void **slots;
	u16 capacity;
	bool busy;
};

/**
 * struct per_cpu_pages - one CPU's caches of one zone: spare + limits of all stacks in pages = share
 * @zone: (c) whose pages they are
 * @share: (c) pages that all limits together may amount to
 * @spare: (o) pages of it that no limit has yet
 * @first: (c) by migratetype, offset of the stack of order 0 from the per-CPU base; on all CPUs the same
 * @hand: (o) which list is looked at next, whether it was busy
 * @refills: (o) times blocks were taken from the zone
 * @drains: (o) times blocks were given back
 * @list: by order and migratetype
 *
 * Lock letters: (c) constant after pcp_init(); (o) its CPU, interrupts masked.
 */
struct per_cpu_pages {
	struct zone *zone;
	unsigned long share;
	unsigned long spare;
	u32 first[MIGRATE_PCPTYPES];
	u32 hand;
	unsigned long refills;
	unsigned long drains;
	struct pcp_list list[NR_PAGE_ORDERS][MIGRATE_PCPTYPES];
};

#define PCP_LISTS (NR_PAGE_ORDERS * MIGRATE_PCPTYPES)

/* From the stack of one order to the next one's, in bytes. */
#define PCP_ORDER_STRIDE ((u32)(MIGRATE_PCPTYPES * sizeof(struct percpu_stack)))

/** pcp_list_limit() - blocks that may be on @list now. Context: any CPU; a moment's figure but on its own. */
static inline unsigned long pcp_list_limit(const struct pcp_list *list)
{
	return list->head ? (unsigned long)(READ_ONCE(list->head->limit) - list->slots) : 0;
}

/** pcp_list_count() - blocks that are on @list now. Context as pcp_list_limit(). */
static inline unsigned long pcp_list_count(const struct pcp_list *list)
{
	return list->head ? percpu_stack_count(list->head, list->slots) : 0;
}

/**
 * pcp_stack_of() - the page_stack of @zone's blocks of @order and @type: offset of the stack that they are freed to
 *
 * Return: 0 for a type that has no stacks. Context: any, after pcp_init(). The same on all CPUs.
 */
static inline u32 pcp_stack_of(const struct zone *zone, unsigned int order, enum migratetype type)
{
	type = pcp_type(type);
	return type < MIGRATE_PCPTYPES ? this_cpu_ptr(zone->pcp)->first[type] + order * PCP_ORDER_STRIDE : 0;
}

/* --- pcp_size.c --- */

/** pcp_area_bytes() - bytes of each per-CPU area that pcp_setup() will ask for */
size_t pcp_area_bytes(void);

/** pcp_setup() - arrays for the stacks of every CPU and zone. Context: boot only, after setup_per_cpu_areas(). */
void pcp_setup(void);

/**
 * pcp_init() - bounds from what the zones manage; from here on, stacks may fill. Context: boot only, after hand-over.
 */
void pcp_init(void);

/* (b) Whether there is a ZONE_MOVABLE. Where there is none, movable requests need no __GFP_HIGHMEM to be hot. */
extern bool have_movable_zone;

/**
 * pcp_grow() - @list was found empty or full: a higher limit, if capacity, share and zone allow. Context: its CPU,
 * interrupts masked.
 */
void pcp_grow(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order);

/** pcp_set_limit() - @limit, at least the blocks on it and not above the old one, for @list. Context as pcp_grow(). */
void pcp_set_limit(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order, unsigned long limit);

/**
 * struct pcp_sums - one CPU's caches of a zone, in pages
 * @count: on its stacks
 * @high: all limits
 * @batch: what all stacks together would be filled with at once
 */
struct pcp_sums {
	unsigned long count, high, batch;
};

/** pcp_sum() - add up @pcp's stacks. Context: any CPU; a moment's figures. */
struct pcp_sums pcp_sum(const struct per_cpu_pages *pcp);

/**
 * pcp_check() - prove the bounds and the blocks of @zone's stacks. Context: all CPUs quiet. Return: true, or false
 * after a line.
 */
bool pcp_check(struct zone *zone);

/* --- pcp.c --- */

/* Most blocks that are taken from or given to a zone under one hold of its lock. */
#define PCP_BATCH 64

/** pcp_list_batch() - blocks that @list is filled with when it is empty */
static inline unsigned long pcp_list_batch(const struct pcp_list *list)
{
	return min(max(pcp_list_limit(list) / 2, 1UL), (unsigned long)PCP_BATCH);
}

/** pcp_pop() - a block from this CPU's cache of any zone, NULL when it is empty. Context: any. */
struct page *pcp_pop(struct zone *zone, unsigned int order, enum migratetype type);

/**
 * pcp_pop_bulk() - pages of order 0 from this CPU's cache for the entries of @pages that are NULL, from @from on
 *
 * Their _refcount is 1. Context: any. Return: the first entry that is still NULL, @nr when none is.
 */
unsigned long pcp_pop_bulk(struct zone *zone, enum migratetype type, unsigned long from, unsigned long nr,
			   struct page **pages);

/**
 * pcp_refill() - a block from the zone, and more of them for this CPU's cache
 * @most: blocks, at least 1, that may be taken from the zone
 * @preferred: the zone that should have served the request, for <mm/vmstat.h>
 *
 * Return: NULL when the zone has none. _refcount 0. Context: any; takes zone->lock. Cost: O(PCP_BATCH).
 */
struct page *pcp_refill(struct zone *zone, unsigned int order, enum migratetype type, unsigned long most,
			struct zone *preferred);

/**
 * pcp_free() - a block whose _refcount has become 0 and which was not pushed: its stack is full, or it has none
 *
 * Context: any; takes zone->lock. Cost: O(PCP_BATCH).
 */
void pcp_free(struct page *page, unsigned int order);

#endif
