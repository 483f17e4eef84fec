// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: caches made, shrunk and ended.
 *
 * 1. A cache is an object of the first cache, kmem_cache, whose own struct lies in a page of its own: that is how it
 *    all begins. struct kmem_cache ends with one kmem_cache_node for each node id, so a cache is one allocation, plus
 *    its per-CPU stacks.
 * 2. The slab order is the smallest from 1 (0 for objects of up to TINY bytes) to MAX_SLAB_ORDER whose waste is at most
 *    1/16 of the slab and which holds MIN_OBJECTS; failing that the one that wastes the smallest part.
 * 3. A CPU's stack holds STACK_BYTES of objects, but at least four and at most CPU_STACK_MAX of a general cache, a
 *    quarter of it of any other; one for another node's objects far_stack(). General caches have the first numbers of
 *    object stacks, which kmalloc() makes constants of.
 * 4. A cache without constructor and guards that has no flag against it shares the slabs of a like one that is there
 *    already (slub_merge.c): it is that cache by another name, and ends when it was destroyed as often as it was made.
 * 5. slab_mutex covers the list of caches. Whoever walks it holds the mutex all the way, cross calls included; a cache
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
#include "slub_args.h"
#include "slub_guard.h"
#include "slub_merge.h"
#include "slub_report.h"

#define MAX_SLAB_ORDER 3
#define MIN_OBJECTS    16
#define WASTE_PART     16
#define TINY	       128u
/* Slabs that a node keeps for its next need: a thousand small objects come and go without a page. */
#define KEPT_BYTES 65536u
#define KEPT_SLABS 5u

#define STACK_BYTES 32768u
#define LEAKS_SHOWN 16UL

DEFINE_MUTEX(slab_mutex);
LIST_HEAD(slab_caches);

static struct kmem_cache *cache_cache;

static DEFINE_SPINLOCK(stacks_lock, LOCK_RANK_CACHE_NODE);
static u64 stacks_used[OBJECT_STACKS / 64]; /* stacks_lock; a bit for each number */

/* What objects of caches with stacks are told by, by the stacks' number; a stride of 0: nobody's. stacks_lock. */
static struct {
	u16 id, stride;
} told_by[OBJECT_STACKS];

#define ID_TRIES 64
#define ID_STEP	 37 /* odd: whatever ids must not be alike in, some try is not */

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

size_t slab_align(size_t size, size_t align, unsigned int flags)
{
	if (flags & SLAB_HWCACHE_ALIGN)
		align = max(align, size > 32 ? 64UL : size > 16 ? 32UL : size > 8 ? 16UL : 8UL);
	return max(align, ARCH_KMALLOC_MINALIGN);
}

/* Return: false when there is no memory for the guard of a guarded cache. */
static bool init_geometry(struct kmem_cache *cache, size_t size, size_t align)
{
	bool whole = cache->ctor || (cache->flags & SLAB_TYPESAFE_BY_RCU);

	align = slab_align(size, align, cache->flags);
	cache->object_size = (u32)size;
	cache->align = (u32)align;
	size = ALIGN(size, sizeof(void *));
	/* What somebody may look at while it is free is not written to. */
	cache->offset = whole ? (u32)size : HARDENED ? 0 : (u32)ALIGN_DOWN(size / 2, sizeof(void *));
	if (whole)
		size += sizeof(void *);
	cache->size = (u32)ALIGN(size, align);
	if ((cache->flags & SLAB_GUARDS) && !guard_init(cache))
		return false;
	cache->order = choose_order(cache->size);
	cache->slab_bytes = (u32)(PAGE_SIZE << cache->order);
	cache->objects = (u16)(cache->slab_bytes / cache->size);
	cache->first = cache->guard ? 0 : cache->slab_bytes - cache->objects * cache->size;
	cache->step = object_step(cache->size);
	cache->key = (u32)((uintptr_t)cache * 0x9e3779b97f4a7c15UL >> 32) ^ (u32)get_cycles();
	cache->same = -(u64)cache->slab_bytes | (cache->size & (cache->size - 1) ? 0 : cache->size - 1);
	cache->min_partial = (u16)max(KEPT_BYTES / cache->slab_bytes, KEPT_SLABS);
	return true;
}

/* Whether no free is taken for one of objects of @stride with @id that is not, nor the other way round. */
static bool is_apart(u32 id, u32 stride)
{
	/* 0 is that of caches without stacks. */
	if (!object_ids_apart(id, stride, 0))
		return false;
	for (u32 nr = 0; nr < NO_OBJECT_STACK; nr++)
		if (told_by[nr].stride && !(object_ids_apart(id, stride, told_by[nr].id) &&
					    object_ids_apart(told_by[nr].id, told_by[nr].stride, id)))
			return false;
	return true;
}

/*
 * What objects of @stride are to be told by, in another run of the machine by something else; 0: there is no such
 * number.
 */
