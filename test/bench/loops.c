// SPDX-License-Identifier: BSD-2-Clause
/*
 * One operation and its opposite, again and again: SLUB and the page allocator when everything is at hand.
 *
 * A block that no per-CPU cache holds comes from the free lists, and what lies there by chance decides how often it is
 * split and merged again. Linux's rows of order 4 and 9, which has no cache for them, have one such step, those of 5
 * and 10 none. So ours are measured where no block of order 4 (9) is free and one of order 5 (10) is, which does not
 * merge. On a machine large enough for caches of these orders they are hits all the same; rows of the free lists alone,
 * under the zone's lock, are beside them.
 */
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/mmzone.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#include "../../mm/buddy.h"
#include "bench.h"

static volatile size_t variable_size;
static struct kmem_cache *cache64, *cache256, *cache_odd, *cache_made;
static struct zone *settled_zone;

/* clang-format off */
BENCH_LOOP(empty_loop, { __asm__ volatile("" : : : "memory"); })

#define KMALLOC(size) BENCH_LOOP(kmalloc_##size, { kfree(kmalloc(size, GFP_KERNEL)); })
KMALLOC(8)
KMALLOC(64)
KMALLOC(96)
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
BENCH_LOOP(kzalloc_variable, { kfree(kzalloc(variable_size, GFP_KERNEL)); })
BENCH_LOOP(kmem_cache_96, { kmem_cache_free(cache_odd, kmem_cache_alloc(cache_odd, GFP_KERNEL)); })
BENCH_LOOP(kmem_cache_ctor_64, { kmem_cache_free(cache_made, kmem_cache_alloc(cache_made, GFP_KERNEL)); })
BENCH_LOOP(kmem_cache_zalloc_64, { kmem_cache_free(cache64, kmem_cache_zalloc(cache64, GFP_KERNEL)); })
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
/* Past alloc_pages() and its caches. */
#define FREE_LISTS(order)                                                                                          \
	BENCH_LOOP(free_lists_##order, {                                                                           \
		unsigned long flags = spin_lock_irqsave(&settled_zone->lock);                                      \
                                                                                                                   \
		buddy_free(settled_zone, buddy_take(settled_zone, order, order, MIGRATE_UNMOVABLE).page, order);   \
		spin_unlock_irqrestore(&settled_zone->lock, flags);                                                \
	})
FREE_LISTS(4)
FREE_LISTS(9)
FREE_LISTS(10)
BENCH_LOOP(page_0_zero, { __free_page(alloc_page(GFP_KERNEL | __GFP_ZERO)); })
BENCH_LOOP(vmalloc_4k, { vfree(vmalloc(4096)); })
BENCH_LOOP(vmalloc_16k, { vfree(vmalloc(16384)); })
BENCH_LOOP(vmalloc_1m, { vfree(vmalloc(1 << 20)); })
BENCH_LOOP(get_free_page, { free_page(__get_free_page(GFP_KERNEL)); })
/* clang-format on */

static void variable(const char *row, u64 (*run)(unsigned long n), size_t size)
{
	const struct bench_loop loop = { row, run, 100000 };

	variable_size = size;
	bench_run(&loop, 1);
}

static void construct(void *obj)
{
	*(u64 *)obj = 1;
}

static void caches(void)
{
	static const struct bench_loop loops[] = {
		{ "kmem_cache_64", kmem_cache_64, 100000 },
		{ "kmem_cache_256", kmem_cache_256, 100000 },
		{ "kmem_cache_96", kmem_cache_96, 100000 },
		{ "kmem_cache_ctor_64", kmem_cache_ctor_64, 100000 },
		{ "kmem_cache_zalloc_64", kmem_cache_zalloc_64, 100000 },
	};

	cache64 = kmem_cache_create("bench64", 64, 0, SLAB_PANIC, NULL);
	cache256 = kmem_cache_create("bench256", 256, 0, SLAB_PANIC, NULL);
	cache_odd = kmem_cache_create("bench96", 96, 0, SLAB_PANIC, NULL);
	cache_made = kmem_cache_create("bench-made", 64, 0, SLAB_PANIC, construct);
	bench_run(loops, ARRAY_SIZE(loops));
	kmem_cache_destroy(cache64);
	kmem_cache_destroy(cache256);
	kmem_cache_destroy(cache_odd);
	kmem_cache_destroy(cache_made);
}

