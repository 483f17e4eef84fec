// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guarded caches: allocation, free, quarantine, slabs.
 *
 * 1. A guarded cache has no per-CPU stack, so each request reaches SLUB's slow path, which calls guard_alloc() and
 *    guard_free(). All they touch is covered by guard->lock; pages are allocated and freed without it.
 * 2. Objects of a slab are linked through their struct object_state, behind the red zone. Which one an allocation gets
 *    is drawn among the first eight of the list, and a slab's list is made in an order that is drawn, too: an attacker
 *    or a lucky bug cannot tell which object lies behind which.
 * 3. A freed object is checked, noted and put in the quarantine, a ring; the oldest of a full ring goes to its slab. An
 *    object is checked again when it leaves the ring and when it is handed out. Short of memory, the ring is emptied.
 * 4. Damage:
 *	a red zone		reported, written anew
 *	the poison of a free object	reported, and the object is isolated: whoever wrote there may write again
 *	the state			reported, isolated; the slab's free list is made anew of the objects whose state
 *					says so
 *	a link				reported, the list made anew
 *    An isolated object is never handed out, and its slab never goes back, until the cache ends.
 * 5. Partial slabs of the node asked for serve first, then a new slab there, then the other nodes, as for other caches.
 *
 * Lock: guard->lock, of rank LOCK_RANK_CACHE_NODE; nothing but the log's is taken behind it.
 * Cost: O(bytes of a cell), O(objects of a slab) with SLAB_CONSISTENCY_CHECKS.
 */
#include "slub_guard.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <string.h>

#include "internal.h"
#include "slub_report.h"

#define CHOICE	    8 /* of so many objects one is drawn */
#define MIN_PARTIAL 2 /* empty slabs are kept while a node has no more partial ones than this */

/* xorshift64*: not for cryptography. */
static u64 next_random(u64 *state)
{
	u64 x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL >> 32;
}

bool guard_init(struct kmem_cache *cache)
{
	struct slab_guard *guard = (struct slab_guard *)get_zeroed_page(GFP_KERNEL);

	if (!guard)
		return false;
	spin_lock_init(&guard->lock, cache->name, LOCK_RANK_CACHE_NODE);
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		INIT_LIST_HEAD(&guard->node[nid].partial);
		INIT_LIST_HEAD(&guard->node[nid].full);
	}
	guard->random = (get_cycles() ^ (uintptr_t)cache) | 1;
	cache->guard = guard;
	cache->size = guard_layout(cache);
	if (cache->flags & SLAB_QUARANTINE)
		guard->quarantine_max = min(QUARANTINE_OBJECTS, QUARANTINE_BYTES / cache->size);
	return true;
}

void guard_exit(struct kmem_cache *cache)
{
	free_page((unsigned long)cache->guard);
}

/* --- slabs; all of this under guard->lock --- */

static struct guard_node *node_of(struct kmem_cache *cache, const struct page *slab)
{
	return &cache->guard->node[page_to_nid(slab)];
}

static void list_slab(struct guard_node *n, struct page *slab)
{
	slab->on_list = slab->freelist != NULL;
	list_add(&slab->slab_list, slab->on_list ? &n->partial : &n->full);
	ADD_ONCE(n->nr_partial, slab->on_list);
}

static void unlist_slab(struct guard_node *n, struct page *slab)
{
	list_del(&slab->slab_list);
	ADD_ONCE(n->nr_partial, -(unsigned long)slab->on_list);
}

/* @slab's free list has become empty or is empty no more, if it has. */
static void relist_slab(struct guard_node *n, struct page *slab)
{
	if (slab->on_list == (slab->freelist != NULL))
		return;
	unlist_slab(n, slab);
	list_slab(n, slab);
}

static void link_free(struct kmem_cache *cache, struct page *slab, void *obj)
{
	object_state(cache, obj)->next = slab->freelist;
	slab->freelist = obj;
}

