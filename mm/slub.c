// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: allocation and free of objects.
 *
 * 1. A slab is a block of pages cut into objects. Its first page's struct page holds all there is to know: the cache, the
 *    first free object, how many are taken. A free object holds the link to the next one; where, kmem_cache.offset says:
 *    in its middle, or behind it when a constructor made what is inside.
 * 2. Every CPU has a stack of free objects for each cache. A hit is a pop or a push, interrupts masked, no lock.
 * 3. An empty stack is filled halfway from the partial slabs of the CPU's node under that node's lock; when there are
 *    none, from a new slab; when no page is to be had, from any other node's partial slabs.
 * 4. A full stack gives its colder half back to their slabs. An object of another node's slab goes home at once: stacks
 *    hold local objects only, but for those that 3 took from afar.
 * 5. A slab from which nothing is taken goes back to the page allocator, unless its node has few partial slabs left.
 * 6. Pages are allocated with no lock held and, when the caller may wait, interrupts as the caller had them.
 *
 * Locks: kmem_cache_node->lock, one at a time; zone->lock behind it is never taken: pages are freed after it is let go.
 * Failure: NULL, nothing changed. Cost: O(1) on a hit, O(stack) on a miss.
 */
#include "slub.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <string.h>

int nr_node_ids = 1;

struct page *slab_head(const void *obj)
{
	struct page *page = virt_to_page(obj);
	unsigned long pfn = page_to_pfn(page);

	if ((uintptr_t)obj < (uintptr_t)__va(0) || !pfn_valid(pfn) || !page_initialised(pfn) ||
	    !page_test(page, PG_slab))
		return NULL;
	return page - page->head_offset;
}

static int local_node(void)
{
	return node_for_alloc[this_cpu()->nid];
}

/* --- slabs; all of this under the lock of the slab's node --- */

static struct kmem_cache_node *node_of(struct kmem_cache *cache, const struct page *slab)
{
	return &cache->node[page_to_nid(slab)];
}

static void list_slab(struct kmem_cache_node *n, struct page *slab)
{
	bool partial = slab->freelist;

	list_add(&slab->slab_list, partial ? &n->partial : &n->full);
	slab->on_list = partial;
	n->nr_partial += partial;
}

static void unlist_slab(struct kmem_cache_node *n, struct page *slab)
{
	list_del(&slab->slab_list);
	n->nr_partial -= slab->on_list;
}

static void *take_object(struct kmem_cache *cache, struct page *slab)
{
	void *obj = slab->freelist;

	slab->freelist = *free_link(cache, obj);
	slab->inuse++;
	return obj;
}

/* Put @obj back. Return: the slab when it is empty now and should go, already unlisted; else NULL. */
static struct page *return_object(struct kmem_cache *cache, struct kmem_cache_node *n, struct page *slab, void *obj)
{
	*free_link(cache, obj) = slab->freelist;
	slab->freelist = obj;
	slab->inuse--;
	n->nr_taken--;
	if (!slab->on_list) {
		unlist_slab(n, slab);
		list_slab(n, slab);
	}
	if (slab->inuse || n->nr_partial <= cache->min_partial)
		return NULL;
	unlist_slab(n, slab);
	n->nr_slabs--;
	return slab;
}

/* Move up to @want objects from @n's partial slabs to @stack. */
static void fill_from_partial(struct kmem_cache *cache, struct kmem_cache_node *n, struct kmem_cache_cpu *stack,
			      u32 want)
{
	while (stack->count < want && !list_empty(&n->partial)) {
		struct page *slab = list_first_entry(&n->partial, struct page, slab_list);

		while (stack->count < want && slab->freelist) {
			stack->object[stack->count++] = take_object(cache, slab);
			n->nr_taken++;
		}
		if (!slab->freelist) {
			unlist_slab(n, slab);
			list_slab(n, slab);
		}
	}
}

/* --- pages of slabs; no lock --- */

