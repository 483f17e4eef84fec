/* SPDX-License-Identifier: BSD-2-Clause */
/* SLUB's structures, for slub*.c, kmalloc.c, show_slab.c and show_memory.c. What they are for, slub.c says. */
#ifndef MM_SLUB_H
#define MM_SLUB_H

#include <lib/list.h>
#include <lib/mutex.h>
#include <lib/spinlock.h>
#include <mm/mmzone.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "hardening.h"

/* A head that stays the one that is empty and full: caches beyond it, and those that want none, have no stack. */
#define NO_OBJECT_STACK (OBJECT_STACKS - 1)

/* Objects on a stack at the most, and on one for objects of another node, which go home together. */
#define CPU_STACK_MAX 512
#define FAR_STACK     32 /* up to FAR_NODES nodes; with more, as much memory for all of them together */
#define FAR_NODES     8

/*
 * A batch, about ten instructions for each object. Interrupts are masked for more than that at times: an empty stack
 * gets whole lists, so up to CPU_STACK_MAX objects, most often all of a new slab, in two instructions each; a full one
 * gives two batches back where frees came in order, in half the time for each.
 */
#define BATCH_MAX 128u

struct slab_guard;

/**
 * struct kmem_cache_cpu - what a CPU has of a cache
 * @refills: (o) allocations that found its stack empty, and filled it
 * @singles: (o) allocations past it, for another node or one node only
 * @flushes: (o) frees that found it full, and had it give a batch back
 * @remote_frees: (o) objects of other nodes that were freed and have gone home
 * @hits: (o) allocations that were hits, at least
 * @free_hits: (o) frees that were hits, at least: too few by as many as @hits
 * @seen: (o) the top of its stack when the slow path last looked at it
 * @slot: (o) of its stack (struct percpu_stack, <mm/percpu_stack.h>); kmem_cache.capacity + 1 of them and one for the
 *        NULL behind what goes back to slabs; then, where there are several nodes, far_stack() + 2 for each, for its
 *        objects
 *
 * A hit counts nothing. A stack that holds fewer objects than when the slow path last looked has lost them by hits, one
 * that holds more has got them by hits. An object that came and went in between leaves no trace at all, in any word of
 * memory, so no count without an instruction in the hit can have it; it is missing in both counts. So their difference
 * is exact:
 *
 *	allocated = hits + refills + singles - free_hits - flushes - remote_frees, over all CPUs, with the way from seen
 *	to top
 *
 * Objects on a stack count as taken from their slabs. (o): its CPU's, interrupts masked; others may read the counts.
 */
struct kmem_cache_cpu {
	unsigned long refills;
	unsigned long singles;
	unsigned long flushes;
	unsigned long remote_frees;
	unsigned long hits;
	unsigned long free_hits;
	void **seen;
	void *slot[];
};

/**
 * struct kmem_cache_node - a cache's slabs on one node
 * @lock: covers all of it, and freelist, inuse and on_list of its slabs
 * @partial: slabs with free objects
 * @full: slabs without
 * @nr_partial: how many are in @partial; looked at without the lock, too
 * @nr_slabs: in both lists
 * @nr_taken: objects taken from all of them
 */
struct kmem_cache_node {
	spinlock_t lock;
	struct list_head partial;
	struct list_head full;
	unsigned long nr_partial;
	unsigned long nr_slabs;
	unsigned long nr_taken;
};

