// SPDX-License-Identifier: BSD-2-Clause
/* SLUB in the image: what slab.h promises. */
#include <errno.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <string.h>

#include "target.h"

#define MANY 200

/* @n objects of @size alive at once: aligned, large enough, and none overlaps another. */
static void try_size(size_t size)
{
	static u8 *obj[8];

	for (size_t i = 0; i < ARRAY_SIZE(obj); i++) {
		obj[i] = kmalloc(size, GFP_KERNEL);
		if (!ktap_ok(obj[i] != NULL))
			return;
		ktap_ok(IS_ALIGNED((uintptr_t)obj[i], size & (size - 1) || size < 8 ? 8 : min(size, PAGE_SIZE)));
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
	ktap_ok(kmem_cache_create("too large", 8193, 0, 0, NULL) == NULL);
	ktap_ok(kmem_cache_create("odd", 64, 3, 0, NULL) == NULL);
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
	ktap_ok(kmem_cache_destroy(cache) == -EBUSY);
	kmem_cache_free(cache, own);
	ktap_ok(kmem_cache_destroy(cache) == 0);
	kfree(other);
}

static void *handed_over[CONFIG_NR_CPUS][MANY];

static void take_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY; i++)
		handed_over[smp_processor_id()][i] = kmalloc(128, GFP_KERNEL);
}

/* Each CPU frees what the next one allocated. */
static void free_neighbours(void *arg)
{
	int cpu = (smp_processor_id() + 1) % nr_cpu_ids;

	(void)arg;
	for (int i = 0; i < MANY; i++) {
		kfree(handed_over[cpu][i]);
		handed_over[cpu][i] = NULL;
	}
}

static void case_other_cpu(void)
{
	unsigned long before = quiet_free_pages();

	for (int round = 0; round < 10; round++) {
		on_all_cpus(take_many, NULL);
		on_all_cpus(free_neighbours, NULL);
	}
	if (num_online_cpus() == nr_cpu_ids)
		ktap_ok(quiet_free_pages() == before);
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		for (int i = 0; i < MANY; i++)
			kfree(handed_over[cpu][i]);
	ktap_ok(quiet_free_pages() == before);
}

static void case_nodes(void)
{
	pg_data_t *pgdat;
	int nid;

	for_each_online_pgdat(nid, pgdat) {
		void *p = kmalloc_node(256, GFP_KERNEL, nid);

		ktap_ok(p && page_to_nid(virt_to_page(p)) == nid);
		kfree(p);
	}
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
	{ "wrong frees", case_wrong_frees },
	{ "freed on another CPU", case_other_cpu },
};
KTAP_SUITE(slub, cases, memory_check);
