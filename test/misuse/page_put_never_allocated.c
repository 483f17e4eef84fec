// SPDX-License-Identifier: BSD-2-Clause
/* A page that nobody was ever given is put: its struct page holds what memory held. One that is no page, too. */
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <string.h>

#include "misuse.h"

MISUSE(page_put_never_allocated, basic, GOES_ON)
{
	struct page *page = pfn_to_page(PFN_DOWN(memblock_end_of_DRAM()) - 5 * PAGEBLOCK_NR_PAGES / 2);

	if (!page_initialised(page_to_pfn(page)))
		memset(page, 0xa5, sizeof(*page));
	put_page(page);
	put_page(pfn_to_page(PFN_DOWN(memblock_end_of_DRAM()) + 12345));
}
