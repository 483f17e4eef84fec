// SPDX-License-Identifier: BSD-2-Clause
/* krealloc() of an address inside an object: nothing is cleared behind it, where another object lies. */
#include <lib/printk.h>
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_resize_inner, basic, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("misused", 64, 0, SLAB_NO_MERGE, NULL);
	char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	memset(p, 0x5a, 64);
	printk("krealloc() returns %p\n", krealloc(p + 16, 8, GFP_KERNEL | __GFP_ZERO));
	kmem_cache_free(cache, p);
	printk("kmem_cache_destroy() returns %d\n", kmem_cache_destroy(cache));
}
