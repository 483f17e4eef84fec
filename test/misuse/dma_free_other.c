// SPDX-License-Identifier: BSD-2-Clause
/* Coherent memory is freed as another master's, and with another size. */
#include <mm/dma.h>

#include "misuse.h"

MISUSE(dma_free_other, basic, GOES_ON)
{
	struct device *dev = dma_device_get("/pl011@9000000"), *other = dma_device_get("/virtio_mmio@a000000");
	dma_addr_t dma;
	void *p = dma_alloc_coherent(dev, 5000, &dma, GFP_KERNEL);

	dma_free_coherent(other, 5000, p, dma);
	dma_free_coherent(dev, 4096, p, dma);
	dma_free_coherent(dev, 5000, p, dma);
	dma_device_put(other);
	dma_device_put(dev);
}
