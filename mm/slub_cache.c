// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: caches made, shrunk and ended.
 *
 * 1. A cache is an object of the first cache, kmem_cache, whose own struct lies in a page of its own: that is how it all
 *    begins. struct kmem_cache ends with one kmem_cache_node for each node id, so a cache is one allocation, plus its
 *    per-CPU stacks.
 * 2. The slab order is the smallest, up to MAX_SLAB_ORDER, whose waste is at most 1/16 of the slab and which holds
 *    MIN_OBJECTS; failing that the one that wastes the smallest part.
 * 3. A CPU's stack holds up to CPU_STACK_MAX objects or STACK_BYTES, whichever is less, at least four.
 * 4. slab_mutex covers the list of caches. Whoever walks it holds the mutex all the way, cross calls included; a cache
 *    leaves the list under the mutex and is freed afterwards, when no walker can be at it. The first caches are listed
 *    without: nobody else uses SLUB yet.
 */
#include "slub.h"

#include <errno.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <stdio.h>

#include "internal.h"

#define MAX_SLAB_ORDER 3
#define MIN_OBJECTS    8
#define WASTE_PART     16
#define STACK_BYTES    16384
#define ALL_SLAB_FLAGS (SLAB_HWCACHE_ALIGN | SLAB_PANIC)

DEFINE_MUTEX(slab_mutex);
LIST_HEAD(slab_caches);

static struct kmem_cache *cache_cache;

static size_t cache_struct_size(void)
{
	return sizeof(struct kmem_cache) + (size_t)nr_node_ids * sizeof(struct kmem_cache_node);
}

static u16 choose_order(u32 size)
{
	u64 best_waste = ~0ULL;
	u16 best = 0;

	for (u16 order = 0; order <= MAX_SLAB_ORDER; order++) {
		size_t bytes = PAGE_SIZE << order;
		/* Waste per MAX_SLAB_ORDER slab, so that orders compare. */
		u64 waste = (u64)(bytes % size) << (MAX_SLAB_ORDER - order);

		if (bytes < size)
			continue;
		if (bytes / size >= MIN_OBJECTS && bytes % size <= bytes / WASTE_PART)
			return order;
		if (waste <= best_waste) {
			best_waste = waste;
			best = order;
		}
	}
	return best;
}

static void init_geometry(struct kmem_cache *cache, size_t size, size_t align)
{
	if (cache->flags & SLAB_HWCACHE_ALIGN)
		align = max(align, size > 32 ? 64UL : size > 16 ? 32UL : 16UL);
	align = max(align, ARCH_KMALLOC_MINALIGN);
	cache->object_size = (u32)size;
	cache->align = (u32)align;
	size = ALIGN(size, sizeof(void *));
	cache->offset = cache->ctor ? (u32)size : (u32)ALIGN_DOWN(size / 2, sizeof(void *));
	if (cache->ctor)
		size += sizeof(void *);
	cache->size = (u32)ALIGN(size, align);
	cache->order = choose_order(cache->size);
	cache->objects = (u16)((PAGE_SIZE << cache->order) / cache->size);
	cache->min_partial = 5;
}

static void init_stack(struct kmem_cache_cpu *stack, u32 capacity, int nid)
{
	stack->capacity = capacity;
	stack->nid = node_for_alloc[nid];
}

static bool init_stacks(struct kmem_cache *cache)
{
	u32 capacity = min(max(STACK_BYTES / cache->size, 4u), (u32)CPU_STACK_MAX);
	size_t bytes = offsetof(struct kmem_cache_cpu, object) + capacity * sizeof(void *);

	cache->cpu = __alloc_percpu(bytes, 16);
	if (!cache->cpu)
		return false;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		init_stack(per_cpu_ptr(cache->cpu, cpu), capacity, ((struct mm_cpu *)percpu_base(cpu))->nid);
	cache->stack_offset = percpu_offset(cache->cpu);
	return true;
}

/* Fill in a zeroed struct. Return: false when there is no room for its stacks. */
static bool init_cache(struct kmem_cache *cache, const char *name, size_t size, size_t align, unsigned int flags,
		       void (*ctor)(void *obj))
{
	cache->name = name;
	cache->flags = (u16)flags;
	cache->ctor = ctor;
	init_geometry(cache, size, align);
	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = &cache->node[nid];

		spin_lock_init(&n->lock, name, LOCK_RANK_CACHE_NODE);
		INIT_LIST_HEAD(&n->partial);
		INIT_LIST_HEAD(&n->full);
	}
	return init_stacks(cache);
}

