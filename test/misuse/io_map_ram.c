// SPDX-License-Identifier: BSD-2-Clause
/* RAM is mapped as if it were a device's: a page of the allocator's, and the image's text. */
#include <mm/gfp.h>
#include <mm/io.h>

#include <asm/sections.h>

#include "misuse.h"

MISUSE(io_map_ram, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);

	iounmap(ioremap(page_to_phys(page), PAGE_SIZE));
	memunmap(memremap(kimage_pa(_text), 64, MEMREMAP_WC));
	__free_page(page);
}
