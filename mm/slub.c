// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: slabs, and what fills and empties the CPUs' stacks.
 *
 * 1. A slab is a block of pages cut into objects. Its first page's struct page holds all there is to know: the cache,
 *    the first free object, how many are taken. A free object has the link to the next one in its word (free_word()):
 *    in its middle; at its beginning, which costs nothing to find, when frees are checked; behind it when a constructor
 *    made what is inside. A slab from which nothing is taken has no list: its objects are told by address. Where frees
 *    are checked each of its pages says how an object is told (<mm/object_check.h>).
 * 2. Every CPU has a stack of free objects for each cache (<mm/percpu_stack.h>). A hit is a pop or a push (slub_hot.c).
 *    Each page of a slab names the stacks that take its objects: those of its cache for its own node. That is the stack
 *    to pop from for CPUs of the node; CPUs of other nodes have a short one there, from which nothing is popped: full,
 *    it goes home as a whole. So a free finds out without a comparison, and stacks to pop from hold local objects only,
 *    but for those that 3 took from afar.
 * 3. A miss asks, in this order: the partial slabs of the node, under its lock; a new slab of that node's pages, in
 *    silence and without waiting; the partial slabs of the other nodes, from near to far; a new slab of any page that
 *    the flags allow, in earnest. So a node without pages costs a slab of far pages for each slab of objects, not for
 *    each object. An empty stack gets whole free lists until it has a batch, or all of one new slab; who asks for
 *    another node, or for one node only (__GFP_THISNODE, which ends with the first two steps), gets one object past the
 *    stack.
 * 4. A full stack gives a batch back, the hottest: their lines are written to for that, and the others need not move.
 *    Neighbours on the stack that are of one slab are linked and put in its list at once, and not even linked when they
 *    are all that it misses (slub_runs.h); the lock is held on while slabs are of one node. Where frees are checked,
 *    each is looked at once more, for a stack is memory that a wild store may have hit: what is no object of the cache
 *    is reported and left out, though not a second copy of one that is; and on its way out its mark and its link.
 * 5. A slab from which nothing is taken goes back to the page allocator, unless its node has few partial slabs left.
 * 6. Pages are allocated with no lock held and, when the caller may wait, interrupts as the caller had them. Objects do
 *    not move, so __GFP_MOVABLE does not reach the page allocator; nor does a request for a DMA zone: a cache whose
 *    objects all lie there (SLAB_CACHE_DMA) need not be asked, and any other refuses, for its objects lie on stacks
 *    already.
 * 7. A cache has no stacks when all heads are given out, or per-CPU memory is short: each of its operations is a miss
 *    that moves one object.
 *
 * Locks: kmem_cache_node->lock, one at a time; zone->lock behind it is never taken: pages are freed after it is let go.
 * Failure: NULL, nothing changed. Cost: O(1) on a hit, O(stack) on a miss.
 */
#include "slub.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/port.h>
#include <mm/vmstat.h>
#include <string.h>

#include "slub_debug.h"
#include "slub_guard.h"
#include "slub_runs.h"

#define GFP_ZONES  (__GFP_DMA | __GFP_DMA32)
#define GFP_PLACED (GFP_ZONES | __GFP_THISNODE) /* what a CPU's stack may not serve */

#define MAX_ZONE_REPORTS 10

/* Fewer than any slab has objects whose cache has a stack of four batches. */
#define NEAR 8

/* Marks that are written at once. */
#define MARK_STEP 8

/* A stack for one object, for who may not use the CPU's. */
struct single {
	struct percpu_stack head;
	void *slots[2];
};

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

static void list_slab(const struct kmem_cache *cache, struct kmem_cache_node *n, struct page *slab)
{
	bool partial = slab->inuse < cache->objects;

	list_add(&slab->slab_list, partial ? &n->partial : &n->full);
	slab->on_list = partial;
	ADD_ONCE(n->nr_partial, partial);
}

static void unlist_slab(struct kmem_cache_node *n, struct page *slab)
{
	list_del(&slab->slab_list);
	ADD_ONCE(n->nr_partial, -(unsigned long)slab->on_list);
}

/* @slab, which was full, has free objects. */
static void relist_slab(struct kmem_cache_node *n, struct page *slab)
{
	list_move(&slab->slab_list, &n->partial);
	slab->on_list = true;
	ADD_ONCE(n->nr_partial, 1);
}

