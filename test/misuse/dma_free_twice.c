// SPDX-License-Identifier: BSD-2-Clause
/* Coherent memory is freed twice. */
#include <mm/dma.h>

#include "misuse.h"

MISUSE(dma_free_twice, basic, GOES_ON)
{
	struct device *dev = dma_device_get("/pl011@9000000");
	dma_addr_t dma;
	void *p = dma_alloc_coherent(dev, 5000, &dma, GFP_KERNEL);

	dma_free_coherent(dev, 5000, p, dma);
	dma_free_coherent(dev, 5000, p, dma);
	dma_device_put(dev);
}
