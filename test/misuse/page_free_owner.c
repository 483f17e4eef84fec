// SPDX-License-Identifier: BSD-2-Clause
/* A page is freed twice, and the report says who had it. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_owner, debug, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page(page);
}