/* The list of an empty slab gets all objects but the first @n. */
static void link_from(const struct kmem_cache *cache, struct page *slab, u32 n)
{
	const struct free_format format = free_format(cache);
	const char *base = page_address(slab);
	char *first = slab_first(cache, slab);
	void *next = NULL;

	for (u32 i = cache->objects; i-- > n;) {
		void *obj = first + (size_t)i * cache->size;

		set_next_free(format, base, obj, next);
		next = obj;
	}
	slab->freelist = next;
}

/*
 * Of a slab from which nothing is taken: its first objects, the last of them first, so that they are popped in order.
 */
static u32 take_first(const struct kmem_cache *cache, struct page *slab, void **objs, u32 room)
{
	u32 n = min(room, (u32)cache->objects);

	run_fill(objs, n, slab_first(cache, slab) + (size_t)(n - 1) * cache->size, cache->size);
	link_from(cache, slab, n);
	return n;
}

/* Of any other, where frees are trusted. */
static u32 take_trusted(const struct kmem_cache *cache, struct page *slab, void **objs, u32 n)
{
	const u32 offset = cache->offset;
	void *obj = slab->freelist;

	for (void **end = objs + n; objs < end; objs++) {
		*objs = obj;
		obj = *(void **)(void *)((char *)obj + offset);
	}
	slab->freelist = obj;
	return n;
}

/*
 * Where they are checked: is_free_object() is asked of each, its word, mark and link, with one load. What follows a
 * word that was written over is lost: it counts as taken for ever.
 */
static __always_inline u32 take_checked(const struct kmem_cache *cache, struct page *slab, void **objs, u32 n,
					bool told)
{
	const u32 offset = cache->offset, id = cache->object_id, same = (u32)cache->same;
	const u64 factor = slab->object_factor, key = cache->key;
	char *base = page_address(slab);
	u32 at = (u32)((char *)slab->freelist - base);
	void **const first = objs, **const end = objs + n;

	while (objs < end && likely(!(at & same))) {
		void *obj = base + at;
		u64 word;

		if (!told && unlikely(object_window(asm_object_product(obj, factor)) != id) &&
		    !begins_object(cache, slab, obj))
			break;
		word = *(const u64 *)(void *)((char *)obj + offset);
		if (unlikely((u32)word != free_mark(obj)))
			break;
		*objs++ = obj;
		at = (u32)(word >> 32 ^ key) - 1;
	}
	if (objs > first)
		slab->freelist = at == ~0u ? NULL : base + at;
	if (unlikely(objs < end)) {
		slab_report_list(cache, slab, slab->freelist);
		slab->inuse = (u16)(cache->objects - (objs - first));
		slab->freelist = NULL;
	}
	return (u32)(objs - first);
}

static u32 take_listed(const struct kmem_cache *cache, struct page *slab, void **objs, u32 room)
{
	u32 n = min(room, (u32)(cache->objects - slab->inuse));

	if (!HARDENED)
		return take_trusted(cache, slab, objs, n);
	return tells_by_bits(cache) ? take_checked(cache, slab, objs, n, true) :
				      take_checked(cache, slab, objs, n, false);
}

/*
 * Move objects of @slab, which is in no list, to @to, until that is full or the slab has no more; then list the slab.
 */
static __always_inline void take_objects(struct kmem_cache *cache, struct kmem_cache_node *n, struct page *slab,
					 struct percpu_stack *to)
{
	u32 room = (u32)(to->limit - to->top), taken = slab->inuse, got;

	got = taken ? take_listed(cache, slab, to->top + 1, room) : take_first(cache, slab, to->top + 1, room);
	slab->inuse = (u16)(slab->inuse + got);
	n->nr_taken += slab->inuse - taken;
	WRITE_ONCE(to->top, to->top + got);
	list_slab(cache, n, slab);
}

/* Fill @to from @n's partial slabs until it holds @want objects. */
static void take_partial(struct kmem_cache *cache, struct kmem_cache_node *n, struct percpu_stack *to, void **want)
{
	while (to->top < want && !list_empty(&n->partial)) {
		struct page *slab = list_first_entry(&n->partial, struct page, slab_list);

		unlist_slab(n, slab);
		take_objects(cache, n, slab, to);
	}
}

