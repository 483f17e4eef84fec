/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guarded caches: hardening level full, for slub_guard.c (slabs and quarantine), slub_guard_object.c (the bytes of an
 * object), slub_guard_size.c (how many of them were asked for), slub_guard_check.c (the proof and the list of what is
 * alive) and slub_report.c. What is guarded and how is in <mm/slab_flags.h>.
 *
 * For each guarded cache, at every moment: objects = free + allocated + quarantined + isolated.
 */
#ifndef MM_SLUB_GUARD_H
#define MM_SLUB_GUARD_H

#include "slub.h"

#define RED_FREE    0xbb
#define RED_TAKEN   0xcc
#define POISON_FREE 0x6b
#define POISON_END  0xa5

#define RED_BYTES   8U
#define TRACK_DEPTH 10U

#define QUARANTINE_OBJECTS 64U
#define QUARANTINE_BYTES   65536U

/* What an object is. Words that nothing else writes: any other value means that the cell was written over. */
#define OBJECT_FREE	   0x66726565206f626aULL
#define OBJECT_TAKEN	   0x74616b656e206f62ULL
#define OBJECT_QUARANTINED 0x7175617261206f62ULL
#define OBJECT_ISOLATED	   0x69736f6c61206f62ULL

/* In struct object_state's @asked: the bytes behind are zero instead of red. */
#define ASKED_ZEROED (1U << 31)

/**
 * struct object_state - behind the right red zone of each object
 * @next: (G) while it is free, the next free object of the slab
 * @asked: (G) while it is allocated, how many bytes were asked for
 * @asked_not: (G) its complement, or both were written over
 * @state: (G) one of the words above
 */
struct object_state {
	union {
		void *next;
		struct {
			u32 asked;
			u32 asked_not;
		};
	};
	u64 state;
};

/**
 * struct object_track - who did it
 * @address: (G) return addresses, innermost first, @nr of them
 * @when: (G) nanoseconds since reset
 * @cpu: (G)
 * @nr: (G) 0 when it has not been done
 */
struct object_track {
	unsigned long address[TRACK_DEPTH];
	u64 when;
	u32 cpu;
	u32 nr;
};

/** struct guard_node - slabs of one node: (G) with free objects, without, and how many of the first */
struct guard_node {
	struct list_head partial;
	struct list_head full;
	unsigned long nr_partial;
};

/**
 * struct slab_guard - what a guarded cache has beside its struct kmem_cache; a page of its own
 * @lock: covers all that has (G), in the slabs and the objects' cells too
 * @left: (c) bytes of left red zone: where in its cell an object begins
 * @state: (c) from the object to its struct object_state
 * @track: (c) from the object to its two struct object_track; 0 without
 * @poisoned: (c) whether free objects are
 * @quarantine_max: (c) objects that may wait, at most QUARANTINE_OBJECTS; 0 without quarantine
 * @random: (G) state of the choice of objects, never 0
 * @quarantine: (G) a ring, the oldest of @nr_quarantined at @oldest
 * @nr_taken: (G) objects in no free list: allocated, quarantined or isolated
 * @nr_isolated, @nr_slabs: (G)
 * @allocations, @frees, @reports: (G) since the cache was made
 * @node: (G) slabs
 */
struct slab_guard {
	spinlock_t lock;
	u32 left;
	u32 state;
	u32 track;
	bool poisoned;
	u32 quarantine_max;
	u64 random;
	u32 oldest, nr_quarantined;
	unsigned long nr_taken, nr_isolated, nr_slabs;
	unsigned long allocations, frees, reports;
	void *quarantine[QUARANTINE_OBJECTS];
	struct guard_node node[MAX_NUMNODES];
};

_Static_assert(sizeof(struct slab_guard) <= PAGE_SIZE, "a page holds it");

/**
 * struct object_damage - bytes that are not what they should be: what they are part of, where, and how many are wrong
 */
struct object_damage {
	const char *part;
	const u8 *at;
	u8 expected;
	size_t bytes;
};

/* --- slub_guard.c --- */

/**
 * guard_init() - make @cache, whose object_size, align, flags and ctor are set, a guarded one: fills in guard and size
 *
 * Return: false when there is no page for it.
 */
bool guard_init(struct kmem_cache *cache);

/** guard_exit() - give back what guard_init() took. The cache has no slabs. */
void guard_exit(struct kmem_cache *cache);

/** guard_alloc() - kmem_cache_alloc_node() of a guarded cache, @nid being the node to serve from first. Any context. */
void *guard_alloc(struct kmem_cache *cache, gfp_t gfp, int nid);

/**
 * guard_free() - kmem_cache_free() of @obj, which lies in @slab (NULL: in none), into the guarded @cache. Any context.
 */
void guard_free(struct kmem_cache *cache, struct page *slab, void *obj);

/** guard_shrink() - quarantine emptied, empty slabs given back. Context: thread. Return: how many slabs. */
unsigned long guard_shrink(struct kmem_cache *cache);

/**
 * guard_abandon() - all slabs go back, whatever is in them. Context: thread; nobody uses @cache or its objects any
 * more.
 */
