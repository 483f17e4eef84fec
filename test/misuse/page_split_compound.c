// SPDX-License-Identifier: BSD-2-Clause
/* A compound block is split; then it is freed. */
#include <mm/page_exact.h>

#include "misuse.h"

MISUSE(page_split_compound, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);

	split_page(page, 1);
	__free_pages(page, 1);
}
