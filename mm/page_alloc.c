// SPDX-License-Identifier: BSD-2-Clause
/*
 * alloc_pages() and __free_pages(): hits, which zone serves the rest, and what a caller may do wrong.
 *
 * 1. A hit: alloc_pages_hot() pops from this CPU's stack for order and migratetype, whose offset the caller's constants
 *    give; __free_pages() pushes to the stack that the page names (page_stack). Neither takes a lock, masks interrupts,
 *    or looks at zone, node or pageblock; a pop asks no watermark. The stacks of struct mm_local's slot 0 are those of
 *    the zone that the request would be served from first (pcp_size.c).
 * 2. What misses goes through the zonelist of its node, skips zones above the highest that its flags allow, and takes
 *    the first that has a block: from this CPU's stack for that zone, else from the zone, if the block leaves it above
 *    its watermark. A stack that is refilled on the way gets no more than what lies above the mark, too.
 * 3. First with the low watermark, then with min, which __GFP_HIGH halves. When no zone can, this CPU's page caches are
 *    drained, and every CPU's if the caller may wait, and min is asked again. A request of more than one page that came
 *    so far, has __GFP_HIGH and cannot wait may use the high-atomic reserve, and lets a pageblock be kept in it
 *    (pageblock.c). Before a request without __GFP_NORETRY fails, the reserve is given back, a pageblock at a time.
 *    There is nothing to reclaim: what fails then fails, and is reported (page_fail.c); __GFP_NOFAIL waits instead,
 *    draining again and again, and where that is in vain it panics. A zone's watermark for a request is the mark, plus
 *    what lowmem_reserve keeps from requests that a higher zone could have served. Free pages that are not for the
 *    request do not count: isolated ones, those of CMA areas unless it is movable, the reserve's. An order above 0 also
 *    wants a free block at least that large.
 * 4. A block comes back when _refcount falls to 0. Who has the only reference drops it without an atomic operation;
 *    with basic hardening by a compare-and-swap: of two CPUs that free a page at once one finds 1 and the other 0, and
 *    the other reports a page that is free already. Which of them is wrong nobody can know.
 * 5. Basic hardening believes a free when order and flags of the struct page are those of a block in use that is nobody
 *    else's: one comparison, for both lie in one word below the page's identity. A struct page that is not mapped at
 *    all is found by a fix-up. Everything else takes the slow path, where page_free_fault() says what is wrong; the
 *    page is left as it is. put_page() and release_pages(), which are not told the order, want no flag; before that
 *    they follow neither compound_head nor page_stack. A struct page that was never written may hold anything: that it
 *    looks like a block in use of that order is not excluded. Cost: 8 instructions more than without.
 *
 * Context: any. Locks: zone->lock behind pcp_refill() and pcp_free(), one at a time. Cost: a hit 9 and 13 instructions.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/vmstat.h>

#include "buddy.h"
#include "compound.h"
#include "debug.h"
#include "hardening.h"
#include "page_owner.h"
#include "page_report.h"
#include "pcp.h"

/* Pages that release_pages() frees while interrupts are masked: about a thousand instructions. */
#define RELEASE_MASKED 64

/* Whether the request may use the high-atomic reserve: it cannot wait, and one page more would not help it. */
static bool is_urgent(gfp_t gfp, unsigned int order)
{
	return order && (gfp & (__GFP_HIGH | __GFP_DIRECT_RECLAIM)) == __GFP_HIGH;
}

u32 usable_types(gfp_t gfp, unsigned int order)
{
	return ORDINARY_TYPES | (gfp_migratetype(gfp) == MIGRATE_MOVABLE ? BIT(MIGRATE_CMA) : 0) |
	       (is_urgent(gfp, order) ? BIT(MIGRATE_HIGHATOMIC) : 0);
}

