// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * One CPU: an operation and its opposite again and again, many at once, random life times, the bytes behind objects,
 * and the worst single operation.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "mmbench.h"
#include "slab.h"

#define SEED	 12345
#define ROW_NAME 64

static struct kmem_cache *cache64, *cache256;
static volatile size_t variable_size;

/* One operation and its opposite, again and again. */
struct loop {
	const char *row;
	u64 (*run)(unsigned long n);
	unsigned long n;
};

/* clang-format off */
LOOP(empty_loop, barrier();)

#define KMALLOC(size) LOOP(kmalloc_##size, kfree(kmalloc(size, GFP_KERNEL));)
KMALLOC(8)
KMALLOC(64)
KMALLOC(256)
KMALLOC(1024)
KMALLOC(4096)
KMALLOC(8192)
KMALLOC(16384)
LOOP(kmalloc_variable, kfree(kmalloc(variable_size, GFP_KERNEL));)
LOOP(kzalloc_64, kfree(kzalloc(64, GFP_KERNEL));)
LOOP(kmalloc_64_atomic, kfree(kmalloc(64, GFP_ATOMIC));)
LOOP(kmem_cache_64, kmem_cache_free(cache64, kmem_cache_alloc(cache64, GFP_KERNEL));)
LOOP(kmem_cache_256, kmem_cache_free(cache256, kmem_cache_alloc(cache256, GFP_KERNEL));)

#define PAGES(order) LOOP(page_##order, __free_pages(alloc_pages(GFP_KERNEL, order), order);)
PAGES(0)
PAGES(1)
PAGES(2)
PAGES(3)
PAGES(4)
PAGES(5)
PAGES(9)
PAGES(10)
LOOP(page_0_zero, __free_page(alloc_page(GFP_KERNEL | __GFP_ZERO));)
LOOP(get_free_page, free_page(__get_free_page(GFP_KERNEL));)

LOOP(vmalloc_4k, vfree(vmalloc(4096)); if ((i & 31) == 31) cond_resched();)
LOOP(vmalloc_16k, vfree(vmalloc(16384)); if ((i & 31) == 31) cond_resched();)
LOOP(vmalloc_1m, vfree(vmalloc(1 << 20)); cond_resched();)

static const unsigned int general_sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };
LOOP(kmalloc_cycle, kfree(kmalloc(general_sizes[i % ARRAY_SIZE(general_sizes)], GFP_KERNEL));)
/* clang-format on */

static void run_all(const struct loop *loops, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		mmbench_run(loops[i].row, loops[i].run, loops[i].n);
}

static void kmalloc_loops(void)
{
	static const struct loop constant[] = {
		{ "empty_loop", empty_loop, 200000 },	  { "kmalloc_8", kmalloc_8, 100000 },
		{ "kmalloc_64", kmalloc_64, 100000 },	  { "kmalloc_256", kmalloc_256, 100000 },
		{ "kmalloc_1024", kmalloc_1024, 100000 }, { "kmalloc_4096", kmalloc_4096, 100000 },
		{ "kmalloc_8192", kmalloc_8192, 100000 }, { "kmalloc_16384", kmalloc_16384, 50000 },
	};
	static const struct loop other[] = {
		{ "kzalloc_64", kzalloc_64, 100000 },
		{ "kmalloc_64_atomic", kmalloc_64_atomic, 100000 },
		{ "kmem_cache_64", kmem_cache_64, 100000 },
		{ "kmem_cache_256", kmem_cache_256, 100000 },
	};

	run_all(constant, ARRAY_SIZE(constant));
	variable_size = 64;
	mmbench_run("kmalloc_var_64", kmalloc_variable, 100000);
	variable_size = 1000;
	mmbench_run("kmalloc_var_1000", kmalloc_variable, 100000);
	run_all(other, ARRAY_SIZE(other));
}

/*
 * Orders beyond the per-CPU lists come from the free lists, and what lies there by chance of boot decides whether a
 * block is split and merged again: 90 of 800 instructions. Where the recorded figure has one split and one merge, that
 * is arranged: an order is settled when none of its blocks are free, and some of the next order are.
 */
#define MAX_HELD 4096

static struct {
	struct page *page;
	unsigned int order;
} held[MAX_HELD];
static int nr_held;

static struct page *must_have(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	if (!page)
		panic("bench: no block of order %u to begin with\n", order);
	return page;
}

static void hold(unsigned int order)
{
	if (nr_held == MAX_HELD)
		panic("bench: more than %d free blocks are in the way\n", MAX_HELD);
	held[nr_held].page = must_have(order);
	held[nr_held++].order = order;
}

static bool is_free(const struct zone *zone, unsigned int order)
{
	return !list_empty(&zone->free_area[order].free_list[MIGRATE_UNMOVABLE]);
}

