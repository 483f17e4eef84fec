// SPDX-License-Identifier: BSD-2-Clause
/* A block is split as if it were larger; then it is freed. */
#include <mm/page_exact.h>

#include "misuse.h"

MISUSE(page_split_wrong_order, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	split_page(page, 3);
	__free_pages(page, 2);
}
