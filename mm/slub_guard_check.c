// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guarded caches looked at as a whole: the proof of their equation, and the list of what is alive.
 *
 * 1. Each slab's free list holds objects of the slab whose state is free, as many as objects - inuse says. Every other
 *    object of the slab is allocated, quarantined or isolated, and the sums over all slabs are the cache's counts.
 * 2. Red zones of all objects, and the poison of free and quarantined ones, are whole. What is isolated is not looked
 *    at.
 * 3. All of that under guard->lock. Cost: O(bytes of all slabs), interrupts masked.
 */
#include <lib/printk.h>

#include "slub_guard.h"
#include "slub_report.h"

/* Objects of slabs, by state. */
struct tally {
	unsigned long slabs, free, taken, quarantined, isolated;
};

#define complain(cache, fmt, ...) (printk("slab check: %s: " fmt "\n", (cache)->name, __VA_ARGS__), false)

static bool check_bytes(const struct kmem_cache *cache, const struct page *slab, const void *obj, u64 state)
{
	struct object_damage damage;

	if (state == OBJECT_ISOLATED)
		return true;
	if (state == OBJECT_TAKEN && !object_asked_whole(cache, obj))
		return complain(cache, "slab at pfn 0x%lx: object %p: the state behind it was written over",
				page_to_pfn(slab), obj);
	if (!guard_damaged_zone(cache, obj, &damage) &&
	    (state == OBJECT_TAKEN || !guard_damaged_poison(cache, obj, &damage)))
		return true;
	return complain(cache, "slab at pfn 0x%lx: object %p: %s: %p has 0x%02x instead of 0x%02x", page_to_pfn(slab),
			obj, damage.part, (const void *)damage.at, *damage.at, damage.expected);
}

/* Count @obj. Return: false when its state is none. */
static bool tally_object(struct tally *tally, u64 state)
{
	switch (state) {
	case OBJECT_FREE:
		tally->free++;
		return true;
	case OBJECT_TAKEN:
		tally->taken++;
		return true;
	case OBJECT_QUARANTINED:
		tally->quarantined++;
		return true;
	case OBJECT_ISOLATED:
		tally->isolated++;
		return true;
	default:
		return false;
	}
}

static bool check_freelist(const struct kmem_cache *cache, const struct page *slab)
{
	unsigned long n = 0, expected = (unsigned long)cache->objects - slab->inuse;

	for (const void *obj = slab->freelist; obj && n <= expected; obj = object_state(cache, obj)->next, n++)
		if (!guard_begins_object(cache, slab, obj) || object_state(cache, obj)->state != OBJECT_FREE)
			return complain(cache, "slab at pfn 0x%lx: %p in its free list is no free object of it",
					page_to_pfn(slab), obj);
	if (n != expected)
		return complain(cache, "slab at pfn 0x%lx: free list of %lu, %u objects of which %u taken",
				page_to_pfn(slab), n, cache->objects, slab->inuse);
	return true;
}

static bool check_slab(const struct kmem_cache *cache, const struct page *slab, struct tally *tally)
{
	unsigned long was_free = tally->free;

	tally->slabs++;
	for (u32 i = 0; i < cache->objects; i++) {
		const void *obj = guard_object(cache, slab, i);
		u64 state = object_state(cache, obj)->state;

		if (!tally_object(tally, state))
			return complain(cache, "slab at pfn 0x%lx: object %p has the state 0x%llx", page_to_pfn(slab),
					obj, state);
		if (!check_bytes(cache, slab, obj, state))
			return false;
	}
	if (tally->free - was_free + slab->inuse != cache->objects)
		return complain(cache, "slab at pfn 0x%lx: %lu of %u objects are free, %u taken", page_to_pfn(slab),
				tally->free - was_free, cache->objects, slab->inuse);
	return check_freelist(cache, slab);
}

static bool check_list(const struct kmem_cache *cache, const struct list_head *list, struct tally *tally)
{
	const struct page *slab;

	list_for_each_entry(slab, list, slab_list)
		if (slab->slab_cache != cache || !check_slab(cache, slab, tally))
			return false;
	return true;
}

static bool check_counts(const struct kmem_cache *cache, const struct tally *tally)
{
	const struct slab_guard *guard = cache->guard;
	unsigned long taken = tally->taken + tally->quarantined + tally->isolated;

	if (tally->slabs == guard->nr_slabs && taken == guard->nr_taken && tally->isolated == guard->nr_isolated &&
	    tally->quarantined == guard->nr_quarantined)
		return true;
	return complain(cache, "%lu slabs, %lu taken, %lu quarantined, %lu isolated; counted %lu, %lu, %u, %lu",
			tally->slabs, taken, tally->quarantined, tally->isolated, guard->nr_slabs, guard->nr_taken,
			guard->nr_quarantined, guard->nr_isolated);
}

bool guard_check(struct kmem_cache *cache)
{
	struct slab_guard *guard = cache->guard;
	unsigned long flags = spin_lock_irqsave(&guard->lock);
	struct tally tally = { 0 };
	bool ok = true;

	for (int nid = 0; nid < nr_node_ids && ok; nid++)
		ok = check_list(cache, &guard->node[nid].partial, &tally) &&
		     check_list(cache, &guard->node[nid].full, &tally);
	ok = ok && check_counts(cache, &tally);
	spin_unlock_irqrestore(&guard->lock, flags);
	return ok;
}

static unsigned long show_live_of(const struct kmem_cache *cache, const struct list_head *list, unsigned long n,
				  unsigned long max)
{
	const struct page *slab;

	list_for_each_entry(slab, list, slab_list)
		for (u32 i = 0; i < cache->objects; i++) {
			const void *obj = guard_object(cache, slab, i);

			if (object_state(cache, obj)->state == OBJECT_TAKEN && n++ < max)
				slub_show_object(cache, slab, obj);
		}
	return n;
}

unsigned long guard_show_live(struct kmem_cache *cache, unsigned long max)
{
	struct slab_guard *guard = cache->guard;
	unsigned long flags = spin_lock_irqsave(&guard->lock), n = 0;

	for (int nid = 0; nid < nr_node_ids; nid++) {
		n = show_live_of(cache, &guard->node[nid].partial, n, max);
		n = show_live_of(cache, &guard->node[nid].full, n, max);
	}
	spin_unlock_irqrestore(&guard->lock, flags);
	return n;
}
