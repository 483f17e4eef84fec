/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks in pieces: any number of pages in a row, of which each is freed on its own.
 *
 * Context, errors and gfp flags as in <mm/gfp.h>.
 */
#ifndef MM_PAGE_EXACT_H
#define MM_PAGE_EXACT_H

#include <mm/gfp.h>

/**
 * get_order() - the smallest order of a block of at least @size bytes; for 0 bytes one that there is not, as in Linux
 */
static inline unsigned int get_order(size_t size)
{
	if (size <= PAGE_SIZE)
		return size ? 0 : 64 - PAGE_SHIFT;
	return 64 - PAGE_SHIFT - (unsigned int)__builtin_clzl(size - 1);
}

/**
 * split_page() - make an allocated block of 1 << @order pages that many blocks of one page
 * @page: its first page; not of a compound block
 *
 * Each has one user then, the first as many as the block had, and is freed on its own. Of a page that is no such block
 * it is reported, and nothing changes. Context: who owns the block. Cost: O(1 << order).
 */
void split_page(struct page *page, unsigned int order);

/**
 * alloc_pages_exact() - @size bytes in whole pages, near this CPU, each page an allocation of its own
 *
 * What a block has beyond the pages needed is free again. __GFP_COMP is ignored. Return: address in the linear map;
 * NULL when there is no block, or none can be: more than 1 << MAX_PAGE_ORDER pages, or 0 bytes. Cost: O(pages of the
 * block).
 */
void *alloc_pages_exact(size_t size, gfp_t gfp) __must_check;

/** alloc_pages_exact_nid() - the same near node @nid */
void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp) __must_check;

/** free_pages_exact() - free the pages of [@addr, @addr + @size), all or some of what alloc_pages_exact() gave */
void free_pages_exact(void *addr, size_t size);

#endif
