// SPDX-License-Identifier: BSD-2-Clause
/* SLUB in the image: what slab.h promises. */
#include <errno.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmstat.h>
#include <string.h>

#include "../../mm/slub.h"
#include "target.h"

#define MANY 200

static unsigned long node_managed_pages(int nid)
{
	unsigned long pages = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++)
		pages += node_data[nid]->node_zones[i].managed_pages;
	return pages;
}

/* @n objects of @size alive at once: aligned, large enough, and none overlaps another. */
static void try_size(size_t size)
{
	static u8 *obj[8];

	for (size_t i = 0; i < ARRAY_SIZE(obj); i++) {
		obj[i] = kmalloc(size, GFP_KERNEL);
		if (!ktap_ok(obj[i] != NULL))
			return;
		ktap_ok(IS_ALIGNED((uintptr_t)obj[i], size & (size - 1) || size < 8 ? 8 : size));
		ktap_ok(ksize(obj[i]) >= size);
		memset(obj[i], (int)(i + 1), ksize(obj[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(obj); i++) {
		ktap_ok(obj[i][0] == i + 1 && obj[i][ksize(obj[i]) - 1] == i + 1);
		kfree(obj[i]);
	}
}

static void case_sizes(void)
{
	for (size_t size = 1; size <= 8192; size += 1 + size / 16)
		try_size(size);
	for (int i = 0; i < NR_KMALLOC_CACHES; i++)
		try_size(kmalloc_sizes[i]);
}

static void case_large(void)
{
	for (size_t size = 8193; size <= 1 << 20; size *= 3)
		try_size(size);
	ktap_ok(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL) == NULL);
	ktap_ok(kmalloc_array(1UL << 40, 1UL << 40, GFP_KERNEL) == NULL);
}

static void case_zero_size(void)
{
	void *p = kmalloc(0, GFP_KERNEL);

	ktap_ok(p == ZERO_SIZE_PTR);
	ktap_ok(ksize(p) == 0);
	kfree(p);
	kfree(NULL);
}

static void case_zeroed(void)
{
	for (size_t size = 8; size <= 8192; size *= 2) {
		u8 *p = kmalloc(size, GFP_KERNEL);
		u8 sum = 0;

		if (!ktap_ok(p != NULL))
			return;
		memset(p, 0xff, size);
		kfree(p);
		p = kzalloc(size, GFP_KERNEL);
		for (size_t i = 0; p && i < size; i++)
			sum |= p[i];
		ktap_ok(p && sum == 0);
		kfree(p);
	}
}

static void case_krealloc(void)
{
	char *p = krealloc(NULL, 10, GFP_KERNEL);

	if (!ktap_ok(p != NULL))
		return;
	memcpy(p, "memstage", sizeof("memstage"));
	for (size_t size = 16; size <= 100000; size *= 5) {
		p = krealloc(p, size, GFP_KERNEL);
		ktap_ok(p && !strcmp(p, "memstage") && ksize(p) >= size);
	}
	ktap_ok(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
}

static u32 constructed;

static void ctor(void *obj)
{
	memset(obj, 0x5c, 100);
	constructed++;
}

static void case_constructor(void)
{
	struct kmem_cache *cache = kmem_cache_create("constructed", 100, 32, 0, ctor);
	u8 *obj[MANY];

	constructed = 0;
	if (!ktap_ok(cache != NULL))
		return;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			obj[i] = kmem_cache_alloc(cache, GFP_KERNEL);
			ktap_ok(obj[i] && obj[i][0] == 0x5c && obj[i][50] == 0x5c && obj[i][99] == 0x5c);
			ktap_ok(IS_ALIGNED((uintptr_t)obj[i], 32));
		}
		for (int i = 0; i < MANY; i++)
			kmem_cache_free(cache, obj[i]);
	}
	ktap_ok(constructed >= MANY);
	ktap_ok(kmem_cache_size(cache) == 100);
	ktap_ok(kmem_cache_destroy(cache) == 0);
}

static void case_destroy(void)
{
	unsigned long before = quiet_free_pages();
	struct kmem_cache *cache = kmem_cache_create("doomed", 300, 0, 0, NULL);
	void *obj[MANY];

	if (!ktap_ok(cache != NULL))
		return;
	for (int i = 0; i < MANY; i++)
		obj[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	ktap_ok(kmem_cache_destroy(cache) == -EBUSY);
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(cache, obj[i]);
	ktap_ok(kmem_cache_destroy(cache) == 0);
	ktap_ok(quiet_free_pages() == before);
	ktap_ok(kmem_cache_destroy(kmalloc_caches[0]) == -EINVAL);
	ktap_ok(kmem_cache_create("too large", 8193, 0, 0, NULL) == NULL);
	ktap_ok(kmem_cache_create("odd", 64, 3, 0, NULL) == NULL);
}

/* Freed twice, with others freed in between, which are handed out once then. */
static void case_freed_twice(void)
{
	static void *obj[8];

	for (size_t i = 0; i < ARRAY_SIZE(obj); i++)
		ktap_ok((obj[i] = kmalloc(64, GFP_KERNEL)) != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(obj); i++)
		kfree(obj[i]);
	kfree(obj[0]);
	kfree(obj[ARRAY_SIZE(obj) - 1]);
	kmem_cache_shrink_all();
	kfree(obj[3]);
	ktap_ok(kmem_cache_check());
	for (size_t i = 0; i < ARRAY_SIZE(obj); i++) {
		obj[i] = kmalloc(64, GFP_KERNEL);
		for (size_t j = 0; j < i; j++)
			ktap_ok(obj[i] != obj[j]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(obj); i++)
		kfree(obj[i]);
}

/* An object of 96 bytes: an address inside is handed out to nobody, and not written to. */
static void case_inner_address(void)
{
	struct kmem_cache *cache = kmem_cache_create("inner", 96, 0, 0, NULL);
	char *obj = cache ? kmem_cache_zalloc(cache, GFP_KERNEL) : NULL, *other;

	if (!ktap_ok(obj != NULL))
		return;
	kmem_cache_free(cache, obj + 32);
	kfree(obj + 64);
	kfree(obj + 8);
	other = kmem_cache_alloc(cache, GFP_KERNEL);
	ktap_ok(other && (other < obj || other >= obj + 96));
	ktap_ok(!*(u64 *)(obj + 32) && !*(u64 *)(obj + 64) && !*(u64 *)(obj + 8));
	kmem_cache_free(cache, other);
	kmem_cache_shrink(cache);
	ktap_ok(kmem_cache_check());
	kmem_cache_free(cache, obj);
	ktap_ok(kmem_cache_destroy(cache) == 0);
}

/* What is no object of the cache is reported and left alone. */
static void case_wrong_frees(void)
{
	struct kmem_cache *cache = kmem_cache_create("own", 64, 0, 0, NULL);
	char *other = kmalloc(64, GFP_KERNEL), *own = kmem_cache_alloc(cache, GFP_KERNEL);
	void *volatile on_stack = &other;

	if (!ktap_ok(cache && other && own))
		return;
	kmem_cache_free(cache, other);
	kmem_cache_free(cache, own + 8);
	kfree(on_stack);
	kfree((void *)(uintptr_t)case_wrong_frees);
	kfree((void *)(uintptr_t)__pa(own));
	kfree((char *)__va(0) + (1UL << 46));
	kmem_cache_free(cache, (char *)__va(0) + (1UL << 46));
	kmem_cache_free(cache, other);
	for (size_t i = 1; i < 64; i += 7)
		kfree(own + i);
	ktap_ok(kmem_cache_check());
	ktap_ok(kmem_cache_destroy(cache) == -EBUSY);
	kmem_cache_free(cache, own);
	ktap_ok(kmem_cache_destroy(cache) == 0);
	kfree(other);
}

/* How often the next object lies in another slab than the one before. */
static int slab_changes(void **obj, int n)
{
	int changes = 0;

	for (int i = 1; i < n; i++)
		changes += slab_of(obj[i]) != slab_of(obj[i - 1]);
	return changes;
}

#define FAR_OBJECTS 4000

/* A CPU whose node has no pages fills slabs of far ones: all objects of each, not one. */
static void case_local_node_full(void)
{
	int nid = node_for_alloc[this_cpu()->nid], n = 0;
	static void *obj[FAR_OBJECTS];
	struct kmem_cache *cache;
	LIST_HEAD(taken);

	if (totalram_pages() - node_managed_pages(nid) < FAR_OBJECTS) {
		ktap_skip("the other nodes have no memory to spare");
		return;
	}
	cache = kmem_cache_create("far", 64, 0, 0, NULL);
	if (!ktap_ok(cache != NULL))
		return;
	take_all_pages(nid, GFP_KERNEL | __GFP_THISNODE, &taken);
	while (n < FAR_OBJECTS && (obj[n] = kmem_cache_alloc(cache, GFP_KERNEL)))
		n++;
	ktap_ok(kmem_cache_alloc(cache, GFP_NOWAIT | __GFP_THISNODE) == NULL);
	give_blocks(&taken);
	ktap_ok(n == FAR_OBJECTS);
	ktap_ok(slab_changes(obj, n) < 4 * FAR_OBJECTS / slab_of(obj[0])->slab_cache->objects);
	while (n > 0)
		kmem_cache_free(cache, obj[--n]);
	ktap_ok(kmem_cache_destroy(cache) == 0);
}

static bool has_zone(enum zone_type idx)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		if (zone->idx == idx && zone->managed_pages)
			return true;
	return false;
}

/* Flags that name a place: a DMA zone is had in pages, and no object is movable. */
static void case_zones(void)
{
	for (size_t size = 8; size <= 1 << 20; size *= 4) {
		void *p;

		kfree(kmalloc(size, GFP_KERNEL));
		p = kmalloc(size, GFP_DMA);
		ktap_ok(p ? page_zonenum(virt_to_page(p)) == ZONE_DMA && ksize(p) >= size : !has_zone(ZONE_DMA));
		kfree(p);
		p = kmalloc(size, GFP_KERNEL | __GFP_MOVABLE);
		ktap_ok(p && page_zonenum(virt_to_page(p)) != ZONE_MOVABLE);
		kfree(p);
	}
	ktap_ok(kmem_cache_alloc(kmalloc_caches[0], GFP_DMA | __GFP_NOWARN) == NULL);
}

/* A cache in ZONE_DMA, asked for that or not. */
static void case_dma_cache(void)
{
	struct kmem_cache *cache = kmem_cache_create("in dma", 200, 0, SLAB_CACHE_DMA, NULL);
	void *obj[MANY];

	if (!ktap_ok(cache != NULL))
		return;
	for (int i = 0; i < MANY; i++) {
		obj[i] = kmem_cache_alloc(cache, i % 2 ? GFP_KERNEL : GFP_KERNEL | GFP_DMA);
		ktap_ok(obj[i] ? page_zonenum(virt_to_page(obj[i])) == ZONE_DMA : !has_zone(ZONE_DMA));
	}
	ktap_ok(kmem_cache_alloc(cache, GFP_KERNEL | __GFP_DMA32 | __GFP_NOWARN) == NULL);
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(cache, obj[i]);
	ktap_ok(kmem_cache_shrink(cache) == 0);
	ktap_ok(kmem_cache_destroy(cache) == 0);
}

static void *(*handed_over)[MANY]; /* of each CPU */

static void take_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY; i++)
		handed_over[smp_processor_id()][i] = kmalloc(128, GFP_KERNEL);
}

