/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLUB: what is done to many objects of one slab at once, for slub.c; run_has() for slub_hot.c, too.
 *
 * 1. A slab's objects leave a new slab together, and those that were allocated one after the other are mostly freed so.
 *    What both cost is the instructions for each object, so the loops here go by RUN_STEP objects, in pairs: two
 *    addresses are one load or store, and independent of each other.
 * 2. A slab is a power of two of bytes and aligned to that: an address lies in it when it differs from the slab's in
 *    low bits only. Where objects are a power of two as well, the lowest bits are alike, too, and an address that
 *    differs in those between only begins an object: what is checked costs no more than what is trusted. The bits that
 *    do not differ are in kmem_cache.same.
 * 3. When all that a slab misses comes back at once, it has no list, and its objects are not linked: to know that takes
 *    3 instructions for each object, to link it 6. Whoever frees in another order pays a few instructions for each run.
 *    Where frees are checked, that all of them begin an object is looked at before, if 2 does not tell it.
 *
 * Context: the slab's lock, but for run_has(), which reads nothing.
 */
#ifndef MM_SLUB_RUNS_H
#define MM_SLUB_RUNS_H

#include <mm/page.h>
#include <mm/port.h>

#include "slub.h"

#define RUN_STEP 8

/** run_fill() - addresses of @n objects of @size bytes into @objs, downwards from the one at @last */
static __always_inline void run_fill(void **objs, u32 n, char *last, size_t size)
{
	char *other = last - size;

	for (; n >= RUN_STEP; n -= RUN_STEP, objs += RUN_STEP) {
#pragma GCC unroll 4
		for (u32 i = 0; i < RUN_STEP; i += 2) {
			objs[i] = last;
			objs[i + 1] = other;
			last -= 2 * size;
			other -= 2 * size;
		}
	}
	for (; n; n--, last -= size)
		*objs++ = last;
}

/**
 * run_has() - whether @obj lies in the slab at @base
 * @same: the bits in which all addresses of the slab are alike, or kmem_cache.same, which asks more: it has to begin an
 *	object, then, where that can be told; @base may be any object of the slab
 */
static __always_inline bool run_has(const void *obj, uintptr_t base, u64 same)
{
	return !(((uintptr_t)obj ^ base) & same);
}

/** run_in_slab() - run_has() of all @n @objs, at least one */
static __always_inline bool run_in_slab(void *const *objs, u32 n, uintptr_t base, u64 same)
{
	uintptr_t differ = 0, other = 0;

	for (; n >= RUN_STEP; n -= RUN_STEP, objs += RUN_STEP) {
#pragma GCC unroll 4
		for (u32 i = 0; i < RUN_STEP; i += 2) {
			differ |= (uintptr_t)objs[i] ^ base;
			other |= (uintptr_t)objs[i + 1] ^ base;
		}
	}
	for (; n; n--)
		differ |= (uintptr_t)*objs++ ^ base;
	return !((differ | other) & same);
}

/** run_is_whole() - whether the first of the @n @objs are all that @slab, at @base, misses. @same: see run_has() */
static __always_inline bool run_is_whole(const struct page *slab, uintptr_t base, u64 same, void *const *objs, u32 n)
{
	u32 last = (u32)slab->inuse - 1;

	/* Mostly one of them says already that it is not so. */
	return last < n && run_has(objs[last], base, same) && run_has(objs[last / 2], base, same) &&
	       run_in_slab(objs, last + 1, base, same);
}

/**
 * run_begins() - whether each of the first @n @objs, which lie in the slab with @factor, has the window @id
 * (<mm/object_check.h>)
 */
static __always_inline bool run_begins(u64 factor, u32 id, void *const *objs, u32 n)
{
	const u64 less = (u64)id << OBJECT_WINDOW_SHIFT;
	u64 differ = 0;

	for (; n >= RUN_STEP; n -= RUN_STEP, objs += RUN_STEP) {
#pragma GCC unroll 8
		for (u32 i = 0; i < RUN_STEP; i++)
			differ |= asm_object_product(objs[i], factor) - less;
	}
	for (; n; n--)
		differ |= asm_object_product(*objs++, factor) - less;
	return differ < OBJECT_WINDOW;
}

/**
 * struct run_format - what of a cache its slabs' objects are told and linked by, where frees are checked
 * @link: how they are linked
 * @slab: bits in which all addresses in a slab are alike
 * @same: kmem_cache.same
 * @id: the objects' window
 * @told: whether @same tells what begins an object; else slab->object_factor does
 */
struct run_format {
	struct free_format link;
	u64 slab;
	u64 same;
	u32 id;
	bool told;
};

/**
 * run_link_checked() - where frees are checked: those of @objs, from the first one on, that lie in @slab back into its
 * list
 * @told: format.told, for the compiler
 * @objs: behind them there is a NULL
 *
 * They are linked as set_next_free() does it, up to the first that does not begin an object. Return: how many were
 * linked.
 */
static __always_inline u32 run_link_checked(struct page *slab, struct run_format format, bool told, uintptr_t base,
					    void **objs)
{
	const uintptr_t less = base - 1, link = format.link.offset + sizeof(u32);
	const u64 factor = slab->object_factor;
	const uintptr_t last = (uintptr_t)slab->freelist;
	u32 code = (last ? (u32)(last - less) : 0) ^ format.link.key;
	void **at = objs;

	for (; run_has(*at, base, format.same); at++) {
		uintptr_t obj = (uintptr_t)*at;

		/* As NULL lies in no slab, which the compiler cannot know. */
		if (!obj)
			__builtin_unreachable();
		if (!told && unlikely(object_window(asm_object_product((void *)obj, factor)) != format.id))
			break;
		*(u32 *)(obj + link) = code;
		code = (u32)(obj - less) ^ format.link.key;
	}
	if (at > objs)
		slab->freelist = at[-1];
	return (u32)(at - objs);
}

/**
 * run_link() - where frees are trusted: those of the @n @objs, from the first one on, that lie in @slab back into its
 * list
 * @offset: where in an object its link is
 * @same: see run_has()
 * @objs: behind them there is a NULL
 *
 * An @slab that becomes empty by that may be left without a list. Return: how many they are; slab->inuse is the
 * caller's.
 */
static __always_inline u32 run_link(struct page *slab, u32 offset, uintptr_t base, u64 same, void **objs, u32 n)
{
	void **at = objs + 1;

	*(void **)((uintptr_t)objs[0] + offset) = slab->freelist;
	/* One that is alone costs no more than that. */
	if (run_has(*at, base, same)) {
		if (run_is_whole(slab, base, same, objs, n))
			return slab->inuse;
		do {
			/* As NULL lies in no slab, which the compiler cannot know. */
			if (!*at)
				__builtin_unreachable();
			*(void **)((uintptr_t)at[0] + offset) = at[-1];
			at++;
		} while (run_has(*at, base, same));
	}
	slab->freelist = at[-1];
	return (u32)(at - objs);
}

#endif
