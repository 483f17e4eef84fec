/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a test takes away and gives back, for the tests on the host and in the image. Blocks hang on a list by
 * their struct pages: nothing is written to the memory itself, which an emulator's host would have to give.
 */
#ifndef TEST_PAGE_LIST_H
#define TEST_PAGE_LIST_H

#include <lib/list.h>
#include <mm/gfp.h>

/**
 * take_blocks() - allocate blocks of @order near @nid with @gfp until there are none left, and put them on @taken
 *
 * Nothing is reported. Return: how many blocks.
 */
static inline unsigned long take_blocks(int nid, gfp_t gfp, unsigned int order, struct list_head *taken)
{
	unsigned long n = 0;
	struct page *page;

	for (; (page = alloc_pages_node(nid, gfp | __GFP_NOWARN, order)); n++)
		list_add(&page->lru, taken);
	return n;
}

/** take_all_pages() - the same of all orders, the largest first. Return: how many pages. */
static inline unsigned long take_all_pages(int nid, gfp_t gfp, struct list_head *taken)
{
	unsigned long pages = 0;

	for (unsigned int order = NR_PAGE_ORDERS; order-- > 0;)
		pages += take_blocks(nid, gfp, order, taken) << order;
	return pages;
}

/** give_blocks() - free the blocks on @taken, of any order; it is empty then */
static inline void give_blocks(struct list_head *taken)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, taken, lru)
		__free_pages(page, page_order(page));
	INIT_LIST_HEAD(taken);
}

#endif
