// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many bytes of a guarded object its user asked for.
 *
 * 1. kmalloc() gives an object that is larger than what was asked for. In a guarded cache the bytes behind that are red
 *    zone, so a write to the first of them is found. How many were asked for lies in the word that links the object
 *    while it is free, with its complement: whoever writes there is found as whoever writes to the state beside it.
 * 2. What kmem_cache_alloc() gives is used whole. krealloc() moves the red zone; ksize() takes it away, as on Linux
 *    since 6.1, for whoever knows the size may use it.
 * 3. Where kzalloc() is inline, its caller clears the whole object when it has it, the bytes behind what was asked for
 *    too: they are zero instead of red then, and a zero that is written there is not found. At the level full kzalloc()
 *    is not inline.
 *
 * Lock: guard->lock. Cost: O(bytes of the red zone).
 */
#include <string.h>

#include "slub_guard.h"
#include "slub_report.h"

/* guard->lock is held, and @obj allocated. */
static void set_asked(const struct kmem_cache *cache, void *obj, u32 size, bool zeroed)
{
	struct object_state *meta = object_state(cache, obj);

	meta->asked = size | (zeroed ? ASKED_ZEROED : 0);
	meta->asked_not = ~meta->asked;
	if (cache->flags & SLAB_RED_ZONE)
		memset((char *)obj + size, zeroed ? 0 : RED_TAKEN, cache->object_size - size);
}

void *guard_kmalloc(struct kmem_cache *cache, gfp_t gfp, size_t size, int nid, bool zeroed)
{
	void *obj = kmem_cache_alloc_node(cache, gfp, nid);
	unsigned long flags;

	if (!obj || size == cache->object_size)
		return obj;
	flags = spin_lock_irqsave(&cache->guard->lock);
	set_asked(cache, obj, (u32)size, zeroed);
	spin_unlock_irqrestore(&cache->guard->lock, flags);
	return obj;
}

/* Whether @obj is an allocated object of @slab, as far as can be seen. guard->lock is held. */
static bool is_in_use(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	return guard_begins_object(cache, slab, obj) && object_state(cache, obj)->state == OBJECT_TAKEN &&
	       object_asked_whole(cache, obj);
}

bool guard_in_use(const struct page *slab, const void *obj)
{
	const struct kmem_cache *cache = slab->slab_cache;
	unsigned long flags = spin_lock_irqsave(&cache->guard->lock);
	bool in_use = guard_begins_object(cache, slab, obj) && object_state(cache, obj)->state == OBJECT_TAKEN;

	spin_unlock_irqrestore(&cache->guard->lock, flags);
	return in_use;
}

u32 guard_resize(struct page *slab, void *obj, u32 size)
{
	struct kmem_cache *cache = slab->slab_cache;
	unsigned long flags = spin_lock_irqsave(&cache->guard->lock);
	u32 old = cache->object_size;

	if (is_in_use(cache, slab, obj)) {
		old = object_asked(cache, obj);
		if (guard_check_zone(cache, slab, obj))
			guard_set_state(cache, obj, OBJECT_TAKEN);
		set_asked(cache, obj, size, false);
	}
	spin_unlock_irqrestore(&cache->guard->lock, flags);
	return old;
}

u32 guard_extent(const struct page *slab, const void *obj)
{
	const struct kmem_cache *cache = slab->slab_cache;
	unsigned long flags = spin_lock_irqsave(&cache->guard->lock);
	u32 extent = is_in_use(cache, slab, obj) ? object_asked(cache, obj) : cache->object_size;

	spin_unlock_irqrestore(&cache->guard->lock, flags);
	return extent;
}
