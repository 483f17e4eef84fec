// SPDX-License-Identifier: BSD-2-Clause
/* The third page of a block of four is freed; then the block. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_middle, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	__free_page(page + 2);
	__free_pages(page, 2);
}