/*
 * Link those of @objs, from the first one on, that lie in @slab, at @base, into its list. NULL is behind @objs.
 * Addresses that begin no object, which a wild store has put on a stack, are reported and left out: as many objects
 * count as taken for ever. Return: how many were looked at.
 */
static __noinline u32 link_each(struct kmem_cache *cache, struct page *slab, uintptr_t base, void **objs)
{
	const struct free_format format = free_format(cache);
	void *next = slab->freelist;
	void **at = objs;

	do {
		/* As NULL lies in no slab, which the compiler cannot know. */
		if (!*at)
			__builtin_unreachable();
		if (unlikely(!begins_object(cache, slab, *at))) {
			slab_report_late(cache, slab, *at);
			slab->inuse++;
			node_of(cache, slab)->nr_taken++;
		} else {
			set_next_free(format, (const char *)base, *at, next);
			next = *at;
		}
		at++;
	} while (run_has(*at, base, -(u64)cache->slab_bytes));
	slab->freelist = next;
	return (u32)(at - objs);
}

/* Where frees are checked. link_each() is for what does not look right. */
static __always_inline u32 link_checked(struct kmem_cache *cache, struct run_format format, struct page *slab,
					uintptr_t base, void **objs, u32 n)
{
	u32 run;

	if (run_is_whole(slab, base, format.same, objs, n) &&
	    (format.told || likely(run_begins(slab->object_factor, format.id, objs, slab->inuse))))
		return slab->inuse;
	run = format.told ? run_link_checked(slab, format, true, base, objs) :
			    run_link_checked(slab, format, false, base, objs);
	if (unlikely(run_has(objs[run], base, format.slab)))
		run += link_each(cache, slab, base, objs + run);
	return run;
}

/*
 * @slab was full, or is empty. Objects came back to it, if not all of them were reported. One that is empty now and
 * should go is moved to @empty.
 */
static void settle_slab(struct kmem_cache *cache, struct kmem_cache_node *node, struct page *slab,
			struct list_head *empty)
{
	if (!slab->on_list && (!HARDENED || slab->inuse < cache->objects))
		relist_slab(node, slab);
	if (slab->inuse || node->nr_partial <= cache->min_partial || (cache->flags & SLAB_TYPESAFE_BY_RCU))
		return;
	unlist_slab(node, slab);
	node->nr_slabs--;
	/* Slabs that were made one after the other go in that order: their pages make a block again. */
	list_add_tail(&slab->slab_list, empty);
}

/* --- pages of slabs; no lock --- */

/* Write the @mark at @word, and every @size bytes from there to @end. Return: the first word behind that. */
static char *mark_to(char *word, const char *end, size_t size, u32 mark)
{
	for (; word + (MARK_STEP - 1) * size < end; word += MARK_STEP * size) {
#pragma GCC unroll 8
		for (size_t i = 0; i < MARK_STEP; i++)
			*(u32 *)(void *)(word + i * size) = mark;
	}
	for (; word < end; word += size)
		*(u32 *)(void *)word = mark;
	return word;
}

/* The mark of objects that begin in one page is the same. */
static void mark_all(const struct kmem_cache *cache, const struct page *slab)
{
	const char *base = (const char *)page_address(slab) + cache->offset;
	char *word = slab_first(cache, slab) + cache->offset;

	for (size_t i = PAGE_SIZE; i <= cache->slab_bytes; i += PAGE_SIZE, slab++)
		word = mark_to(word, base + i, cache->size, (u32)(uintptr_t)slab);
}

static void init_objects(const struct kmem_cache *cache, struct page *slab)
{
	if (cache->ctor) {
		char *obj = slab_first(cache, slab);

		for (u32 i = 0; i < cache->objects; i++, obj += cache->size)
			cache->ctor(obj);
	}
	if (HARDENED)
		mark_all(cache, slab);
}

/* This CPU's page cache has pages of its node, and is asked first for those; a node without memory has none. */
static struct page *slab_pages(const struct kmem_cache *cache, gfp_t gfp, int nid)
{
	if (nid == this_cpu()->nid && !(gfp & GFP_ZONES))
		return alloc_pages_hot(local_page_stack(cache->order, gfp_migratetype(gfp)), gfp, cache->order);
	return alloc_pages_node(nid, gfp, cache->order);
}

