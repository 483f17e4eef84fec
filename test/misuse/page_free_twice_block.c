// SPDX-License-Identifier: BSD-2-Clause
/* A block of eight pages is freed twice. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_twice_block, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);

	__free_pages(page, 3);
	__free_pages(page, 3);
}