static bool waits(const struct slab_guard *guard, const void *obj)
{
	for (u32 i = 0; i < guard->nr_quarantined; i++)
		if (guard->quarantine[(guard->oldest + i) % QUARANTINE_OBJECTS] == obj)
			return true;
	return false;
}

static bool state_known(u64 state)
{
	return state == OBJECT_FREE || state == OBJECT_TAKEN || state == OBJECT_QUARANTINED || state == OBJECT_ISOLATED;
}

/* Nobody gets @obj any more. It counts as taken already; its bytes stay, for somebody may still use them. */
static void isolate(struct kmem_cache *cache, void *obj)
{
	object_state(cache, obj)->state = OBJECT_ISOLATED;
	cache->guard->nr_isolated++;
}

/* Make @slab's free list of those objects that say they are free; one whose state was written over is isolated. */
static void rebuild_freelist(struct kmem_cache *cache, struct page *slab)
{
	struct slab_guard *guard = cache->guard;
	u32 nr_free = 0;

	slab->freelist = NULL;
	for (u32 i = 0; i < cache->objects; i++) {
		void *obj = guard_object(cache, slab, i);
		u64 state = object_state(cache, obj)->state;

		if (state == OBJECT_FREE) {
			link_free(cache, slab, obj);
			nr_free++;
		} else if (!state_known(state) && !waits(guard, obj)) {
			isolate(cache, obj);
		}
	}
	guard->nr_taken += (u32)cache->objects - nr_free - slab->inuse;
	slab->inuse = (u16)(cache->objects - nr_free);
	relist_slab(node_of(cache, slab), slab);
}

/* Whether @obj may stand in @slab's free list. */
static bool may_be_listed(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	return guard_begins_object(cache, slab, obj) && object_state(cache, obj)->state == OBJECT_FREE;
}

/* The first entry of @slab's free list, at most @most long, that is no free object of it; NULL when all are. */
static const void *bad_entry(const struct kmem_cache *cache, const struct page *slab, u32 most)
{
	u32 n = 0;

	for (const void *obj = slab->freelist; obj && n < most; obj = object_state(cache, obj)->next, n++)
		if (!may_be_listed(cache, slab, obj))
			return obj;
	return NULL;
}

/* Look at the first @most objects of the list, all when there are no more, and mend it when it is damaged. */
static void mend_freelist(struct kmem_cache *cache, struct page *slab, u32 most)
{
	const void *bad = bad_entry(cache, slab, most);

	if (likely(!bad))
		return;
	cache->guard->reports++;
	if (!guard_begins_object(cache, slab, bad)) {
		if (slub_report(cache, NULL, bad, "the free list of a slab leads to what is no object of it", NULL))
			slub_fixed(cache, "free list made anew");
	} else if (slub_report(cache, slab, bad, "the state behind a free object was written over", NULL)) {
		slub_fixed(cache, "free list made anew; the object is isolated if its state is none");
	}
	rebuild_freelist(cache, slab);
}

/* --- pages of slabs; no lock --- */

/* Each object goes before or behind those that are there, as is drawn. */
static void cut_slab(struct kmem_cache *cache, struct page *slab)
{
	u64 random = (get_cycles() ^ (uintptr_t)slab) | 1;
	void *last = NULL;

	slab->freelist = NULL;
	for (u32 i = 0; i < cache->objects; i++) {
		void *obj = guard_object(cache, slab, i);

		if (cache->ctor)
			cache->ctor(obj);
		memset(object_state(cache, obj), 0, sizeof(struct object_state));
		if (object_tracks(cache, obj))
			memset(object_tracks(cache, obj), 0, 2 * sizeof(struct object_track));
		guard_set_state(cache, obj, OBJECT_FREE);
		if (last && (next_random(&random) & 1))
			object_state(cache, last)->next = obj;
		else
			link_free(cache, slab, obj);
		if (!object_state(cache, obj)->next)
			last = obj;
	}
}

static void free_slabs(struct kmem_cache *cache, struct list_head *list)
{
	while (!list_empty(list)) {
		struct page *slab = list_first_entry(list, struct page, slab_list);

		list_del(&slab->slab_list);
		slab_free_pages(cache, slab);
	}
}

