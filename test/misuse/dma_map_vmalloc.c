// SPDX-License-Identifier: BSD-2-Clause
/* A buffer of vmalloc() is mapped for a master, which needs memory that lies in a row. */
#include <lib/printk.h>
#include <mm/dma.h>
#include <mm/vmalloc.h>

#include "misuse.h"

MISUSE(dma_map_vmalloc, basic, GOES_ON)
{
	struct device *dev = dma_device_get("/pl011@9000000");
	void *p = vmalloc(100);

	printk("dma_mapping_error() of it is %d\n", dma_mapping_error(dev, dma_map_single(dev, p, 100, DMA_TO_DEVICE)));
	vfree(p);
	dma_device_put(dev);
}