static void cut_slab(struct kmem_cache *cache, struct page *slab)
{
	char *base = page_address(slab);
	void *next = NULL;

	/* Backwards, so that the list begins with the first object. */
	for (u32 i = cache->objects; i-- > 0;) {
		void *obj = base + (size_t)i * cache->size;

		if (cache->ctor)
			cache->ctor(obj);
		*free_link(cache, obj) = next;
		next = obj;
	}
	slab->freelist = next;
}

static struct page *new_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct page *slab = alloc_pages_node(nid, gfp & ~__GFP_ZERO, cache->order);

	if (!slab)
		return NULL;
	for (u16 i = 0; i < 1u << cache->order; i++) {
		page_set(&slab[i], PG_slab);
		slab[i].slab_cache = cache;
		slab[i].head_offset = i;
	}
	slab->inuse = 0;
	slab->objects = cache->objects;
	cut_slab(cache, slab);
	return slab;
}

static void free_slab(struct kmem_cache *cache, struct page *slab)
{
	for (u32 i = 0; i < 1u << cache->order; i++) {
		page_clear(&slab[i], PG_slab);
		slab[i].slab_cache = NULL;
	}
	__free_pages(slab, cache->order);
}

/* --- the CPU's stack --- */

/* Interrupts are masked: this CPU's stack of @cache. */
static struct kmem_cache_cpu *this_stack(struct kmem_cache *cache)
{
	return this_cpu_ptr(cache->cpu);
}

/* Fill this CPU's stack from @nid's partial slabs and pop one object; NULL when there are none. */
static void *refill_from_node(struct kmem_cache *cache, int nid)
{
	struct kmem_cache_node *n = &cache->node[nid];
	unsigned long flags = spin_lock_irqsave(&n->lock);
	struct kmem_cache_cpu *stack = this_stack(cache);
	void *obj;

	fill_from_partial(cache, n, stack, stack->capacity / 2);
	stack->refills++;
	obj = stack->count ? stack->object[--stack->count] : NULL;
	spin_unlock_irqrestore(&n->lock, flags);
	return obj;
}

/* One object of a new slab; the rest of it joins the node's partial slabs. */
static void *alloc_from_new(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct page *slab = new_slab(cache, gfp, nid);
	struct kmem_cache_node *n;
	unsigned long flags;
	void *obj;

	if (!slab)
		return NULL;
	n = node_of(cache, slab);
	flags = spin_lock_irqsave(&n->lock);
	obj = take_object(cache, slab);
	n->nr_taken++;
	n->nr_slabs++;
	list_slab(n, slab);
	spin_unlock_irqrestore(&n->lock, flags);
	return obj;
}

static void *alloc_from_any_node(struct kmem_cache *cache)
{
	void *obj = NULL;

	for (int nid = 0; nid < nr_node_ids && !obj; nid++)
		if (node_data[nid])
			obj = refill_from_node(cache, nid);
	return obj;
}

/* A page may be had elsewhere in silence: only when all else failed is it asked for in earnest. */
static void *alloc_slow(struct kmem_cache *cache, gfp_t gfp)
{
	int nid = local_node();
	void *obj = refill_from_node(cache, nid);

	if (!obj)
		obj = alloc_from_new(cache, gfp | __GFP_NOWARN, nid);
	if (!obj)
		obj = alloc_from_any_node(cache);
	return obj ? obj : alloc_from_new(cache, gfp, nid);
}

static void *pop(struct kmem_cache *cache)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *stack = this_stack(cache);
	void *obj = stack->count ? stack->object[--stack->count] : NULL;

	local_irq_restore(flags);
	return obj;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *obj = pop(cache);

	if (unlikely(!obj))
		obj = alloc_slow(cache, gfp);
	if ((gfp & __GFP_ZERO) && obj)
		memset(obj, 0, cache->object_size);
	return obj;
}