/* What the flags of @cache say of its pages. */
static gfp_t page_gfp(const struct kmem_cache *cache)
{
	return (cache->flags & SLAB_CACHE_DMA ? __GFP_DMA : 0) |
	       (cache->flags & SLAB_RECLAIM_ACCOUNT ? __GFP_RECLAIMABLE : 0);
}

/* Which counter has @cache's pages. */
static enum zone_stat_item slab_item(const struct kmem_cache *cache)
{
	return cache->flags & SLAB_RECLAIM_ACCOUNT ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE;
}

/* What a checked free of an object in one of @slab's pages looks at. Return: whether it can tell objects. */
static bool set_factor(const struct kmem_cache *cache, struct page *slab)
{
	const u64 first = (uintptr_t)asm_object_product(slab_first(cache, slab), 1);
	const u64 factor = object_factor(first, cache->step, cache->object_id);

	for (u32 i = 0; i < 1u << cache->order; i++) {
		WRITE_ONCE(slab[i].object_factor, factor);
		slab[i].on_list = 0;
		WRITE_ONCE(slab[i].object_key, slab_object_key(cache, slab, i));
	}
	return factor;
}

struct page *slab_alloc_pages(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	gfp_t pages = (gfp & ~(__GFP_ZERO | __GFP_MOVABLE | __GFP_COMP)) | page_gfp(cache);
	const u32 nr = 1u << cache->order;
	struct page *slab = slab_pages(cache, pages, nid);
	u16 stack;

	if (!slab)
		return NULL;
	/* Where objects cannot be told, every free takes the slow path. */
	stack = !HARDENED || set_factor(cache, slab) ? object_stack_of(cache, page_to_nid(slab)) : 0;
	for (u8 i = 0; i < nr; i++) {
		page_set(&slab[i], PG_slab);
		slab[i].slab_cache = cache;
		WRITE_ONCE(slab[i].head_offset, i);
		WRITE_ONCE(slab[i].object_stack, stack);
	}
	mod_zone_page_state(page_zone(slab), slab_item(cache), (long)nr);
	return slab;
}

static struct page *new_slab(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct page *slab = slab_alloc_pages(cache, gfp, nid);

	if (!slab)
		return NULL;
	slab->inuse = 0;
	slab->freelist = NULL;
	init_objects(cache, slab);
	return slab;
}

void slab_free_pages(struct kmem_cache *cache, struct page *slab)
{
	const u32 nr = 1u << cache->order;

	for (u32 i = 0; i < nr; i++) {
		page_clear(&slab[i], PG_slab);
		slab[i].slab_cache = NULL;
		if (HARDENED)
			WRITE_ONCE(slab[i].object_factor, 0);
		WRITE_ONCE(slab[i]._mapcount, 0);
		WRITE_ONCE(slab[i].object_stack, 0);
	}
	mod_zone_page_state(page_zone(slab), slab_item(cache), -(long)nr);
	__free_pages(slab, cache->order);
}

/* Free the slabs in @list, which their nodes know no more. */
static void free_slabs(struct kmem_cache *cache, struct list_head *list)
{
	while (!list_empty(list)) {
		struct page *slab = list_first_entry(list, struct page, slab_list);

		list_del(&slab->slab_list);
		slab_free_pages(cache, slab);
	}
}

void slab_wait_for_readers(const struct kmem_cache *cache)
{
	if (cache->flags & SLAB_TYPESAFE_BY_RCU)
		kick_all_cpus_sync();
}

/* --- misses --- */

static void *pop_plain(struct percpu_stack *stack)
{
	void *obj = *stack->top;

	if (obj)
		WRITE_ONCE(stack->top, stack->top - 1);
	return obj;
}

static void push_plain(struct percpu_stack *stack, void *obj)
{
	WRITE_ONCE(stack->top[1], obj);
	WRITE_ONCE(stack->top, stack->top + 1);
}

/* Interrupts are masked: this CPU's stack of @cache, which has one. */
static struct percpu_stack *this_stack(const struct kmem_cache *cache)
{
	return (struct percpu_stack *)(void *)((char *)this_cpu()->local + cache->stack);
}

/* Where a miss gets its object from: the CPU's stack, or @single when there is one. */
static struct percpu_stack *stack_to_fill(const struct kmem_cache *cache, struct single *single)
{
	if (!single)
		return this_stack(cache);
	percpu_stack_init(&single->head, single->slots, 1);
	return &single->head;
}