static void settle(unsigned int order)
{
	const struct zone *zone;
	struct page *next;

	/* Unless it merges, as it does until its buddy is held, the freed block stays on its list. */
	do {
		hold(order + 1);
		next = must_have(order + 1);
		zone = page_zone(next);
		__free_pages(next, order + 1);
	} while (!is_free(zone, order + 1));
	while (is_free(zone, order))
		hold(order);
}

static void release_held(void)
{
	while (nr_held--)
		__free_pages(held[nr_held].page, held[nr_held].order);
	nr_held = 0;
}

static void run_settled(const char *row, u64 (*loop)(unsigned long n), unsigned int order)
{
	settle(order);
	mmbench_run(row, loop, 50000);
	release_held();
}

static void page_loops(void)
{
	static const struct loop small[] = {
		{ "page_0", page_0, 100000 },
		{ "page_1", page_1, 100000 },
		{ "page_2", page_2, 100000 },
		{ "page_3", page_3, 100000 },
	};
	static const struct loop other[] = {
		{ "page_0_zero", page_0_zero, 20000 }, { "get_free_page", get_free_page, 50000 },
		{ "vmalloc_4k", vmalloc_4k, 30000 },   { "vmalloc_16k", vmalloc_16k, 30000 },
		{ "vmalloc_1m", vmalloc_1m, 1500 },
	};

	run_all(small, ARRAY_SIZE(small));
	run_settled("page_4", page_4, 4);
	mmbench_run("page_5", page_5, 50000);
	run_settled("page_9", page_9, 9);
	mmbench_run("page_10", page_10, 50000);
	run_all(other, ARRAY_SIZE(other));
}

void mmbench_loops(void)
{
	cache64 = kmem_cache_create("bench64", 64, 0, SLAB_NO_MERGE, NULL);
	cache256 = kmem_cache_create("bench256", 256, 0, SLAB_NO_MERGE, NULL);
	if (!cache64 || !cache256)
		panic("bench: no caches to begin with\n");
	kmalloc_loops();
	page_loops();
}

void mmbench_cycle(void)
{
	mmbench_run("kmalloc_cycle", kmalloc_cycle, 130000);
}

static void report_halves(const char *row, u64 alloc, u64 free, u64 operations)
{
	mmbench_report_half(row, "alloc", alloc, operations);
	mmbench_report_half(row, "free", free, operations);
	mmbench_report_half(row, "pair", alloc + free, operations);
}

/* Many at once: allocate n, then free them in some order. One round is not measured. */
enum free_order { IN_ORDER, REVERSE, SCATTERED };

struct batch {
	const char *row;
	unsigned long n;
	enum free_order free_order;
	int reps;
	unsigned int page_order;
};

#define STRIDE 7

static void fill_objects(unsigned long n, struct kmem_cache *cache)
{
	if (cache)
		for (unsigned long i = 0; i < n; i++)
			mmbench_slots[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	else
		for (unsigned long i = 0; i < n; i++)
			mmbench_slots[i] = kmalloc(64, GFP_KERNEL);
}

static void free_objects(unsigned long n, enum free_order order)
{
	if (order == IN_ORDER)
		for (unsigned long i = 0; i < n; i++)
			kfree(mmbench_slots[i]);
	else if (order == REVERSE)
		for (unsigned long i = n; i-- > 0;)
			kfree(mmbench_slots[i]);
	else
		for (unsigned long first = 0; first < STRIDE; first++)
			for (unsigned long i = first; i < n; i += STRIDE)
				kfree(mmbench_slots[i]);
}

static void slab_batch(const struct batch *batch, struct kmem_cache *cache)
{
	u64 alloc = 0, free = 0;

	for (int rep = 0; rep <= batch->reps; rep++) {
		u64 start = counter(), middle, end;

		fill_objects(batch->n, cache);
		middle = counter();
		free_objects(batch->n, batch->free_order);
		end = counter();
		cond_resched();
		if (!rep)
			continue;
		alloc += middle - start;
		free += end - middle;
	}
	report_halves(batch->row, alloc, free, batch->n * batch->reps);
}

static void fill_pages(unsigned long n, unsigned int order)
{
	for (unsigned long i = 0; i < n; i++)
		mmbench_slots[i] = alloc_pages(GFP_KERNEL, order);
}

static void free_all_pages(unsigned long n, unsigned int order, enum free_order free_order)
{
	if (free_order == IN_ORDER)
		for (unsigned long i = 0; i < n; i++)
			__free_pages(mmbench_slots[i], order);
	else
		for (unsigned long i = n; i-- > 0;)
			__free_pages(mmbench_slots[i], order);
}

static void page_batch(const struct batch *batch)
{
	u64 alloc = 0, free = 0;

	for (int rep = 0; rep <= batch->reps; rep++) {
		u64 start = counter(), middle, end;

		fill_pages(batch->n, batch->page_order);
		middle = counter();
		free_all_pages(batch->n, batch->page_order, batch->free_order);
		end = counter();
		cond_resched();
		if (!rep)
			continue;
		alloc += middle - start;
		free += end - middle;
	}
	report_halves(batch->row, alloc, free, batch->n * batch->reps);
}

#define BULK_SKIP  200
#define BULK_SLAB  32
#define BULK_PAGES 64

static void slab_bulk(const char *row, struct kmem_cache *cache)
{
	const int reps = 5000;
	u64 alloc = 0, free = 0;

	for (int rep = 0; rep < reps + BULK_SKIP; rep++) {
		u64 start = counter(), middle, end;

		if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK_SLAB, mmbench_slots) != BULK_SLAB)
			panic("bench: %s: fewer objects than were asked for\n", row);
		middle = counter();
		kmem_cache_free_bulk(cache, BULK_SLAB, mmbench_slots);
		end = counter();
		if (rep < BULK_SKIP)
			continue;
		alloc += middle - start;
		free += end - middle;
	}
	report_halves(row, alloc, free, (u64)BULK_SLAB * reps);
}

