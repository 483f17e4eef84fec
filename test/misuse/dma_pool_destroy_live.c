// SPDX-License-Identifier: BSD-2-Clause
/* A pool of DMA blocks is destroyed while two of them are allocated; then they are freed, one of them twice. */
#include <mm/dma.h>

#include "misuse.h"

MISUSE(dma_pool_destroy_live, basic, GOES_ON)
{
	struct device *dev = dma_device_get("/pl011@9000000");
	struct dma_pool *pool = dma_pool_create("misused", dev, 24, 8, 0);
	dma_addr_t dma, second;
	void *p = dma_pool_alloc(pool, GFP_KERNEL, &dma), *q = dma_pool_alloc(pool, GFP_KERNEL, &second);

	dma_pool_destroy(pool);
	dma_pool_free(pool, p, dma);
	dma_pool_free(pool, p, dma);
	dma_pool_free(pool, q, second);
	dma_pool_destroy(pool);
	dma_device_put(dev);
}
