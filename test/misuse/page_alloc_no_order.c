// SPDX-License-Identifier: BSD-2-Clause
/* A block is asked for that is larger than blocks are. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_alloc_no_order, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, MAX_PAGE_ORDER + 1);

	if (page)
		__free_pages(page, MAX_PAGE_ORDER + 1);
}