/*
 * This CPU's stack of @cache held up to @before when the slow path came, and holds up to @after when it leaves: what it
 * has lost or got since the last time, hits took or brought. Interrupts are masked.
 */
static __always_inline void note_hits(struct kmem_cache_cpu *cpu, void **before, void **after)
{
	long lost = cpu->seen - before;

	if (lost > 0)
		ADD_ONCE(cpu->hits, (unsigned long)lost);
	else
		ADD_ONCE(cpu->free_hits, (unsigned long)-lost);
	WRITE_ONCE(cpu->seen, after);
}

/* The object that a miss has come for, off @to, which held up to @before. */
static __always_inline void *pop_missed(const struct kmem_cache *cache, const struct single *single,
					struct percpu_stack *to, void **before)
{
	void *obj = pop_plain(to);

	if (!obj || !has_stacks(cache))
		return obj;
	if (single) {
		ADD_ONCE(this_cpu_ptr(cache->cpu)->singles, 1);
		return obj;
	}
	ADD_ONCE(this_cpu_ptr(cache->cpu)->refills, 1);
	note_hits(this_cpu_ptr(cache->cpu), before, to->top);
	return obj;
}

/*
 * Up to where a miss fills @to, this CPU's stack of @cache; nowhere when a handler has done it since it was found
 * empty.
 */
static void **this_want(const struct kmem_cache *cache, const struct percpu_stack *to)
{
	return *to->top ? to->top : to->top + slab_batch(cache);
}

/* One object of @nid's partial slabs, the stack gets a batch with it; NULL when there are none. */
static void *take_from_node(struct kmem_cache *cache, int nid, struct single *single)
{
	struct kmem_cache_node *n = &cache->node[nid];
	unsigned long flags = spin_lock_irqsave(&n->lock);
	struct percpu_stack *to = stack_to_fill(cache, single);
	void **before = to->top, *obj;

	take_partial(cache, n, to, single ? to->limit : this_want(cache, to));
	obj = pop_missed(cache, single, to, before);
	spin_unlock_irqrestore(&n->lock, flags);
	return obj;
}

/* One object of a new slab; the rest of it goes on the stack, or joins the node's partial slabs. */
static void *take_from_new(struct kmem_cache *cache, gfp_t gfp, int nid, struct single *single)
{
	struct page *slab = new_slab(cache, gfp, nid);
	struct kmem_cache_node *n;
	struct percpu_stack *to;
	void **before, *obj;
	unsigned long flags;

	if (!slab)
		return NULL;
	n = node_of(cache, slab);
	flags = spin_lock_irqsave(&n->lock);
	to = stack_to_fill(cache, single);
	before = to->top;
	n->nr_slabs++;
	take_objects(cache, n, slab, to);
	obj = pop_missed(cache, single, to, before);
	spin_unlock_irqrestore(&n->lock, flags);
	return obj;
}

/* take_from_node() of the nodes with partial slabs, in the order in which @nid's requests go to nodes. */
static void *take_from_any_node(struct kmem_cache *cache, int nid, struct single *single)
{
	void *obj = NULL;

	for (struct zone **zone = node_data[nid]->zonelist; *zone && !obj; zone++) {
		int other = (*zone)->node->node_id;

		if (READ_ONCE(cache->node[other].nr_partial))
			obj = take_from_node(cache, other, single);
	}
	return obj;
}

