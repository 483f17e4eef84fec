// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof of SLUB's equations.
 *
 * 1. Each slab's free list is walked: every link lies in the slab, at an object's beginning, and the list is as long as
 *    objects - inuse says. The sums over the slabs of a node are compared with the node's counters.
 * 2. Each object on a CPU's stack is an object of the cache, begins one, is in no free list of its slab, and is on no
 *    stack a second time. For that each is noted in a bitmap by a hash of its address; only one whose bit is set
 *    already is searched on the stacks.
 * 3. Objects taken from slabs = on CPU stacks + allocated: allocated is never negative.
 * Exact while nobody allocates or frees; each node is walked under its lock, and all caches under slab_mutex, which
 * covers the bitmap too.
 */
#include "slub.h"

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <string.h>

#include "slub_guard.h"
#include "slub_report.h"

/* Eight bits for each object of which 64 CPUs' stacks are full: an eighth of the searches is in vain at the worst. */
#define SEEN_SHIFT 18

_Static_assert((1UL << SEEN_SHIFT) >= 8UL * 64 * CPU_STACK_MAX, "as point 2 wants it");

static u64 seen[(1UL << SEEN_SHIFT) / 64]; /* slab_mutex */

#define complain(cache, fmt, ...) (printk("slab check: %s: " fmt "\n", (cache)->name, __VA_ARGS__), false)

static bool check_freelist(const struct kmem_cache *cache, const struct page *slab)
{
	unsigned long n = 0, expected = (unsigned long)cache->objects - slab->inuse;
	const char *base = page_address(slab);

	if (!slab->inuse)
		return true;
	for (void *obj = slab->freelist; obj; obj = next_free(free_format(cache), base, obj)) {
		if (!is_free_object(cache, slab, obj))
			return complain(cache, "slab at pfn 0x%lx: free object %p is none of its", page_to_pfn(slab),
					obj);
		if (++n > expected)
			break;
	}
	if (n != expected)
		return complain(cache, "slab at pfn 0x%lx: %lu free objects in its list, %u objects of which %u taken",
				page_to_pfn(slab), n, cache->objects, slab->inuse);
	return true;
}

/* Whether a free without a lock can tell the objects of @slab. */
static bool tells_objects(const struct kmem_cache *cache, const struct page *slab)
{
	const char *last = slab_first(cache, slab) + (size_t)(cache->objects - 1) * cache->size;

	return !HARDENED ||
	       (object_window(asm_object_product(slab_first(cache, slab), slab->object_factor)) == cache->object_id &&
		object_window(asm_object_product(last, slab->object_factor)) == cache->object_id);
}

/* Each page says whose it is, and which stacks take its objects, if any. */
static bool check_slab_page(const struct kmem_cache *cache, const struct page *page, u32 nr)
{
	if (page_test(page, PG_slab) && page->slab_cache == cache && page->head_offset == nr &&
	    page->object_stack == (tells_objects(cache, page - nr) ? object_stack_of(cache, page_to_nid(page)) : 0) &&
	    (!HARDENED || (page->object_factor == (page - nr)->object_factor &&
			   page->object_key == slab_object_key(cache, page - nr, nr))))
		return true;
	return complain(cache, "slab at pfn 0x%lx: page %u is not marked as its own", page_to_pfn(page) - nr, nr);
}

static bool check_slab(const struct kmem_cache *cache, const struct page *slab, bool partial)
{
	for (u32 i = 0; i < 1u << cache->order; i++)
		if (!check_slab_page(cache, &slab[i], i))
			return false;
	if (partial != (slab->inuse < cache->objects) || slab->on_list != partial)
		return complain(cache, "slab at pfn 0x%lx: %u of %u taken, in the wrong list", page_to_pfn(slab),
				slab->inuse, cache->objects);
	return check_freelist(cache, slab);
}

