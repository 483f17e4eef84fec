/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLUB: caches of equal objects, and kmalloc() over a set of them.
 *
 * Common contract: objects come from the linear map. Context of allocation and free: thread or interrupt handler, any
 * CPU, after kmem_cache_init(). Freeing on another CPU than the allocating one is allowed. NULL when memory is short,
 * with nothing changed. Cost: O(1); a hit touches only this CPU's object stack, those of caches with a constructor or
 * SLAB_TYPESAFE_BY_RCU, too; guarded caches (<mm/slab_flags.h>) and those beyond the first 242 with stacks have none.
 *
 * Flags: GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, and __GFP_ZERO, __GFP_NOWARN, __GFP_HIGH, __GFP_DIRECT_RECLAIM,
 * __GFP_THISNODE as gfp.h says, __GFP_RECLAIMABLE for the pages of a new slab. __GFP_MOVABLE is ignored: an object
 * never moves. __GFP_DMA and __GFP_DMA32 are for kmalloc(), which has caches of its own for the first and gives whole
 * pages for the second. A cache with SLAB_CACHE_DMA takes __GFP_DMA, as its objects lie there anyhow; any other has no
 * zone, so kmem_cache_alloc() returns NULL, with a report (at most 10) unless __GFP_NOWARN.
 *
 * Objects of a cache, at every moment: total = allocated + on CPU stacks + on slab free lists.
 * kmem_cache_check() proves it.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <mm/gfp.h>
#include <mm/percpu_stack.h>
#include <mm/slab_flags.h>

#include <string.h>

struct kmem_cache;

/* kmalloc() serves larger sizes from the page allocator. */
#define KMALLOC_MAX_CACHE_SIZE 8192UL
#define KMALLOC_MAX_SIZE       (PAGE_SIZE << MAX_PAGE_ORDER)
#define ARCH_KMALLOC_MINALIGN  8UL

/**
 * struct kmem_cache_args - what few caches need; zeroed is the ordinary case
 * @align: a power of two up to KMALLOC_MAX_CACHE_SIZE, or 0 for 8
 * @ctor: called once for each object when its slab is made, in the context of the allocation that needs it; NULL for
 *	none. A cache with a constructor gives objects back as they were freed.
 */
struct kmem_cache_args {
	unsigned int align;
	void (*ctor)(void *obj);
};

struct kmem_cache *__kmem_cache_create_args(const char *name, size_t size, const struct kmem_cache_args *args,
					    unsigned int flags) __must_check;

static inline struct kmem_cache *__kmem_cache_create(const char *name, size_t size, size_t align, unsigned int flags,
						     void (*ctor)(void *obj))
{
	struct kmem_cache_args args = { .align = align > KMALLOC_MAX_CACHE_SIZE ? ~0u : (unsigned int)align,
					.ctor = ctor };

	return __kmem_cache_create_args(name, size, &args, flags);
}

/**
 * kmem_cache_create() - a new cache
 * @name: for slabinfo; copied
 * @size: bytes of an object, 1 to 8192 (KMALLOC_MAX_CACHE_SIZE). Linux takes up to 4 MiB; here a slab has 8 pages at
 *	the most, and larger objects are for kmalloc() or alloc_pages(), which are as fast for them.
 * @args, @flags: a struct kmem_cache_args * (NULL: all zero) and SLAB_ flags; or, as in older code,
 * @align, @flags, @ctor: of the struct's members, and the flags between them
 *
 * A cache without constructor may be one that is there already, when the two are alike: objects fit its stride with
 * less than a word to spare, and pages are of the same kind. slabinfo shows it by the name of the first. SLAB_NO_MERGE,
 * and any flag of SLAB_GUARDS, keeps a cache to itself. An alignment is a power of two up to 8192, too; Linux takes
 * larger ones.
 * Context: thread, interrupts unmasked; takes slab_mutex. Return: the cache; NULL (with a line that says why) for a
 * size, align or flag out of range or when memory is short.
 */
