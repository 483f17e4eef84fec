// SPDX-License-Identifier: BSD-2-Clause
/* A user of a page gives up a reference that he does not have. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_put_twice, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);

	put_page(page);
	put_page(page);
}
