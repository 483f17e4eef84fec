// SPDX-License-Identifier: BSD-2-Clause
/* A page is freed again long after it was, when it has become the middle of a large free block of its zone. */
#include <mm/page_exact.h>

#include "misuse.h"

MISUSE(page_free_twice_later, basic, GOES_ON)
{
	char *pages = alloc_pages_exact(8 * PAGE_SIZE, GFP_KERNEL);

	free_pages_exact(pages, 8 * PAGE_SIZE);
	drain_all_pages();
	free_page((unsigned long)(pages + 3 * PAGE_SIZE));
}
