// SPDX-License-Identifier: BSD-2-Clause
/* A block of four pages is freed as one of two; then rightly. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_wrong_order, basic, GOES_ON)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	__free_pages(page, 1);
	__free_pages(page, 2);
}
