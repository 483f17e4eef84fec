// SPDX-License-Identifier: BSD-2-Clause
/* A freed object is written to: that is found when its memory is to be used again. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_write_after_free, full, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("misused", 24, 0, 0, NULL);
	volatile char *p = kmem_cache_zalloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, (void *)(uintptr_t)p);
	p[8] = 'A';
	kmem_cache_shrink(cache);
	kmem_cache_destroy(cache);
}
