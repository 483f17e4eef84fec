// SPDX-License-Identifier: BSD-2-Clause
/* Freed twice, the mark of a free object behind what the constructor made. */
#include <mm/slab.h>

#include "misuse.h"

static void make_object(void *obj)
{
	memset(obj, 0x11, 24);
}

MISUSE(slab_free_twice_ctor, basic, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("made", 24, 0, 0, make_object);
	void *volatile p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	kmem_cache_free(cache, p);
	kmem_cache_destroy(cache);
}
