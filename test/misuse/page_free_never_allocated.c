// SPDX-License-Identifier: BSD-2-Clause
/* A page of RAM is freed that nobody has allocated since boot, so that its struct page was never written. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_never_allocated, basic, GOES_ON)
{
	unsigned long pfn = NODE_DATA(0)->node_start_pfn;

	while (page_initialised(pfn))
		pfn++;
	__free_page(pfn_to_page(pfn));
}