void guard_abandon(struct kmem_cache *cache);

/** guard_sum() - slab_sum() of a guarded cache; what is quarantined or isolated counts as stacked */
void guard_sum(struct kmem_cache *cache, struct slab_sums *sums);

/**
 * guard_check_zone() - a report if a red zone around @obj, an allocated object of @slab, was written over
 *
 * Context: guard->lock is held. Return: whether one was, and is to be written anew.
 */
bool guard_check_zone(struct kmem_cache *cache, const struct page *slab, const void *obj);

/* --- slub_guard_object.c --- */

/** guard_layout() - fill in left, state and track of @cache's guard. Return: bytes of a cell. */
u32 guard_layout(struct kmem_cache *cache);

static inline struct object_state *object_state(const struct kmem_cache *cache, const void *obj)
{
	return (struct object_state *)((uintptr_t)obj + cache->guard->state);
}

/** object_tracks() - who allocated @obj and, behind it, who freed it; NULL when the cache keeps none */
static inline struct object_track *object_tracks(const struct kmem_cache *cache, const void *obj)
{
	u32 track = cache->guard->track;

	return track ? (struct object_track *)((uintptr_t)obj + track) : NULL;
}

/** guard_object() - object number @i of @slab */
static inline void *guard_object(const struct kmem_cache *cache, const struct page *slab, u32 i)
{
	return (char *)page_address(slab) + (size_t)i * cache->size + cache->guard->left;
}

/** guard_begins_object() - whether @obj, an address in @slab, is that of an object */
bool guard_begins_object(const struct kmem_cache *cache, const struct page *slab, const void *obj);

/** guard_set_state() - @obj becomes @state: the word, and the bytes around it and in it that go with it */
void guard_set_state(struct kmem_cache *cache, void *obj, u64 state);

/** guard_note_owner() - who allocates @obj (@freed false) or frees it, as the backtrace has it */
void guard_note_owner(const struct kmem_cache *cache, const void *obj, bool freed);

/** guard_damaged_zone() - whether a red zone of @obj was written over, and how. Its state is known to be whole. */
bool guard_damaged_zone(const struct kmem_cache *cache, const void *obj, struct object_damage *damage);

/** guard_damaged_poison() - whether a free @obj was written to, and how */
bool guard_damaged_poison(const struct kmem_cache *cache, const void *obj, struct object_damage *damage);

/* --- slub_guard_size.c --- */

/**
 * guard_kmalloc() - kmalloc() from a guarded general cache: kmem_cache_alloc_node(), and the red zone begins behind
 * @size bytes
 * @zeroed: whether the caller clears the whole object, the bytes behind @size too, before anybody else sees it
 *
 * Context: any. Return: NULL when there is no memory.
 */
void *guard_kmalloc(struct kmem_cache *cache, gfp_t gfp, size_t size, int nid, bool zeroed);

/**
 * guard_resize() - the user of @obj may use @size bytes from now on: the red zone begins there
 * @slab: of a guarded cache, in which @obj lies
 * @size: at most the cache's object_size
 *
 * A red zone that was written over before is reported. What is no object in use stays as it is; kfree() will say so.
 * Context: any; takes guard->lock. Return: how many bytes it might use until now.
 */
u32 guard_resize(struct page *slab, void *obj, u32 size);

/** guard_in_use() - whether @obj, an address in @slab of a guarded cache, is an allocated object. Context: as above. */
bool guard_in_use(const struct page *slab, const void *obj);

/**
 * guard_extent() - how many bytes of @obj, an address in @slab of a guarded cache, its user may use. Context: as above.
 */
u32 guard_extent(const struct page *slab, const void *obj);

/**
 * object_asked() - how many bytes were asked for; more than the object has when the word was written over. guard->lock
 * is held.
 */
static inline u32 object_asked(const struct kmem_cache *cache, const void *obj)
{
	const struct object_state *meta = object_state(cache, obj);

	return meta->asked == ~meta->asked_not ? meta->asked & ~ASKED_ZEROED : ~0U;
}

/**
 * object_asked_whole() - whether the word is one that was written on purpose. @obj is allocated; guard->lock is held.
 */
static inline bool object_asked_whole(const struct kmem_cache *cache, const void *obj)
{
	return object_asked(cache, obj) <= cache->object_size;
}

/** object_extent() - bytes of @obj before the red zone: those asked for, when it is allocated. guard->lock is held. */
static inline u32 object_extent(const struct kmem_cache *cache, const void *obj)
{
	return object_state(cache, obj)->state == OBJECT_TAKEN ? min(object_asked(cache, obj), cache->object_size) :
								 cache->object_size;
}

/* --- slub_guard_check.c --- */

/** guard_check() - the part of kmem_cache_check() for a guarded cache: lists, counts, states, red zones and poison */
bool guard_check(struct kmem_cache *cache);

/** guard_show_live() - a report of each object that is allocated, up to @max. Return: how many there are. */
unsigned long guard_show_live(struct kmem_cache *cache, unsigned long max);

#endif
