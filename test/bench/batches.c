// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many at once: allocate n, then free them in some order; and mixes of random sizes and life times.
 *
 * Each batch runs once unmeasured. Rows ending in _alloc, _free and _pair are the two halves, for each object, and
 * their sum.
 */
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/slab.h>
#include <stdio.h>

#include "bench.h"

#define STRIDE	   7
#define BULK_SKIP  200
#define BULK_SLAB  32
#define BULK_PAGES 64
#define LIVE_SLOTS 4096
#define LIVE_PAGES 1024
#define MIX_SEED   12345

enum free_order { IN_ORDER, REVERSE, SCATTERED };

struct batch {
	const char *row;
	unsigned long n;
	unsigned int page_order;
	enum free_order free_order;
	int reps;
};

static struct kmem_cache *batch_cache;

static void report_halves(const char *row, u64 alloc, u64 free, u64 operations)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_alloc", row);
	bench_report(name, alloc, operations);
	snprintf(name, sizeof(name), "%s_free", row);
	bench_report(name, free, operations);
	snprintf(name, sizeof(name), "%s_pair", row);
	bench_report(name, alloc + free, operations);
}

/* One loop for each kind of object and order: a test inside would be counted. */
static __noinline void kmalloc_all(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		bench_slots[i] = kmalloc(64, GFP_KERNEL);
}

static __noinline void cache_all(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		bench_slots[i] = kmem_cache_alloc(batch_cache, GFP_KERNEL);
}

static __noinline void kfree_all(unsigned long n, enum free_order order)
{
	if (order == IN_ORDER)
		for (unsigned long i = 0; i < n; i++)
			kfree(bench_slots[i]);
	else if (order == REVERSE)
		for (unsigned long i = n; i-- > 0;)
			kfree(bench_slots[i]);
	else
		for (unsigned long first = 0; first < STRIDE; first++)
			for (unsigned long i = first; i < n; i += STRIDE)
				kfree(bench_slots[i]);
}

static __noinline void pages_all(unsigned long n, unsigned int order)
{
	for (unsigned long i = 0; i < n; i++)
		bench_slots[i] = alloc_pages(GFP_KERNEL, order);
}

static __noinline void free_pages_all(unsigned long n, unsigned int order, enum free_order free_order)
{
	if (free_order == IN_ORDER)
		for (unsigned long i = 0; i < n; i++)
			__free_pages(bench_slots[i], order);
	else
		for (unsigned long i = n; i-- > 0;)
			__free_pages(bench_slots[i], order);
}

static void slab_batch(const struct batch *batch, void (*fill)(unsigned long n))
{
	const unsigned long n = bench_count(batch->n, BENCH_FEW(batch->n));
	const int reps = bench_reps(batch->reps);
	u64 alloc = 0, free = 0;

	for (int rep = 0; rep <= reps; rep++) {
		u64 start, middle;

		if (rep == 1)
			bench_begin(batch->row);
		start = get_cycles();
		fill(n);
		middle = get_cycles();
		kfree_all(n, batch->free_order);
		if (!rep)
			continue;
		alloc += middle - start;
		free += get_cycles() - middle;
	}
	bench_end(batch->row);
	report_halves(batch->row, alloc, free, n * (u64)reps);
}

static void page_batch(const struct batch *batch)
{
	const unsigned long n = bench_count(batch->n, BENCH_FEW(batch->n));
	const int reps = bench_reps(batch->reps);
	u64 alloc = 0, free = 0;

	if (!bench_has_pages(batch->row, n << batch->page_order))
		return;
	for (int rep = 0; rep <= reps; rep++) {
		u64 start, middle;

		if (rep == 1)
			bench_begin(batch->row);
		start = get_cycles();
		pages_all(n, batch->page_order);
		middle = get_cycles();
		free_pages_all(n, batch->page_order, batch->free_order);
		if (!rep)
			continue;
		alloc += middle - start;
		free += get_cycles() - middle;
	}
	bench_end(batch->row);
	report_halves(batch->row, alloc, free, n * (u64)reps);
}

static void slab_bulk(const char *row, size_t size)
{
	const int reps = bench_reps(5000);
	u64 alloc = 0, free = 0;
	bool short_of = false;

	batch_cache = kmem_cache_create("bench bulk", size, 0, SLAB_PANIC, NULL);
	for (int rep = 0; rep < reps + BULK_SKIP; rep++) {
		u64 start, middle;

		if (rep == BULK_SKIP)
			bench_begin(row);
		start = get_cycles();
		short_of |= kmem_cache_alloc_bulk(batch_cache, GFP_KERNEL, BULK_SLAB, bench_slots) != BULK_SLAB;
		middle = get_cycles();
		if (!short_of)
			kmem_cache_free_bulk(batch_cache, BULK_SLAB, bench_slots);
		if (rep < BULK_SKIP)
			continue;
		alloc += middle - start;
		free += get_cycles() - middle;
	}
	bench_end(row);
	kmem_cache_destroy(batch_cache);
	if (short_of)
		bench_fail(row, "fewer objects than were asked for");
	else
		report_halves(row, alloc, free, (u64)BULK_SLAB * reps);
}

static __noinline void free_one_by_one(struct page **pages, int nr)
{
	for (int i = 0; i < nr; i++)
		__free_page(pages[i]);
}