/* Point 3 of the theory. */
static void *take(struct kmem_cache *cache, gfp_t gfp, int nid, struct single *single)
{
	gfp_t near = (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN | __GFP_THISNODE;
	void *obj = NULL;

	if (unlikely(cache->guard))
		return guard_alloc(cache, gfp, nid);

	if (READ_ONCE(cache->node[nid].nr_partial))
		obj = take_from_node(cache, nid, single);
	if (!obj && !(gfp & __GFP_THISNODE)) {
		obj = take_from_new(cache, near, nid, single);
		if (!obj)
			obj = take_from_any_node(cache, nid, single);
	}
	return obj ? obj : take_from_new(cache, gfp, nid, single);
}

/* What every object passes that is not handed out as it lay on a stack. */
static void *hand_out(struct kmem_cache *cache, gfp_t gfp, void *obj)
{
	/* guard_alloc() has done its part. */
	if (unlikely(!obj || cache->guard))
		return obj;
	slub_debug_alloc(cache, obj);
	mark_taken(cache, obj);
	if (gfp & __GFP_ZERO)
		memset(obj, 0, cache->object_size);
	return obj;
}

/* Whether all objects of @cache lie in the zone that @gfp asks for. */
static bool has_zone_of(const struct kmem_cache *cache, gfp_t gfp)
{
	return (cache->flags & SLAB_CACHE_DMA) && !(gfp & __GFP_DMA32);
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

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct single single;

	if (unlikely(gfp & GFP_ZONES)) {
		if (!has_zone_of(cache, gfp))
			return refuse_zone(cache, gfp);
		gfp &= ~GFP_ZONES;
	}
	nid = serving_node(gfp, nid);
	if (nid < 0)
		return NULL;
	if (nid == local_node() && !(gfp & GFP_PLACED) && has_stacks(cache))
		return kmem_cache_alloc(cache, gfp);
	return hand_out(cache, gfp, take(cache, gfp, nid, &single));
}

void *slab_alloc_slow(struct kmem_cache *cache, gfp_t gfp)
{
	unsigned long flags;
	void *obj;

	if (unlikely((gfp & GFP_PLACED) || !has_stacks(cache)))
		return kmem_cache_alloc_node(cache, gfp, NUMA_NO_NODE);
	flags = local_irq_save();
	obj = pop_plain(this_stack(cache));
	local_irq_restore(flags);
	if (!obj)
		obj = take(cache, gfp, local_node(), NULL);
	return hand_out(cache, gfp, obj);
}

/* --- what comes back --- */

/* Go on to @node; NULL: to none. @back objects came back to the one before, @last. Return: @node, locked. */
static struct kmem_cache_node *change_node(struct kmem_cache_node *last, struct kmem_cache_node *node, u32 back)
{
	if (last) {
		last->nr_taken -= back;
		spin_unlock(&last->lock);
	}
	if (node)
		spin_lock(&node->lock);
	return node;
}

/* Give @n @objs, behind which there is a NULL, back to their slabs. Context: interrupts masked, no lock held. */
static void return_objects(struct kmem_cache *cache, void **objs, u32 n)
{
	const u64 mask = -(u64)cache->slab_bytes;
	const struct run_format format = { .link = free_format(cache),
					   .slab = mask,
					   .same = cache->same,
					   .id = cache->object_id,
					   .told = tells_by_bits(cache) };
	struct kmem_cache_node *node = NULL;
	LIST_HEAD(empty);
	u32 back = 0;

	while (n) {
		uintptr_t base = (uintptr_t)*objs & mask;
		struct page *slab = virt_to_page((void *)base);
		u32 run;

		if (HARDENED && unlikely(!asm_page_is_of(slab, cache))) {
			slab_report_late(cache, slab_head(*objs), *objs);
			objs++;
			n--;
			continue;
		}
		if (unlikely(node != node_of(cache, slab))) {
			node = change_node(node, node_of(cache, slab), back);
			back = 0;
		}
		run = HARDENED ? link_checked(cache, format, slab, base, objs, n) :
				 run_link(slab, format.link.offset, base, mask, objs, n);
		slab->inuse = (u16)(slab->inuse - run);
		back += run;
		if (unlikely(!slab->inuse || !slab->on_list))
			settle_slab(cache, node, slab, &empty);
		objs += run;
		n -= run;
	}
	change_node(node, NULL, back);
	free_slabs(cache, &empty);
}

static void return_object(struct kmem_cache *cache, void *obj)
{
	void *objs[] = { obj, NULL };

	return_objects(cache, objs, 1);
}

/* Give the @n hottest objects of this CPU's stack back. Interrupts are masked. */
static void flush_stack(struct kmem_cache *cache, u32 n)
{
	struct percpu_stack *stack = this_stack(cache);
	void **before = stack->top, **left = before - n;

	WRITE_ONCE(before[1], NULL);
	return_objects(cache, left + 1, n);
	WRITE_ONCE(stack->top, left);
	note_hits(this_cpu_ptr(cache->cpu), before, left);
}

/* Whether those in @slot and below it are neighbours in memory. */
static bool neighbours(void *const *slot, size_t size)
{
	size_t step = (size_t)((char *)slot[0] - (char *)slot[-1]);

	return step == size || step == -size;
}

/*
 * Whether @batch objects, up to @top, were freed in the order in which they lie, to judge by both ends. A slab may end
 * at one.
 */
static bool freed_in_order(void *const *top, u32 batch, size_t size)
{
	void *const *end = top - batch;

	return (neighbours(top, size) || neighbours(top - NEAR, size)) &&
	       (neighbours(end, size) || neighbours(end - NEAR, size));
}

/*
 * How many objects a full stack gives back: a batch, and two of a large stack where that takes no longer: where frees
 * happened in order, each object takes half as long.
 */
static u32 flush_count(const struct kmem_cache *cache, void *const *top)
{
	u32 batch = slab_batch(cache);
	bool more = cache->capacity >= 4 * batch && freed_in_order(top, batch, cache->size);

	return more ? 2 * batch : batch;
}

/* A full stack makes room for @obj. Interrupts are masked. */
static void push_full(struct kmem_cache *cache, struct percpu_stack *stack, void *obj)
{
	struct kmem_cache_cpu *cpu = this_cpu_ptr(cache->cpu);

	flush_stack(cache, flush_count(cache, stack->top));
	push_plain(stack, obj);
	ADD_ONCE(cpu->flushes, 1);
	WRITE_ONCE(cpu->seen, stack->top);
}

/* Objects of @nid that this CPU, which is on another node, has freed go home. Interrupts are masked. */
static void send_home(struct kmem_cache *cache, int nid)
{
	int cpu = smp_processor_id();
	struct percpu_stack *stack = node_stack(cache, cpu, nid);
	void **slots = node_slots(cache, cpu, nid);

	u32 n = (u32)percpu_stack_count(stack, slots);

	WRITE_ONCE(stack->top[1], NULL);
	return_objects(cache, slots + 1, n);
	ADD_ONCE(this_cpu_ptr(cache->cpu)->remote_frees, n);
	WRITE_ONCE(stack->top, slots);
}

/* @obj of @nid, another node than this CPU's. Interrupts are masked. */
static void push_far(struct kmem_cache *cache, int nid, void *obj)
{
	struct percpu_stack *stack = node_stack(cache, smp_processor_id(), nid);

	if (stack->top == stack->limit)
		send_home(cache, nid);
	push_plain(stack, obj);
}

/* Interrupts are masked. */
static void free_masked(struct kmem_cache *cache, const struct page *slab, void *obj)
{
	struct percpu_stack *stack = has_stacks(cache) ? this_stack(cache) : NULL;

	if (!stack)
		return_object(cache, obj);
	else if (page_to_nid(slab) != local_node())
		push_far(cache, page_to_nid(slab), obj);
	else if (stack->top == stack->limit)
		push_full(cache, stack, obj);
	else
		push_plain(stack, obj);
}

void slab_free_slow(void *obj)
{
	const struct page *slab = slab_of(obj);
	struct kmem_cache *cache = slab->slab_cache;
	unsigned long flags = local_irq_save();

	slub_debug_free(cache, obj);
	free_masked(cache, slab, obj);
	local_irq_restore(flags);
}

void kmem_cache_free_slow(struct kmem_cache *cache, void *obj)
{
	if (obj && unlikely(cache->guard))
		guard_free(cache, slab_head(obj), obj);
	else if (HARDENED && obj)
		slab_free_checked(cache, slab_head(obj), obj);
	else if (obj)
		slab_free_slow(obj);
}

static void flush_call(void *arg)
{
	struct kmem_cache *cache = arg;

	flush_stack(cache, (u32)cpu_stack_count(cache, smp_processor_id()));
	for (int nid = 0; nid < nr_node_ids; nid++)
		if (has_node(nid) && !is_near(smp_processor_id(), nid))
			send_home(cache, nid);
}

void slab_flush_all(struct kmem_cache *cache)
{
	if (has_stacks(cache))
		on_each_cpu(flush_call, cache);
}

unsigned long slab_discard_empty(struct kmem_cache *cache)
{
	unsigned long freed = 0;

	if (cache->guard)
		return guard_shrink(cache);
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
		slab_wait_for_readers(cache);
		free_slabs(cache, &empty);
	}
	return freed;
}
