// SPDX-License-Identifier: BSD-2-Clause
/* A page that is mapped not cacheable is asked for with other types, and with a protection that is none. */
#include <mm/gfp.h>
#include <mm/io.h>
#include <mm/page.h>
#include <mm/vmalloc.h>

#include "misuse.h"

MISUSE(vmap_types, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *map = vmap(&page, 1, VM_MAP, PAGE_KERNEL_NC);

	vunmap(vmap(&page, 1, VM_MAP, PAGE_KERNEL_WT));
	vunmap(vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO));
	memunmap(memremap(page_to_phys(page) + 16, 8, MEMREMAP_WB));
	vunmap(map);
	vunmap(vmap(&page, 1, VM_MAP, 0));
	__free_page(page);
}
