/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocating pages.
 *
 * Common contract: an order is 0 to MAX_PAGE_ORDER, a block is 1 << order pages, aligned to its size. Pages come from
 * the linear map. Context: thread or interrupt handler, any CPU, after hand-over. A hit of the CPU's page cache takes
 * no lock and masks nothing; behind it interrupts are masked and zone locks taken for O(64 blocks). A request that
 * cannot be served returns NULL and changes nothing. Unless __GFP_NOWARN a report says why; after ten of them there is
 * none until five seconds have passed since the last one. What the gfp flags mean, <mm/gfp_types.h> says; blocks of an
 * odd size are in <mm/page_exact.h>.
 */
#ifndef MM_GFP_H
#define MM_GFP_H

#include <mm/gfp_types.h>
#include <mm/percpu_stack.h>

/**
 * gfp_is_hot() - whether a hit of this CPU's page cache is right for @gfp as it is: no certain zone or node, not zeroed
 *
 * That of movable pages may be ZONE_MOVABLE's, so it is for those who may have them.
 */
static __always_inline bool gfp_is_hot(gfp_t gfp)
{
	const gfp_t effort = __GFP_DIRECT_RECLAIM | __GFP_HIGH | __GFP_NOWARN | __GFP_NOFAIL;

	return !(gfp & ~(effort | __GFP_HIGHMEM | __GFP_RECLAIMABLE)) ||
	       (gfp & ~effort) == (__GFP_HIGHMEM | __GFP_MOVABLE);
}

/**
 * local_page_stack() - offset from the local base of the stack that serves requests for @order, 0 to MAX_PAGE_ORDER,
 * and @type near this CPU
 */
static __always_inline size_t local_page_stack(unsigned int order, enum migratetype type)
{
	return offsetof(struct mm_local, page) +
	       ((size_t)order * MIGRATE_PCPTYPES + (size_t)type) * sizeof(struct percpu_stack);
}

/** alloc_pages_hot() - alloc_pages() for a @gfp that gfp_is_hot(). @stack: local_page_stack() of it and of @order */
struct page *alloc_pages_hot(size_t stack, gfp_t gfp, unsigned int order) __must_check;

/** alloc_pages_any() - alloc_pages() for any request */
struct page *alloc_pages_any(gfp_t gfp, unsigned int order) __must_check;

/**
 * alloc_pages() - a block of 1 << @order pages, near this CPU
 *
 * Cost: 13 instructions, call included, for constant arguments when this CPU's cache has a block.
 * Return: its first page, _refcount 1; NULL when no zone that @gfp allows has a block above its watermark.
 */
static __always_inline __must_check struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	if (__builtin_constant_p(gfp) && gfp_is_hot(gfp) && likely(order <= MAX_PAGE_ORDER))
		return alloc_pages_hot(local_page_stack(order, gfp_migratetype(gfp)), gfp, order);
	return alloc_pages_any(gfp, order);
}

/**
 * alloc_pages_node() - alloc_pages() near @nid (NUMA_NO_NODE: this CPU's node)
 *
 * A node without managed pages is served from the nearest one that has some; with __GFP_THISNODE it has nothing to
 * give.
 */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order) __must_check;

/**
 * alloc_pages_bulk() - a page of order 0 for each entry of @pages that is NULL
 *
 * Entries that are not NULL stay as they are. Near this CPU. Return: how many entries, from the first on, hold a page
 * now; less than @nr when memory ran out, which is reported as alloc_pages() does.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages) __must_check;

/** __get_free_pages() - alloc_pages(), as a linear-map address. Return: 0 on failure. */
static __always_inline __must_check unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return likely(page) ? (unsigned long)page_address(page) : 0;
}

/**
 * __free_pages() - one user less of the block at @page; the last one gives it back
 * @order: what it was allocated with; another order is reported and the block is not freed
 *
 * A page that is reserved or never was allocated is reported, and nothing else happens. One that is free already is
 * reported, and taken out of use: of the block that is said to be freed, all pages that lie in one free or cached block
 * with its first one. When this returns, nobody gets them; but where nobody can wait for other CPUs, in a handler or
 * with interrupts masked, one that lies in another CPU's cache may still be given by that CPU until it takes
 * interrupts, and then is out of use when its user frees it. Nothing is checked at the hardening level none.
 */
void __free_pages(struct page *page, unsigned int order);

/** free_pages() - __free_pages() by address, of the linear map; 0 does nothing. An address outside RAM is reported. */
void free_pages(unsigned long addr, unsigned int order);

#define alloc_page(gfp)	     alloc_pages(gfp, 0)
#define __get_free_page(gfp) __get_free_pages(gfp, 0)
#define get_zeroed_page(gfp) __get_free_pages((gfp) | __GFP_ZERO, 0)
#define __free_page(page)    __free_pages(page, 0)
#define free_page(addr)	     free_pages(addr, 0)

/** drain_local_pages() - this CPU's page caches back to their zones. Context: any. */
void drain_local_pages(void);

/** drain_all_pages() - every CPU's, by cross call. Context: where arch_cross_call_ok(). */
void drain_all_pages(void);

/** nr_free_pages() - free pages of all zones, per-CPU caches excluded; a moment's figure */
unsigned long nr_free_pages(void);

/** totalram_pages() - managed pages of all zones */
unsigned long totalram_pages(void);

/** page_alloc_check() - zone_check() on every zone, and per-CPU caches against their bounds. Return: all is right. */
bool page_alloc_check(void);

#endif
