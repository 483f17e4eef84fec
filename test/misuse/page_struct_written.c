// SPDX-License-Identifier: BSD-2-Clause
/* The struct page of a page in a CPU's cache is written to, as by somebody who still counts himself among its users. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_struct_written, debug, PANICS)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	get_page(page);
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
}
