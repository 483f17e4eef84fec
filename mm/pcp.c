// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU page caches: what happens when a stack is found empty or full.
 *
 * 1. A hit is a pop or a push of a per-CPU stack (page_alloc.c), without lock or masked interrupts. All here is done by
 *    the stack's own CPU with interrupts masked, and what it does is rare: each event raises the stack's limit, so that
 *    the next comes later (pcp_size.c).
 * 2. Refill: the zone's smallest blocks that fit are taken first, then larger ones, and each is cut straight into the
 *    stack, its lowest piece on top: of its pages only page_stack is written, and no free list is touched. Only the
 *    first block may be what a larger one was cut for, so that batches do not keep each other in pieces; one that has
 *    to be stolen from another type comes alone.
 * 3. Drain: of a full stack the colder half goes back, PCP_BATCH blocks at the most. Neighbours that were pushed one
 *    after the other, upwards or downwards, are given back together, in the largest blocks that they make, and a drain
 *    ends where such a block does. When the blocks are scattered, it ends after PCP_FREES of them.
 * 4. page_stack says which stack takes a block when it is freed: that of its pageblock's type. It is written under
 *    zone->lock when a block leaves the free lists, and when its pageblock's type changes (buddy.c); 0 sends a block
 *    past the caches.
 * 5. Both hold zone->lock for O(PCP_BATCH). Measured: a refill takes about 1,000 instructions, a drain up to 3,300 when
 *    none of its blocks is next to another. Draining everything lets go of lock and interrupts in between.
 * 6. A CPU empties its own stacks; others are asked by cross call, for nobody else may touch them.
 */
#include "pcp.h"

#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/vmstat.h>
#include <string.h>

#include "compound.h"
#include "debug.h"

/* Blocks that a drain makes of what it gives back, after which it begins no further run. */
#define PCP_FREES (PCP_BATCH / 4)

/* Blocks that the hand may give back, on top of what it came along with. */
#define HAND_BATCH (PCP_BATCH / 8)

/* --- from the zone --- */

/* Cut @block into blocks of @order, which are freed to @stack, and put them above @top. Return: the new top. */
static void **cut_block(struct buddy_block block, unsigned int order, u32 stack, void **top)
{
	struct page *page = block.page + (1UL << block.order);

	do {
		page -= 1UL << order;
		if (order)
			set_page_order(page, order);
		WRITE_ONCE(page->page_stack, stack);
		*++top = page;
	} while (page != block.page);
	return top;
}

/* The highest order of a block that makes no more than @n blocks of @order. */
static unsigned int order_of_batch(unsigned int order, unsigned long n)
{
	return min(order + 63 - (unsigned int)__builtin_clzl(n), (unsigned int)MAX_PAGE_ORDER);
}

/* Put up to @n blocks on @list, which has room for them. The zone is locked. */
static void fill_list(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order, enum migratetype type,
		      unsigned long n)
{
	void **top = list->head->top, **end = top + n;
	struct buddy_block block = buddy_take(pcp->zone, order, order_of_batch(order, n), type);

	while (block.page) {
		top = cut_block(block, order, pcp_stack_of(pcp->zone, order, block.type), top);
		if (top == end)
			break;
		block = buddy_take_whole(pcp->zone, order, order_of_batch(order, (unsigned long)(end - top)), type);
	}
	WRITE_ONCE(list->head->top, top);
}

static struct page *pop(struct pcp_list *list)
{
	struct page *page = *list->head->top;

	if (page)
		WRITE_ONCE(list->head->top, list->head->top - 1);
	return page;
}

/* One block, past the stack. The zone is locked. */
static struct page *take_one(struct per_cpu_pages *pcp, unsigned int order, enum migratetype type)
{
	struct buddy_block block = buddy_take(pcp->zone, order, order, type);

	if (block.page) {
		set_page_order(block.page, order);
		WRITE_ONCE(block.page->page_stack, pcp_stack_of(pcp->zone, order, block.type));
	}
	return block.page;
}

/* --- to the zone --- */

/* How many of the @n blocks at @block lie @step pages after one another. */
static unsigned long run_length(void *const *block, unsigned long n, long step)
{
	const struct page *page = block[0];
	unsigned long run = 1;

	while (run < n && block[run] == page + step * (long)run)
		run++;
	return run;
}

