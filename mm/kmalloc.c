// SPDX-License-Identifier: BSD-2-Clause
/*
 * kmalloc: the general caches, and the page allocator for what is larger.
 *
 * 1. Sizes up to KMALLOC_MAX_CACHE_SIZE come from the cache that kmalloc_index() names, or one of its kin when flags
 *    ask for memory of a kind (kmalloc_types.c). Larger ones are a block of pages whose first page has PG_kmalloc and
 *    knows its order; they count as SUnreclaim, as on Linux.
 * 2. kfree() finds out which by the page: PG_slab, PG_kmalloc, or neither, which is reported and left alone.
 * 3. A power-of-two size is aligned to itself, every other to 8.
 */
#include "slub_report.h"

#include <lib/printk.h>
#include <mm/port.h>
#include <mm/vmstat.h>

#include "slub_hot.h"

const u16 kmalloc_sizes[NR_KMALLOC_CACHES] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

struct kmem_cache *kmalloc_caches[NR_KMALLOC_CACHES];

static unsigned int order_for(size_t size)
{
	size_t pages = DIV_ROUND_UP(size, PAGE_SIZE);

	return pages > 1 ? 64 - (unsigned int)__builtin_clzl(pages - 1) : 0;
}

/* @order is none too large. */
static struct page *large_pages(gfp_t gfp, unsigned int order, int nid)
{
	if (nid != NUMA_NO_NODE)
		return alloc_pages_node(nid, gfp, order);
	if (gfp_is_hot(gfp))
		return alloc_pages_hot(local_page_stack(order, gfp_migratetype(gfp)), gfp, order);
	return alloc_pages(gfp, order);
}

static void *kmalloc_large(size_t size, gfp_t gfp, int nid)
{
	const unsigned int order = order_for(size);
	struct page *page;

	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	gfp &= ~(__GFP_MOVABLE | __GFP_COMP);
	page = large_pages(gfp, order, nid);
	if (!page)
		return NULL;
	page_set(page, PG_kmalloc);
	mod_zone_page_state(page_zone(page), NR_SLAB_UNRECLAIMABLE, 1L << order);
	return page_address(page);
}

/* An object of @cache for @size bytes. */
static void *alloc_near(struct kmem_cache *cache, size_t size, gfp_t gfp, int nid)
{
	if (unlikely(cache->guard))
		return guard_kmalloc(cache, gfp, size, nid, false);
	return kmem_cache_alloc_node(cache, gfp, nid);
}

/* What kmalloc_is_special(). */
static void *kmalloc_special(size_t size, gfp_t gfp, int nid)
{
	struct kmem_cache *cache;

	if (size > KMALLOC_MAX_CACHE_SIZE || (gfp & __GFP_DMA32))
		return kmalloc_large(size, gfp, nid);
	cache = kmalloc_typed_cache(size, gfp);
	if (!cache && (gfp & __GFP_DMA))
		return kmalloc_large(size, gfp, nid);
	if (!cache)
		cache = kmalloc_caches[kmalloc_index(size)];
	return alloc_near(cache, size, gfp & ~(__GFP_DMA | __GFP_RECLAIMABLE), nid);
}

void *kmalloc_slow(size_t size, gfp_t gfp)
{
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_large(size, gfp, NUMA_NO_NODE);
	if (!size)
		return ZERO_SIZE_PTR;
	if (kmalloc_is_special(size, gfp))
		return kmalloc_special(size, gfp, NUMA_NO_NODE);
	return kmalloc_missed_size(kmalloc_stack_of_size[(size - 1) / ARCH_KMALLOC_MINALIGN], gfp, size - 1);
}

void *kmalloc_node(size_t size, gfp_t gfp, int nid)
{
	if (!size)
		return ZERO_SIZE_PTR;
	if (kmalloc_is_special(size, gfp))
		return kmalloc_special(size, gfp, nid);
	return alloc_near(kmalloc_caches[kmalloc_index(size)], size, gfp, nid);
}

/* @page, which has @p in it, if a large kmalloc() begins at @p; else NULL. */
static struct page *large_page(const void *p, struct page *page)
{
	return page && IS_ALIGNED((uintptr_t)p, PAGE_SIZE) && page_test(page, PG_kmalloc) ? page : NULL;
}

static void kfree_large(const void *p)
{
	/* Where frees are not checked, the page has been looked at before: there is one. */
	struct page *page = large_page(p, HARDENED ? linear_page(p) : virt_to_page(p));
	unsigned int order;

	if (!page) {
		slub_report_free(NULL, NULL, p, "is nothing that kmalloc returned");
		return;
	}
	order = page_order(page);
	page_clear(page, PG_kmalloc);
	mod_zone_page_state(page_zone(page), NR_SLAB_UNRECLAIMABLE, -(1L << order));
	__free_pages(page, order);
}

void kfree_slow(const void *p)
{
	struct page *slab = HARDENED ? slab_head(p) : slab_if_any(p);

	/* Where frees are not checked, __kfree() has looked at that. */
	if (HARDENED && unlikely((uintptr_t)p <= (uintptr_t)ZERO_SIZE_PTR))
		return;
	if (!slab)
		kfree_large(p);
	else if (unlikely(slab->slab_cache->guard))
		guard_free(slab->slab_cache, slab, (void *)(uintptr_t)p);
	else if (HARDENED)
		slab_free_checked(NULL, slab, (void *)(uintptr_t)p);
	else
		slab_free_slow((void *)(uintptr_t)p);
}

size_t kmalloc_large_size(const void *p)
{
	const struct page *page = large_page(p, linear_page(p));

	return page ? PAGE_SIZE << page_order(page) : 0;
}

size_t ksize(const void *p)
{
	struct page *slab;

	if ((uintptr_t)p <= (uintptr_t)ZERO_SIZE_PTR)
		return 0;
	slab = slab_head(p);
	if (!slab)
		return kmalloc_large_size(p);
	if (unlikely(slab->slab_cache->guard))
		guard_resize(slab, (void *)(uintptr_t)p, slab->slab_cache->object_size);
	return slab->slab_cache->object_size;
}
