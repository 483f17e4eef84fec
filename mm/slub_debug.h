/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of CONFIG_MM_DEBUG on each object as it passes between SLUB and its user; without it, nothing. */
#ifndef MM_SLUB_DEBUG_H
#define MM_SLUB_DEBUG_H

#include "slub.h"

#ifdef CONFIG_MM_DEBUG

/**
 * slub_debug_alloc() - @obj is about to be handed out: panics unless it is an object of @cache that is no longer free
 */
void slub_debug_alloc(struct kmem_cache *cache, const void *obj);

/** slub_debug_free() - @obj, an object of @cache, is being given back: panics when it is free already */
void slub_debug_free(struct kmem_cache *cache, const void *obj);

/** slub_debug_on() - whether each object has to pass slub_debug_alloc() */
static inline bool slub_debug_on(void)
{
	return true;
}

#else

static inline bool slub_debug_on(void)
{
	return false;
}

static inline void slub_debug_alloc(struct kmem_cache *cache, const void *obj)
{
	(void)cache;
	(void)obj;
}

static inline void slub_debug_free(struct kmem_cache *cache, const void *obj)
{
	(void)cache;
	(void)obj;
}

#endif

#endif
