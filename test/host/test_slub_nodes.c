// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where SLUB's objects come from: the node asked for, other nodes when it has no pages, and the zones that flags name.
 *
 * A node is emptied by taking all its pages with __GFP_THISNODE, chained through their first words.
 */
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define OBJECTS 4000

static const struct host_bank banks[] = {
	{ GIB, 32 * MIB, 0 },
	{ GIB + 32 * MIB, 20 * MIB, 1 },
	{ GIB + 52 * MIB, 12 * MIB, 2 },
};

static const struct host_machine machine = { .banks = banks, .nr_banks = ARRAY_SIZE(banks) };

static void *objects[OBJECTS];

static int nid_of(const void *obj)
{
	return page_to_nid(virt_to_page(obj));
}

/* All pages of @nid, chained; a chain for each order. */
static void *hogged[NR_PAGE_ORDERS];

static void hog_node(int nid)
{
	for (int order = MAX_PAGE_ORDER; order >= 0; order--) {
		struct page *page;

		while ((page = alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, (u32)order))) {
			*(void **)page_address(page) = hogged[order];
			hogged[order] = page_address(page);
		}
	}
}

static void unhog(void)
{
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		while (hogged[order]) {
			void *block = hogged[order];

			hogged[order] = *(void **)block;
			free_pages((unsigned long)block, order);
		}
	}
}

static void free_objects(struct kmem_cache *cache)
{
	for (int i = 0; i < OBJECTS; i++)
		kmem_cache_free(cache, objects[i]);
}

/* OBJECTS objects for @nid, which has no pages: they come from elsewhere, and from few slabs. */
static void fill_from_afar(int nid)
{
	struct kmem_cache *cache = kmem_cache_create("afar", 64, 0, 0, NULL);
	unsigned long before = nr_free_pages();

	for (int i = 0; i < OBJECTS; i++) {
		objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL, nid);
		CHECK(objects[i] && nid_of(objects[i]) != nid);
	}
	/* As many slabs as are needed, and what a page cache is refilled with. */
	CHECK(before - nr_free_pages() < OBJECTS * 64 / PAGE_SIZE + 200);
	CHECK(kmem_cache_check());
	free_objects(cache);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

static void test_local_without_pages(void)
{
	host_boot(&machine);
	hog_node(0);
	fill_from_afar(0);
	unhog();
	host_check();
}

static void test_other_without_pages(void)
{
	host_boot(&machine);
	hog_node(1);
	fill_from_afar(1);
	unhog();
	host_check();
}

/* Far objects on this CPU's stack are not for who asks for this node alone. */
static void test_this_node(void)
{
	gfp_t gfp = GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN;
	struct kmem_cache *cache;
	void *obj;

	host_boot(&machine);
	cache = kmem_cache_create("near", 64, 0, 0, NULL);
	hog_node(0);
	for (int i = 0; i < OBJECTS; i++) {
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		CHECK(objects[i] && nid_of(objects[i]) != 0);
		CHECK(!kmem_cache_alloc(cache, gfp));
		CHECK(!kmem_cache_alloc_node(cache, gfp, 0));
	}
	CHECK(!kmalloc(64, gfp));
	CHECK(!kmalloc_node(20000, gfp, 0));
	unhog();
	obj = kmem_cache_alloc(cache, gfp);
	CHECK(obj && nid_of(obj) == 0);
	kmem_cache_free(cache, obj);
	free_objects(cache);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

/* No object moves, whatever the caller says. */
static void test_movable(void)
{
	struct host_machine with_movable = machine;

	with_movable.bootargs = "movablecore=32M";
	host_boot(&with_movable);
	for (int i = 0; i < 300; i++) {
		objects[i] = kmalloc(i % 2 ? 1000 : 10000, GFP_KERNEL | __GFP_MOVABLE);
		CHECK(objects[i] && page_zonenum(virt_to_page(objects[i])) != ZONE_MOVABLE);
	}
	for (int i = 0; i < 300; i++)
		kfree(objects[i]);
	host_check();
}

/* A DMA zone is had by kmalloc(), in pages, though the stacks hold objects of other zones; a cache refuses it. */
static void test_dma(void)
{
	struct host_machine with_dma = machine;

	with_dma.dma_limit = GIB + 8 * MIB;
	host_boot(&with_dma);
	for (int i = 0; i < 300; i++) {
		size_t size = i % 2 ? 64 : 10000;

		kfree(kmalloc(64, GFP_KERNEL));
		objects[i] = i % 3 ? kmalloc(size, GFP_DMA) : kmalloc_node(size, GFP_DMA, 0);
		CHECK(objects[i] && __pa(objects[i]) + size <= with_dma.dma_limit && ksize(objects[i]) >= size);
	}
	CHECK((objects[300] = kmalloc(64, GFP_DMA)) && __pa(objects[300]) < with_dma.dma_limit);
	for (int i = 0; i <= 300; i++)
		kfree(objects[i]);
	host_log_clear();
	CHECK(!kmem_cache_alloc(kmalloc_caches[3], GFP_DMA | __GFP_NOWARN));
	CHECK_NO_LOG("DMA");
	for (int i = 0; i < 20; i++)
		CHECK(!kmem_cache_alloc_node(kmalloc_caches[3], GFP_DMA32, 0));
	CHECK_LOG("kmem_cache_alloc: kmalloc-64: gfp 0x2 asks for a DMA zone, which a cache cannot promise");
	host_log_clear();
	CHECK(!kmem_cache_alloc(kmalloc_caches[3], GFP_DMA));
	CHECK_NO_LOG("DMA");
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("this CPU's node has no pages", test_local_without_pages),
	TAP_CASE("another node has no pages", test_other_without_pages),
	TAP_CASE("one node only", test_this_node),
	TAP_CASE("no object in ZONE_MOVABLE", test_movable),
	TAP_CASE("a DMA zone", test_dma),
};
TAP_MAIN(cases)