/* The CPU on line after this one, the first again after the last. */
static int next_online_cpu(void)
{
	int cpu = smp_processor_id();

	do
		cpu = (cpu + 1) % nr_cpu_ids;
	while (!cpu_online(cpu));
	return cpu;
}

/* Each CPU frees what the next one allocated. */
static void free_neighbours(void *arg)
{
	int cpu = next_online_cpu();

	(void)arg;
	for (int i = 0; i < MANY; i++) {
		kfree(handed_over[cpu][i]);
		handed_over[cpu][i] = NULL;
	}
}

static void case_other_cpu(void)
{
	unsigned long before;

	handed_over = kcalloc((size_t)nr_cpu_ids, sizeof(*handed_over), GFP_KERNEL);
	if (!ktap_ok(handed_over != NULL))
		return;
	before = quiet_free_pages();
	for (int round = 0; round < 10; round++) {
		on_all_cpus(take_many, NULL);
		on_all_cpus(free_neighbours, NULL);
	}
	ktap_ok(quiet_free_pages() == before);
	kfree(handed_over);
}

static void case_nodes(void)
{
	pg_data_t *pgdat;
	int nid;

	for_each_online_pgdat(nid, pgdat) {
		void *p = kmalloc_node(256, GFP_KERNEL, nid);

		ktap_ok(p && page_to_nid(virt_to_page(p)) == node_for_alloc[nid]);
		kfree(p);
	}
}