#define kmem_cache_create(name, size, args, ...) \
	_Generic((args), struct kmem_cache_args * : __kmem_cache_create_args, const struct kmem_cache_args *   \
		 : __kmem_cache_create_args, void * : __kmem_cache_create_args, default : __kmem_cache_create)( \
		name, size, args, __VA_ARGS__)

/**
 * kmem_cache_destroy() - end a cache; NULL does nothing
 *
 * Objects still allocated are reported, with their number, where the first 16 lie and, when the cache keeps owners, who
 * allocated each; and the cache stays. One that serves several makers ends with the last; until then this only counts.
 * Context: thread, interrupts unmasked (other CPUs' stacks are emptied by cross call; takes slab_mutex); nobody uses
 * the cache any more. Return: 0; -EBUSY when objects are left; -EINVAL, after a report, for a cache of kmalloc()'s, or
 * one whose last maker has ended it. Linux returns nothing, and neither ends the cache then.
 */
int kmem_cache_destroy(struct kmem_cache *cache);

/* What a CPU's stack may not serve, or not without more to do. */
#define GFP_COLD (__GFP_DMA | __GFP_DMA32 | __GFP_RECLAIMABLE | __GFP_THISNODE | __GFP_ZERO)

/* What is in the register that it costs nothing to pass. */
static __always_inline size_t any_value(void)
{
	size_t value;

	__asm__ volatile("" : "=r"(value));
	return value;
}

/*
 * What the inline functions below call. A pointer to one of those is a pointer to a copy of it, so these are called by
 * name only (__by_name), and save the landing pad. kmem_cache_alloc_hot() is for a @gfp that has none of GFP_COLD; its
 * first argument is any_value(): where it is passed, the object is returned, so nothing has to be moved out of its way.
 */
void *__kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) __must_check;
void *kmem_cache_alloc_hot(size_t unused, struct kmem_cache *cache, gfp_t gfp) __must_check;
void __kmem_cache_free(struct kmem_cache *cache, void *obj);
void __kfree(const void *p);

/** kmem_cache_alloc() - one object, not zeroed unless __GFP_ZERO */
static __always_inline __must_check void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	if (__builtin_constant_p(gfp) && !(gfp & GFP_COLD))
		return kmem_cache_alloc_hot(any_value(), cache, gfp);
	return __kmem_cache_alloc(cache, gfp);
}

/**
 * kmem_cache_alloc_node() - one object near @nid; NUMA_NO_NODE: near this CPU
 *
 * From @nid's slabs while it has objects or pages, then from the nearest that has; with __GFP_THISNODE from @nid or
 * none. Past the CPU's stack unless @nid is this CPU's node and another may serve.
 */
void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp, int nid) __must_check;

/**
 * kmem_cache_free() - give an object back; NULL does nothing
 *
 * An object that is not @cache's is reported and left alone.
 */
static __always_inline void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	__kmem_cache_free(cache, obj);
}

/**
 * kmem_cache_alloc_bulk() - @n objects, into @objs
 *
 * All or none: a call that runs out of memory gives back what it had. Cost: one masking of interrupts for those that
 * lie on this CPU's stack, a refill for the others. Return: @n or 0.
 */
size_t kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objs) __must_check;

/**
 * kmem_cache_free_bulk() - kmem_cache_free() for each of @n objects of @cache, none of them NULL
 *
 * @cache NULL: kfree() for each, of whatever cache, or none, they are. A wrong one among them is reported and left
 * alone.
 * Context: interrupts as the caller has them, or masked for up to 128 objects at a time.
 * Cost: O(n).
 */
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objs);

/** kfree_bulk() - kfree() for each of the @n pointers at @p, which may be of any sizes */
static inline void kfree_bulk(size_t n, void **p)
{
	kmem_cache_free_bulk(NULL, n, p);
}

static inline void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}

/**
 * kmem_cache_size() - bytes that a user of an object may use: those of the largest maker, where several share a cache
 */
size_t kmem_cache_size(const struct kmem_cache *cache);