/* What becomes the inside of a larger block has order 0. */
static void clear_orders(void *const *block, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		set_page_order(block[i], 0);
}

/*
 * Give the @n blocks at @block back, which are one run, upwards or downwards. The zone is locked. Return: as how many
 * blocks.
 */
static unsigned int give_run(struct zone *zone, void *const *block, unsigned long n, unsigned int order)
{
	debug_blocks_cached(zone, block, n, order);
	if (n == 1) {
		buddy_free(zone, block[0], order);
		return 1;
	}
	if (order)
		clear_orders(block, n);
	return buddy_free_range(zone, min(page_to_pfn(block[0]), page_to_pfn(block[n - 1])), n << order);
}

/*
 * Give blocks of a stack back, runs of neighbours as one: @n blocks, or fewer when they are scattered. The zone is
 * locked.
 * Return: how many.
 */
static unsigned long give_back(struct zone *zone, void *const *block, unsigned long n, unsigned int order)
{
	unsigned long done = 0, run;

	for (unsigned int frees = 0; done < n && frees < PCP_FREES; done += run) {
		run = run_length(block + done, n - done, 1L << order);
		if (run == 1)
			run = run_length(block + done, n - done, -(1L << order));
		frees += give_run(zone, block + done, run, order);
	}
	return done;
}

/*
 * Of the @n blocks at @block, as many as end where an aligned block of about as many would, if they are neighbours: so
 * that what is given back now and what next time makes whole blocks, not halves of two.
 */
static unsigned long whole_blocks(void *const *block, unsigned long n, unsigned int order)
{
	unsigned long mask, last, prev, over = 0;

	if (n < 2)
		return n;
	mask = (1UL << (63 - __builtin_clzl(n))) - 1;
	last = page_to_pfn(block[n - 1]) >> order;
	prev = page_to_pfn(block[n - 2]) >> order;
	if (last == prev + 1)
		over = (last + 1) & mask;
	else if (prev == last + 1)
		over = -last & mask;
	return n - over;
}

/* Give the coldest blocks of a stack back, @n of them or rather less. Interrupts are masked. */
static void drain_list(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order, unsigned long n)
{
	unsigned long left;

	n = whole_blocks(list->slots + 1, n, order);
	spin_lock(&pcp->zone->lock);
	n = give_back(pcp->zone, list->slots + 1, n, order);
	__count_zone_event(pcp->zone, PGFREE, n << order);
	spin_unlock(&pcp->zone->lock);
	left = pcp_list_count(list) - n;
	memmove(list->slots + 1, list->slots + 1 + n, left * sizeof(list->slots[0]));
	WRITE_ONCE(list->head->top, list->slots + left);
	pcp->drains++;
}

/* One step of the hand: a list that nobody had to fill or drain since it came by last gives half of its limit back. */
static void move_hand(struct per_cpu_pages *pcp)
{
	unsigned int order = pcp->hand / MIGRATE_PCPTYPES;
	struct pcp_list *list = &pcp->list[order][pcp->hand % MIGRATE_PCPTYPES];
	unsigned long limit = pcp_list_limit(list), count = pcp_list_count(list);

	pcp->hand = pcp->hand + 1 < PCP_LISTS ? pcp->hand + 1 : 0;
	if (limit && !list->busy) {
		if (count > limit / 2)
			drain_list(pcp, list, order, min(count - limit / 2, (unsigned long)HAND_BATCH));
		pcp_set_limit(pcp, list, order, max(limit / 2, pcp_list_count(list)));
	}
	list->busy = false;
}

/* --- for page_alloc.c --- */

struct page *pcp_pop(struct zone *zone, unsigned int order, enum migratetype type)
{
	unsigned long flags = local_irq_save();
	struct pcp_list *list = &this_cpu_ptr(zone->pcp)->list[order][type];
	struct page *page = list->head ? pop(list) : NULL;

	local_irq_restore(flags);
	return page;
}

unsigned long pcp_pop_bulk(struct zone *zone, enum migratetype type, unsigned long from, unsigned long nr,
			   struct page **pages)
{
	unsigned long flags = local_irq_save();
	struct percpu_stack *head = this_cpu_ptr(zone->pcp)->list[0][type].head;
	void **top;