/**
 * struct kmem_cache - a cache
 * @capacity: (c) objects that a CPU's stack holds; 0: it has none
 * @stack: (c) bytes from the local base to the head of a CPU's stack: what hits pop from
 * @offset: (c) where in a free object its word is: free_word()
 * @object_id: (c) where frees are checked: what its objects' addresses are told by (<mm/object_check.h>); 0 without
 *	stacks
 * @cpu: (c) what each CPU has (a per-CPU cookie); NULL without stacks
 * @name: (c)
 * @object_size: (M) bytes a user may use; it grows when a larger maker shares the cache. Others read it without the
 * mutex.
 * @size: (c) bytes from one object to the next
 * @align: (c)
 * @first: (c) where in a slab its first object is: slab_first()
 * @key: (c) with which links to free objects are encoded
 * @slab_bytes: (c) of a slab, all of its pages
 * @step: (c) object_step() of its objects
 * @same: (c) bits in which addresses of a slab's objects are alike: those that tell slabs apart, and if size is a power
 *	of two those within an object, too (slub_runs.h); not for guarded caches
 * @objects: (c) per slab
 * @order: (c) of a slab
 * @min_partial: (c) empty slabs are kept as long as a node has no more partial ones than this
 * @flags: (c) SLAB_ flags
 * @ctor: (c) NULL for none
 * @guard: (c) of a guarded cache (slub_guard.h); NULL for any other
 * @list: (M) in the list of caches
 * @aliases: (M) names of caches that share this one's slabs (struct slab_alias)
 * @refcount: (M) how often it was made; 0: by nobody who could end it, as the general caches
 * @node: (c) by node id, nr_node_ids of them
 *
 * Lock letters: (c) constant once created; (M) slab_mutex.
 */
struct kmem_cache {
	u32 capacity;
	u32 stack;
	u32 offset;
	u32 object_id;
	struct kmem_cache_cpu *cpu;
	const char *name;
	u32 object_size;
	u32 size;
	u32 align;
	u32 first;
	u32 key;
	u32 slab_bytes;
	u64 step;
	u64 same;
	u16 objects;
	u16 order;
	u16 min_partial;
	u16 flags;
	void (*ctor)(void *obj);
	struct slab_guard *guard;
	struct list_head list;
	struct list_head aliases;
	u32 refcount;
	struct kmem_cache_node node[];
};

/**
 * struct slab_alias - the name of a cache that was made when a like one was there
 * @list: (M) among its cache's
 * @name: (c)
 */
struct slab_alias {
	struct list_head list;
	char name[];
};

_Static_assert(offsetof(struct kmem_cache, offset) == offsetof(struct kmem_cache, stack) + 4 &&
		       offsetof(struct kmem_cache, object_id) == offsetof(struct kmem_cache, offset) + 4,
	       "a hit loads the first two at once, a checked free the last two");

/* (c) One more than the highest node id. */
extern int nr_node_ids;

/* Whoever holds it in thread context may walk the caches, and none of them goes away; cross calls are allowed. */
extern struct mutex slab_mutex;
extern struct list_head slab_caches; /* (M) */

/** linear_page() - the page that @p points into, NULL when @p is no address in the linear map of an initialised page */
static inline struct page *linear_page(const void *p)
{
	struct page *page = virt_to_page(p);

	/* What is initialised is present, too. */
	return (uintptr_t)p >= (uintptr_t)__va(0) && page_initialised(page_to_pfn(page)) ? page : NULL;
}

/** slab_of() - the first page of the slab that @obj, an object of some cache, lies in */
static inline struct page *slab_of(const void *obj)
{
	struct page *page = virt_to_page(obj);

	return page - page->head_offset;
}

/** slab_head() - slab_of() for any pointer: NULL when its page is no slab's */
static inline struct page *slab_head(const void *obj)
{
	const struct page *page = linear_page(obj);

	return page && page_test(page, PG_slab) ? slab_of(obj) : NULL;
}

/** slab_if_any() - slab_head() for what is believed to be in RAM */
static inline struct page *slab_if_any(const void *p)
{
	return page_test(virt_to_page(p), PG_slab) ? slab_of(p) : NULL;
}

/** has_stacks() - whether CPUs have a stack for @cache's objects */
static inline bool has_stacks(const struct kmem_cache *cache)
{
	return cache->capacity != 0;
}

/**
 * slab_batch() - how many objects a full stack of @cache gives back, and an empty one gets at least; 0 without stacks
 */
static inline u32 slab_batch(const struct kmem_cache *cache)
{
	return min(cache->capacity / 2, BATCH_MAX);
}

/** cpu_stack() - @cpu's stack of @cache, which has_stacks() */
static inline struct percpu_stack *cpu_stack(const struct kmem_cache *cache, int cpu)
{
	const struct mm_cpu *head = percpu_base(cpu);

	return (struct percpu_stack *)(void *)((char *)head->local + cache->stack);
}

/** has_node() - whether CPUs have stacks for @nid's objects */
static inline bool has_node(int nid)
{
	return node_data[nid];
}

