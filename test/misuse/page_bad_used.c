// SPDX-License-Identifier: BSD-2-Clause
/* A page is named bad and taken out of use; whoever still has its address frees it. */
#include <mm/gfp.h>
#include <mm/page_offline.h>

#include "misuse.h"

MISUSE(page_bad_used, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int in_use = page_offline(page_to_pfn(page));

	__free_page(page);
	if (in_use == 1 && PageHWPoison(page))
		__free_page(page);
}
