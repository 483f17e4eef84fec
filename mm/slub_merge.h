/* SPDX-License-Identifier: BSD-2-Clause */
/* Caches that share the slabs of a like one. */
#ifndef MM_SLUB_MERGE_H
#define MM_SLUB_MERGE_H

#include "slub.h"

/** slab_align() - the alignment that objects of @size get of a cache with @align and @flags */
size_t slab_align(size_t size, size_t align, unsigned int flags);

/**
 * slab_merge() - the cache that serves a new one of this @size, @align and @flags, without a constructor, too
 *
 * It counts one more maker, has @name among its aliases, and its object_size is no less than @size. Context: thread;
 * takes slab_mutex. Return: NULL when none is like it, or memory is short: then the new one needs slabs of its own.
 */
struct kmem_cache *slab_merge(const char *name, size_t size, size_t align, unsigned int flags);

/**
 * slab_unmerge() - one maker of @cache less; with the last one it is shared no more
 *
 * Context: thread; takes slab_mutex. Return: how many others there are; -EINVAL, after a report, for a cache that
 * nobody made: a general one, or one that is about to end.
 */
int slab_unmerge(struct kmem_cache *cache);

/** slab_keep() - @cache, whose last maker slab_unmerge() took away, stays. Context: thread; takes slab_mutex. */
void slab_keep(struct kmem_cache *cache);

/** slab_keep_for_ever() - nobody can end @cache, as it is a general one now. Context: thread; takes slab_mutex. */
void slab_keep_for_ever(struct kmem_cache *cache);

/** slab_forget_aliases() - free the names of a cache that ends */
void slab_forget_aliases(struct kmem_cache *cache);

#endif