/* --- what is found --- */

/* Look at a free @obj that counts as taken. Return: whether it is fit to be used; else it is isolated. */
static bool check_free_object(struct kmem_cache *cache, struct page *slab, void *obj)
{
	struct object_damage damage;

	if (unlikely(guard_damaged_poison(cache, obj, &damage))) {
		cache->guard->reports++;
		if (slub_report(cache, slab, obj, "a free object was written to", &damage))
			slub_fixed(cache, "the object is isolated: nobody gets it any more");
		isolate(cache, obj);
		return false;
	}
	if (unlikely(guard_damaged_zone(cache, obj, &damage))) {
		cache->guard->reports++;
		if (slub_report(cache, slab, obj, "a red zone of a free object was written to", &damage))
			slub_fixed(cache, "red zone written anew");
	}
	return true;
}

/* What is wrong with a user's giving @obj back to @cache; NULL when nothing, as far as the state behind it is one. */
static const char *free_fault(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	u64 state;

	if (!slab)
		return "lies in no slab";
	if (slab->slab_cache != cache)
		return "belongs to another cache";
	if (!guard_begins_object(cache, slab, obj))
		return "is not the beginning of an object";
	state = object_state(cache, obj)->state;
	if (state == OBJECT_ISOLATED)
		return "was isolated before";
	return state == OBJECT_FREE || state == OBJECT_QUARANTINED ? "is free already" : NULL;
}

bool guard_check_zone(struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	struct object_damage damage;

	if (likely(!guard_damaged_zone(cache, obj, &damage)))
		return false;
	cache->guard->reports++;
	if (slub_report(cache, slab, obj, "a red zone was written over", &damage))
		slub_fixed(cache, "red zone written anew");
	return true;
}

/* @obj's state, or how many bytes of it were asked for, is none that was written there. It stays allocated. */
static void give_up(struct kmem_cache *cache, const struct page *slab, void *obj)
{
	cache->guard->reports++;
	if (slub_report(cache, slab, obj, "the state behind an object was written over", NULL))
		slub_fixed(cache, "the object is isolated: nobody gets it any more");
	if (!waits(cache->guard, obj))
		isolate(cache, obj);
}

/* Return: whether @obj can be taken back. */
static bool check_freed(struct kmem_cache *cache, struct page *slab, void *obj)
{
	const char *fault = free_fault(cache, slab, obj);

	if (unlikely(fault)) {
		cache->guard->reports++;
		slub_report_free(cache, slab, obj, fault);
		return false;
	}
	if (unlikely(object_state(cache, obj)->state != OBJECT_TAKEN)) {
		give_up(cache, slab, obj);
		return false;
	}
	/* Who wrote through the red zone may have written behind it: that is one report, and the state is whole. */
	if (unlikely(!guard_check_zone(cache, slab, obj) && !object_asked_whole(cache, obj))) {
		give_up(cache, slab, obj);
		return false;
	}
	return true;
}

static void trace(const struct kmem_cache *cache, const void *obj, const char *what)
{
	if (cache->flags & SLAB_TRACE)
		printk("slub: TRACE %s: %s %p on CPU %d\n", cache->name, what, obj, smp_processor_id());
}

/* --- allocation --- */

static void *choose_object(struct kmem_cache *cache, struct page *slab)
{
	u64 steps = next_random(&cache->guard->random) % CHOICE;
	void **link = &slab->freelist, *obj;

	while (steps-- && object_state(cache, *link)->next)
		link = &object_state(cache, *link)->next;
	obj = *link;
	*link = object_state(cache, obj)->next;
	slab->inuse++;
	cache->guard->nr_taken++;
	relist_slab(node_of(cache, slab), slab);
	return obj;
}

