// SPDX-License-Identifier: BSD-2-Clause
/* A page is freed by the CPU that allocated it, and then by another one. */
#include <lib/smp.h>
#include <mm/gfp.h>

#include "misuse.h"

static void free_here(void *page)
{
	__free_page((struct page *)page);
}

MISUSE(page_free_twice_elsewhere, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);

	free_here(page);
	if (!smp_work_start(1, free_here, page))
		smp_work_wait(1);
}