/**
 * is_near() - whether @cpu allocates from @nid first: its objects lie on the CPU's own stack, those of others on far
 * ones
 */
static inline bool is_near(int cpu, int nid)
{
	return node_for_alloc[((const struct mm_cpu *)percpu_base(cpu))->nid] == nid;
}

/** node_stack() - @cpu's stack of @cache, which has_stacks(), for objects of @nid, which has_node() */
static inline struct percpu_stack *node_stack(const struct kmem_cache *cache, int cpu, int nid)
{
	return (struct percpu_stack *)(void *)((char *)percpu_local(cpu, nid) + cache->stack);
}

/** far_stack() - objects of another node that may wait on a CPU */
static inline u32 far_stack(void)
{
	return nr_node_ids <= FAR_NODES ? FAR_STACK : max((u32)(FAR_STACK * FAR_NODES / nr_node_ids), 1U);
}

/** node_slots() - the array of node_stack() */
static inline void **node_slots(const struct kmem_cache *cache, int cpu, int nid)
{
	void **slot = per_cpu_ptr(cache->cpu, cpu)->slot;

	return is_near(cpu, nid) ? slot : slot + cache->capacity + 2 + (size_t)nid * (far_stack() + 2);
}

/** node_stack_count() - objects on node_stack(), 0 when there is none; a moment's figure */
static inline unsigned long node_stack_count(const struct kmem_cache *cache, int cpu, int nid)
{
	return has_stacks(cache) && has_node(nid) ?
		       percpu_stack_count(node_stack(cache, cpu, nid), node_slots(cache, cpu, nid)) :
		       0;
}

/** cpu_stack_count() - objects on @cpu's stack of @cache, 0 when it has none; a moment's figure */
static inline unsigned long cpu_stack_count(const struct kmem_cache *cache, int cpu)
{
	return has_stacks(cache) ? percpu_stack_count(cpu_stack(cache, cpu), per_cpu_ptr(cache->cpu, cpu)->slot) : 0;
}

/** slab_alloc_slow() - kmem_cache_alloc() when the CPU's stack has nothing */
void *slab_alloc_slow(struct kmem_cache *cache, gfp_t gfp);

/** object_stack_of() - page->object_stack of the pages of @cache's slabs on @nid */
static inline u16 object_stack_of(const struct kmem_cache *cache, int nid)
{
	return has_stacks(cache) ? (u16)((percpu_local_offset(nid) + cache->stack) / OBJECT_STACK_UNIT) : 0;
}

/** slab_first() - the first object of @cache's @slab; where frees are checked, what is left over lies before it */
static inline char *slab_first(const struct kmem_cache *cache, const struct page *slab)
{
	return (char *)page_address(slab) + (HARDENED ? cache->first : 0);
}

/**
 * slab_free_slow() - free @obj, which has passed all checks and bears its mark where there are any, when no stack took
 * it
 *
 * It goes on this CPU's stack after room was made, or home to its slab.
 */
void slab_free_slow(void *obj);

/**
 * slab_use_refused() - look at an object before it is freed or resized, where that is checked; not of a guarded cache
 * @cache: the cache that the caller names; NULL: any
 * @p: what it says is an object
 * @verb: what it wants done: "freed", "resized"
 *
 * Context: any. Return: false when @p is an object of @cache that is not free; true after a report that says what it
 * is.
 */
bool slab_use_refused(const struct kmem_cache *cache, const void *p, const char *verb);

/** slab_free_refused() - the same of a free */
static inline bool slab_free_refused(const struct kmem_cache *cache, const void *p)
{
	return slab_use_refused(cache, p, "freed");
}

/** slab_report_list() - the list of @slab leads to @obj, which is no free object. Context: the slab's lock. */
void slab_report_list(const struct kmem_cache *cache, const struct page *slab, const void *obj);

/**
 * slab_free_checked() - free @p, once it has passed slab_free_refused() and is marked
 * @cache: the cache that the caller names; NULL: any
 * @slab: slab_head() of @p: NULL when it lies in none, which is reported
 *
 * Context: any; for where frees are checked.
 */
void slab_free_checked(const struct kmem_cache *cache, const struct page *slab, void *p);

