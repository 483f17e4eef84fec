/* SPDX-License-Identifier: BSD-2-Clause */
/* SLUB's structures, for slub*.c, kmalloc.c, show_slab.c and show_memory.c. */
#ifndef MM_SLUB_H
#define MM_SLUB_H

#include <lib/list.h>
#include <lib/mutex.h>
#include <lib/spinlock.h>
#include <mm/mmzone.h>
#include <mm/slab.h>

#include "hardening.h"

#define CPU_STACK_MAX 62

/**
 * struct kmem_cache_cpu - one CPU's stack of free objects
 * @count: objects on it
 * @capacity: (c) no more than this many
 * @nid: (c) the node whose objects may lie on it
 * @refills: times it was filled from slabs
 * @flushes: times objects went back to slabs
 * @object: the objects, the hottest at @count - 1
 *
 * Touched only by its CPU, interrupts masked; others look at @count. Its objects count as taken from their slabs.
 */
struct kmem_cache_cpu {
	u32 count;
	u32 capacity;
	int nid;
	unsigned long refills;
	unsigned long flushes;
	void *object[CPU_STACK_MAX];
};

/**
 * struct kmem_cache_node - a cache's slabs on one node
 * @lock: covers all of it, and freelist, inuse and on_list of its slabs
 * @partial: slabs with free objects
 * @full: slabs without
 * @nr_partial: how many are in @partial; looked at without the lock, too
 * @nr_slabs: in both lists
 * @nr_taken: objects taken from all of them
 */
struct kmem_cache_node {
	spinlock_t lock;
	struct list_head partial;
	struct list_head full;
	unsigned long nr_partial;
	unsigned long nr_slabs;
	unsigned long nr_taken;
};

/**
 * struct kmem_cache - a cache
 * @stack_offset: (c) bytes from a CPU's per-CPU base to its stack
 * @cpu: (c) the stacks (a per-CPU cookie)
 * @name: (c)
 * @object_size: (c) bytes a user may use
 * @size: (c) bytes from one object to the next
 * @align: (c)
 * @offset: (c) where in a free object the link to the next free one is
 * @objects: (c) per slab
 * @order: (c) of a slab
 * @min_partial: (c) empty slabs are kept as long as a node has no more partial ones than this
 * @flags: (c) SLAB_ flags
 * @ctor: (c) NULL for none
 * @list: (M) in the list of caches
 * @node: (c) by node id, nr_node_ids of them
 *
 * Lock letters: (c) constant once created; (M) slab_mutex.
 */
struct kmem_cache {
	size_t stack_offset;
	struct kmem_cache_cpu *cpu;
	const char *name;
	u32 object_size;
	u32 size;
	u32 align;
	u32 offset;
	u16 objects;
	u16 order;
	u16 min_partial;
	u16 flags;
	void (*ctor)(void *obj);
	struct list_head list;
	struct kmem_cache_node node[];
};

/* (c) One more than the highest node id. */
extern int nr_node_ids;

/* Whoever holds it in thread context may walk the caches, and none of them goes away; cross calls are allowed. */
extern struct mutex slab_mutex;
extern struct list_head slab_caches; /* (M) */

/** linear_page() - the page that @p points into, NULL when @p is no address in the linear map of an initialised page */
static inline struct page *linear_page(const void *p)
{
	struct page *page = virt_to_page(p);

	/* What is initialised is present, too. */
	return (uintptr_t)p >= (uintptr_t)__va(0) && page_initialised(page_to_pfn(page)) ? page : NULL;
}

/** slab_of() - the first page of the slab that @obj, an object of some cache, lies in */
static inline struct page *slab_of(const void *obj)
{
	struct page *page = virt_to_page(obj);

	return page - page->head_offset;
}

/** slab_head() - slab_of() for any pointer: NULL when its page is no slab's */
static inline struct page *slab_head(const void *obj)
{
	const struct page *page = linear_page(obj);

	return page && page_test(page, PG_slab) ? slab_of(obj) : NULL;
}

/** slab_to_free() - slab_head() for what a caller gives back; where frees are not checked, it is believed to be in RAM */
static inline struct page *slab_to_free(const void *p)
{
	const struct page *page = HARDENED ? linear_page(p) : virt_to_page(p);

	return likely(page && page_test(page, PG_slab)) ? slab_of(p) : NULL;
}

/** slab_free() - kmem_cache_free() of @obj, whose slab is @slab as slab_to_free() found it */
void slab_free(struct kmem_cache *cache, struct page *slab, void *obj);

/** begins_object() - whether @obj, an address in @cache's @slab, is that of an object */
static inline bool begins_object(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	size_t offset = (uintptr_t)obj - (uintptr_t)page_address(slab);

	return offset % cache->size == 0 && offset / cache->size < slab->objects;
}

/** object_fault() - why @obj, which lies in @slab (NULL: in none), is no object of @cache; NULL when it is one */
const char *object_fault(const struct kmem_cache *cache, const struct page *slab, const void *obj);

static inline void **free_link(const struct kmem_cache *cache, void *obj)
{
	return (void **)(void *)((char *)obj + cache->offset);
}

/** struct slab_sums - a cache's state, summed over nodes and CPUs */
struct slab_sums {
	unsigned long slabs, partial, objects, taken, stacked;
};

/** slab_sum() - sum a cache up; each node under its lock, CPU stacks without: exact when quiet */
void slab_sum(struct kmem_cache *cache, struct slab_sums *sums);

/** slab_flush_all() - every CPU's stack of @cache back to its slabs, by cross call. Context: thread. */
void slab_flush_all(struct kmem_cache *cache);

/** slab_discard_empty() - give empty slabs back to the page allocator. Return: how many. */
unsigned long slab_discard_empty(struct kmem_cache *cache);

#endif