/* Linux has no bulk free of pages: they are freed one by one. */
static void page_bulk(const char *row)
{
	struct page **pages = (struct page **)mmbench_slots;
	const int reps = 4000;
	u64 alloc = 0, free = 0;

	for (int rep = 0; rep < reps + BULK_SKIP; rep++) {
		u64 start, middle, end;
		unsigned long got;

		memset(pages, 0, BULK_PAGES * sizeof(*pages));
		start = counter();
		got = alloc_pages_bulk_array(GFP_KERNEL, BULK_PAGES, pages);
		middle = counter();
		for (unsigned long i = 0; i < got; i++)
			__free_page(pages[i]);
		end = counter();
		if (got != BULK_PAGES)
			panic("bench: %s: fewer pages than were asked for\n", row);
		if (rep < BULK_SKIP)
			continue;
		alloc += middle - start;
		free += end - middle;
	}
	report_halves(row, alloc, free, (u64)BULK_PAGES * reps);
}

/* Random life times: n times, free a random slot's object and allocate another. */
#define LIVE_OBJECTS 4096
#define LIVE_PAGES   1024

static u64 random_state;

static inline u32 random_bits(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state >> 33;
}

static noinline u64 mix_kmalloc(unsigned long n)
{
	u64 start, taken;

	for (int i = 0; i < LIVE_OBJECTS; i++)
		mmbench_slots[i] = kmalloc(16 + (random_bits() & 1023), GFP_KERNEL);
	start = counter();
	for (unsigned long i = 0; i < n; i++) {
		u32 r = random_bits();
		void **slot = &mmbench_slots[r & (LIVE_OBJECTS - 1)];

		kfree(*slot);
		*slot = kmalloc(16 + (r >> 12 & 1023), GFP_KERNEL);
	}
	taken = counter() - start;
	for (int i = 0; i < LIVE_OBJECTS; i++)
		kfree(mmbench_slots[i]);
	return taken;
}

static noinline u64 mix_pages(unsigned long n)
{
	static unsigned char orders[LIVE_PAGES];
	u64 start, taken;

	for (int i = 0; i < LIVE_PAGES; i++) {
		orders[i] = random_bits() & 3;
		mmbench_slots[i] = alloc_pages(GFP_KERNEL, orders[i]);
	}
	start = counter();
	for (unsigned long i = 0; i < n; i++) {
		u32 r = random_bits();
		int k = r & (LIVE_PAGES - 1);

		__free_pages(mmbench_slots[k], orders[k]);
		orders[k] = r >> 12 & 3;
		mmbench_slots[k] = alloc_pages(GFP_KERNEL, orders[k]);
	}
	taken = counter() - start;
	for (int i = 0; i < LIVE_PAGES; i++)
		__free_pages(mmbench_slots[i], orders[i]);
	return taken;
}

static void mixes(void)
{
	random_state = SEED;
	mmbench_run("mix_kmalloc_16_1039", mix_kmalloc, 100000);
	random_state = SEED;
	mmbench_run("mix_pages_0_3", mix_pages, 50000);
}

