/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges of page frames: isolating them, and allocating them by place or by length.
 *
 * Common contract: a range is page frames [start, end), all memory of one zone. Nothing can be moved out of the way
 * here, so what is asked for must be free, cached by a CPU, or not initialised yet. Context: thread, where
 * arch_cross_call_ok(): all CPUs' page caches are drained by cross call. Any number of CPUs at once. On an error
 * nothing has changed.
 */
#ifndef MM_CONTIG_H
#define MM_CONTIG_H

#include <lib/types.h>

#include <mm/gfp.h>

/**
 * start_isolate_page_range() - give nothing out of these pageblocks any more
 * @start, @end: page frames, multiples of PAGEBLOCK_NR_PAGES
 * @migratetype: MIGRATE_CMA when it is pageblocks of a CMA area that are to be isolated; MIGRATE_MOVABLE otherwise
 *
 * Pageblocks that are not initialised yet are. What is free, or freed from now on, stays in the pageblocks, and does
 * not count as free for any watermark. CPUs' caches may hold pages of them still: drain_all_pages(). Context: any.
 * Cost: O(pages), interrupts masked for a pageblock at a time.
 * Return: 0; -EINVAL when the range is not memory of one zone, has a pageblock of which no page was handed over, or an
 * end of it is no pageblock's or lies in one that zones share; -EBUSY when a pageblock is isolated already, or is of a
 * CMA area when @migratetype says otherwise, or the other way round.
 */
int start_isolate_page_range(unsigned long start, unsigned long end, enum migratetype migratetype);

/**
 * undo_isolate_page_range() - end what start_isolate_page_range() began: each pageblock has its old type. Context: any.
 */
void undo_isolate_page_range(unsigned long start, unsigned long end);

/**
 * test_pages_isolated() - whether each page of the range, whose pageblocks are isolated, is free
 *
 * Context: any. Return: @end, or the first page frame that is not.
 */
unsigned long test_pages_isolated(unsigned long start, unsigned long end);

/**
 * alloc_contig_range() - allocate just these page frames, of any alignment and number
 * @migratetype: as in start_isolate_page_range()
 * @gfp: __GFP_ZERO, __GFP_COMP and __GFP_NOWARN count, nothing else
 *
 * Afterwards each page is a block of order 0 with _refcount 1; __free_page() or free_contig_range() gives it back. With
 * __GFP_COMP all of it is one compound block, which put_page(), or free_contig_range() of just this range, gives back.
 * A larger free block that crosses an end of the range is split, its other part stays free. Cost: O(pages of its
 * pageblocks).
 * Return: 0; -EINVAL, -EBUSY as start_isolate_page_range() says; -EINVAL when __GFP_COMP asks for what can be no block:
 * its length is no power of two up to 1 << MAX_PAGE_ORDER, or it is not aligned to it; -EBUSY when a page is in use.
 * All of that after a line (unless __GFP_NOWARN) that says why, or which page it is.
 */
int alloc_contig_range(unsigned long start, unsigned long end, enum migratetype migratetype, gfp_t gfp) __must_check;

/**
 * free_contig_range() - one user less of each of @nr pages of order 0 from page frame @pfn on; those without users are
 * freed
 *
 * Pages that cannot be freed are reported as __free_pages() does, the others are freed. Pages that still have users are
 * told in a line. Context: any. Cost: O(nr), one lock for each pageblock.
 */
void free_contig_range(unsigned long pfn, unsigned long nr);

/**
 * alloc_contig_pages() - @nr page frames behind one another, wherever they are
 * @gfp: which zones may serve, and __GFP_ZERO, __GFP_COMP, __GFP_NOWARN, __GFP_THISNODE
 * @nid: near which node; NUMA_NO_NODE: this CPU's
 * @nodes: bit n: node n may serve; NULL: any
 *
 * When @nr is a power of two the range is aligned to its size. No zone is brought below its min watermark, and CMA
 * areas and the reserve for urgent requests do not serve. Cost: O(pages looked at), and at most O(pages of the zones).
 * Return: the first page, each as after alloc_contig_range(); NULL, after a line, when there is no such range.
 */
struct page *alloc_contig_pages(unsigned long nr, gfp_t gfp, int nid, const u64 *nodes) __must_check;

#endif