/* A sound object of @nid's partial slabs, allocated; NULL when there is none. */
static void *take_locked(struct kmem_cache *cache, int nid)
{
	struct slab_guard *guard = cache->guard;
	struct guard_node *n = &guard->node[nid];
	u32 most = cache->flags & SLAB_CONSISTENCY_CHECKS ? cache->objects : CHOICE;

	while (!list_empty(&n->partial)) {
		struct page *slab = list_first_entry(&n->partial, struct page, slab_list);
		void *obj;

		mend_freelist(cache, slab, most);
		if (!slab->freelist)
			continue;
		obj = choose_object(cache, slab);
		if (!check_free_object(cache, slab, obj))
			continue;
		guard_set_state(cache, obj, OBJECT_TAKEN);
		guard_note_owner(cache, obj, false);
		guard->allocations++;
		trace(cache, obj, "allocates");
		return obj;
	}
	return NULL;
}

static void *take(struct kmem_cache *cache, int nid)
{
	unsigned long flags = spin_lock_irqsave(&cache->guard->lock);
	void *obj = take_locked(cache, nid);

	spin_unlock_irqrestore(&cache->guard->lock, flags);
	return obj;
}

/* From the nodes with partial slabs, in the order in which @nid's requests go to nodes. */
static void *take_from_any_node(struct kmem_cache *cache, int nid)
{
	void *obj = NULL;

	for (struct zone **zone = node_data[nid]->zonelist; *zone && !obj; zone++) {
		int other = (*zone)->node->node_id;

		if (READ_ONCE(cache->guard->node[other].nr_partial))
			obj = take(cache, other);
	}
	return obj;
}

static void *take_from_new(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	struct page *slab = slab_alloc_pages(cache, gfp, nid);
	unsigned long flags;
	void *obj;

	if (!slab)
		return NULL;
	slab->inuse = 0;
	cut_slab(cache, slab);
	flags = spin_lock_irqsave(&cache->guard->lock);
	cache->guard->nr_slabs++;
	list_slab(node_of(cache, slab), slab);
	obj = take_locked(cache, page_to_nid(slab));
	spin_unlock_irqrestore(&cache->guard->lock, flags);
	return obj;
}

/* --- free --- */

/* @obj, checked and marked free, to its slab; the slab joins @empty when it should go. */
static void return_object(struct kmem_cache *cache, struct page *slab, void *obj, struct list_head *empty)
{
	struct guard_node *n = node_of(cache, slab);

	link_free(cache, slab, obj);
	slab->inuse--;
	cache->guard->nr_taken--;
	relist_slab(n, slab);
	if (slab->inuse || n->nr_partial <= MIN_PARTIAL || (cache->flags & SLAB_TYPESAFE_BY_RCU))
		return;
	unlist_slab(n, slab);
	cache->guard->nr_slabs--;
	list_add(&slab->slab_list, empty);
}

/* The oldest object of the quarantine leaves it. */
static void release_oldest(struct kmem_cache *cache, struct list_head *empty)
{
	struct slab_guard *guard = cache->guard;
	void *obj = guard->quarantine[guard->oldest];
	struct page *slab = slab_of(obj);

	guard->oldest = (guard->oldest + 1) % QUARANTINE_OBJECTS;
	guard->nr_quarantined--;
	if (object_state(cache, obj)->state != OBJECT_QUARANTINED) {
		guard->reports++;
		if (slub_report(cache, slab, obj, "the state behind a freed object was written over", NULL))
			slub_fixed(cache, "the object is isolated: nobody gets it any more");
		isolate(cache, obj);
	} else if (check_free_object(cache, slab, obj)) {
		guard_set_state(cache, obj, OBJECT_FREE);
		return_object(cache, slab, obj, empty);
	}
}

static void quarantine(struct kmem_cache *cache, void *obj, struct list_head *empty)
{
	struct slab_guard *guard = cache->guard;

	if (guard->nr_quarantined == guard->quarantine_max)
		release_oldest(cache, empty);
	guard_set_state(cache, obj, OBJECT_QUARANTINED);
	guard->quarantine[(guard->oldest + guard->nr_quarantined++) % QUARANTINE_OBJECTS] = obj;
}

