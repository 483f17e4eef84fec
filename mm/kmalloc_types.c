// SPDX-License-Identifier: BSD-2-Clause
/*
 * kmalloc() of memory of a kind: general caches whose pages are of ZONE_DMA, or are grouped as reclaimable.
 *
 * 1. __GFP_DMA: dma-kmalloc-N. __GFP_RECLAIMABLE: kmalloc-rcl-N. __GFP_DMA goes first when both are asked for. Each of
 *    these caches is made when the first object of its kind and size is asked for, as most machines never need any.
 * 2. A cache is made in thread context only, for a request that may wait (__GFP_DIRECT_RECLAIM), as making one takes a
 *    mutex and memory. Any other that comes before is served by whole pages of the zone (DMA), or by the ordinary cache
 *    (reclaimable, which is a wish and no promise).
 * 3. __GFP_DMA32 is served by whole pages always, as sizes above KMALLOC_MAX_CACHE_SIZE are.
 */
#include <lib/printk.h>
#include <mm/port.h>
#include <stdio.h>

#include "slub.h"
#include "slub_args.h"
#include "slub_merge.h"

enum kmalloc_type { KMALLOC_DMA, KMALLOC_RECLAIM, NR_KMALLOC_TYPES };

/* slab_mutex to write, atomic. */
static struct kmem_cache *typed_caches[NR_KMALLOC_TYPES][NR_KMALLOC_CACHES];

static struct kmem_cache *create_typed(enum kmalloc_type type, int index)
{
	static const char *const format[] = { "dma-kmalloc-%u", "kmalloc-rcl-%u" };
	static const unsigned int flags[] = { SLAB_CACHE_DMA, SLAB_RECLAIM_ACCOUNT };
	struct kmem_cache **place = &typed_caches[type][index], *cache, *other = NULL;
	struct kmem_cache_args args = { .align = (unsigned int)kmalloc_align(kmalloc_sizes[index]) };
	char name[24];

	snprintf(name, sizeof(name), format[type], kmalloc_sizes[index]);
	cache = __kmem_cache_create_args(name, kmalloc_sizes[index], &args, flags[type] | SLAB_NO_MERGE);
	if (!cache)
		return NULL;
	/* Another CPU may have made it meanwhile. */
	if (!__atomic_compare_exchange_n(place, &other, cache, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kmem_cache_destroy(cache);
		return other;
	}
	slab_keep_for_ever(cache);
	return cache;
}

struct kmem_cache *kmalloc_typed_cache(size_t size, gfp_t gfp)
{
	enum kmalloc_type type = gfp & __GFP_DMA ? KMALLOC_DMA : KMALLOC_RECLAIM;
	int index = kmalloc_index(size);
	struct kmem_cache *cache = __atomic_load_n(&typed_caches[type][index], __ATOMIC_ACQUIRE);

	if (cache || !(gfp & __GFP_DIRECT_RECLAIM) || !arch_cross_call_ok())
		return cache;
	return create_typed(type, index);
}