/** kmem_cache_free_slow() - kmem_cache_free() when no stack took @obj, or it has to be checked */
void kmem_cache_free_slow(struct kmem_cache *cache, void *obj);

/** slab_hot_init() - the table of kmalloc(). Context: boot, before the first allocation. */
void slab_hot_init(void);

/**
 * slab_report_late() - @obj, which is no object of @cache, comes back from a stack; @slab: slab_head() of it
 *
 * Context: interrupts masked, maybe a slab's lock.
 */
void slab_report_late(const struct kmem_cache *cache, const struct page *slab, const void *obj);

/**
 * kfree_slow() - kfree() when no stack took @p: it is no slab's, its stack is full, its node another; or it has to be
 * checked
 */
void kfree_slow(const void *p);

/** kmalloc_slow() - kmalloc() of any size and flags, this CPU's stack aside */
void *kmalloc_slow(size_t size, gfp_t gfp);

/** kmalloc_large_size() - bytes of the large kmalloc() that begins at @p, 0 when none does */
size_t kmalloc_large_size(const void *p);

/**
 * slab_alloc_pages() - pages for a slab of @cache near @nid, marked as such, without objects. Return: NULL for none.
 */
struct page *slab_alloc_pages(struct kmem_cache *cache, gfp_t gfp, int nid);

/** slab_free_pages() - the pages of @slab, which nobody knows any more, back to the page allocator */
void slab_free_pages(struct kmem_cache *cache, struct page *slab);

/**
 * slab_wait_for_readers() - nobody looks at what lay in slabs of @cache that were taken out of its lists before
 *
 * That is SLAB_TYPESAFE_BY_RCU; for other caches nothing. Context: thread, interrupts unmasked. Cost: a cross call to
 * all CPUs.
 */
void slab_wait_for_readers(const struct kmem_cache *cache);

/** slab_object_key() - page->object_key of page @i of @cache's @slab, whose factor is set */
static inline u16 slab_object_key(const struct kmem_cache *cache, const struct page *slab, u32 i)
{
	u64 product = asm_object_product(slab_first(cache, slab), slab->object_factor);
	u32 tag = this_cpu()->object_tag + (cache->offset ? object_window_of_none(cache->step) : 0);

	return (u16)(tag - object_window(product + ((u64)i << 40)));
}

/** tells_by_bits() - whether cache->same tells what begins an object in a slab */
static inline bool tells_by_bits(const struct kmem_cache *cache)
{
	return cache->same != -(u64)cache->slab_bytes;
}

/** begins_object() - whether @obj is the address of an object in @cache's @slab */
static inline bool begins_object(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	size_t offset = (uintptr_t)obj - (uintptr_t)slab_first(cache, slab);

	return offset % cache->size == 0 && offset / cache->size < cache->objects;
}

/** object_fault() - why @obj, which lies in @slab (NULL: in none), is no object of @cache; NULL when it is one */
const char *object_fault(const struct kmem_cache *cache, const struct page *slab, const void *obj);

/*
 * A free object's word, @offset bytes into it. Where frees are trusted it is the address of the slab's next free
 * object. Where they are checked its lower half is the mark that tells a free object, and its upper half how far into
 * the slab the next free one is, from 1 on, 0 for none, encoded with the cache's key: so what was written over leads to
 * no object elsewhere.
 */
static inline u32 *free_word(const struct kmem_cache *cache, const void *obj)
{
	return (u32 *)(uintptr_t)((const char *)obj + cache->offset);
}

/** free_mark() - what the word of @obj begins with while it is free: the low half of the address of its struct page */
static inline u32 free_mark(const void *obj)
{
	return (u32)(uintptr_t)virt_to_page(obj);
}

/** mark_taken() - @obj is no longer free. Context: who allocates it. */
static inline void mark_taken(const struct kmem_cache *cache, void *obj)
{
	if (HARDENED)
		free_word(cache, obj)[0] = 0;
}

/**
 * claim_free() - mark @obj free when it bears no mark yet
 *
 * Return: false when it does: somebody else has freed it, maybe at this very moment, or its user has written the mark.
 */
static inline bool claim_free(const struct kmem_cache *cache, void *obj)
{
	return asm_mark_free(free_word(cache, obj), free_mark(obj));
}