	if (!head)
		nr = from;
	for (top = head ? head->top : NULL; from < nr; from++) {
		struct page *page;

		if (pages[from])
			continue;
		page = *top;
		if (!page)
			break;
		top--;
		debug_block_cached(zone, page, 0);
		WRITE_ONCE(page->_refcount, 1);
		pages[from] = page;
	}
	if (head)
		WRITE_ONCE(head->top, top);
	local_irq_restore(flags);
	return from;
}

struct page *pcp_refill(struct zone *zone, unsigned int order, enum migratetype type, unsigned long most,
			struct zone *preferred)
{
	unsigned long flags = local_irq_save();
	struct per_cpu_pages *pcp = this_cpu_ptr(zone->pcp);
	struct pcp_list *list = &pcp->list[order][type];
	unsigned long batch = 1, taken;
	struct page *page;

	/* An interrupt may have filled it since the caller found it empty. */
	page = list->head ? pop(list) : NULL;
	if (!page) {
		if (list->head) {
			move_hand(pcp);
			pcp_grow(pcp, list, order);
			batch = min(pcp_list_batch(list), most);
		}
		spin_lock(&zone->lock);
		if (batch > 1) {
			fill_list(pcp, list, order, type, batch);
			taken = pcp_list_count(list);
			page = pop(list);
		} else {
			page = take_one(pcp, order, type);
			taken = page != NULL;
		}
		count_pages_taken(zone, taken << order, preferred);
		spin_unlock(&zone->lock);
		pcp->refills++;
	}
	local_irq_restore(flags);
	return page;
}

/* This CPU's list for @page by its page_stack; NULL when it has none. */
static struct pcp_list *list_of(struct per_cpu_pages *pcp, const struct page *page, unsigned int order)
{
	u32 stack = READ_ONCE(page->page_stack);

	for (int type = 0; type < MIGRATE_PCPTYPES; type++)
		if (stack == pcp_stack_of(pcp->zone, order, (enum migratetype)type))
			return pcp->list[order][type].head ? &pcp->list[order][type] : NULL;
	return NULL;
}

/* Make room on @list. Return: whether there is any. */
static bool make_room(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order)
{
	unsigned long count = pcp_list_count(list);

	if (count < pcp_list_limit(list))
		return true;
	move_hand(pcp);
	pcp_grow(pcp, list, order);
	count = pcp_list_count(list);
	if (count >= pcp_list_limit(list) && count)
		drain_list(pcp, list, order, min((count + 1) / 2, (unsigned long)PCP_BATCH));
	return pcp_list_limit(list);
}

static void free_to_zone(struct zone *zone, struct page *page, unsigned int order)
{
	spin_lock(&zone->lock);
	buddy_free(zone, page, order);
	__count_zone_event(zone, PGFREE, 1UL << order);
	spin_unlock(&zone->lock);
}

void pcp_free(struct page *page, unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct zone *zone = page_zone(page);
	struct per_cpu_pages *pcp = this_cpu_ptr(zone->pcp);
	struct pcp_list *list = list_of(pcp, page, order);

	if (unlikely(PageHead(page)))
		dissolve_compound_page(page, order);
	if (list && make_room(pcp, list, order)) {
		list->head->top[1] = page;
		WRITE_ONCE(list->head->top, list->head->top + 1);
	} else {
		free_to_zone(zone, page, order);
	}
	local_irq_restore(flags);
}

/* --- on request --- */

/* Empty a list, and give its limit up. */
static void empty_list(struct zone *zone, unsigned int order, enum migratetype type)
{
	bool more;

	do {
		unsigned long flags = local_irq_save();
		struct per_cpu_pages *pcp = this_cpu_ptr(zone->pcp);
		struct pcp_list *list = &pcp->list[order][type];
		unsigned long count = pcp_list_count(list);

		if (count)
			drain_list(pcp, list, order, min(count, (unsigned long)PCP_BATCH));
		more = pcp_list_count(list);
		if (!more && list->head)
			pcp_set_limit(pcp, list, order, 0);
		local_irq_restore(flags);
	} while (more);
}

void drain_local_pages(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			for (int type = 0; type < MIGRATE_PCPTYPES; type++)
				empty_list(zone, order, (enum migratetype)type);
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
