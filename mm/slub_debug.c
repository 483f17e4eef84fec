// SPDX-License-Identifier: BSD-2-Clause
/*
 * The checks of CONFIG_MM_DEBUG on SLUB's objects.
 *
 * 1. An object that its user holds is in no free list and on no stack. That is looked at when it is handed out and when
 *    it is given back: in the free list of its slab, under the node's lock, and on this CPU's stack. Other CPUs' stacks
 *    cannot be read while they run; kmem_cache_check() looks at those when all is quiet.
 * 2. A free list whose link was overwritten is found on the way: a link leads to an object of the same slab.
 * 3. What is wrong ends the run, with the object, its cache and its slab, or the CPU whose stack it is on.
 *
 * Cost: O(objects of a slab) for each call.
 */
#include "slub_debug.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>

/* What is being done, and what an object that is in two places is by then. */
struct passage {
	const char *caller, *free;
};

static const struct passage handed_out = { "kmem_cache_alloc", "still" };
static const struct passage given_back = { "kmem_cache_free", "already" };

/* @obj's slab is locked. */
static void check_freelist(const struct passage *passage, const struct kmem_cache *cache, const struct page *slab,
			   const void *obj)
{
	const char *base = page_address(slab);
	u32 n = 0;

	if (!slab->inuse)
		panic("%s: %s: object %p is free %s: nothing of its slab at pfn 0x%lx is taken", passage->caller,
		      cache->name, obj, passage->free, page_to_pfn(slab));
	for (const void *free = slab->freelist; free; free = next_free(free_format(cache), base, free)) {
		if (object_fault(cache, slab_head(free), free) || slab_head(free) != slab || ++n > cache->objects)
			panic("%s: %s: the free list of the slab at pfn 0x%lx leads to %p, which is no free object of it",
			      passage->caller, cache->name, page_to_pfn(slab), free);
		if (free == obj)
			panic("%s: %s: object %p is free %s: in the list of its slab at pfn 0x%lx, %u of %u taken",
			      passage->caller, cache->name, obj, passage->free, page_to_pfn(slab), slab->inuse,
			      cache->objects);
	}
}

/* Interrupts are masked. */
static void check_this_stack(const struct passage *passage, const struct kmem_cache *cache, const void *obj)
{
	int cpu = smp_processor_id();
	unsigned long count = cpu_stack_count(cache, cpu);

	for (unsigned long i = 1; i <= count; i++)
		if (per_cpu_ptr(cache->cpu, cpu)->slot[i] == obj)
			panic("%s: %s: object %p is free %s: on the stack of CPU %d, %lu of %lu", passage->caller,
			      cache->name, obj, passage->free, cpu, i, count);
}

static void check_object(const struct passage *passage, struct kmem_cache *cache, const void *obj)
{
	const struct page *slab = slab_head(obj);
	const char *fault = object_fault(cache, slab, obj);
	struct kmem_cache_node *n;
	unsigned long flags;

	if (fault)
		panic("%s: %s: object %p %s", passage->caller, cache->name, obj, fault);
	n = &cache->node[page_to_nid(slab)];
	flags = spin_lock_irqsave(&n->lock);
	check_freelist(passage, cache, slab, obj);
	check_this_stack(passage, cache, obj);
	spin_unlock_irqrestore(&n->lock, flags);
}

void slub_debug_alloc(struct kmem_cache *cache, const void *obj)
{
	check_object(&handed_out, cache, obj);
}

void slub_debug_free(struct kmem_cache *cache, const void *obj)
{
	check_object(&given_back, cache, obj);
}