/**
 * kmem_cache_shrink() - give empty slabs back, this and all other CPUs' stacks emptied first
 *
 * Context: thread, interrupts unmasked. Return: 0 when the cache has no slab any more, else 1.
 */
int kmem_cache_shrink(struct kmem_cache *cache);

/** kmem_cache_shrink_all() - kmem_cache_shrink() on every cache, under slab_mutex. Return: slabs given back. */
unsigned long kmem_cache_shrink_all(void);

/* (b) The general caches by index; kmalloc_index() says which serves a size. */
#define NR_KMALLOC_CACHES 13
extern struct kmem_cache *kmalloc_caches[NR_KMALLOC_CACHES];
extern const u16 kmalloc_sizes[NR_KMALLOC_CACHES];

/** kmalloc_index() - which general cache serves @size (1 to KMALLOC_MAX_CACHE_SIZE); a constant for a constant */
static __always_inline int kmalloc_index(size_t size)
{
	if (size > 64 && size <= 96)
		return 4;
	if (size > 128 && size <= 192)
		return 6;
	if (size <= 8)
		return 0;
	/* 16 32 64 are 1 2 3; 128 is 5; 256 and up are 7 and up. */
	int log = 64 - __builtin_clzll(size - 1);

	return log <= 6 ? log - 3 : log == 7 ? 5 : log - 1;
}

/**
 * kmalloc_is_special() - whether kmalloc_caches do not serve this: the size is large, or memory of a kind is asked for
 */
static __always_inline bool kmalloc_is_special(size_t size, gfp_t gfp)
{
	return size > KMALLOC_MAX_CACHE_SIZE || (gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_RECLAIMABLE));
}

void *__kmalloc(size_t size, gfp_t gfp) __must_check;
void *kmalloc_hot_any(size_t size, gfp_t gfp) __must_check; /* @gfp has none of GFP_COLD */
void *kmalloc_node(size_t size, gfp_t gfp, int nid) __must_check;

/** kmalloc_class_size() - bytes of the objects of general cache number @index; a constant for a constant */
static __always_inline size_t kmalloc_class_size(int index)
{
	if (index == 4 || index == 6)
		return index == 4 ? 96 : 192;
	return index <= 3 ? 8UL << index : index == 5 ? 128 : 32UL << (index - 4);
}

/** OBJECT_STACK() - bytes from the local base to the head of object stack number @nr. General cache n has number n. */
#define OBJECT_STACK(nr) (offsetof(struct mm_local, object) + (size_t)(nr) * sizeof(struct percpu_stack))

/**
 * kmalloc_hot() - kmalloc() of a general cache's own size: from the stack at @stack, an OBJECT_STACK(); @gfp has none
 * of GFP_COLD
 * @unused: any_value(), as above
 */
void *kmalloc_hot(size_t unused, size_t stack, gfp_t gfp) __must_check;

/*
 * A request for fewer bytes than a general cache's objects have, in one word. Common flags leave its upper half 0, so
 * that it takes one instruction to make, as a gfp does:
 *
 *	31       16 15             14      13    12               11         0
 *	other flags  DIRECT_RECLAIM  NOWARN  HIGH  caller zeroes    bytes left over
 */
#define KMALLOC_LEFT_MASK 0xfffU
#define KMALLOC_ZEROED	  (1U << 12)

_Static_assert(KMALLOC_MAX_CACHE_SIZE / 2 <= KMALLOC_LEFT_MASK + 1 && GFP_BITS <= 16, "a request has room for all");

/** kmalloc_request() - the word; a constant for constants */
static __always_inline u32 kmalloc_request(size_t left, gfp_t gfp)
{
	const gfp_t common = __GFP_DIRECT_RECLAIM | __GFP_NOWARN | __GFP_HIGH | __GFP_ZERO;

	return (u32)left | (gfp & __GFP_ZERO ? KMALLOC_ZEROED : 0) | (gfp & __GFP_HIGH ? 1U << 13 : 0) |
	       (gfp & __GFP_NOWARN ? 1U << 14 : 0) | (gfp & __GFP_DIRECT_RECLAIM ? 1U << 15 : 0) |
	       (gfp & ~common) << 16;
}