static u32 pick_id(u32 nr, u32 stride)
{
	u32 id = this_cpu()->object_tag + nr * (0x10000 / OBJECT_STACKS);

	for (int i = 0; i < ID_TRIES; i++, id += ID_STEP)
		if (is_apart(id & 0xffff, stride))
			return id & 0xffff;
	return 0;
}

/*
 * A number for @cache's stacks: @wanted, or for NO_OBJECT_STACK any that no general cache has; and what its objects are
 * told by, where frees are checked. NO_OBJECT_STACK when there is none.
 */
static u32 claim_stack_nr(struct kmem_cache *cache, u32 wanted)
{
	u32 nr = wanted == NO_OBJECT_STACK ? NR_KMALLOC_CACHES : wanted;
	unsigned long flags;

	flags = spin_lock_irqsave(&stacks_lock);
	while (nr < NO_OBJECT_STACK && bit_test(stacks_used, nr))
		nr++;
	if (HARDENED && nr < NO_OBJECT_STACK)
		cache->object_id = pick_id(nr, cache->size);
	if (HARDENED && !cache->object_id)
		nr = NO_OBJECT_STACK;
	if (nr < NO_OBJECT_STACK) {
		bit_set(stacks_used, nr);
		told_by[nr].id = (u16)cache->object_id;
		told_by[nr].stride = (u16)cache->size;
	}
	spin_unlock_irqrestore(&stacks_lock, flags);
	return nr;
}

static void release_stack_nr(u32 nr)
{
	unsigned long flags = spin_lock_irqsave(&stacks_lock);

	bit_clear(stacks_used, nr);
	told_by[nr].stride = 0;
	spin_unlock_irqrestore(&stacks_lock, flags);
}

static u32 stack_nr(const struct kmem_cache *cache)
{
	return (u32)((cache->stack - OBJECT_STACK(0)) / sizeof(struct percpu_stack));
}

/* Empty stacks of @cpu, one for each node. */
static void init_cpu_stacks(struct kmem_cache *cache, int cpu)
{
	struct kmem_cache_cpu *c = per_cpu_ptr(cache->cpu, cpu);

	for (int nid = 0; nid < nr_node_ids; nid++)
		if (has_node(nid))
			percpu_stack_init(node_stack(cache, cpu, nid), node_slots(cache, cpu, nid),
					  is_near(cpu, nid) ? cache->capacity : far_stack());
	c->seen = c->slot;
}

/* Stacks for @cache, number @wanted; without any it works, too. Nobody uses the cache yet. */
static void init_stacks(struct kmem_cache *cache, u32 wanted)
{
	u32 most = wanted == NO_OBJECT_STACK ? CPU_STACK_MAX / 4 : CPU_STACK_MAX;
	u32 capacity = min(max(STACK_BYTES / cache->size, 4u), most);
	u32 nr = cache->guard ? NO_OBJECT_STACK : claim_stack_nr(cache, wanted), slots;

	cache->stack = (u32)OBJECT_STACK(NO_OBJECT_STACK);
	if (nr == NO_OBJECT_STACK)
		return;
	slots = capacity + 2 + (nr_node_ids > 1 ? (u32)nr_node_ids * (far_stack() + 2) : 0);
	cache->cpu = __alloc_percpu_gfp(sizeof(struct kmem_cache_cpu) + slots * sizeof(void *), 16,
					GFP_KERNEL | __GFP_NOWARN);
	if (!cache->cpu) {
		release_stack_nr(nr);
		cache->object_id = 0;
		return;
	}
	cache->stack = (u32)OBJECT_STACK(nr);
	cache->capacity = capacity;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		init_cpu_stacks(cache, cpu);
}

/* The heads of @cache's stacks, which are empty, take nothing any more. Nobody uses the cache. */
static void end_stacks(struct kmem_cache *cache)
{
	if (!has_stacks(cache))
		return;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		for (int nid = 0; nid < nr_node_ids; nid++)
			if (has_node(nid))
				*node_stack(cache, cpu, nid) = ((struct mm_cpu *)percpu_base(cpu))->nothing;
	release_stack_nr(stack_nr(cache));
	free_percpu(cache->cpu);
}

/*
 * Fill in a zeroed struct. @wanted: the number that its stacks must have, or NO_OBJECT_STACK. Return: false when there
 * is no memory for its guard.
 */
static bool init_cache(struct kmem_cache *cache, const char *name, size_t size, size_t align, unsigned int flags,
		       void (*ctor)(void *obj), u32 wanted)
{
	cache->name = name;
	cache->flags = (u16)flags;
	cache->ctor = ctor;
	INIT_LIST_HEAD(&cache->aliases);
	if (!init_geometry(cache, size, align))
		return false;
	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = &cache->node[nid];

		spin_lock_init(&n->lock, name, LOCK_RANK_CACHE_NODE);
		INIT_LIST_HEAD(&n->partial);
		INIT_LIST_HEAD(&n->full);
	}
	init_stacks(cache, wanted);
	return true;
}