void mmbench_batches(void)
{
	static const struct batch slab[] = {
		{ "batch_kmalloc64_x1000_inorder", 1000, IN_ORDER, 50 },
		{ "batch_kmalloc64_x1000_reverse", 1000, REVERSE, 50 },
		{ "batch_kmalloc64_x1000_stride7", 1000, SCATTERED, 50 },
		{ "batch_kmalloc64_x100000_inorder", 100000, IN_ORDER, 4 },
		{ "batch_kmalloc64_x100000_reverse", 100000, REVERSE, 4 },
		{ "batch_kmalloc64_x100000_stride7", 100000, SCATTERED, 4 },
	};
	static const struct batch cache = { "batch_kmem_cache256_x1000_inorder", 1000, IN_ORDER, 50 };
	static const struct batch pages[] = {
		{ "batch_page0_x64_inorder", 64, IN_ORDER, 500, 0 },
		{ "batch_page0_x1024_inorder", 1024, IN_ORDER, 50, 0 },
		{ "batch_page0_x1024_reverse", 1024, REVERSE, 50, 0 },
		{ "batch_page0_x65536_inorder", 65536, IN_ORDER, 3, 0 },
		{ "batch_page0_x65536_reverse", 65536, REVERSE, 3, 0 },
		{ "batch_page4_x1024_inorder", 1024, IN_ORDER, 10, 4 },
		{ "batch_page9_x64_inorder", 64, IN_ORDER, 20, 9 },
	};

	for (int i = 0; i < ARRAY_SIZE(slab); i++)
		slab_batch(&slab[i], NULL);
	slab_batch(&cache, cache256);
	slab_bulk("slab_bulk32_64", cache64);
	slab_bulk("slab_bulk32_256", cache256);
	for (int i = 0; i < ARRAY_SIZE(pages); i++)
		page_batch(&pages[i]);
	page_bulk("pages_bulk64");
	mixes();
}

/* Bytes of the slabs behind @n objects of @size bytes, for each object, in thousandths of a byte. */
static void slab_bytes(unsigned int size, unsigned long n)
{
	struct folio *last = NULL;
	char name[ROW_NAME];
	struct kmem_cache *cache;
	u64 bytes = 0;

	snprintf(name, sizeof(name), "slab_bytes_%u", size);
	cache = kmem_cache_create(name, size, 0, SLAB_NO_MERGE, NULL);
	for (unsigned long i = 0; i < n; i++) {
		struct folio *folio;

		mmbench_slots[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		folio = virt_to_folio(mmbench_slots[i]);
		if (folio == last)
			continue;
		last = folio;
		bytes += folio_size(folio);
	}
	pr_info("bench: %s %llu %lu\n", name, bytes, n);
	for (unsigned long i = 0; i < n; i++)
		kmem_cache_free(cache, mmbench_slots[i]);
	kmem_cache_destroy(cache);
}

void mmbench_slab_bytes(void)
{
	for (int i = 0; i < ARRAY_SIZE(general_sizes); i++)
		slab_bytes(general_sizes[i], general_sizes[i] <= 512 ? 100000 : 10000);
}

/*
 * The worst single operation, and the 99.9th percentile, less what it takes to read the counter twice. The counter's
 * step is 16 instructions on a CPU that counts at 62.5 MHz.
 */
#define SINGLES	 100000UL
#define PERMILLE 999

static u32 *single_counts;

/* clang-format off */
#define EACH(name, statement)                                               \
	static noinline void name(u32 less)                                 \
	{                                                                   \
		for (unsigned long i = 0; i < SINGLES; i++) {               \
			u64 start = counter();                              \
                                                                            \
			statement;                                          \
			single_counts[i] = counter() - start - less;        \
		}                                                           \
	}
EACH(each_kmalloc, mmbench_slots[i] = kmalloc(64, GFP_KERNEL))
EACH(each_kfree, kfree(mmbench_slots[i]))
EACH(each_alloc_page, mmbench_slots[i] = alloc_page(GFP_KERNEL))
EACH(each_free_page, __free_page(mmbench_slots[i]))
/* clang-format on */

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

static void report_single(const char *what)
{
	sort(single_counts, SINGLES, sizeof(*single_counts), compare, NULL);
	mmbench_report_half("worst", what, single_counts[SINGLES - 1], 1);
	mmbench_report_half("p999", what, single_counts[SINGLES / 1000 * PERMILLE], 1);
}

static u32 overhead(void)
{
	u64 least = ~0ULL;

	for (int i = 0; i < 16; i++) {
		u64 start = counter();

		least = min(least, counter() - start);
	}
	return least;
}

void mmbench_singles(void)
{
	u32 less = overhead();

	single_counts = vmalloc(SINGLES * sizeof(*single_counts));
	each_kmalloc(less);
	report_single("kmalloc64_alloc");
	each_kfree(less);
	report_single("kmalloc64_free");
	each_alloc_page(less);
	report_single("page0_alloc");
	each_free_page(less);
	report_single("page0_free");
	vfree(single_counts);
}