static bool check_list(const struct kmem_cache *cache, const struct list_head *list, bool partial, unsigned long *slabs,
		       unsigned long *taken)
{
	const struct page *slab;

	list_for_each_entry(slab, list, slab_list) {
		if (!check_slab(cache, slab, partial))
			return false;
		++*slabs;
		*taken += slab->inuse;
	}
	return true;
}

static bool check_node(struct kmem_cache *cache, int nid)
{
	struct kmem_cache_node *n = &cache->node[nid];
	unsigned long flags = spin_lock_irqsave(&n->lock), partial = 0, full = 0, taken = 0;
	bool ok = check_list(cache, &n->partial, true, &partial, &taken) &&
		  check_list(cache, &n->full, false, &full, &taken);

	if (ok && (partial != n->nr_partial || partial + full != n->nr_slabs || taken != n->nr_taken))
		ok = complain(cache, "node %d: %lu partial + %lu full slabs, %lu taken; counted %lu, %lu, %lu", nid,
			      partial, full, taken, n->nr_partial, n->nr_slabs - n->nr_partial, n->nr_taken);
	spin_unlock_irqrestore(&n->lock, flags);
	return ok;
}

static bool in_freelist(const struct kmem_cache *cache, const struct page *slab, const void *wanted)
{
	u32 n = 0;

	if (!slab->inuse)
		return true;
	/* The node was checked under its lock; what others change meanwhile leads no further than the slab. */
	for (const char *obj = slab->freelist; obj && n++ < cache->objects && is_free_object(cache, slab, obj);
	     obj = next_free(free_format(cache), page_address(slab), obj))
		if (obj == wanted)
			return true;
	return false;
}

/* One of the stacks that CPUs have, for the objects of a node. */
struct place {
	int cpu, nid;
};

/* Whether @obj is among the first @n objects at @place. */
static bool holds(const struct kmem_cache *cache, struct place place, unsigned long n, const void *obj)
{
	void *const *slot = node_slots(cache, place.cpu, place.nid) + 1;

	for (unsigned long i = 0; i < n; i++)
		if (slot[i] == obj)
			return true;
	return false;
}

/* Whether @obj is on one of the stacks of @cpu for nodes below @nodes. */
static bool cpu_holds(const struct kmem_cache *cache, int cpu, int nodes, const void *obj)
{
	for (int nid = 0; nid < nodes; nid++)
		if (has_node(nid) && holds(cache, (struct place){ cpu, nid }, node_stack_count(cache, cpu, nid), obj))
			return true;
	return false;
}

/* The first CPU whose stack has @obj, among the first @n objects of that at @last and all of those before. */
static int first_holder(const struct kmem_cache *cache, struct place last, unsigned long n, const void *obj)
{
	for (int cpu = 0; cpu < last.cpu; cpu++)
		if (cpu_holds(cache, cpu, nr_node_ids, obj))
			return cpu;
	return cpu_holds(cache, last.cpu, last.nid, obj) || holds(cache, last, n, obj) ? last.cpu : -1;
}

/* Note @obj, number @n of the stack at @place. Return: the CPU whose stack has it already; -1 when none has. */
static int note_stacked(const struct kmem_cache *cache, struct place place, unsigned long n, const void *obj)
{
	unsigned long hash = (uintptr_t)obj * 0x9e3779b97f4a7c15UL >> (64 - SEEN_SHIFT);

	if (bit_test(seen, hash))
		return first_holder(cache, place, n, obj);
	bit_set(seen, hash);
	return -1;
}

static bool check_stacked(const struct kmem_cache *cache, struct place place, unsigned long n, const void *obj)
{
	const struct page *slab = slab_head(obj);
	int cpu = place.cpu, other;

	if (object_fault(cache, slab, obj))
		return complain(cache, "CPU %d: %p on its stack is no object of the cache", cpu, obj);
	if (in_freelist(cache, slab, obj))
		return complain(cache, "CPU %d: %p on its stack is in its slab's free list too", cpu, obj);
	if (!is_near(cpu, place.nid) && page_to_nid(slab) != place.nid)
		return complain(cache, "CPU %d: %p of node %d is on its stack for node %d", cpu, obj, page_to_nid(slab),
				place.nid);
	other = note_stacked(cache, place, n, obj);
	if (other >= 0)
		return complain(cache, "CPU %d: %p on its stack is on CPU %d's stack too: freed twice", cpu, obj,
				other);
	return true;
}

