// SPDX-License-Identifier: BSD-2-Clause
/* An object is freed into another cache than its own. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_free_other_cache, basic, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("misused", 64, 0, SLAB_NO_MERGE, NULL);
	void *p = kzalloc(64, GFP_KERNEL);

	kmem_cache_free(cache, p);
	kfree(p);
	kmem_cache_destroy(cache);
}
