// SPDX-License-Identifier: BSD-2-Clause
/* kmem_cache_destroy() of a cache that kmalloc() uses. */
#include <lib/printk.h>
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_destroy_general, basic, GOES_ON)
{
	void *p = kmalloc(64, GFP_KERNEL);

	printk("kmem_cache_destroy() returns %d\n", kmem_cache_destroy(kmalloc_caches[kmalloc_index(64)]));
	kfree(p);
}
