// SPDX-License-Identifier: BSD-2-Clause
/* A block is split after it was freed. */
#include <mm/page_exact.h>

#include "misuse.h"

MISUSE(page_split_free, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	__free_pages(page, 2);
	split_page(page, 2);
}