/** kmalloc_request_gfp() - its flags, without __GFP_ZERO, which is the caller's */
static inline gfp_t kmalloc_request_gfp(u32 request)
{
	return (request & 1U << 13 ? __GFP_HIGH : 0) | (request & 1U << 14 ? __GFP_NOWARN : 0) |
	       (request & 1U << 15 ? __GFP_DIRECT_RECLAIM : 0) | request >> 16;
}

/** kmalloc_hot_odd() - kmalloc_hot() of any other size. @request: kmalloc_request() */
void *kmalloc_hot_odd(size_t unused, size_t stack, u32 request) __must_check;

/* Whether all caches are guarded: then nothing is written behind the bytes that were asked for. */
#ifdef CONFIG_HARDENING_FULL
#define KMALLOC_EXACT true
#else
#define KMALLOC_EXACT false
#endif

/* Of a constant size: a cache line at the most is not worth a call. */
static __always_inline void zero_object(void *p, size_t size)
{
	u64 *word = p;

	if (size > 64) {
		memset(p, 0, size);
		return;
	}
#pragma GCC unroll 8
	for (size_t i = 0; i < size / sizeof(*word); i++)
		WRITE_ONCE(word[i], 0);
}

/* kmalloc() of a constant size and constant flags. */
static __always_inline void *kmalloc_constant(size_t size, gfp_t gfp)
{
	const size_t class = kmalloc_class_size(kmalloc_index(size)), stack = OBJECT_STACK(kmalloc_index(size));
	void *p;

	if (class != size && (gfp & __GFP_ZERO) && KMALLOC_EXACT)
		return __kmalloc(size, gfp);
	if (class == size)
		p = kmalloc_hot(any_value(), stack, gfp & ~__GFP_ZERO);
	else
		p = kmalloc_hot_odd(any_value(), stack, kmalloc_request(class - size, gfp));
	if ((gfp & __GFP_ZERO) && p)
		zero_object(p, class);
	return p;
}

/**
 * kmalloc() - @size bytes, aligned to 8, and to the size when that is a power of two, at every hardening level
 *
 * Size 0 gives ZERO_SIZE_PTR, which may be freed but not used. Sizes above KMALLOC_MAX_SIZE give NULL. Cost of a hit: 9
 * instructions when size and flags are constants, 17 when only the flags are.
 */
static __always_inline void *kmalloc(size_t size, gfp_t gfp)
{
	if (__builtin_constant_p(size) && __builtin_constant_p(gfp) && size && size <= KMALLOC_MAX_CACHE_SIZE &&
	    !(gfp & GFP_COLD & ~__GFP_ZERO))
		return kmalloc_constant(size, gfp);
	if (__builtin_constant_p(gfp) && !(gfp & GFP_COLD))
		return kmalloc_hot_any(size, gfp);
	return __kmalloc(size, gfp);
}

#define ZERO_SIZE_PTR ((void *)16)

static __always_inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

/** kfree() - give back what kmalloc() or kmem_cache_alloc() returned; NULL and ZERO_SIZE_PTR do nothing */
static __always_inline void kfree(const void *p)
{
	__kfree(p);
}

/**
 * ksize() - bytes that may be used behind @p, at least what was asked for; 0 for NULL and ZERO_SIZE_PTR
 *
 * Whoever asks may use them: a guarded cache has no red zone in them from then on. kmalloc_size_roundup() says how many
 * there will be before they are allocated.
 */
size_t ksize(const void *p);

/** kmem_cache_init() - the first caches and the general ones. Context: boot only, after hand-over. */
void kmem_cache_init(void);

/**
 * kmem_cache_check() - prove every cache's equation, every slab's free list, and that no object is free twice
 *
 * Exact while nobody allocates or frees. Context: thread, interrupts unmasked; takes slab_mutex. Return: true, or false
 * after a line that names cache, slab and numbers.
 */
bool kmem_cache_check(void);

#include <mm/slab_util.h>

#endif
