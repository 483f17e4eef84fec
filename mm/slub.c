// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: allocation and free of objects.
 *
 * 1. A slab is a block of pages cut into objects. Its first page's struct page holds all there is to know: the cache, the
 *    first free object, how many are taken. A free object holds the link to the next one; where, kmem_cache.offset says:
 *    in its middle, or behind it when a constructor made what is inside.
 * 2. Every CPU has a stack of free objects for each cache. A hit is a pop or a push, interrupts masked, no lock.
 * 3. A miss asks, in this order: the partial slabs of the node, under its lock; a new slab of that node's pages, in
 *    silence and without waiting; the partial slabs of the other nodes, from near to far; a new slab of any page that the
 *    flags allow, in earnest. So a node without pages costs a slab of far pages for each slab of objects, not for each
 *    object. An empty stack is filled halfway by that; who asks for another node, or for one node only
 *    (__GFP_THISNODE, which ends with the first two steps), gets one object past the stack.
 * 4. A full stack gives its colder half back to their slabs, one hold of a node's lock for all neighbours of that node. An
 *    object of another node's slab goes home at once: stacks hold local objects only, but for those that 3 took from
 *    afar.
 * 5. A slab from which nothing is taken goes back to the page allocator, unless its node has few partial slabs left.
 * 6. Pages are allocated with no lock held and, when the caller may wait, interrupts as the caller had them. Objects do
 *    not move, so __GFP_MOVABLE does not reach the page allocator; nor does a request for a DMA zone, which objects that
 *    lie on stacks already cannot honour: it is refused.
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

#include "slub_debug.h"

#define GFP_ZONES  (__GFP_DMA | __GFP_DMA32)
#define GFP_PLACED (GFP_ZONES | __GFP_THISNODE) /* what a CPU's stack may not serve */

#define MAX_ZONE_REPORTS 10

/* Take an object of @nid's partial slabs; NULL when there is none. */
typedef void *(*take_fn)(struct kmem_cache *cache, int nid);

int nr_node_ids = 1;

static u32 zone_reports; /* atomic */

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
	ADD_ONCE(n->nr_partial, partial);
}

static void unlist_slab(struct kmem_cache_node *n, struct page *slab)
{
	list_del(&slab->slab_list);
	ADD_ONCE(n->nr_partial, -(unsigned long)slab->on_list);
}

/* @slab has become full, or is full no more. */
static void relist_slab(struct kmem_cache_node *n, struct page *slab)
{
	unlist_slab(n, slab);
	list_slab(n, slab);
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
	if (!slab->on_list)
		relist_slab(n, slab);
	if (slab->inuse || n->nr_partial <= cache->min_partial)
		return NULL;
	unlist_slab(n, slab);
	n->nr_slabs--;
	return slab;
}

