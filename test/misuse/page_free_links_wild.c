// SPDX-License-Identifier: BSD-2-Clause
/* Both links of a free block are written over with text, as by somebody whose buffer ends before them. */
#include <mm/gfp.h>
#include <mm/mmzone.h>
#include <string.h>

#include "misuse.h"

MISUSE(page_free_links_wild, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);

	__free_pages(page, MAX_PAGE_ORDER);
	drain_all_pages();
	memcpy(&page->lru, "0123456789abcdef", 16);
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	__free_pages(page, MAX_PAGE_ORDER);
}
