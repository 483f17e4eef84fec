// SPDX-License-Identifier: BSD-2-Clause
/* Memory of kmalloc(), of a slab and of its own pages, is freed as a page; then it is freed as what it is. */
#include <mm/gfp.h>
#include <mm/slab.h>

#include "misuse.h"

MISUSE(page_free_slub, basic, GOES_ON)
{
	void *small = kmalloc(64, GFP_KERNEL), *large = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);

	free_page((unsigned long)small & ~(PAGE_SIZE - 1));
	put_page(virt_to_page(large));
	kfree(small);
	kfree(large);
}
