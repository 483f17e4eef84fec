// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: caches made, shrunk and ended.
 *
 * 1. A cache is an object of the first cache, kmem_cache, whose own struct lies in a page of its own: that is how it all
 *    begins. struct kmem_cache ends with one kmem_cache_node for each node id, so a cache is one allocation, plus its
 *    per-CPU stacks.
 * 2. The slab order is the smallest from 1 (0 for objects of up to TINY bytes) to MAX_SLAB_ORDER whose waste is at most
 *    1/16 of the slab and which holds MIN_OBJECTS; failing that the one that wastes the smallest part.
 * 3. A CPU's stack holds STACK_BYTES of objects, but at least four and at most CPU_STACK_MAX of a general cache, a
 *    quarter of it of any other. General caches have the first numbers of object stacks, which kmalloc() makes constants of.
 * 4. slab_mutex covers the list of caches. Whoever walks it holds the mutex all the way, cross calls included; a cache
 *    leaves the list under the mutex and is freed afterwards, when no walker can be at it. The first caches are listed
 *    without: nobody else uses SLUB yet.
 */
#include "slub.h"

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <stdio.h>

#include "internal.h"

#define MAX_SLAB_ORDER 3
#define MIN_OBJECTS    16
#define WASTE_PART     16
#define TINY	       128u
#define STACK_BYTES    32768u
#define ALL_SLAB_FLAGS (SLAB_HWCACHE_ALIGN | SLAB_PANIC)

DEFINE_MUTEX(slab_mutex);
LIST_HEAD(slab_caches);

static struct kmem_cache *cache_cache;

static DEFINE_SPINLOCK(stacks_lock, LOCK_RANK_CACHE_NODE);
static u64 stacks_used[OBJECT_STACKS / 64]; /* stacks_lock; a bit for each number */

static size_t cache_struct_size(void)
{
	return sizeof(struct kmem_cache) + (size_t)nr_node_ids * sizeof(struct kmem_cache_node);
}

static u16 choose_order(u32 size)
{
	u64 best_waste = ~0ULL;
	u16 best = 0;

	for (u16 order = size > TINY ? 1 : 0; order <= MAX_SLAB_ORDER; order++) {
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
	cache->offset = cache->ctor ? (u32)size : HARDENED ? 0 : (u32)ALIGN_DOWN(size / 2, sizeof(void *));
	if (cache->ctor)
		size += sizeof(void *);
	cache->size = (u32)ALIGN(size, align);
	cache->order = choose_order(cache->size);
	cache->slab_bytes = (u32)(PAGE_SIZE << cache->order);
	cache->objects = (u16)(cache->slab_bytes / cache->size);
	cache->key = (u32)((uintptr_t)cache * 0x9e3779b97f4a7c15UL >> 32) ^ (u32)get_cycles();
	cache->min_partial = 5;
}

/* A number for @cache's stacks: @wanted, or for NO_OBJECT_STACK any that no general cache has. */
static u32 claim_stack_nr(u32 wanted)
{
	unsigned long flags = spin_lock_irqsave(&stacks_lock);
	u32 nr = wanted == NO_OBJECT_STACK ? NR_KMALLOC_CACHES : wanted;

	while (nr < NO_OBJECT_STACK && bit_test(stacks_used, nr))
		nr++;
	if (nr < NO_OBJECT_STACK)
		bit_set(stacks_used, nr);
	spin_unlock_irqrestore(&stacks_lock, flags);
	return nr;
}

static void release_stack_nr(u32 nr)
{
	unsigned long flags = spin_lock_irqsave(&stacks_lock);

	if (nr < NO_OBJECT_STACK)
		bit_clear(stacks_used, nr);
	spin_unlock_irqrestore(&stacks_lock, flags);
}

static u32 stack_nr(const struct kmem_cache *cache)
{
	return (u32)((cache->stack - OBJECT_STACK(0)) / sizeof(struct percpu_stack));
}

/* Where frees are checked, the hot paths look for the mark at the beginning of an object. */
static bool may_have_stacks(const struct kmem_cache *cache)
{
	return !HARDENED || !cache->offset;
}

/* What every object's address is a multiple of: each slab begins with a page. */
static u32 object_alignment(const struct kmem_cache *cache)
{
	return min(cache->size & -cache->size, (u32)PAGE_SIZE);
}

/* Stacks for @cache, number @wanted; without any it works, too. Nobody uses the cache yet. */
static void init_stacks(struct kmem_cache *cache, u32 wanted)
{
	u32 most = wanted == NO_OBJECT_STACK ? CPU_STACK_MAX / 4 : CPU_STACK_MAX;
	u32 capacity = min(max(STACK_BYTES / cache->size, 4u), most);
	u32 nr = may_have_stacks(cache) ? claim_stack_nr(wanted) : NO_OBJECT_STACK;

	cache->stack = (u32)OBJECT_STACK(NO_OBJECT_STACK);
	cache->object_check = OBJECT_CHECK_NEVER;
	if (nr == NO_OBJECT_STACK)
		return;
	cache->cpu = __alloc_percpu(sizeof(struct kmem_cache_cpu) + (capacity + 2) * sizeof(void *), 16);
	if (!cache->cpu) {
		release_stack_nr(nr);
		return;
	}
	cache->stack = (u32)OBJECT_STACK(nr);
	cache->capacity = capacity;
	cache->object_check = object_check_word(this_cpu()->object_tag, object_alignment(cache));
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		percpu_stack_init(cpu_stack(cache, cpu), per_cpu_ptr(cache->cpu, cpu)->slot, capacity);
}

/* The heads of @cache's stacks, which are empty, take nothing any more. Nobody uses the cache. */
static void end_stacks(struct kmem_cache *cache)
{
	if (!has_stacks(cache))
		return;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		*cpu_stack(cache, cpu) = ((struct mm_cpu *)percpu_base(cpu))->nothing;
	release_stack_nr(stack_nr(cache));
	free_percpu(cache->cpu);
}

/* Fill in a zeroed struct. @wanted: the number that its stacks must have, or NO_OBJECT_STACK. */
static void init_cache(struct kmem_cache *cache, const char *name, size_t size, size_t align, unsigned int flags,
		       void (*ctor)(void *obj), u32 wanted)
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
	init_stacks(cache, wanted);
}

