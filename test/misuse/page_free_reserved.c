// SPDX-License-Identifier: BSD-2-Clause
/* A page that the page allocator never had is freed: one of the image. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_reserved, basic, GOES_ON)
{
	unsigned long pfn = NODE_DATA(0)->node_start_pfn;

	while (!page_initialised(pfn) || !page_test(pfn_to_page(pfn), PG_reserved))
		pfn++;
	__free_page(pfn_to_page(pfn));
}