/* Free pages of @zone that are not for the request, whatever their number. */
unsigned long withheld_pages(const struct zone *zone, gfp_t gfp, unsigned int order)
{
	unsigned long pages = zone_free_special(zone, MIGRATE_ISOLATE);

	if (gfp_migratetype(gfp) != MIGRATE_MOVABLE)
		pages += zone_free_cma(zone);
	if (!is_urgent(gfp, order))
		pages += zone_free_special(zone, MIGRATE_HIGHATOMIC);
	return pages;
}

/* Pages that a request, which may go up to zone @highest, may take from @zone. Each counter is of another moment. */
static __always_inline unsigned long spare_pages(const struct zone *zone, gfp_t gfp, unsigned int order,
						 enum zone_watermarks which, enum zone_type highest)
{
	unsigned long free = READ_ONCE(zone->nr_free);
	unsigned long kept =
		zone_mark(zone, which, gfp) + zone->lowmem_reserve[highest] + withheld_pages(zone, gfp, order);

	return free > kept ? free - kept : 0;
}

/* Whether no block of @zone is large enough for the request, of more than one page. */
static __noinline bool lacks_block(const struct zone *zone, gfp_t gfp, unsigned int order)
{
	return !zone_has_block(zone, order, usable_types(gfp, order));
}

/*
 * A block for an urgent request that could not be served otherwise: the reserve is for it, and is made for the next
 * one.
 */
static __noinline struct page *alloc_urgent(struct zone *zone, unsigned int order, enum migratetype type,
					    struct zone *preferred)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	struct buddy_block block = buddy_take_from(zone, order, order, MIGRATE_HIGHATOMIC);

	if (!block.page)
		block = buddy_take(zone, order, order, type);
	if (block.page) {
		set_page_order(block.page, order);
		WRITE_ONCE(block.page->page_stack, pcp_stack_of(zone, order, block.type));
		count_pages_taken(zone, 1UL << order, preferred);
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	if (block.page)
		reserve_highatomic(block.page);
	return block.page;
}

/* A block from @zone, which may give @most. */
static struct page *get_page_from_zone(struct zone *zone, gfp_t gfp, unsigned int order, enum zone_watermarks which,
				       unsigned long most, struct zone *preferred)
{
	enum migratetype type = gfp_migratetype(gfp);

	/* A deferred pageblock is for everybody, and large enough. */
	if (order && !READ_ONCE(zone->nr_deferred) && lacks_block(zone, gfp, order))
		return NULL;
	if (which == WMARK_MIN && is_urgent(gfp, order))
		return alloc_urgent(zone, order, type, preferred);
	return pcp_refill(zone, order, type, most, preferred);
}

/* The first zone of @list that has a block and may give it. */
static struct page *get_page_from_list(struct zone **list, gfp_t gfp, unsigned int order, enum zone_watermarks which)
{
	enum zone_type highest = gfp_zone(gfp);
	struct zone *preferred = NULL, *zone;
	struct page *page;

	for (; (zone = *list); list++) {
		unsigned long spare;

		if (zone->idx > highest)
			continue;
		if (!preferred)
			preferred = zone;
		page = pcp_pop(zone, order, gfp_migratetype(gfp));
		if (!page) {
			spare = spare_pages(zone, gfp, order, which, highest) >> order;
			page = spare ? get_page_from_zone(zone, gfp, order, which, spare, preferred) : NULL;
		}
		if (!page)
			continue;
		if (zone != preferred && zone->node != preferred->node)
			count_fallback(zone, 1UL << order, preferred);
		return page;
	}
	return NULL;
}

/* The caches have what the zones lack: this CPU's, and those of the others if the caller may wait for them. */
static void drain_for(gfp_t gfp)
{
	if ((gfp & __GFP_DIRECT_RECLAIM) && arch_cross_call_ok())
		drain_all_pages();
	else
		drain_local_pages();
}

/*
 * Down to the min watermark, and when that is not enough with what is kept for urgent requests, a pageblock at a time.
 */