static bool check_stack(const struct kmem_cache *cache, struct place place)
{
	unsigned long count = node_stack_count(cache, place.cpu, place.nid);
	u32 capacity = is_near(place.cpu, place.nid) ? cache->capacity : far_stack();
	void *const *slot = node_slots(cache, place.cpu, place.nid);

	if (count > capacity || slot[0])
		return complain(cache, "CPU %d: %lu objects on a stack of %u, below them %p", place.cpu, count,
				capacity, slot[0]);
	for (unsigned long i = 0; i < count; i++)
		if (!check_stacked(cache, place, i, slot[i + 1]))
			return false;
	return true;
}

static bool check_stacks(const struct kmem_cache *cache)
{
	for (int cpu = 0; has_stacks(cache) && cpu < nr_cpu_ids; cpu++)
		for (int nid = 0; nid < nr_node_ids; nid++)
			if (has_node(nid) && !check_stack(cache, (struct place){ cpu, nid }))
				return false;
	return true;
}

static bool check_cache(struct kmem_cache *cache)
{
	struct slab_sums sums;

	if (cache->guard)
		return guard_check(cache);
	for (int nid = 0; nid < nr_node_ids; nid++)
		if (!check_node(cache, nid))
			return false;
	memset(seen, 0, sizeof(seen));
	if (!check_stacks(cache))
		return false;
	slab_sum(cache, &sums);
	if (sums.taken < sums.stacked || sums.taken > sums.objects)
		return complain(cache, "%lu objects, %lu taken, %lu of them on stacks", sums.objects, sums.taken,
				sums.stacked);
	return true;
}

bool kmem_cache_check(void)
{
	struct kmem_cache *cache;
	bool ok = true;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list)
		ok = ok && check_cache(cache);
	mutex_unlock(&slab_mutex);
	return ok;
}

/* Show the objects of @slab that are allocated, @n having been shown before. Return: how many were by now. */
static unsigned long show_live_of(const struct kmem_cache *cache, const struct page *slab, unsigned long n,
				  unsigned long max)
{
	const char *base = page_address(slab), *first = slab_first(cache, slab);
	u32 free = 0;

	memset(seen, 0, DIV_ROUND_UP(cache->objects, 64) * sizeof(seen[0]));
	/* Only as far as the list is one: who leaks an object may have written to another. */
	for (const char *obj = slab->freelist; obj && free++ < cache->objects && is_free_object(cache, slab, obj);
	     obj = next_free(free_format(cache), base, obj))
		bit_set(seen, (unsigned long)(obj - first) / cache->size);
	for (unsigned long i = 0; i < cache->objects && n < max; i++)
		if (!bit_test(seen, i)) {
			slub_show_object(cache, slab, first + i * cache->size);
			n++;
		}
	return n;
}

static unsigned long show_live_list(const struct kmem_cache *cache, const struct list_head *list, unsigned long n,
				    unsigned long max)
{
	const struct page *slab;

	list_for_each_entry(slab, list, slab_list) {
		if (n >= max)
			break;
		if (slab->inuse)
			n = show_live_of(cache, slab, n, max);
	}
	return n;
}

void slab_show_live(struct kmem_cache *cache, unsigned long max)
{
	unsigned long n = 0;

	mutex_lock(&slab_mutex);
	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *node = &cache->node[nid];
		unsigned long flags = spin_lock_irqsave(&node->lock);

		n = show_live_list(cache, &node->partial, n, max);
		n = show_live_list(cache, &node->full, n, max);
		spin_unlock_irqrestore(&node->lock, flags);
	}
	mutex_unlock(&slab_mutex);
}
