/* SPDX-License-Identifier: BSD-2-Clause */
/* Making compound blocks and taking them apart, for page_alloc.c and contig.c. */
#ifndef MM_COMPOUND_H
#define MM_COMPOUND_H

#include <mm/page.h>

/**
 * prep_compound_page() - make the block of @order above 0 at @page, just allocated, a compound one
 *
 * It leaves no CPU's stack in the first page, so that it is freed by the slow path. Cost: O(1 << order) stores.
 */
void prep_compound_page(struct page *page, unsigned int order);

/**
 * join_pages() - the 1 << @order pages at @page, aligned, each the caller's and of order 0, become one compound block.
 * See page_exact.c.
 */
void join_pages(struct page *page, unsigned int order);

/**
 * dissolve_compound_page() - the compound block of @order at @page, whose last user has gone, is an ordinary one again
 */
void dissolve_compound_page(struct page *page, unsigned int order);

#endif