static struct page *get_last_page(struct zone **list, gfp_t gfp, unsigned int order)
{
	struct page *page;

	do
		page = get_page_from_list(list, gfp, order, WMARK_MIN);
	while (!page && unreserve_highatomic(list, gfp_zone(gfp), gfp_migratetype(gfp)));
	return page;
}

/* Pages of @zone that a request may ever have. */
static unsigned long pages_for(const struct zone *zone, gfp_t gfp)
{
	return zone->managed_pages - (gfp_migratetype(gfp) == MIGRATE_MOVABLE ? 0 : zone->cma_pages);
}

/* Whether zones of @list may have as many pages free, ever, that a request can be served by waiting. */
static bool list_could_serve(struct zone **list, gfp_t gfp, unsigned int order)
{
	for (; *list; list++)
		if ((*list)->idx <= gfp_zone(gfp) &&
		    pages_for(*list, gfp) >= (1UL << order) + zone_mark(*list, WMARK_MIN, gfp | __GFP_HIGH) +
						     (*list)->lowmem_reserve[gfp_zone(gfp)])
			return true;
	return false;
}

/* Until somebody has freed enough. Whoever does may be on any CPU, or a handler here. */
static struct page *alloc_waiting(struct zone **list, int nid, gfp_t gfp, unsigned int order)
{
	struct page *page;

	if (!(gfp & __GFP_DIRECT_RECLAIM))
		panic_nofail(list, nid, gfp, order, "the caller cannot wait");
	if (!arch_cross_call_ok())
		panic_nofail(list, nid, gfp, order, "nobody can wait in a handler or with interrupts masked");
	if (!list_could_serve(list, gfp, order))
		panic_nofail(list, nid, gfp, order, "no zone that it may use has as many pages");
	report_failure(list, nid, gfp, order);
	do {
		cpu_relax();
		drain_all_pages();
		page = get_last_page(list, gfp | __GFP_HIGH, order);
	} while (!page);
	return page;
}

/* The first zone of @list that @gfp allows; NULL when there is none. */
static struct zone *first_zone(struct zone **list, gfp_t gfp)
{
	while (*list && (*list)->idx > gfp_zone(gfp))
		list++;
	return *list;
}

static struct page *alloc_slow(struct zone **list, int nid, gfp_t gfp, unsigned int order)
{
	struct zone *preferred = first_zone(list, gfp);
	struct page *page = get_page_from_list(list, gfp, order, WMARK_MIN);

	if (preferred)
		count_zone_event(preferred, ALLOCSTALL, 1);
	if (!page && preferred && (!(gfp & __GFP_NORETRY) || (gfp & __GFP_NOFAIL))) {
		drain_for(gfp);
		page = get_last_page(list, gfp & __GFP_NOFAIL ? gfp | __GFP_HIGH : gfp, order);
	}
	if (!page && (gfp & __GFP_NOFAIL))
		page = alloc_waiting(list, nid, gfp, order);
	if (!page)
		report_failure(list, nid, gfp, order);
	return page;
}

static void zero_pages(struct page *page, unsigned int order)
{
	char *va = page_address(page);

	for (char *end = va + (PAGE_SIZE << order); va < end; va += PAGE_SIZE)
		clear_page(va);
}

/* What the flags ask of a block that has been found. */
static void prep_new_page(struct page *page, unsigned int order, gfp_t gfp)
{
	if (gfp & __GFP_ZERO)
		zero_pages(page, order);
	if ((gfp & __GFP_COMP) && order)
		prep_compound_page(page, order);
}

struct zone **zonelist_of(int nid, gfp_t gfp)
{
	static struct zone *none[1];

	if (likely(!(gfp & __GFP_THISNODE)))
		return node_data[node_for_alloc[nid]]->zonelist;
	return node_data[nid] ? node_data[nid]->zonelist_this : none;
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	struct zone **list;
	struct page *page;

