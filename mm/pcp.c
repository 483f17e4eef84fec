// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU page caches.
 *
 * 1. A hit is a pop or a push on an array, interrupts masked, no lock. An empty stack takes `batch` blocks from the zone
 *    under one zone lock; a full one gives the colder half back under one.
 * 2. The bounds. A CPU may keep from others at most 1/1024 of a zone in all its stacks together: `high` of each order is
 *    that share, and 63 blocks at order 0, half as many with each order more (31, 15, 7) at the most. In a zone too small
 *    for one block it is 0: each push then drains at once. batch is half of high.
 * 3. Draining: a CPU empties its own stacks; others are asked by cross call, for nobody else may touch them.
 * 4. zone_pcp_pages() reads the counts of all CPUs without a lock: exact when they are quiet.
 */
#include "pcp.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "buddy.h"
#include "debug.h"

#define CPU_SHARE 1024

static unsigned int nr_populated_zones(void)
{
	struct zone *zone;
	unsigned int n = 0;
	int i;

	for_each_populated_zone(i, zone)
		n++;
	return n;
}

size_t pcp_area_bytes(void)
{
	return nr_populated_zones() * ALIGN(sizeof(struct per_cpu_pages), (size_t)64);
}

static void init_stack(struct pcp_stack *stack, const struct zone *zone, unsigned int order)
{
	unsigned long share = (zone->managed_pages / CPU_SHARE / (PCP_ORDERS * MIGRATE_TYPES)) >> order;

	stack->high = (u16)min(share, (unsigned long)(PCP_SLOTS - 1) >> order);
	stack->batch = (u16)max(stack->high / 2, 1);
}

static void init_cpu_pages(struct per_cpu_pages *pcp, struct zone *zone)
{
	pcp->zone = zone;
	for (unsigned int order = 0; order < PCP_ORDERS; order++)
		for (int type = 0; type < MIGRATE_TYPES; type++)
			init_stack(&pcp->stack[order][type], zone, order);
}

/* The cache of the first zone in the CPU's zonelist that a request without zone flags may be served from. */
static void set_hot_pages(struct mm_cpu *head, int cpu)
{
	static struct per_cpu_pages nothing;
	struct zone **list = node_data[node_for_alloc[head->nid]]->zonelist;

	while (*list && (*list)->idx > ZONE_NORMAL)
		list++;
	head->hot_pages = *list ? per_cpu_ptr((*list)->pcp, cpu) : &nothing;
}

void pcp_init(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		zone->pcp = __alloc_percpu(sizeof(struct per_cpu_pages), 64);
		BUG_ON(!zone->pcp);
		for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
			init_cpu_pages(per_cpu_ptr(zone->pcp, cpu), zone);
	}
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		set_hot_pages(percpu_base(cpu), cpu);
}

struct page *pcp_pop_hot(unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct per_cpu_pages *pcp = this_cpu()->hot_pages;
	struct pcp_stack *stack = &pcp->stack[order][MIGRATE_UNMOVABLE];
	unsigned int count = stack->count;
	struct page *page = NULL;

	if (likely(count)) {
		stack->count = (u16)(count - 1);
		page = stack->block[count - 1];
		debug_block_cached(pcp->zone, page, order);
	}
	local_irq_restore(flags);
	return page;
}

struct page *pcp_pop(struct zone *zone, unsigned int order, enum migratetype type)
{
	unsigned long flags = local_irq_save();
	struct pcp_stack *stack = &this_cpu_ptr(zone->pcp)->stack[order][type];
	struct page *page = stack->count ? stack->block[--stack->count] : NULL;

	if (page)
		debug_block_cached(zone, page, order);
	local_irq_restore(flags);
	return page;
}

unsigned long pcp_pop_bulk(struct zone *zone, enum migratetype type, unsigned long from, unsigned long nr,
			   struct page **pages)
{
	unsigned long flags = local_irq_save();
	struct pcp_stack *stack = &this_cpu_ptr(zone->pcp)->stack[0][type];
	u16 left = stack->count;