static bool args_fit(size_t size, size_t align, unsigned int flags)
{
	return size && size <= KMALLOC_MAX_CACHE_SIZE && align <= KMALLOC_MAX_CACHE_SIZE && !(align & (align - 1)) &&
	       !(flags & ~ALL_SLAB_FLAGS);
}

/* A cache that is in no list yet; NULL after a line that says why. */
static struct kmem_cache *make_cache(const char *name, size_t size, size_t align, unsigned int flags,
				     void (*ctor)(void *obj), u32 wanted)
{
	struct kmem_cache *cache;

	cache = kmem_cache_zalloc(cache_cache, GFP_KERNEL);
	if (cache && init_cache(cache, name, size, align, flags, ctor, wanted))
		return cache;
	printk("kmem_cache_create: %s: no memory for its %s\n", name, cache ? "guard" : "struct");
	kmem_cache_free(cache_cache, cache);
	return NULL;
}

/* A cache of its own with a copy of @name. */
static struct kmem_cache *make_named(const char *name, size_t size, const struct kmem_cache_args *args,
				     unsigned int flags)
{
	char *copy = kstrdup(name, GFP_KERNEL);
	struct kmem_cache *cache = NULL;

	if (copy)
		cache = make_cache(copy, size, args->align, flags, args->ctor, NO_OBJECT_STACK);
	else
		printk("kmem_cache_create: %s: no memory for its name\n", name);
	if (!cache) {
		kfree(copy);
		return NULL;
	}
	cache->refcount = 1;
	mutex_lock(&slab_mutex);
	list_add_tail(&cache->list, &slab_caches);
	mutex_unlock(&slab_mutex);
	return cache;
}

static struct kmem_cache *create(const char *name, size_t size, const struct kmem_cache_args *args, unsigned int flags)
{
	struct kmem_cache *cache = NULL;

	if (!args_fit(size, args->align, flags)) {
		printk("kmem_cache_create: %s: size %zu, align %u, flags 0x%x: out of range\n", name, size, args->align,
		       flags);
		return NULL;
	}
	flags |= slub_guards(name);
	if (!args->ctor)
		cache = slab_merge(name, size, args->align, flags);
	return cache ? cache : make_named(name, size, args, flags);
}

struct kmem_cache *__kmem_cache_create_args(const char *name, size_t size, const struct kmem_cache_args *args,
					    unsigned int flags)
{
	static const struct kmem_cache_args defaults;
	struct kmem_cache *cache = create(name, size, args ? args : &defaults, flags);

	if (!cache && (flags & SLAB_PANIC))
		panic("kmem_cache_create: %s failed", name);
	return cache;
}

unsigned long slab_shrink(struct kmem_cache *cache)
{
	slab_flush_all(cache);
	return slab_discard_empty(cache);
}

int kmem_cache_shrink(struct kmem_cache *cache)
{
	struct slab_sums sums;

	slab_shrink(cache);
	slab_sum(cache, &sums);
	return sums.slabs != 0;
}

unsigned long kmem_cache_shrink_all(void)
{
	struct kmem_cache *cache;
	unsigned long freed = 0;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list)
		freed += slab_shrink(cache);
	mutex_unlock(&slab_mutex);
	return freed;
}

/* Say which objects of @cache, all of whose stacks are empty, are still allocated. */
static void report_leaks(struct kmem_cache *cache, unsigned long leaks)
{
	printk("kmem_cache_destroy: %s: %lu objects are still allocated: the cache stays\n", cache->name, leaks);
	if (cache->guard)
		guard_show_live(cache, LEAKS_SHOWN);
	else
		slab_show_live(cache, LEAKS_SHOWN);
	if (leaks > LEAKS_SHOWN)
		printk("  and %lu more\n", leaks - LEAKS_SHOWN);
}

int kmem_cache_destroy(struct kmem_cache *cache)
{
	int left = cache ? slab_unmerge(cache) : 0;
	struct slab_sums sums;

	if (!cache || left)
		return min(left, 0);
	slab_shrink(cache);
	slab_sum(cache, &sums);
	if (sums.taken != sums.stacked) {
		report_leaks(cache, sums.taken - sums.stacked);
		slab_keep(cache);
		return -EBUSY;
	}
	mutex_lock(&slab_mutex);
	list_del(&cache->list);
	mutex_unlock(&slab_mutex);
	end_stacks(cache);
	if (cache->guard) {
		guard_abandon(cache);
		guard_exit(cache);
	}
	slab_forget_aliases(cache);
	kfree(cache->name);
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
	if (cache->guard) {
		guard_sum(cache, sums);
		return;
	}
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
		for (int nid = 0; nid < nr_node_ids; nid++)
			sums->stacked += node_stack_count(cache, cpu, nid);
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
	struct kmem_cache *cache = make_cache(name, size, kmalloc_align(size), slub_guards(name), NULL, nr);

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
