// SPDX-License-Identifier: BSD-2-Clause
/* A byte is written right before an object. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_underflow, full, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("misused", 24, 0, 0, NULL);
	volatile char *p = kmem_cache_zalloc(cache, GFP_KERNEL);

	p[-1] = 'A';
	kmem_cache_free(cache, (void *)(uintptr_t)p);
	kmem_cache_destroy(cache);
}