/* Move up to @want objects from @n's partial slabs to @objs. Return: how many. */
static u32 take_partial(struct kmem_cache *cache, struct kmem_cache_node *n, void **objs, u32 want)
{
	u32 got = 0;

	while (got < want && !list_empty(&n->partial)) {
		struct page *slab = list_first_entry(&n->partial, struct page, slab_list);

		while (got < want && slab->freelist)
			objs[got++] = take_object(cache, slab);
		if (!slab->freelist)
			relist_slab(n, slab);
	}
	n->nr_taken += got;
	return got;
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
	struct page *slab = alloc_pages_node(nid, gfp & ~(__GFP_ZERO | __GFP_MOVABLE), cache->order);

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

/* Free the slabs in @list, which their nodes know no more. */
static void free_slabs(struct kmem_cache *cache, struct list_head *list)
{
	while (!list_empty(list)) {
		struct page *slab = list_first_entry(list, struct page, slab_list);

		list_del(&slab->slab_list);
		free_slab(cache, slab);
	}
}

/* --- the CPU's stack --- */

/* Interrupts are masked: this CPU's stack of @cache. */
static __always_inline struct kmem_cache_cpu *this_stack(struct kmem_cache *cache)
{
	return (struct kmem_cache_cpu *)(void *)((char *)asm_percpu_base() + cache->stack_offset);
}

static __always_inline void push_object(struct kmem_cache_cpu *stack, void *obj)
{
	stack->object[stack->count] = obj;
	ADD_ONCE(stack->count, 1);
}

/* NULL when the stack is empty. */
static __always_inline void *pop_object(struct kmem_cache_cpu *stack)
{
	if (!stack->count)
		return NULL;
	ADD_ONCE(stack->count, -1u);
	return stack->object[stack->count];
}

/* Fill this CPU's stack from @nid's partial slabs and pop one object; NULL when there are none. */
static void *refill_from_node(struct kmem_cache *cache, int nid)
{
	struct kmem_cache_node *n = &cache->node[nid];
	unsigned long flags = spin_lock_irqsave(&n->lock);
	struct kmem_cache_cpu *stack = this_stack(cache);
	u32 have = stack->count, half = stack->capacity / 2;
	void *obj;

	/* A handler may have filled it since it was found empty. */
	if (have < half)
		ADD_ONCE(stack->count, take_partial(cache, n, stack->object + have, half - have));
	stack->refills++;
	obj = pop_object(stack);
	spin_unlock_irqrestore(&n->lock, flags);
	return obj;
}

/* One object of @nid's partial slabs, past the stack; NULL when there are none. */
static void *take_from_node(struct kmem_cache *cache, int nid)
{
	struct kmem_cache_node *n = &cache->node[nid];
	unsigned long flags = spin_lock_irqsave(&n->lock);
	void *obj = NULL;

	take_partial(cache, n, &obj, 1);
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

/* @take from the nodes with partial slabs, in the order in which @nid's requests go to nodes. */
static void *take_from_any_node(struct kmem_cache *cache, int nid, take_fn take)
{
	void *obj = NULL;

	for (struct zone **zone = node_data[nid]->zonelist; *zone && !obj; zone++) {
		int other = (*zone)->node->node_id;

		if (READ_ONCE(cache->node[other].nr_partial))
			obj = take(cache, other);
	}
	return obj;
}

/* Point 3 of the theory. */
static void *alloc_slow(struct kmem_cache *cache, gfp_t gfp, int nid, take_fn take)
{
	gfp_t near = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN | __GFP_THISNODE;
	void *obj = take(cache, nid);

	if (!obj && !(gfp & __GFP_THISNODE)) {
		obj = alloc_from_new(cache, near, nid);
		if (!obj)
			obj = take_from_any_node(cache, nid, take);
	}
	return obj ? obj : alloc_from_new(cache, gfp, nid);
}

static __always_inline void *pop(struct kmem_cache *cache)
{
	unsigned long flags = local_irq_save();
	void *obj = pop_object(this_stack(cache));

	local_irq_restore(flags);
	return obj;
}

/* What every allocated object passes before the caller has it. */
static void *hand_out(struct kmem_cache *cache, gfp_t gfp, void *obj)
{
	if (unlikely(!obj))
		return NULL;
	slub_debug_alloc(cache, obj);
	if (gfp & __GFP_ZERO)
		memset(obj, 0, cache->object_size);
	return obj;
}

static void hand_out_some(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objs)
{
	if (slub_debug_on() || (gfp & __GFP_ZERO))
		for (size_t i = 0; i < n; i++)
			hand_out(cache, gfp, objs[i]);
}

/* The stack is empty, or the object is not to be handed out as it lies there. */
static __noinline void *alloc_not_hot(struct kmem_cache *cache, gfp_t gfp, void *obj)
{
	if (!obj)
		obj = alloc_slow(cache, gfp, local_node(), refill_from_node);
	return hand_out(cache, gfp, obj);
}

static __always_inline void *alloc_local(struct kmem_cache *cache, gfp_t gfp)
{
	void *obj = pop(cache);

	if (unlikely(!obj) || unlikely(gfp & __GFP_ZERO) || slub_debug_on())
		return alloc_not_hot(cache, gfp, obj);
	return obj;
}

static void *refuse_zone(const struct kmem_cache *cache, gfp_t gfp)
{
	if ((gfp & __GFP_NOWARN) || fetch_add32(&zone_reports, 1) >= MAX_ZONE_REPORTS)
		return NULL;
	printk("kmem_cache_alloc: %s: gfp 0x%x asks for a DMA zone, which a cache cannot promise; kmalloc() can\n",
	       cache->name, gfp);
	arch_dump_stack();
	return NULL;
}

/* The node whose slabs serve a request for @nid first; negative when none may. */
static int serving_node(gfp_t gfp, int nid)
{
	if (nid == NUMA_NO_NODE)
		nid = this_cpu()->nid;
	if (nid < 0 || nid >= nr_node_ids)
		return NUMA_NO_NODE;
	if (gfp & __GFP_THISNODE)
		return node_data[nid] ? nid : NUMA_NO_NODE;
	return node_for_alloc[nid];
}

static void *alloc_placed(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	if (unlikely(gfp & GFP_ZONES))
		return refuse_zone(cache, gfp);
	nid = serving_node(gfp, nid);
	if (nid < 0)
		return NULL;
	if (nid == local_node() && !(gfp & __GFP_THISNODE))
		return alloc_local(cache, gfp);
	return hand_out(cache, gfp, alloc_slow(cache, gfp, nid, take_from_node));
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	if (unlikely(gfp & GFP_PLACED))
		return alloc_placed(cache, gfp, NUMA_NO_NODE);
	return alloc_local(cache, gfp);
}

/* Pop up to @n objects into @objs. Return: how many. */
static size_t pop_some(struct kmem_cache *cache, size_t n, void **objs)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache_cpu *stack = this_stack(cache);
	u32 some = (u32)min(n, (size_t)stack->count), left = stack->count - some;

	for (u32 i = 0; i < some; i++)
		objs[i] = stack->object[left + i];
	WRITE_ONCE(stack->count, left);
	local_irq_restore(flags);
	return some;
}

size_t kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objs)
{
	size_t got = 0;

	while (got < n) {
		size_t some = gfp & GFP_PLACED ? 0 : pop_some(cache, n - got, objs + got);

		hand_out_some(cache, gfp, some, objs + got);
		got += some;
		if (got == n)
			break;
		/* The stack is empty: this fills it halfway. */
		objs[got] = kmem_cache_alloc(cache, gfp);
		if (unlikely(!objs[got])) {
			kmem_cache_free_bulk(cache, got, objs);
			return 0;
		}
		got++;
	}
	return n;
}

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	return alloc_placed(cache, gfp, nid);
}