/* A cache that is in no list yet; NULL after a line that says why. */
static struct kmem_cache *make_cache(const char *name, size_t size, size_t align, unsigned int flags,
				     void (*ctor)(void *obj), u32 wanted)
{
	struct kmem_cache *cache;

	if (!size || size > KMALLOC_MAX_CACHE_SIZE || align > PAGE_SIZE || (align & (align - 1)) ||
	    (flags & ~ALL_SLAB_FLAGS)) {
		printk("kmem_cache_create: %s: size %zu, align %zu, flags 0x%x: out of range\n", name, size, align,
		       flags);
		return NULL;
	}
	cache = kmem_cache_zalloc(cache_cache, GFP_KERNEL);
	if (cache)
		init_cache(cache, name, size, align, flags, ctor, wanted);
	else
		printk("kmem_cache_create: %s: no memory for its struct\n", name);
	return cache;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned int flags,
				     void (*ctor)(void *obj))
{
	struct kmem_cache *cache = make_cache(name, size, align, flags, ctor, NO_OBJECT_STACK);

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
	end_stacks(cache);
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
		sums->stacked += cpu_stack_count(cache, cpu);
}

/* The cache that caches come from, in a page of its own. */
static void create_cache_cache(void)
{
	int nid;

	for_each_node(nid)
		nr_node_ids = nid + 1;
	BUG_ON(cache_struct_size() > KMALLOC_MAX_CACHE_SIZE);
	cache_cache = (struct kmem_cache *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, cache_struct_size() > PAGE_SIZE);
	if (!cache_cache)
		panic("kmem_cache_init: no memory for the first cache");
	init_cache(cache_cache, "kmem_cache", cache_struct_size(), 0, SLAB_HWCACHE_ALIGN, NULL, NO_OBJECT_STACK);
	list_add_tail(&cache_cache->list, &slab_caches);
}

/* Number @nr of the general caches. */
static struct kmem_cache *create_general(const char *name, size_t size, u32 nr)
{
	size_t align = size & (size - 1) ? 0 : min(size, (size_t)PAGE_SIZE);
	struct kmem_cache *cache = make_cache(name, size, align, 0, NULL, nr);

	if (!cache)
		panic("kmem_cache_init: no memory for the general caches");
	list_add_tail(&cache->list, &slab_caches);
	return cache;
}

void kmem_cache_init(void)
{
	static char names[NR_KMALLOC_CACHES][16];

	slab_hot_init();
	create_cache_cache();
	for (int i = 0; i < NR_KMALLOC_CACHES; i++) {
		snprintf(names[i], sizeof(names[i]), "kmalloc-%u", kmalloc_sizes[i]);
		kmalloc_caches[i] = create_general(names[i], kmalloc_sizes[i], (u32)i);
	}
	printk("SLUB: %d general caches of %u to %u bytes, %d nodes, %d CPUs\n", NR_KMALLOC_CACHES, kmalloc_sizes[0],
	       kmalloc_sizes[NR_KMALLOC_CACHES - 1], nr_node_ids, nr_cpu_ids);
}