static void page_bulk(const char *row, void (*free_pages_of)(struct page **pages, int nr))
{
	struct page **pages = (struct page **)(void *)bench_slots;
	const int reps = bench_reps(4000);
	u64 alloc = 0, free = 0;
	int short_of = 0;

	for (int rep = 0; rep < reps + BULK_SKIP; rep++) {
		u64 start, middle;

		for (int i = 0; i < BULK_PAGES; i++)
			pages[i] = NULL;
		if (rep == BULK_SKIP)
			bench_begin(row);
		start = get_cycles();
		short_of += alloc_pages_bulk(GFP_KERNEL, BULK_PAGES, pages) != BULK_PAGES;
		middle = get_cycles();
		free_pages_of(pages, BULK_PAGES);
		if (rep < BULK_SKIP)
			continue;
		alloc += middle - start;
		free += get_cycles() - middle;
	}
	bench_end(row);
	if (short_of)
		bench_fail(row, "fewer pages than were asked for");
	else
		report_halves(row, alloc, free, (u64)BULK_PAGES * reps);
}

void bench_batches(void)
{
	static const struct batch slab[] = {
		{ "batch_kmalloc64_x1000_inorder", 1000, 0, IN_ORDER, 50 },
		{ "batch_kmalloc64_x1000_reverse", 1000, 0, REVERSE, 50 },
		{ "batch_kmalloc64_x1000_stride7", 1000, 0, SCATTERED, 50 },
		{ "batch_kmalloc64_x100000_inorder", 100000, 0, IN_ORDER, 4 },
		{ "batch_kmalloc64_x100000_reverse", 100000, 0, REVERSE, 4 },
		{ "batch_kmalloc64_x100000_stride7", 100000, 0, SCATTERED, 4 },
	};
	static const struct batch cache = { "batch_kmem_cache256_x1000_inorder", 1000, 0, IN_ORDER, 50 };
	static const struct batch pages[] = {
		{ "batch_page0_x64_inorder", 64, 0, IN_ORDER, 500 },
		{ "batch_page0_x1024_inorder", 1024, 0, IN_ORDER, 50 },
		{ "batch_page0_x1024_reverse", 1024, 0, REVERSE, 50 },
		{ "batch_page0_x65536_inorder", 65536, 0, IN_ORDER, 3 },
		{ "batch_page0_x65536_reverse", 65536, 0, REVERSE, 3 },
		{ "batch_page4_x1024_inorder", 1024, 4, IN_ORDER, 10 },
		{ "batch_page9_x64_inorder", 64, 9, IN_ORDER, 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(slab); i++)
		slab_batch(&slab[i], kmalloc_all);
	batch_cache = kmem_cache_create("bench batch", 256, 0, SLAB_PANIC, NULL);
	slab_batch(&cache, cache_all);
	kmem_cache_destroy(batch_cache);
	slab_bulk("slab_bulk32_64", 64);
	slab_bulk("slab_bulk32_256", 256);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		page_batch(&pages[i]);
	page_bulk("pages_bulk64", free_one_by_one);
	page_bulk("pages_bulk64_release", release_pages);
}

/* n times: free a random slot's object and allocate another, of 16 to 1039 bytes. */
static __noinline u64 mix_kmalloc(unsigned long n)
{
	u64 start, taken;

	for (int i = 0; i < LIVE_SLOTS; i++)
		bench_slots[i] = kmalloc(16 + (bench_random() & 1023), GFP_KERNEL);
	start = get_cycles();
	for (unsigned long i = 0; i < n; i++) {
		u32 r = bench_random();
		void **slot = &bench_slots[r & (LIVE_SLOTS - 1)];

		kfree(*slot);
		*slot = kmalloc(16 + (r >> 12 & 1023), GFP_KERNEL);
	}
	taken = get_cycles() - start;
	for (int i = 0; i < LIVE_SLOTS; i++)
		kfree(bench_slots[i]);
	return taken;
}

/* The same with blocks of order 0 to 3. */
static __noinline u64 mix_pages(unsigned long n)
{
	static unsigned char orders[LIVE_PAGES];
	u64 start, taken;

	for (int i = 0; i < LIVE_PAGES; i++) {
		orders[i] = bench_random() & 3;
		bench_slots[i] = alloc_pages(GFP_KERNEL, orders[i]);
	}
	start = get_cycles();
	for (unsigned long i = 0; i < n; i++) {
		u32 r = bench_random();
		u32 k = r & (LIVE_PAGES - 1);

		__free_pages(bench_slots[k], orders[k]);
		orders[k] = r >> 12 & 3;
		bench_slots[k] = alloc_pages(GFP_KERNEL, orders[k]);
	}
	taken = get_cycles() - start;
	for (int i = 0; i < LIVE_PAGES; i++)
		__free_pages(bench_slots[i], orders[i]);
	return taken;
}

void bench_random_mixes(void)
{
	static const struct bench_loop slab = { "mix_kmalloc_16_1039", mix_kmalloc, 100000 };
	static const struct bench_loop pages = { "mix_pages_0_3", mix_pages, 50000 };

	bench_random_seed(MIX_SEED);
	bench_run(&slab, 1);
	bench_random_seed(MIX_SEED);
	bench_run(&pages, 1);
}
