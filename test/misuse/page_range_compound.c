// SPDX-License-Identifier: BSD-2-Clause
/* Of a range that is a compound block the half is freed; then all of it. */
#include <mm/contig.h>

#include "misuse.h"

MISUSE(page_range_compound, basic, GOES_ON)
{
	struct page *page = alloc_contig_pages(2, GFP_KERNEL | __GFP_COMP, NUMA_NO_NODE, NULL);

	if (!page)
		return;
	free_contig_range(page_to_pfn(page) + 1, 1);
	free_contig_range(page_to_pfn(page), 2);
}