/** is_marked_free() - whether @obj looks free: it is, or its user has written the mark there */
static inline bool is_marked_free(const struct kmem_cache *cache, const void *obj)
{
	return HARDENED && READ_ONCE(free_word(cache, obj)[0]) == free_mark(obj);
}

/** struct free_format - what of a cache its slabs' lists are made with: a copy, which no store to an object changes */
struct free_format {
	u32 offset, key;
};

static inline struct free_format free_format(const struct kmem_cache *cache)
{
	return (struct free_format){ cache->offset, cache->key };
}

/** set_next_free() - @next, or NULL, follows @obj in the list of the slab at @base. Context: the slab's lock. */
static __always_inline void set_next_free(struct free_format format, const char *base, void *obj, const void *next)
{
	char *word = (char *)obj + format.offset;

	if (HARDENED) {
		u32 nr = next ? (u32)((const char *)next - base) + 1 : 0;

		((u32 *)(void *)word)[1] = nr ^ format.key;
	} else {
		*(const void **)(void *)word = next;
	}
}

/**
 * next_free() - what set_next_free() said. Whether that is an object, begins_object() has to say. Context: the slab's
 * lock.
 */
static __always_inline void *next_free(struct free_format format, const char *base, const void *obj)
{
	char *word = (char *)(uintptr_t)obj + format.offset;
	u32 nr;

	if (!HARDENED)
		return *(void **)(void *)word;
	nr = ((u32 *)(void *)word)[1] ^ format.key;
	return nr ? (void *)(uintptr_t)(base + (nr - 1)) : NULL;
}

/** is_free_object() - whether @obj, found in the list of @cache's @slab, may be in it */
static inline bool is_free_object(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	return begins_object(cache, slab, obj) && (!HARDENED || is_marked_free(cache, obj));
}

/** kmalloc_align() - what a general cache of @size, one of kmalloc_sizes, aligns its objects to */
static inline size_t kmalloc_align(size_t size)
{
	return size & (size - 1) ? 0 : size;
}

/**
 * kmalloc_typed_cache() - the general cache for @size (1 to KMALLOC_MAX_CACHE_SIZE) of the kind that @gfp names:
 * __GFP_DMA or __GFP_RECLAIMABLE
 *
 * Context: any; made the first time that @gfp has __GFP_DIRECT_RECLAIM where arch_cross_call_ok(). Return: NULL before,
 * or when it could not be made.
 */
struct kmem_cache *kmalloc_typed_cache(size_t size, gfp_t gfp);

/**
 * slab_show_live() - where each allocated object of @cache lies, up to @max of them. Context: thread, its stacks empty.
 */
void slab_show_live(struct kmem_cache *cache, unsigned long max);

/** struct slab_sums - a cache's state, summed over nodes and CPUs */
struct slab_sums {
	unsigned long slabs, partial, objects, taken, stacked;
};

/** slab_sum() - sum a cache up; each node under its lock, CPU stacks without: exact when quiet */
void slab_sum(struct kmem_cache *cache, struct slab_sums *sums);

/**
 * struct slab_stats - what CPUs have done with a cache's stacks, summed; what each counts, struct kmem_cache_cpu says
 */
struct slab_stats {
	unsigned long hits, refills, singles, free_hits, flushes, remote_frees;
};

/**
 * slab_in_use() - objects that users hold, never below 0: between the looks at slabs and at stacks objects may have
 * moved
 */
static inline unsigned long slab_in_use(const struct slab_sums *sums)
{
	return sums->taken > sums->stacked ? sums->taken - sums->stacked : 0;
}

/** slab_stat() - sum up; 0 for a cache without stacks. Context: any; a moment's figures. */
void slab_stat(const struct kmem_cache *cache, struct slab_stats *stats);

/** slab_flush_all() - every CPU's stack of @cache back to its slabs, by cross call. Context: thread. */
void slab_flush_all(struct kmem_cache *cache);

/** slab_discard_empty() - give empty slabs back to the page allocator. Return: how many. */
unsigned long slab_discard_empty(struct kmem_cache *cache);

/** slab_shrink() - kmem_cache_shrink(). Return: how many slabs it gave back. */
unsigned long slab_shrink(struct kmem_cache *cache);

#endif
