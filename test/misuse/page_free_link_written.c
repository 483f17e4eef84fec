// SPDX-License-Identifier: BSD-2-Clause
/* A link of a free block is written to, as a stray pointer would. */
#include <mm/gfp.h>
#include <mm/mmzone.h>

#include "misuse.h"

MISUSE(page_free_link_written, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);

	__free_pages(page, MAX_PAGE_ORDER);
	drain_all_pages();
	page->lru.next = &page->lru;
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	__free_pages(page, MAX_PAGE_ORDER);
}
