// SPDX-License-Identifier: BSD-2-Clause
/* A page is asked for that is movable and reclaimable, and on a node that there is not. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_alloc_flags, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_MOVABLE | __GFP_RECLAIMABLE);

	if (!page)
		page = alloc_pages_node(MAX_NUMNODES, GFP_ATOMIC | __GFP_COMP, 3);
	if (page)
		__free_page(page);
}
