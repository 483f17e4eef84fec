// SPDX-License-Identifier: BSD-2-Clause
/*
 * Caches that come and go under the load.
 *
 * 1. A step, in the thread of a CPU, makes a cache of random size and flags: merged with a like one or not, with a
 *    constructor, typesafe, guarded. It allocates objects from it, stamps them, and puts all of it on a shelf.
 * 2. What lay on the shelf, mostly another CPU's, it takes down: each object is verified and freed, and the cache
 *    ended. So a cache is made on one CPU and ended on another, its objects are freed far from where they came from,
 *    and it takes and gives back its stacks on every CPU while those are used by threads and handlers.
 * 3. A stamp is made of its address and its cache's, at the start and at the end of an object: caches that share slabs
 *    by mistake would overwrite each other's.
 */
#include "target.h"

#include <mm/slab.h>

#define SHELVES	 8
#define OBJECTS	 40
#define MAX_SIZE 1000

struct stock {
	struct kmem_cache *cache;
	u32 size;
	u32 nr;
	void *obj[OBJECTS];
};

static struct stock *shelf[SHELVES]; /* exchanged as a whole */

static const unsigned int kinds[] = {
	0,
	SLAB_HWCACHE_ALIGN,
	SLAB_NO_MERGE,
	SLAB_RECLAIM_ACCOUNT,
	SLAB_TYPESAFE_BY_RCU,
	SLAB_CONSISTENCY_CHECKS,
	SLAB_RED_ZONE | SLAB_POISON | SLAB_QUARANTINE,
};

static void construct(void *obj)
{
	*(u64 *)obj = 0;
}

static u64 stamp_of(const struct stock *stock, const void *at)
{
	return (uintptr_t)at * 0x9e3779b97f4a7c15ULL + (uintptr_t)stock->cache + stock->size;
}

static u64 *end_of(const struct stock *stock, void *obj)
{
	return (u64 *)(void *)((char *)obj + ALIGN_DOWN(stock->size, 8U) - sizeof(u64));
}

/* As many objects as memory has for it. */
static void fill_stock(struct stock *stock, struct load_result *sum)
{
	while (stock->nr < OBJECTS) {
		void *obj = kmem_cache_alloc(stock->cache, GFP_KERNEL);

		if (!obj) {
			sum->no_memory++;
			return;
		}
		*(u64 *)obj = stamp_of(stock, obj);
		*end_of(stock, obj) = stamp_of(stock, end_of(stock, obj));
		stock->obj[stock->nr++] = obj;
	}
}

/* Return: NULL when there is no memory. */
static struct stock *make_stock(u64 random, struct load_result *sum)
{
	struct stock *stock = kzalloc(sizeof(*stock), GFP_KERNEL);
	unsigned int kind = kinds[(random >> 16) % ARRAY_SIZE(kinds)];

	if (!stock) {
		sum->no_memory++;
		return NULL;
	}
	stock->size = 16 + (u32)((random >> 24) % (MAX_SIZE - 16));
	stock->cache = kmem_cache_create("brief", stock->size, 0, kind, random & 1 << 8 ? construct : NULL);
	if (!stock->cache) {
		sum->no_memory++;
		kfree(stock);
		return NULL;
	}
	fill_stock(stock, sum);
	return stock;
}

static void end_stock(struct stock *stock, struct load_result *sum)
{
	while (stock->nr) {
		void *obj = stock->obj[--stock->nr], *end = end_of(stock, obj);

		sum->operations += 2;
		if (*(u64 *)obj != stamp_of(stock, obj) || *(u64 *)end != stamp_of(stock, end))
			sum->corruptions++; /* somebody else has it too, and frees it */
		else
			kmem_cache_free(stock->cache, obj);
	}
	if (ktap_ok(kmem_cache_destroy(stock->cache) == 0))
		sum->caches++;
	kfree(stock);
}

void load_caches_step(u64 random, struct load_result *sum)
{
	struct stock *stock = make_stock(random, sum);

	stock = __atomic_exchange_n(&shelf[random % SHELVES], stock, __ATOMIC_ACQ_REL);
	if (stock)
		end_stock(stock, sum);
}

void load_caches_end(struct load_result *sum)
{
	for (int i = 0; i < SHELVES; i++) {
		if (shelf[i])
			end_stock(shelf[i], sum);
		shelf[i] = NULL;
	}
}
