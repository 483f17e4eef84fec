// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is wrong with an object that somebody gives back, and with the list of a slab.
 *
 * 1. An address that is no object of the cache is told by its struct page, which is looked at only when it has been
 *    written: page_initialised().
 * 2. An object that bears the mark is free already, or its user wrote the mark. Which of the two is found out by
 *    looking for it: in its slab's list, under the node's lock, and on the stacks of all CPUs. No report goes by the
 *    mark alone.
 * 3. Another CPU's stack is read while that CPU uses it. A slot in which the object is seen may be an old one, whose
 *    new content has been stored and is not visible yet; stores become visible, so the slot is read again SETTLE_NS
 *    later. What is there still is no old content: a slot that was stored to never shows again what was there before.
 *    An object that is found nowhere may be on its way to a stack: it is looked for again when every other CPU has
 *    taken a cross call, where one may be made, and that much later. One that bears the mark and is nowhere even then
 *    is believed to be in use. (So of two frees of an object at the same moment the second one is found, unless the
 *    first was interrupted on its way to the stack for longer than that, or by the second.)
 * 4. A free that is refused changes nothing: the object stays what it is. A list that leads to no free object is cut
 *    off there: what followed counts as taken from then on.
 *
 * Cost: O(objects of a slab + stacks), for marked objects only.
 */
#include <lib/smp.h>
#include <mm/port.h>
#include <stdio.h>

#include "slub_report.h"

#define SETTLE_NS 1000000ULL

/* Where an object was found. */
#define NOWHERE (-1)
#define IN_SLAB (-2)

const char *object_fault(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	if (!slab)
		return "lies in no slab";
	if (slab->slab_cache != cache)
		return "belongs to another cache";
	return begins_object(cache, slab, obj) ? NULL : "is not the beginning of an object";
}

static bool in_list(const struct kmem_cache *cache, const struct page *slab, const void *wanted)
{
	const char *base = page_address(slab);
	u32 n = 0;

	/* An empty slab has no list: all of it is free. */
	if (!slab->inuse)
		return true;
	for (const void *obj = slab->freelist; obj && n++ < cache->objects;
	     obj = next_free(free_format(cache), base, obj)) {
		if (obj == wanted)
			return true;
		if (!is_free_object(cache, slab, obj))
			break;
	}
	return false;
}

/* The slot of @cpu's stack for @nid's objects that holds @obj, NULL when none does. The CPU goes on meanwhile. */
static void **slot_of_node(const struct kmem_cache *cache, int cpu, int nid, const void *obj)
{
	void **slot = node_slots(cache, cpu, nid), **top = READ_ONCE(node_stack(cache, cpu, nid)->top);

	for (; top > slot; top--)
		if (READ_ONCE(*top) == obj)
			return top;
	return NULL;
}

/*
 * The same of all stacks that it may be on: that for its node, and the CPU's own, which may have been filled from afar.
 */
static void **slot_with(const struct kmem_cache *cache, int cpu, const void *obj)
{
	int near = node_for_alloc[((const struct mm_cpu *)percpu_base(cpu))->nid], nid = page_to_nid(virt_to_page(obj));
	void **slot = slot_of_node(cache, cpu, near, obj);

	return slot || nid == near ? slot : slot_of_node(cache, cpu, nid, obj);
}

/* Time enough for what another CPU has stored to be seen. */
static void settle(void)
{
	u64 start = arch_clock_ns();

	while (arch_clock_ns() - start < SETTLE_NS)
		cpu_relax();
}

/* Point 3 of the theory. */
static bool stays_on_stack(const struct kmem_cache *cache, int cpu, const void *obj)
{
	void **slot = slot_with(cache, cpu, obj);

	if (!slot || cpu == smp_processor_id())
		return slot;
	settle();
	return READ_ONCE(*slot) == obj;
}

/* Where @obj of @slab lies free: the CPU whose stack it is on, IN_SLAB, or NOWHERE. */
static int look_for(struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	struct kmem_cache_node *n = &cache->node[page_to_nid(slab)];
	unsigned long flags = spin_lock_irqsave(&n->lock);
	bool listed = in_list(cache, slab, obj);
	int found = NOWHERE;

	for (int cpu = 0; !listed && has_stacks(cache) && found == NOWHERE && cpu < nr_cpu_ids; cpu++)
		found = stays_on_stack(cache, cpu, obj) ? cpu : NOWHERE;
	spin_unlock_irqrestore(&n->lock, flags);
	return listed ? IN_SLAB : found;
}

/*
 * Time enough for a free that another CPU has begun: it has taken an interrupt and gone on, where it may be given one.
 */
static void let_others_finish(void)
{
	if (arch_cross_call_ok())
		kick_all_cpus_sync();
	settle();
}

static int find_free(struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	int where = look_for(cache, slab, obj);

	if (where != NOWHERE)
		return where;
	let_others_finish();
	return look_for(cache, slab, obj);
}

/* Return: true, always. */
static bool report_wrong(const struct kmem_cache *cache, const struct page *slab, const void *obj, const char *verb)
{
	const struct kmem_cache *named = cache || !slab ? cache : slab->slab_cache;

	slub_report_use(named, slab, obj, verb, object_fault(named, slab, obj));
	return true;
}

static bool report_twice(const struct page *slab, const void *obj, const char *verb, int where)
{
	char fault[64];

	if (where == IN_SLAB)
		snprintf(fault, sizeof(fault), "is free already, in its slab");
	else
		snprintf(fault, sizeof(fault), "is free already, on the stack of CPU %d", where);
	slub_report_use(slab->slab_cache, slab, obj, verb, fault);
	return true;
}

/* Whether @p is an object of @cache (NULL: of any); if not, that is reported. */
static bool is_object(const struct kmem_cache *cache, const struct page *slab, const void *p, const char *verb)
{
	const struct kmem_cache *owner = slab ? slab->slab_cache : NULL;

	return likely(slab && (!cache || owner == cache) && begins_object(owner, slab, p)) ||
	       !report_wrong(cache, slab, p, verb);
}

/* Whether an object that bears the mark is free; if so, that is reported. */
static bool is_free_already(const struct page *slab, const void *obj, const char *verb)
{
	int where = find_free(slab->slab_cache, slab, obj);

	return where != NOWHERE && report_twice(slab, obj, verb, where);
}

bool slab_use_refused(const struct kmem_cache *cache, const void *p, const char *verb)
{
	const struct page *slab = slab_head(p);

	if (!is_object(cache, slab, p, verb))
		return true;
	return unlikely(is_marked_free(slab->slab_cache, p)) && is_free_already(slab, p, verb);
}

void slab_free_checked(const struct kmem_cache *cache, const struct page *slab, void *p)
{
	/* Of several that free it at the same moment one writes the mark. */
	if (is_object(cache, slab, p, "freed") &&
	    (likely(claim_free(slab->slab_cache, p)) || !is_free_already(slab, p, "freed")))
		slab_free_slow(p);
}

void slab_report_late(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	char fault[96];

	/* None any more, where the page has just become the cache's. */
	snprintf(fault, sizeof(fault), "what was freed some time ago %s",
		 object_fault(cache, slab, obj) ?: "was no object then");
	if (slub_report(cache, slab, obj, fault, NULL))
		slub_fixed(cache, "not put into its slab");
}

void slab_report_list(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	const struct page *place = slab_head(obj) == slab ? slab : NULL;

	if (slub_report(cache, place, obj, "the free list of a slab leads to what is no free object of it", NULL))
		slub_fixed(cache, "the list is cut off there");
}
