// SPDX-License-Identifier: BSD-2-Clause
/* A page is freed twice, one time right after the other. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_twice, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page(page);
}
