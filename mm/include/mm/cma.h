/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CMA areas: memory kept for drivers that need large ranges, and lent to movable requests until they ask.
 *
 * An area comes from a node of /reserved-memory with `reusable` and compatible "shared-dma-pool", or from the boot
 * argument cma=SIZE[@BASE[-END]]. It is whole pageblocks (4 MiB) of one zone. Its pages are MIGRATE_CMA: the page
 * allocator gives them to __GFP_MOVABLE requests only. Nothing is moved out of the way here: what is lent is had again
 * when it is freed.
 *
 * Source: bindings reserved-memory, shared-dma-pool.
 */
#ifndef MM_CMA_H
#define MM_CMA_H

#include <lib/types.h>

#include <mm/page.h>

struct cma;

/**
 * cma_alloc() - @count page frames behind one another, out of @cma, which may be NULL: it has none
 * @align_order: the first one's page frame number is a multiple of 1 << @align_order
 * @no_warn: say nothing on failure
 *
 * Context and state of the pages: as alloc_contig_range(). Cost: O(pages of the pageblocks), more when pages are lent.
 * Return: the first page; NULL, after a line, when there is no such range without a page that is lent or allocated.
 */
struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align_order, bool no_warn) __must_check;

/**
 * cma_release() - give @count pages from @pages on, all from cma_alloc() on @cma, back; not necessarily all of one call
 *
 * Context: any. Return: false, and nothing has changed, when @pages, or @cma, is NULL or lies outside of the area; or,
 * after a line and the caller's backtrace, when not all of them are within the area and allocated.
 */
bool cma_release(struct cma *cma, const struct page *pages, unsigned long count);

/** cma_default_area() - the area for who names none; NULL without one. Context: any, after hand-over. */
struct cma *cma_default_area(void);

/** cma_of_node() - the first area of the tree's node at offset @node, as a driver's memory-region names it; NULL */
struct cma *cma_of_node(int node);

/**
 * cma_for_each_area() - @it(area, @data) for each area, in the order of the tree, until one does not return 0
 *
 * Context: any, after hand-over. Return: what the last call of @it returned, 0 when there was none.
 */
int cma_for_each_area(int (*it)(struct cma *cma, void *data), void *data);

/** cma_get_base() - the address of the first byte */
phys_addr_t cma_get_base(const struct cma *cma);

/** cma_get_size() - bytes */
unsigned long cma_get_size(const struct cma *cma);

/** cma_get_name() - its node's name in the tree; "cma=" for the boot argument's */
const char *cma_get_name(const struct cma *cma);

/** cma_used_pages() - pages that cma_alloc() has given and cma_release() not got back; a moment's figure */
unsigned long cma_used_pages(const struct cma *cma);

/** totalcma_pages() - pages of all areas, lent, free or allocated */
unsigned long totalcma_pages(void);

/**
 * cma_init() - find the areas. Context: boot only, after bootmem_init(). What cannot be one is told, and stays
 * reserved.
 */
void cma_init(const void *fdt);

/** cma_hand_over() - their pages to the page allocator. Context: boot only, with the hand-over. Return: pages. */
unsigned long cma_hand_over(void);

#endif
