// SPDX-License-Identifier: BSD-2-Clause
/* A range of page frames is freed, and a part of it again. */
#include <mm/contig.h>

#include "misuse.h"

MISUSE(page_range_twice, basic, GOES_ON)
{
	struct page *page = alloc_contig_pages(100, GFP_KERNEL, NUMA_NO_NODE, NULL);

	if (!page)
		return;
	free_contig_range(page_to_pfn(page), 100);
	free_contig_range(page_to_pfn(page) + 50, 1);
}
