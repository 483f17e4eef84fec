// SPDX-License-Identifier: BSD-2-Clause
/* An object is freed a second time after its memory went back from the CPU's stack to its slab. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_free_twice_later, basic, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("misused", 64, 0, SLAB_NO_MERGE, NULL);
	void *kept = kmem_cache_zalloc(cache, GFP_KERNEL), *p = kmem_cache_zalloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	kmem_cache_shrink(cache);
	kmem_cache_free(cache, p);
	kmem_cache_free(cache, kept);
	kmem_cache_destroy(cache);
}
