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

/** kmalloc_missed() - kmalloc() of a size whose stack, at @stack, is empty */
void *kmalloc_missed(size_t stack, gfp_t gfp);

/** popped() - the checks and marks of what a pop gave. Return: @obj. */
static __always_inline void *popped(void *obj)
{
	if (HARDENED)
		*(u32 *)obj = 0;
	if (slub_debug_on())
		slub_debug_alloc(slab_of(obj)->slab_cache, obj);
	return obj;
}

/** kmalloc_pop() - an object from the stack at @stack, an OBJECT_STACK() of a general cache, or from where it is filled */
static __always_inline void *kmalloc_pop(size_t stack, gfp_t gfp)
{
	void *obj = asm_stack_pop(stack);

	return likely(obj) ? popped(obj) : kmalloc_missed(stack, gfp);
}

/** kmalloc_any() - kmalloc() of a size that is no constant */
static __always_inline void *kmalloc_any(size_t size, gfp_t gfp)
{
	if (likely(size - 1 < KMALLOC_MAX_CACHE_SIZE) && likely(!(gfp & GFP_COLD)))
		return kmalloc_pop(kmalloc_stack_of_size[(size - 1) / ARCH_KMALLOC_MINALIGN], gfp);
	return kmalloc_slow(size, gfp);
}

#endif
