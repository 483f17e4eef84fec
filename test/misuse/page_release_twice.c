// SPDX-License-Identifier: BSD-2-Clause
/* Among many pages that are released, one stands twice. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_release_twice, basic, GOES_ON)
{
	struct page *pages[8] = { NULL };

	if (alloc_pages_bulk(GFP_KERNEL, 7, pages) != 7)
		return;
	pages[7] = pages[2];
	release_pages(pages, 8);
}