/* Give back those of @objs, from the first one on, that lie on one node: at most @n. Return: how many. */
static u32 return_run(struct kmem_cache *cache, void **objs, u32 n)
{
	struct kmem_cache_node *node = node_of(cache, slab_of(objs[0]));
	unsigned long flags = spin_lock_irqsave(&node->lock);
	u32 done = 0;
	LIST_HEAD(empty);

	do {
		struct page *slab = return_object(cache, node, slab_of(objs[done]), objs[done]);

		if (slab)
			list_add(&slab->slab_list, &empty);
	} while (++done < n && node_of(cache, slab_of(objs[done])) == node);
	spin_unlock_irqrestore(&node->lock, flags);
	free_slabs(cache, &empty);
	return done;
}

/* Give the @n coldest objects of this CPU's stack back. Interrupts are masked. */
static void flush_stack(struct kmem_cache *cache, struct kmem_cache_cpu *stack, u32 n)
{
	for (u32 done = 0; done < n;)
		done += return_run(cache, stack->object + done, n - done);
	ADD_ONCE(stack->count, -n);
	memmove(stack->object, stack->object + n, stack->count * sizeof(stack->object[0]));
	stack->flushes++;
}

const char *object_fault(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	if (!slab)
		return "lies in no slab";
	if (slab->slab_cache != cache)
		return "belongs to another cache";
	return begins_object(cache, slab, obj) ? NULL : "is not the beginning of an object";
}

static __noinline void report_fault(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	printk("kmem_cache_free: %s: object %p %s%s%s: not freed\n", cache->name, obj, object_fault(cache, slab, obj),
	       slab ? ": " : "", slab ? slab->slab_cache->name : "");
	arch_dump_stack();
}

/* Interrupts are masked. Return: whether @obj went on this CPU's stack: it has room, and the object is of its node. */
static __always_inline bool push_hot(struct kmem_cache *cache, const struct page *slab, void *obj)
{
	struct kmem_cache_cpu *stack = this_stack(cache);

	slub_debug_free(cache, obj);
	if (unlikely(page_to_nid(slab) != stack->nid || stack->count == stack->capacity))
		return false;
	push_object(stack, obj);
	return true;
}

/* Interrupts are masked, and @flags are what they were. What push_hot() did not take. */
static __noinline void free_not_hot(struct kmem_cache *cache, const struct page *slab, void *obj, unsigned long flags)
{
	struct kmem_cache_cpu *stack = this_stack(cache);

	if (page_to_nid(slab) != stack->nid) {
		return_run(cache, &obj, 1);
	} else {
		flush_stack(cache, stack, stack->capacity / 2);
		push_object(stack, obj);
	}
	local_irq_restore(flags);
}

void slab_free(struct kmem_cache *cache, struct page *slab, void *obj)
{
	unsigned long flags;

	if (HARDENED && unlikely(object_fault(cache, slab, obj))) {
		report_fault(cache, slab, obj);
		return;
	}
	flags = local_irq_save();
	if (likely(push_hot(cache, slab, obj)))
		local_irq_restore(flags);
	else
		free_not_hot(cache, slab, obj, flags);
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	if (obj)
		slab_free(cache, slab_to_free(obj), obj);
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objs)
{
	unsigned long flags = local_irq_save();

	for (size_t i = 0; i < n; i++) {
		struct page *slab = slab_to_free(objs[i]);

		if (HARDENED && unlikely(object_fault(cache, slab, objs[i])))
			report_fault(cache, slab, objs[i]);
		else if (!push_hot(cache, slab, objs[i]))
			free_not_hot(cache, slab, objs[i], local_irq_save());
	}
	local_irq_restore(flags);
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
		free_slabs(cache, &empty);
	}
	return freed;
}
