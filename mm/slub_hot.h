/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc() of any size, inline: for __kmalloc(), and for whoever has it as the body of a malloc().
 *
 * What inlines one of these has a restartable sequence in it, so it is __restartable.
 */
#ifndef MM_SLUB_HOT_H
#define MM_SLUB_HOT_H

#include <mm/port.h>

#include "slub.h"
#include "slub_debug.h"

/* By (size - 1) / 8: OBJECT_STACK() of the general cache that serves it. (c) after slab_hot_init() */
extern u16 kmalloc_stack_of_size[KMALLOC_MAX_CACHE_SIZE / ARCH_KMALLOC_MINALIGN];

/*
 * The functions that miss have their arguments where those that hit have got them; @unused is any_value().
 */

/** kmem_cache_missed() - kmem_cache_alloc() when the stack is empty */
void *kmem_cache_missed(size_t unused, struct kmem_cache *cache, gfp_t gfp);

/** kmalloc_missed() - kmalloc() of a general cache's own size whose stack, at @stack, is empty */
void *kmalloc_missed(size_t unused, size_t stack, gfp_t gfp);

/** kmalloc_missed_odd() - kmalloc_hot_odd() when the stack is empty */
void *kmalloc_missed_odd(size_t unused, size_t stack, u32 request);

/** kmalloc_missed_size() - the same of any size, which is @last + 1: what a hit has at hand already */
void *kmalloc_missed_size(size_t stack, gfp_t gfp, size_t last);

/** popped() - the checks and marks of what a pop gave. Return: @obj. */
static __always_inline void *popped(void *obj)
{
	if (HARDENED)
		*(u32 *)obj = 0;
	if (slub_debug_on())
		slub_debug_alloc(slab_of(obj)->slab_cache, obj);
	return obj;
}

/** kmalloc_sized() - kmalloc() of a size that is no constant; @gfp has none of GFP_COLD */
static __always_inline void *kmalloc_sized(size_t size, gfp_t gfp)
{
	size_t last = size - 1;

	if (likely(last < KMALLOC_MAX_CACHE_SIZE)) {
		size_t stack = kmalloc_stack_of_size[last / ARCH_KMALLOC_MINALIGN];
		void *obj = asm_stack_pop(stack);

		return likely(obj) ? popped(obj) : kmalloc_missed_size(stack, gfp, last);
	}
	return kmalloc_slow(size, gfp);
}

#endif