void bench_kmalloc(void)
{
	static const struct bench_loop loops[] = {
		{ "empty_loop", empty_loop, 200000 },
		{ "kmalloc_8", kmalloc_8, 100000 },
		{ "kmalloc_64", kmalloc_64, 100000 },
		{ "kmalloc_96", kmalloc_96, 100000 },
		{ "kmalloc_256", kmalloc_256, 100000 },
		{ "kmalloc_1024", kmalloc_1024, 100000 },
		{ "kmalloc_4096", kmalloc_4096, 100000 },
		{ "kmalloc_8192", kmalloc_8192, 100000 },
		{ "kmalloc_16384", kmalloc_16384, 50000 },
		{ "kzalloc_64", kzalloc_64, 100000 },
		{ "kmalloc_64_atomic", kmalloc_64_atomic, 100000 },
		{ "kmalloc_cycle", kmalloc_cycle, 130000 },
	};

	bench_run(loops, ARRAY_SIZE(loops));
	variable("kmalloc_var_64", kmalloc_variable, 64);
	variable("kmalloc_var_1000", kmalloc_variable, 1000);
	variable("kzalloc_var_64", kzalloc_variable, 64);
	caches();
}

static bool is_free(const struct zone *zone, unsigned int order)
{
	return !list_empty(&zone->free_area[order].free_list[MIGRATE_UNMOVABLE]);
}

/* What is held, in bench_slots. Blocks come straight from the free lists and go back there: no cache sees them. */
static unsigned long nr_held;

static bool hold(struct zone *zone, unsigned int order)
{
	struct page *page;

	if (nr_held == BENCH_SLOTS)
		return false;
	page = buddy_take(zone, order, order, MIGRATE_UNMOVABLE).page;
	if (!page)
		return false;
	set_page_order(page, order);
	WRITE_ONCE(page->page_stack, 0);
	bench_slots[nr_held++] = page;
	return true;
}

/*
 * Hold blocks until none of @order are free, and one of the next order is whose buddy is held, or which has none. With
 * the zone's lock. Return: whether it could be done.
 */
static bool settle(struct zone *zone, unsigned int order)
{
	bool fine = true;

	while (fine && order + 1 < MAX_PAGE_ORDER && is_free(zone, order + 1))
		fine = hold(zone, order + 1);
	/* Half of a larger block is held then, and the other half is free. */
	if (fine && !is_free(zone, order + 1))
		fine = hold(zone, order + 1);
	while (fine && is_free(zone, order))
		fine = hold(zone, order);
	return fine && is_free(zone, order + 1);
}

static void release(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);

	while (nr_held) {
		struct page *page = bench_slots[--nr_held];

		buddy_free(zone, page, page_order(page));
	}
	spin_unlock_irqrestore(&zone->lock, flags);
}

static bool settle_zone(struct zone *zone, unsigned int order)
{
	unsigned long flags;
	bool settled;

	drain_all_pages();
	flags = spin_lock_irqsave(&zone->lock);
	settled = settle(zone, order);
	spin_unlock_irqrestore(&zone->lock, flags);
	return settled;
}

/* @loops are of @order and the next. */
static void run_settled(const struct bench_loop *loops, unsigned int nr, unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order + 1);

	if (!page) {
		bench_fail(loops->row, "no block is free");
		return;
	}
	settled_zone = page_zone(page);
	__free_pages(page, order + 1);
	if (settle_zone(settled_zone, order))
		bench_run(loops, nr);
	else
		bench_fail(loops->row, "the free lists could not be arranged");
	release(settled_zone);
}

void bench_pages(void)
{
	static const struct bench_loop small[] = {
		{ "page_0", page_0, 100000 },
		{ "page_1", page_1, 100000 },
		{ "page_2", page_2, 100000 },
		{ "page_3", page_3, 100000 },
	};
	/* The caches take from the free lists: what is to find those as they were arranged comes first. */
	static const struct bench_loop from_4[] = {
		{ "free_lists_4", free_lists_4, 50000 },
		{ "page_4", page_4, 50000 },
		{ "page_5", page_5, 50000 },
	};
	static const struct bench_loop from_9[] = {
		{ "free_lists_9", free_lists_9, 50000 },
		{ "free_lists_10", free_lists_10, 50000 },
		{ "page_9", page_9, 50000 },
		{ "page_10", page_10, 50000 },
	};
	static const struct bench_loop other[] = {
		{ "page_0_zero", page_0_zero, 20000 }, { "get_free_page", get_free_page, 50000 },
		{ "vmalloc_4k", vmalloc_4k, 30000 },   { "vmalloc_16k", vmalloc_16k, 30000 },
		{ "vmalloc_1m", vmalloc_1m, 1500 },
	};

	bench_run(small, ARRAY_SIZE(small));
	run_settled(from_4, ARRAY_SIZE(from_4), 4);
	run_settled(from_9, ARRAY_SIZE(from_9), 9);
	bench_run(other, ARRAY_SIZE(other));
}