static void free_locked(struct kmem_cache *cache, struct page *slab, void *obj, struct list_head *empty)
{
	if (!check_freed(cache, slab, obj))
		return;
	if (cache->flags & SLAB_CONSISTENCY_CHECKS)
		mend_freelist(cache, slab, cache->objects);
	trace(cache, obj, "frees");
	guard_note_owner(cache, obj, true);
	cache->guard->frees++;
	if (cache->guard->quarantine_max) {
		quarantine(cache, obj, empty);
	} else {
		guard_set_state(cache, obj, OBJECT_FREE);
		return_object(cache, slab, obj, empty);
	}
}

void guard_free(struct kmem_cache *cache, struct page *slab, void *obj)
{
	unsigned long flags = spin_lock_irqsave(&cache->guard->lock);
	LIST_HEAD(empty);

	free_locked(cache, slab, obj, &empty);
	spin_unlock_irqrestore(&cache->guard->lock, flags);
	free_slabs(cache, &empty);
}

static void empty_quarantine(struct kmem_cache *cache)
{
	unsigned long flags = spin_lock_irqsave(&cache->guard->lock);
	LIST_HEAD(empty);

	while (cache->guard->nr_quarantined)
		release_oldest(cache, &empty);
	spin_unlock_irqrestore(&cache->guard->lock, flags);
	free_slabs(cache, &empty);
}

/* Point 5 of the theory. */
static void *alloc_from(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	gfp_t near = (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN | __GFP_THISNODE;
	void *obj = take(cache, nid);

	if (!obj)
		obj = take_from_new(cache, near, nid);
	if (!obj && !(gfp & __GFP_THISNODE))
		obj = take_from_any_node(cache, nid);
	if (obj)
		return obj;
	empty_quarantine(cache);
	obj = gfp & __GFP_THISNODE ? take(cache, nid) : take_from_any_node(cache, nid);
	return obj ? obj : take_from_new(cache, gfp, nid);
}

void *guard_alloc(struct kmem_cache *cache, gfp_t gfp, int nid)
{
	void *obj = alloc_from(cache, gfp, nid);

	if (obj && (gfp & __GFP_ZERO))
		memset(obj, 0, cache->object_size);
	return obj;
}

unsigned long guard_shrink(struct kmem_cache *cache)
{
	unsigned long flags, freed = 0;
	LIST_HEAD(empty);

	empty_quarantine(cache);
	flags = spin_lock_irqsave(&cache->guard->lock);
	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct guard_node *n = &cache->guard->node[nid];
		struct page *slab, *tmp;

		list_for_each_entry_safe(slab, tmp, &n->partial, slab_list) {
			if (slab->inuse)
				continue;
			unlist_slab(n, slab);
			cache->guard->nr_slabs--;
			list_add(&slab->slab_list, &empty);
			freed++;
		}
	}
	spin_unlock_irqrestore(&cache->guard->lock, flags);
	slab_wait_for_readers(cache);
	free_slabs(cache, &empty);
	return freed;
}

void guard_abandon(struct kmem_cache *cache)
{
	struct page *slab, *tmp;
	LIST_HEAD(all);

	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct guard_node *n = &cache->guard->node[nid];

		list_for_each_entry_safe(slab, tmp, &n->partial, slab_list)
			list_move(&slab->slab_list, &all);
		list_for_each_entry_safe(slab, tmp, &n->full, slab_list)
			list_move(&slab->slab_list, &all);
	}
	slab_wait_for_readers(cache);
	free_slabs(cache, &all);
}

void guard_sum(struct kmem_cache *cache, struct slab_sums *sums)
{
	struct slab_guard *guard = cache->guard;
	unsigned long flags = spin_lock_irqsave(&guard->lock);

	sums->slabs = guard->nr_slabs;
	sums->objects = guard->nr_slabs * cache->objects;
	sums->taken = guard->nr_taken;
	sums->stacked = guard->nr_quarantined + guard->nr_isolated;
	for (int nid = 0; nid < nr_node_ids; nid++)
		sums->partial += guard->node[nid].nr_partial;
	spin_unlock_irqrestore(&guard->lock, flags);
}
