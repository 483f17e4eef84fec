// SPDX-License-Identifier: BSD-2-Clause
/* A page of a compound block that is not its first is freed; then the block, by the right call for that. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_tail, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);

	__free_page(page + 2);
	put_page(page + 2);
}
