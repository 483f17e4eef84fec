// SPDX-License-Identifier: BSD-2-Clause
/* RAM that a master which does not see caches has is asked for by its linear address, and mapped again. */
#include <mm/io.h>
#include <mm/page.h>

#include "../../mm/dma.h"
#include "misuse.h"

MISUSE(dma_types, basic, GOES_ON)
{
	struct device *dev = dma_device_get("/pl011@9000000");
	bool coherent = dev->coherent;
	struct page *page;
	phys_addr_t phys;
	dma_addr_t dma;
	void *p;

	dev->coherent = false;
	p = dma_alloc_coherent(dev, 5000, &dma, GFP_KERNEL);
	if (p && dma_to_phys(dev, dma, 5000, &phys)) {
		page = pfn_to_page(PFN_DOWN(phys));
		memunmap(memremap(phys, 5000, MEMREMAP_WB));
		vunmap(vmap(&page, 1, VM_MAP, PAGE_KERNEL_WT));
	}
	dma_free_coherent(dev, 5000, p, dma);
	dev->coherent = coherent;
	dma_device_put(dev);
}