/* Pages of slabs with objects to give up, and of others, in all zones. */
struct slab_kinds {
	unsigned long reclaimable, unreclaimable;
};

static struct slab_kinds slab_kinds(void)
{
	return (struct slab_kinds){ global_zone_page_state_snapshot(NR_SLAB_RECLAIMABLE),
				    global_zone_page_state_snapshot(NR_SLAB_UNRECLAIMABLE) };
}

/* What is too large for a slab counts as what cannot be given up, to the page. */
static void case_large_counts(void)
{
	struct slab_kinds before = slab_kinds();
	void *p = kmalloc(5 * PAGE_SIZE, GFP_KERNEL);

	ktap_ok(p && slab_kinds().unreclaimable == before.unreclaimable + 8);
	kfree(p);
	ktap_ok(slab_kinds().unreclaimable == before.unreclaimable);
}

/* Each slab of a cache counts as what the cache's flags say, to the page; what kmalloc() gives, as its cache's. */
static void case_reclaimable(void)
{
	struct kmem_cache *cache = kmem_cache_create("given up", 700, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	struct slab_kinds before, now;
	struct slab_sums sums;
	void *obj[MANY];

	if (!ktap_ok(cache != NULL))
		return;
	quiet_free_pages();
	before = slab_kinds();
	for (int i = 0; i < MANY; i++)
		ktap_ok((obj[i] = kmem_cache_alloc(cache, GFP_KERNEL)) != NULL);
	now = slab_kinds();
	slab_sum(cache, &sums);
	ktap_ok(sums.slabs && now.reclaimable - before.reclaimable == sums.slabs << cache->order);
	ktap_ok(now.unreclaimable == before.unreclaimable);
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(cache, obj[i]);
	ktap_ok(kmem_cache_destroy(cache) == 0);
	ktap_ok(slab_kinds().reclaimable == before.reclaimable);
	for (size_t size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size *= 4) {
		void *p = kmalloc(size, GFP_KERNEL | __GFP_RECLAIMABLE);

		ktap_ok(p && slab_of(p)->slab_cache->flags & SLAB_RECLAIM_ACCOUNT);
		kfree(p);
	}
	ktap_ok(slab_kinds().reclaimable > before.reclaimable);
}

static const struct ktap_case cases[] = {
	{ "sizes", case_sizes },
	{ "large sizes", case_large },
	{ "size 0", case_zero_size },
	{ "zeroed", case_zeroed },
	{ "krealloc", case_krealloc },
	{ "constructor", case_constructor },
	{ "destroy", case_destroy },
	{ "nodes", case_nodes },
	{ "this CPU's node is full", case_local_node_full },
	{ "zones", case_zones },
	{ "a cache in ZONE_DMA", case_dma_cache },
	{ "large objects count as slabs", case_large_counts },
	{ "freed twice", case_freed_twice },
	{ "an address inside an object", case_inner_address },
	{ "wrong frees", case_wrong_frees },
	{ "freed on another CPU", case_other_cpu },
	{ "reclaimable slabs", case_reclaimable },
};
KTAP_SUITE(slub, cases, memory_check);
