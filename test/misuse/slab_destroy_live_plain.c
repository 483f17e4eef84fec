// SPDX-License-Identifier: BSD-2-Clause
/* The same where owners are not kept: it is said which object is left. */
#include <lib/printk.h>
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_destroy_live_plain, basic, GOES_ON)
{
	struct kmem_cache *cache = kmem_cache_create("misused", 24, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(cache, GFP_KERNEL);

	printk("kmem_cache_destroy() returns %d\n", kmem_cache_destroy(cache));
	kmem_cache_free(cache, p);
	printk("and %d when all objects are back\n", kmem_cache_destroy(cache));
}