	if (nid == NUMA_NO_NODE)
		nid = this_cpu()->nid;
	if (unlikely(order > MAX_PAGE_ORDER || gfp_excludes_itself(gfp) || nid < 0 || nid >= MAX_NUMNODES))
		return refuse_pages(nid, gfp, order);
	list = zonelist_of(nid, gfp);
	page = get_page_from_list(list, gfp, order, WMARK_LOW);
	if (unlikely(!page))
		page = alloc_slow(list, nid, gfp, order);
	if (unlikely(!page))
		return NULL;
	WRITE_ONCE(page->_refcount, 1);
	if (gfp & (__GFP_ZERO | __GFP_COMP))
		prep_new_page(page, order, gfp);
	page_owner_alloc(page, order, gfp);
	return page;
}

struct page *__restartable alloc_pages_hot(size_t stack, gfp_t gfp, unsigned int order)
{
	struct page *page = asm_stack_pop(stack);

	if (unlikely(!page))
		return alloc_pages_node(NUMA_NO_NODE, gfp, order);
	debug_block_passes(page, order);
	WRITE_ONCE(page->_refcount, 1);
	page_owner_alloc(page, order, gfp);
	return page;
}

struct page *alloc_pages_any(gfp_t gfp, unsigned int order)
{
	struct page *page;

	if (unlikely(order > MAX_PAGE_ORDER ||
		     (!gfp_is_hot(gfp & ~__GFP_ZERO) &&
		      (have_movable_zone || !gfp_is_hot((gfp & ~__GFP_ZERO) | __GFP_HIGHMEM)))))
		return alloc_pages_node(NUMA_NO_NODE, gfp, order);
	page = alloc_pages_hot(local_page_stack(order, gfp_migratetype(gfp)), gfp & ~__GFP_ZERO, order);
	if (page && (gfp & __GFP_ZERO))
		zero_pages(page, order);
	return page;
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
	bool by_one = gfp_excludes_itself(gfp) || (gfp & __GFP_ZERO) || page_owner_active();
	struct zone *zone = by_one ? NULL : first_zone(zonelist_of(this_cpu()->nid, gfp), gfp);
	unsigned long done = 0;

	while (done < nr) {
		if (zone)
			done = pcp_pop_bulk(zone, gfp_migratetype(gfp), done, nr, pages);
		if (done == nr)
			break;
		/* The cache is empty: this fills it halfway. */
		if (!pages[done])
			pages[done] = alloc_pages(gfp, 0);
		if (unlikely(!pages[done]))
			break;
		done++;
	}
	return done;
}

/* Whether @page looks like a block of @order that is in use and nobody's but the page allocator's: theory, point 5. */
static __always_inline bool looks_right(const struct page *page, unsigned int order)
{
	unsigned long flags;

	return asm_load_mapped(&page->flags, &flags) && (flags & PAGE_STATE_MASK) == order;
}

/* The same of a block of any order; it is no compound block. */
static __always_inline bool looks_plain(const struct page *page)
{
	unsigned long flags;

	return asm_load_mapped(&page->flags, &flags) && !(flags & PAGE_STATE_MASK & ~PAGE_ORDER_MASK);
}

/* Drop the reference to @page if it is the only one. Return: whether it was. */
static __always_inline bool drop_only_reference(struct page *page)
{
	if (HARDENED)
		return cas32_acq_rel((u32 *)&page->_refcount, 1, 0);
	/*
	 * Who has the only reference needs no atomic operation: nobody else may take one. What others did to the page
	 * before they let go of theirs is over when its next user writes: a store is not done before the branch it
	 * hangs on.
	 */
	if (READ_ONCE(page->_refcount) != 1)
		return false;
	WRITE_ONCE(page->_refcount, 0);
	return true;
}