/* A cache that is in no list yet; NULL after a line that says why. */
static struct kmem_cache *make_cache(const char *name, size_t size, size_t align, unsigned int flags,
				     void (*ctor)(void *obj))
{
	struct kmem_cache *cache;

	if (!size || size > KMALLOC_MAX_CACHE_SIZE || align > PAGE_SIZE || (align & (align - 1)) ||
	    (flags & ~ALL_SLAB_FLAGS)) {
		printk("kmem_cache_create: %s: size %zu, align %zu, flags 0x%x: out of range\n", name, size, align,
		       flags);
		return NULL;
	}
	cache = kmem_cache_zalloc(cache_cache, GFP_KERNEL);
	if (cache && init_cache(cache, name, size, align, flags, ctor))
		return cache;
	printk("kmem_cache_create: %s: no memory for its %s\n", name, cache ? "per-CPU stacks" : "struct");
	kmem_cache_free(cache_cache, cache);
	return NULL;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned int flags,
				     void (*ctor)(void *obj))
{
	struct kmem_cache *cache = make_cache(name, size, align, flags, ctor);

	if (!cache && (flags & SLAB_PANIC))
		panic("kmem_cache_create: %s failed", name);
	if (!cache)
		return NULL;
	mutex_lock(&slab_mutex);
	list_add_tail(&cache->list, &slab_caches);
	mutex_unlock(&slab_mutex);
	return cache;
}

unsigned long kmem_cache_shrink(struct kmem_cache *cache)
{
	slab_flush_all(cache);
	return slab_discard_empty(cache);
}

unsigned long kmem_cache_shrink_all(void)
{
	struct kmem_cache *cache;
	unsigned long freed = 0;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list)
		freed += kmem_cache_shrink(cache);
	mutex_unlock(&slab_mutex);
	return freed;
}

int kmem_cache_destroy(struct kmem_cache *cache)
{
	struct slab_sums sums;

	if (!cache)
		return 0;
	kmem_cache_shrink(cache);
	slab_sum(cache, &sums);
	if (sums.taken) {
		printk("kmem_cache_destroy: %s: %lu objects are still allocated: the cache stays\n", cache->name,
		       sums.taken);
		return -EBUSY;
	}
	mutex_lock(&slab_mutex);
	list_del(&cache->list);
	mutex_unlock(&slab_mutex);
	free_percpu(cache->cpu);
	kmem_cache_free(cache_cache, cache);
	return 0;
}

size_t kmem_cache_size(const struct kmem_cache *cache)
{
	return cache->object_size;
}

void slab_sum(struct kmem_cache *cache, struct slab_sums *sums)
{
	*sums = (struct slab_sums){ 0 };
	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = &cache->node[nid];
		unsigned long flags = spin_lock_irqsave(&n->lock);

		sums->slabs += n->nr_slabs;
		sums->partial += n->nr_partial;
		sums->taken += n->nr_taken;
		spin_unlock_irqrestore(&n->lock, flags);
	}
	sums->objects = sums->slabs * cache->objects;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		sums->stacked += READ_ONCE(per_cpu_ptr(cache->cpu, cpu)->count);
}

/* The cache that caches come from, in a page of its own. */
static void create_cache_cache(void)
{
	int nid;

	for_each_node(nid)
		nr_node_ids = nid + 1;
	BUG_ON(cache_struct_size() > KMALLOC_MAX_CACHE_SIZE);
	cache_cache = (struct kmem_cache *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, cache_struct_size() > PAGE_SIZE);
	if (!cache_cache || !init_cache(cache_cache, "kmem_cache", cache_struct_size(), 0, SLAB_HWCACHE_ALIGN, NULL))
		panic("kmem_cache_init: no memory for the first cache");
	list_add_tail(&cache_cache->list, &slab_caches);
}

static struct kmem_cache *create_general(const char *name, size_t size)
{
	size_t align = size & (size - 1) ? 0 : min(size, (size_t)PAGE_SIZE);
	struct kmem_cache *cache = make_cache(name, size, align, 0, NULL);

	if (!cache)
		panic("kmem_cache_init: no memory for the general caches");
	list_add_tail(&cache->list, &slab_caches);
	return cache;
}

void kmem_cache_init(void)
{
	static char names[NR_KMALLOC_CACHES][16];

	create_cache_cache();
	for (int i = 0; i < NR_KMALLOC_CACHES; i++) {
		snprintf(names[i], sizeof(names[i]), "kmalloc-%u", kmalloc_sizes[i]);
		kmalloc_caches[i] = create_general(names[i], kmalloc_sizes[i]);
	}
	printk("SLUB: %d general caches of %u to %u bytes, %d nodes, %d CPUs\n", NR_KMALLOC_CACHES, kmalloc_sizes[0],
	       kmalloc_sizes[NR_KMALLOC_CACHES - 1], nr_node_ids, nr_cpu_ids);
}