	for (; from < nr; from++) {
		if (pages[from])
			continue;
		if (!left)
			break;
		pages[from] = stack->block[--left];
		debug_block_cached(zone, pages[from], 0);
		WRITE_ONCE(pages[from]->_refcount, 1);
	}
	stack->count = left;
	local_irq_restore(flags);
	return from;
}

struct page *pcp_refill(struct zone *zone, unsigned int order, enum migratetype type)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	struct per_cpu_pages *pcp = this_cpu_ptr(zone->pcp);
	struct pcp_stack *stack = &pcp->stack[order][type];
	struct page *page;

	/* An interrupt may have filled it since the caller found it empty: what is there is kept. */
	while (stack->count < stack->batch) {
		page = buddy_alloc(zone, order, type);
		if (!page)
			break;
		stack->block[stack->count++] = page;
	}
	pcp->refills++;
	page = stack->count ? stack->block[--stack->count] : NULL;
	spin_unlock_irqrestore(&zone->lock, flags);
	return page;
}

/* Give the @n coldest blocks of a stack back. Interrupts are masked. */
static void drain_stack(struct zone *zone, struct pcp_stack *stack, unsigned int order, unsigned int n)
{
	spin_lock(&zone->lock);
	for (unsigned int i = 0; i < n; i++)
		buddy_free(zone, stack->block[i], order);
	spin_unlock(&zone->lock);
	stack->count = (u16)(stack->count - n);
	for (unsigned int i = 0; i < stack->count; i++)
		stack->block[i] = stack->block[i + n];
}

/* Interrupts are masked, and @flags are what they were. The stack has one block more than it may. */
static __noinline void drain_full_stack(struct per_cpu_pages *pcp, struct pcp_stack *stack, unsigned int order,
					unsigned long flags)
{
	pcp->drains++;
	drain_stack(pcp->zone, stack, order, stack->count - stack->high / 2u);
	local_irq_restore(flags);
}

void pcp_push(struct page *page, unsigned int order)
{
	enum migratetype type = get_pageblock_migratetype(page_to_pfn(page));
	struct zone *zone = page_zone(page);
	unsigned long flags = local_irq_save();
	struct per_cpu_pages *pcp = this_cpu()->hot_pages;
	struct pcp_stack *stack;
	unsigned int count;

	if (unlikely(pcp->zone != zone))
		pcp = this_cpu_ptr(zone->pcp);
	stack = &pcp->stack[order][type];
	count = stack->count;
	debug_block_cached(zone, page, order);
	stack->block[count] = page;
	stack->count = (u16)(count + 1);
	if (likely(count < stack->high))
		local_irq_restore(flags);
	else
		drain_full_stack(pcp, stack, order, flags);
}

void drain_local_pages(void)
{
	unsigned long flags = local_irq_save();
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		struct per_cpu_pages *pcp = this_cpu_ptr(zone->pcp);

		for (unsigned int order = 0; order < PCP_ORDERS; order++)
			for (int type = 0; type < MIGRATE_TYPES; type++)
				if (pcp->stack[order][type].count)
					drain_stack(zone, &pcp->stack[order][type], order,
						    pcp->stack[order][type].count);
	}
	local_irq_restore(flags);
}

static void drain_call(void *arg)
{
	(void)arg;
	drain_local_pages();
}

void drain_all_pages(void)
{
	on_each_cpu(drain_call, NULL);
}

unsigned long zone_pcp_pages(struct zone *zone)
{
	unsigned long pages = 0;

	for (int cpu = 0; zone->pcp && cpu < nr_cpu_ids; cpu++)
		for (unsigned int order = 0; order < PCP_ORDERS; order++)
			for (int type = 0; type < MIGRATE_TYPES; type++)
				pages += (unsigned long)READ_ONCE(per_cpu_ptr(zone->pcp, cpu)->stack[order][type].count)
					 << order;
	return pages;
}