/* A block that is not freed for certain. */
static __noinline void free_pages_slow(struct page *page, unsigned int order)
{
	const char *fault = HARDENED ? page_free_fault(page, order) : NULL;
	s32 left;

	if (unlikely(fault)) {
		report_bad_free(page, order, fault);
		return;
	}
	left = HARDENED ? drop_user(page, order) : (s32)dec_return32_acq_rel((u32 *)&page->_refcount);
	if (left == 0) {
		page_owner_free(page);
		pcp_free(page, order);
	}
}

void __restartable __free_pages(struct page *page, unsigned int order)
{
	if (unlikely((HARDENED && !looks_right(page, order)) || !drop_only_reference(page))) {
		free_pages_slow(page, order);
		return;
	}
	debug_block_passes(page, order);
	page_owner_free(page);
	if (unlikely(!asm_stack_push(&page->page_stack, page)))
		pcp_free(page, order);
}

/* Why compound_head() of @page cannot be believed; NULL when it can. */
static const char *head_fault(const struct page *page)
{
	unsigned long offset;

	if (!page_initialised(page_to_pfn(page)))
		return page_free_fault(page, 0);
	offset = (unsigned long)compound_head(page) - VMEMMAP_START;
	if (offset % sizeof(struct page) || !page_initialised(offset / sizeof(struct page)))
		return "its compound_head leads to no page";
	return NULL;
}

/* put_page() of what is compound, shared, or wrong. */
static __noinline void put_page_slow(struct page *page)
{
	const char *fault = HARDENED ? head_fault(page) : NULL;

	if (unlikely(fault)) {
		report_bad_free(page, 0, fault);
		return;
	}
	page = compound_head(page);
	free_pages_slow(page, page_order(page));
}

/* A page of a compound block but the first has no user of its own, so it takes the slow path. */
void __restartable put_page(struct page *page)
{
	if (unlikely((HARDENED && !looks_plain(page)) || !drop_only_reference(page))) {
		put_page_slow(page);
		return;
	}
	debug_block_passes(page, page_order(page));
	page_owner_free(page);
	if (unlikely(!asm_stack_push(&page->page_stack, page)))
		pcp_free(page, page_order(page));
}

/*
 * Push pages, from the first on, as long as they have one stack, which has room, and each has only this reference.
 * Return: the first one that is not pushed. Interrupts are masked. A page's stack is followed only when the page looks
 * right.
 */
static __always_inline struct page **release_run(struct page **pages, struct page **end)
{
	struct page *page = *pages;
	struct percpu_stack *head;
	void **top;
	u32 stack;

	if (HARDENED && unlikely(!looks_plain(page)))
		return pages;
	stack = READ_ONCE(page->page_stack);
	head = (struct percpu_stack *)((char *)asm_percpu_base() + stack);
	top = head->top;
	end = min(end, pages + (head->limit - top));
	if (pages == end || !drop_only_reference(page))
		return pages;
	for (;;) {
		debug_block_passes(page, page_order(page));
		*++top = page;
		if (++pages == end)
			break;
		page = *pages;
		if ((HARDENED && unlikely(!looks_plain(page))) || READ_ONCE(page->page_stack) != stack ||
		    !drop_only_reference(page))
			break;
	}
	WRITE_ONCE(head->top, top);
	return pages;
}

void release_pages(struct page **pages, int nr)
{
	struct page **end = pages + nr;

	while (pages < end) {
		struct page **first = pages;

		if (!page_owner_active()) {
			unsigned long flags = local_irq_save();

			pages = release_run(pages, min(end, pages + RELEASE_MASKED));
			local_irq_restore(flags);
		}
		/* One that is shared or compound, whose stack is full, or where something is wrong. */
		if (pages == first)
			put_page(*pages++);
	}
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (!addr)
		return;
	/* Before anything of it is read: an address that is nobody's has no struct page. */
	if (HARDENED && unlikely(!pfn_valid(PFN_DOWN(__pa((void *)addr)))))
		report_bad_free(virt_to_page((void *)addr), order, "no page that was ever allocated");
	else
		__free_pages(virt_to_page((void *)addr), order);
}