/* One object from @nid's partial slabs; NULL when there are none. */
static void *take_from_node(struct kmem_cache *cache, int nid)
{
	struct kmem_cache_node *n = &cache->node[nid];
	struct kmem_cache_cpu one = { 0 };
	unsigned long flags = spin_lock_irqsave(&n->lock);

	fill_from_partial(cache, n, &one, 1);
	spin_unlock_irqrestore(&n->lock, flags);
	return one.count ? one.object[0] : NULL;
}

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	void *obj;

	if (nid == NUMA_NO_NODE || nid == local_node())
		return kmem_cache_alloc(cache, gfp);
	if (nid < 0 || nid >= nr_node_ids || node_for_alloc[nid] < 0)
		return NULL;
	nid = node_for_alloc[nid];
	obj = take_from_node(cache, nid);
	if (!obj)
		obj = alloc_from_new(cache, gfp, nid);
	if ((gfp & __GFP_ZERO) && obj)
		memset(obj, 0, cache->object_size);
	return obj;
}

/* Give @obj back to its slab, and the slab to the page allocator if it should go. */
static void free_to_slab(struct kmem_cache *cache, struct page *slab, void *obj)
{
	struct kmem_cache_node *n = node_of(cache, slab);
	unsigned long flags = spin_lock_irqsave(&n->lock);
	struct page *empty = return_object(cache, n, slab, obj);

	spin_unlock_irqrestore(&n->lock, flags);
	if (empty)
		free_slab(cache, empty);
}

/* Give the @n coldest objects of this CPU's stack back. Interrupts are masked. */
static void flush_stack(struct kmem_cache *cache, struct kmem_cache_cpu *stack, u32 n)
{
	for (u32 i = 0; i < n; i++)
		free_to_slab(cache, slab_head(stack->object[i]), stack->object[i]);
	stack->count -= n;
	memmove(stack->object, stack->object + n, stack->count * sizeof(stack->object[0]));
	stack->flushes++;
}

static void push(struct kmem_cache *cache, void *obj)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *stack = this_stack(cache);

	if (stack->count == stack->capacity)
		flush_stack(cache, stack, stack->capacity / 2);
	stack->object[stack->count++] = obj;
	local_irq_restore(flags);
}

static const char *object_fault(struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	size_t offset;

	if (!slab)
		return "lies in no slab";
	if (slab->slab_cache != cache)
		return "belongs to another cache";
	offset = (uintptr_t)obj - (uintptr_t)page_address(slab);
	if (offset % cache->size || offset / cache->size >= slab->objects)
		return "is not the beginning of an object";
	return NULL;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	struct page *slab;
	const char *fault;

	if (!obj)
		return;
	slab = slab_head(obj);
	fault = object_fault(cache, slab, obj);
	if (unlikely(fault)) {
		printk("kmem_cache_free: %s: object %p %s%s%s: not freed\n", cache->name, obj, fault, slab ? ": " : "",
		       slab ? slab->slab_cache->name : "");
		arch_dump_stack();
		return;
	}
	if (page_to_nid(slab) == local_node())
		push(cache, obj);
	else
		free_to_slab(cache, slab, obj);
}

static void flush_call(void *arg)
{
	struct kmem_cache *cache = arg;
	struct kmem_cache_cpu *stack = this_stack(cache);

	flush_stack(cache, stack, stack->count);
}

void slab_flush_all(struct kmem_cache *cache)
{
	on_each_cpu(flush_call, cache);
}

unsigned long slab_discard_empty(struct kmem_cache *cache)
{
	unsigned long freed = 0;

	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = &cache->node[nid];
		unsigned long flags = spin_lock_irqsave(&n->lock);
		struct page *slab, *tmp;
		LIST_HEAD(empty);

		list_for_each_entry_safe(slab, tmp, &n->partial, slab_list) {
			if (slab->inuse)
				continue;
			unlist_slab(n, slab);
			n->nr_slabs--;
			list_add(&slab->slab_list, &empty);
			freed++;
		}
		spin_unlock_irqrestore(&n->lock, flags);
		list_for_each_entry_safe(slab, tmp, &empty, slab_list)
			free_slab(cache, slab);
	}
	return freed;
}
