// SPDX-License-Identifier: BSD-2-Clause
/* One operation and its opposite, again and again: SLUB and the page allocator when everything is at hand. */
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#include "bench.h"

static volatile size_t variable_size;
static struct kmem_cache *cache64, *cache256;

/* clang-format off */
BENCH_LOOP(empty_loop, { __asm__ volatile("" : : : "memory"); })

#define KMALLOC(size) BENCH_LOOP(kmalloc_##size, { kfree(kmalloc(size, GFP_KERNEL)); })
KMALLOC(8)
KMALLOC(64)
KMALLOC(256)
KMALLOC(1024)
KMALLOC(4096)
KMALLOC(8192)
KMALLOC(16384)
BENCH_LOOP(kmalloc_variable, { kfree(kmalloc(variable_size, GFP_KERNEL)); })
BENCH_LOOP(kzalloc_64, { kfree(kzalloc(64, GFP_KERNEL)); })
BENCH_LOOP(kmalloc_64_atomic, { kfree(kmalloc(64, GFP_ATOMIC)); })
BENCH_LOOP(kmalloc_cycle, { kfree(kmalloc(kmalloc_sizes[i % NR_KMALLOC_CACHES], GFP_KERNEL)); })
BENCH_LOOP(kmem_cache_64, { kmem_cache_free(cache64, kmem_cache_alloc(cache64, GFP_KERNEL)); })
BENCH_LOOP(kmem_cache_256, { kmem_cache_free(cache256, kmem_cache_alloc(cache256, GFP_KERNEL)); })

#define PAGES(order) BENCH_LOOP(page_##order, { __free_pages(alloc_pages(GFP_KERNEL, order), order); })
PAGES(0)
PAGES(1)
PAGES(2)
PAGES(3)
PAGES(4)
PAGES(5)
PAGES(9)
PAGES(10)
BENCH_LOOP(page_0_zero, { __free_page(alloc_page(GFP_KERNEL | __GFP_ZERO)); })
BENCH_LOOP(vmalloc_4k, { vfree(vmalloc(4096)); })
BENCH_LOOP(vmalloc_16k, { vfree(vmalloc(16384)); })
BENCH_LOOP(vmalloc_1m, { vfree(vmalloc(1 << 20)); })
BENCH_LOOP(get_free_page, { free_page(__get_free_page(GFP_KERNEL)); })
/* clang-format on */

static void variable(const char *row, size_t size)
{
	const struct bench_loop loop = { row, kmalloc_variable, 100000 };

	variable_size = size;
	bench_run(&loop, 1);
}

static void caches(void)
{
	static const struct bench_loop loops[] = {
		{ "kmem_cache_64", kmem_cache_64, 100000 },
		{ "kmem_cache_256", kmem_cache_256, 100000 },
	};

	cache64 = kmem_cache_create("bench64", 64, 0, SLAB_PANIC, NULL);
	cache256 = kmem_cache_create("bench256", 256, 0, SLAB_PANIC, NULL);
	bench_run(loops, ARRAY_SIZE(loops));
	kmem_cache_destroy(cache64);
	kmem_cache_destroy(cache256);
}

void bench_kmalloc(void)
{
	static const struct bench_loop loops[] = {
		{ "empty_loop", empty_loop, 200000 },	    { "kmalloc_8", kmalloc_8, 100000 },
		{ "kmalloc_64", kmalloc_64, 100000 },	    { "kmalloc_256", kmalloc_256, 100000 },
		{ "kmalloc_1024", kmalloc_1024, 100000 },   { "kmalloc_4096", kmalloc_4096, 100000 },
		{ "kmalloc_8192", kmalloc_8192, 100000 },   { "kmalloc_16384", kmalloc_16384, 50000 },
		{ "kzalloc_64", kzalloc_64, 100000 },	    { "kmalloc_64_atomic", kmalloc_64_atomic, 100000 },
		{ "kmalloc_cycle", kmalloc_cycle, 130000 },
	};

	bench_run(loops, ARRAY_SIZE(loops));
	variable("kmalloc_var_64", 64);
	variable("kmalloc_var_1000", 1000);
	caches();
}

void bench_pages(void)
{
	static const struct bench_loop loops[] = {
		{ "page_0", page_0, 100000 },	       { "page_1", page_1, 100000 },
		{ "page_2", page_2, 100000 },	       { "page_3", page_3, 100000 },
		{ "page_4", page_4, 50000 },	       { "page_5", page_5, 50000 },
		{ "page_9", page_9, 50000 },	       { "page_10", page_10, 50000 },
		{ "page_0_zero", page_0_zero, 20000 }, { "get_free_page", get_free_page, 50000 },
		{ "vmalloc_4k", vmalloc_4k, 30000 },   { "vmalloc_16k", vmalloc_16k, 30000 },
		{ "vmalloc_1m", vmalloc_1m, 1500 },
	};

	bench_run(loops, ARRAY_SIZE(loops));
}
