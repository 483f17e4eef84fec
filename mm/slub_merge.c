// SPDX-License-Identifier: BSD-2-Clause
/*
 * Caches that share the slabs of a like one.
 *
 * 1. A new cache is like one that is there when its objects fit that one's stride with less than a word to spare, that
 *    stride keeps its alignment, and both have the same flags as to where pages come from. None of the two may have a
 *    constructor, a guard, SLAB_NO_MERGE or SLAB_TYPESAFE_BY_RCU; the general caches and the cache of caches are shared
 *    with nobody, for their stacks are found without a cache. slab_nomerge at boot keeps all apart.
 * 2. Merged caches are one cache: one set of slabs and stacks, so less memory lies idle. It is known by the name of the
 *    first; the others are its aliases, which slabinfo -a shows. kmem_cache_free() cannot tell their objects apart, nor
 *    kmem_cache_destroy() whose are left: all but the last destroy do nothing but count.
 * 3. The last destroy makes the count 0, under slab_mutex: from then on no new cache is merged with one that is about
 *    to end.
 * 4. An alias lasts as long as the cache: which of its makers destroys it cannot be seen.
 */
#include "slub_merge.h"

#include <errno.h>
#include <lib/printk.h>
#include <mm/port.h>
#include <string.h>

#include "slub_args.h"

#define MERGE_NEVER (SLAB_GUARDS | SLAB_NO_MERGE | SLAB_TYPESAFE_BY_RCU)
#define MERGE_SAME  (SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA)

static bool is_like(const struct kmem_cache *cache, size_t size, size_t align, unsigned int flags)
{
	size_t stride = ALIGN(ALIGN(size, sizeof(void *)), align);

	return cache->refcount && !cache->ctor && !(cache->flags & MERGE_NEVER) &&
	       !((cache->flags ^ flags) & MERGE_SAME) && IS_ALIGNED(cache->size, align) && cache->size >= stride &&
	       cache->size - stride < sizeof(void *);
}

/* slab_mutex is held. */
static struct kmem_cache *find_like(size_t size, size_t align, unsigned int flags)
{
	struct kmem_cache *cache;

	list_for_each_entry(cache, &slab_caches, list)
		if (is_like(cache, size, align, flags))
			return cache;
	return NULL;
}

struct kmem_cache *slab_merge(const char *name, size_t size, size_t align, unsigned int flags)
{
	size_t length = strlen(name) + 1;
	struct kmem_cache *cache;
	struct slab_alias *alias;

	if ((flags & MERGE_NEVER) || !slub_merging())
		return NULL;
	alias = kmalloc(sizeof(*alias) + length, GFP_KERNEL);
	if (!alias)
		return NULL;
	memcpy(alias->name, name, length);
	mutex_lock(&slab_mutex);
	cache = find_like(size, slab_align(size, align, flags), flags);
	if (cache) {
		cache->refcount++;
		cache->object_size = max(cache->object_size, (u32)size);
		list_add_tail(&alias->list, &cache->aliases);
	}
	mutex_unlock(&slab_mutex);
	if (!cache)
		kfree(alias);
	return cache;
}

int slab_unmerge(struct kmem_cache *cache)
{
	int left = -EINVAL;

	mutex_lock(&slab_mutex);
	if (cache->refcount)
		left = (int)--cache->refcount;
	mutex_unlock(&slab_mutex);
	if (left < 0) {
		printk("kmem_cache_destroy: %s is a general cache, or its last maker has ended it: the cache stays\n",
		       cache->name);
		arch_dump_stack();
	}
	return left;
}

static void set_makers(struct kmem_cache *cache, u32 makers)
{
	mutex_lock(&slab_mutex);
	cache->refcount = makers;
	mutex_unlock(&slab_mutex);
}

void slab_keep(struct kmem_cache *cache)
{
	set_makers(cache, 1);
}

void slab_keep_for_ever(struct kmem_cache *cache)
{
	set_makers(cache, 0);
}

void slab_forget_aliases(struct kmem_cache *cache)
{
	while (!list_empty(&cache->aliases)) {
		struct slab_alias *alias = list_first_entry(&cache->aliases, struct slab_alias, list);

		list_del(&alias->list);
		kfree(alias);
	}
}
