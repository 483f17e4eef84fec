// SPDX-License-Identifier: BSD-2-Clause
/*
 * Migratetypes: who takes from whom, what a pageblock becomes, the reserve for urgent requests; and the tables and
 * indices that tell how fragmented memory is, against sums over the struct pages.
 */
#include <string.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "../../mm/fragindex.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define LIVE_MAX 4096

static const gfp_t gfp_of[MIGRATE_PCPTYPES] = {
	[MIGRATE_UNMOVABLE] = GFP_KERNEL,
	[MIGRATE_MOVABLE] = GFP_KERNEL | __GFP_MOVABLE,
	[MIGRATE_RECLAIMABLE] = GFP_KERNEL | __GFP_RECLAIMABLE,
};

static struct page *live[LIVE_MAX];
static unsigned int nr_live;

static struct zone *the_zone(void)
{
	return &node_data[0]->node_zones[ZONE_DMA];
}

static unsigned long block_of(const struct page *page)
{
	return ALIGN_DOWN(page_to_pfn(page), PAGEBLOCK_NR_PAGES);
}

static enum migratetype type_of(const struct page *page)
{
	return get_pageblock_migratetype(page_to_pfn(page));
}

/* Requests may have the last page. */
static void no_marks(void)
{
	for (int mark = 0; mark < NR_WMARK; mark++)
		the_zone()->watermark[mark] = 0;
}

/* As long as there are free pageblocks no pageblock has two types, whatever is asked for in whatever order. */
static void test_grouped(void)
{
	unsigned long ops = tap_ops(20000);

	host_boot_simple(64 * MIB, 1);
	for (unsigned long i = 0; i < ops; i++) {
		enum migratetype type = (enum migratetype)tap_below(MIGRATE_PCPTYPES);

		if (nr_live < 1500 && tap_below(5) < 3) {
			struct page *page = alloc_pages(gfp_of[type], (unsigned int)tap_below(3));

			CHECK(page);
			CHECK_EQ(type_of(page), type);
			live[nr_live++] = page;
		} else if (nr_live) {
			unsigned int k = (unsigned int)tap_below(nr_live);

			__free_pages(live[k], page_order(live[k]));
			live[k] = live[--nr_live];
		}
	}
	CHECK_EQ(the_zone()->nr_fallbacks, 0);
	host_check();
}

/*
 * All memory in blocks of @has; then those of one pageblock, but for the first @kept, are free, and a request of @asks
 * finds nothing of its own. Return: the page it got.
 */
static struct page *steal_from(enum migratetype has, enum migratetype asks, unsigned int order, unsigned int kept)
{
	struct list_head taken = LIST_HEAD_INIT(taken), rest = LIST_HEAD_INIT(rest);
	struct page *page, *next;
	unsigned long block;

	no_marks();
	take_blocks(NUMA_NO_NODE, gfp_of[has], order, &taken);
	take_blocks(NUMA_NO_NODE, gfp_of[has], 0, &rest);
	drain_all_pages();
	block = BIT(40);
	list_for_each_entry(page, &taken, lru)
		if (IS_ALIGNED(page_to_pfn(page), PAGEBLOCK_NR_PAGES) && type_of(page) == has)
			block = page_to_pfn(page);
	CHECK(block != BIT(40));
	list_for_each_entry_safe(page, next, &taken, lru) {
		if (block_of(page) != block || page_to_pfn(page) < block + ((unsigned long)kept << order))
			continue;
		list_del(&page->lru);
		__free_pages(page, order);
	}
	drain_all_pages();
	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++)
		CHECK(list_empty(&the_zone()->free_area[o].free_list[asks]));
	page = alloc_page(gfp_of[asks]);
	CHECK(page);
	CHECK_EQ(block_of(page), block);
	host_check();
	return page;
}

/* Nearly all of the pageblock is free in large blocks: the request gets the pageblock. */
static void test_steal_large(void)
{
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	page = steal_from(MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, 2, 3);
	CHECK_EQ(type_of(page), MIGRATE_MOVABLE);
	CHECK(the_zone()->nr_fallbacks > 0);
}

/* [unmovable .........][movable ....]: an unmovable request out of memory takes the largest block and converts it. */
static void test_steal_for_unmovable(void)
{
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	page = steal_from(MIGRATE_MOVABLE, MIGRATE_UNMOVABLE, 4, 10);
	CHECK_EQ(type_of(page), MIGRATE_UNMOVABLE);
}

/* Free in @taken's last pageblock every second block of @order. Return: the pageblock. */
static unsigned long free_every_second(struct list_head *taken, unsigned int order, enum migratetype type)
{
	unsigned long block = BIT(40);
	struct page *page, *next;

	list_for_each_entry(page, taken, lru)
		if (IS_ALIGNED(page_to_pfn(page), PAGEBLOCK_NR_PAGES) && type_of(page) == type)
			block = page_to_pfn(page);
	CHECK(block != BIT(40));
	list_for_each_entry_safe(page, next, taken, lru) {
		if (block_of(page) != block || (page_to_pfn(page) >> order & 1))
			continue;
		list_del(&page->lru);
		__free_pages(page, order);
	}
	drain_all_pages();
	return block;
}

/* A pageblock of which half is free, no block of it large, becomes movable; with a block less it does not. */
static void steal_half(bool exactly)
{
	struct list_head taken = LIST_HEAD_INIT(taken), rest = LIST_HEAD_INIT(rest);
	unsigned long block;
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	no_marks();
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 3, &taken);
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &rest);
	block = free_every_second(&taken, 3, MIGRATE_UNMOVABLE);
	if (!exactly)
		CHECK_EQ(block_of(alloc_pages(GFP_KERNEL, 3)), block);
	drain_all_pages();
	page = alloc_page(GFP_KERNEL | __GFP_MOVABLE);
	CHECK(page);
	CHECK_EQ(block_of(page), block);
	CHECK_EQ(type_of(page), exactly ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE);
	CHECK_EQ(get_pageblock_migratetype(block), exactly ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE);
	host_check();
}

static void test_half_free(void)
{
	steal_half(true);
}

static void test_less_than_half_free(void)
{
	steal_half(false);
}

/* Who has the choice takes from the type that goes with it: unmovable from reclaimable, not from movable. */
static void test_fallback_order(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct page *movable, *reclaimable, *page;

	host_boot_simple(64 * MIB, 1);
	movable = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 8);
	reclaimable = alloc_pages(GFP_KERNEL | __GFP_RECLAIMABLE, 8);
	CHECK(movable && reclaimable);
	/* Both pageblocks have blocks of order 9 and 8 free; all others go. */
	while (the_zone()->nr_deferred) {
		page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		CHECK(page);
		list_add(&page->lru, &taken);
	}
	while (type_of(page = alloc_pages(GFP_ATOMIC, 7)) == MIGRATE_UNMOVABLE &&
	       block_of(page) != block_of(reclaimable))
		list_add(&page->lru, &taken);
	CHECK_EQ(block_of(page), block_of(reclaimable));
	CHECK_EQ(get_pageblock_migratetype(block_of(reclaimable)), MIGRATE_UNMOVABLE);
	CHECK_EQ(get_pageblock_migratetype(block_of(movable)), MIGRATE_MOVABLE);
	host_check();
}

/* The reserve. */

/* Memory down to where only urgent requests are served. */
static void fill_to_min(struct list_head *taken)
{
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 4, taken);
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, taken);
	drain_all_pages();
	CHECK(!alloc_page(GFP_KERNEL | __GFP_NOWARN));
}

static void test_highatomic(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct zone *zone;
	struct page *page, *more;

	host_boot_simple(512 * MIB, 1);
	zone = the_zone();
	CHECK_EQ(zone->nr_reserved_highatomic, 0);
	/* Served without effort, nothing is kept for it; nor for a single page. */
	page = alloc_pages(GFP_ATOMIC, 2);
	CHECK(page);
	__free_pages(page, 2);
	fill_to_min(&taken);
	page = alloc_page(GFP_ATOMIC);
	CHECK(page);
	__free_page(page);
	drain_all_pages();
	CHECK_EQ(zone->nr_reserved_highatomic, 0);
	page = alloc_pages(GFP_ATOMIC, 2);
	CHECK(page);
	CHECK_EQ(zone->nr_reserved_highatomic, PAGEBLOCK_NR_PAGES);
	CHECK_EQ(type_of(page), MIGRATE_HIGHATOMIC);
	CHECK(page_alloc_check());
	/* 1 % of 128 pageblocks is one: no second one, and the next urgent request is served from it. */
	more = alloc_pages(GFP_ATOMIC, 2);
	CHECK(more);
	CHECK_EQ(zone->nr_reserved_highatomic, PAGEBLOCK_NR_PAGES);
	if (zone_free_special(zone, MIGRATE_HIGHATOMIC))
		CHECK_EQ(type_of(more), MIGRATE_HIGHATOMIC);
	/* What comes back to it stays there, past the caches, and is not for others. */
	__free_pages(page, 2);
	CHECK(zone_free_special(zone, MIGRATE_HIGHATOMIC) >= 4);
	CHECK(page_alloc_check());
	__free_pages(more, 2);
	give_blocks(&taken);
	/* Nobody else gets it while there is other memory. */
	drain_all_pages();
	for (unsigned int i = 0; i < 1000; i++) {
		page = alloc_page(gfp_of[i % MIGRATE_PCPTYPES]);
		CHECK(page && type_of(page) != MIGRATE_HIGHATOMIC);
		list_add(&page->lru, &taken);
	}
	/* Before a request fails it is given back. */
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	CHECK_EQ(zone->nr_reserved_highatomic, 0);
	give_blocks(&taken);
	host_check();
}

/* A small zone keeps nothing. */
static void test_no_highatomic(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	fill_to_min(&taken);
	page = alloc_pages(GFP_ATOMIC, 1);
	CHECK(page);
	CHECK_EQ(the_zone()->nr_reserved_highatomic, 0);
	host_check();
}

/* Tables and indices. */

static void random_load(unsigned int most)
{
	unsigned long ops = tap_ops(6000);

	for (unsigned long i = 0; i < ops; i++) {
		if (nr_live < most && tap_below(100) < 60) {
			unsigned int order = (unsigned int)__builtin_ctzll(tap_random() | 1ULL << MAX_PAGE_ORDER);
			struct page *page = alloc_pages(gfp_of[tap_below(MIGRATE_PCPTYPES)] | __GFP_NOWARN, order);

			if (page)
				live[nr_live++] = page;
		} else if (nr_live) {
			unsigned int k = (unsigned int)tap_below(nr_live);

			__free_pages(live[k], page_order(live[k]));
			live[k] = live[--nr_live];
		}
	}
}

/* Free blocks of @zone by the struct pages; deferred pageblocks too. */
static void blocks_by_pages(const struct zone *zone, unsigned long *blocks, unsigned long *pages)
{
	memset(blocks, 0, NR_PAGE_ORDERS * sizeof(*blocks));
	*pages = 0;
	for (unsigned long pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {
		const struct page *page = pfn_to_page(pfn);

		if (!pfn_valid(pfn) ||
		    (page_initialised(pfn) && (!page_test(page, PG_buddy) || !page_in_zone(zone, page))))
			continue;
		if (!page_initialised(pfn) &&
		    (!pageblock_deferred(pfn) || !deferred_in_zone(zone, pfn) || !IS_ALIGNED(pfn, PAGEBLOCK_NR_PAGES)))
			continue;
		blocks[page_initialised(pfn) ? page_order(page) : MAX_PAGE_ORDER]++;
		*pages += page_initialised(pfn) ? 1UL << page_order(page) : PAGEBLOCK_NR_PAGES;
	}
}

static void check_tables(struct zone *zone)
{
	unsigned long by_pages[NR_PAGE_ORDERS], pages;
	static struct zone_blocks blocks;

	blocks_by_pages(zone, by_pages, &pages);
	count_blocks(zone, &blocks);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		unsigned long sum = 0;

		for (int type = 0; type < MIGRATE_TYPES; type++)
			sum += blocks.free[type][order];
		CHECK_EQ(sum, by_pages[order]);
		CHECK_EQ(free_blocks_of_order(zone, order), by_pages[order]);
	}
	CHECK_EQ(pages, zone->nr_free);
}

/* The definitions, in floating point. */
static void check_indices(struct zone *zone)
{
	unsigned long blocks[NR_PAGE_ORDERS], pages, nr_blocks = 0;

	blocks_by_pages(zone, blocks, &pages);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_blocks += blocks[order];
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		double size = (double)(1UL << order), large = 0, unusable, index;

		for (unsigned int o = order; o < NR_PAGE_ORDERS; o++)
			large += (double)(blocks[o] << o);
		unusable = pages ? ((double)pages - large) / (double)pages * 1000 : 1000;
		CHECK(unusable_index(zone, order) <= unusable + 1e-6 && unusable_index(zone, order) > unusable - 1);
		index = large > 0 ? -1000 : 1000 - (1 + (double)pages / size) / (double)nr_blocks * 1000;
		if (!nr_blocks)
			index = 0;
		CHECK(fragmentation_index(zone, order) >= index - 1e-6 && fragmentation_index(zone, order) < index + 2);
	}
}

static void test_tables(void)
{
	static const struct host_bank banks[] = {
		{ GIB, 33 * MIB + 20 * KIB, 0 },
		{ GIB + 33 * MIB + 20 * KIB, 20 * MIB, 1 },
		{ GIB + 64 * MIB, 24 * MIB, 0 },
	};
	struct zone *zone;
	int i;

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = ARRAY_SIZE(banks), .dma_limit = GIB + 78 * MIB });
	for (int round = 0; round < 6; round++) {
		random_load(100U << round);
		for_each_populated_zone(i, zone) {
			check_tables(zone);
			check_indices(zone);
		}
	}
}

/* Pageblocks by type, of a zone whose every pageblock is known. */
static void test_pageblocks(void)
{
	static struct zone_blocks blocks;
	unsigned long sum = 0;

	host_boot_simple(64 * MIB, 1);
	CHECK(alloc_pages(GFP_KERNEL | __GFP_RECLAIMABLE, 9) && alloc_pages(GFP_KERNEL | __GFP_RECLAIMABLE, 10));
	count_blocks(the_zone(), &blocks);
	CHECK_EQ(blocks.pageblocks[MIGRATE_RECLAIMABLE], 2);
	for (int type = 0; type < MIGRATE_TYPES; type++)
		sum += blocks.pageblocks[type];
	CHECK_EQ(sum, 16);
	CHECK_EQ(blocks.pageblocks[MIGRATE_HIGHATOMIC] + blocks.pageblocks[MIGRATE_CMA] +
			 blocks.pageblocks[MIGRATE_ISOLATE],
		 0);
}

/* What is all in single pages is useless for more, and only that is why a request fails. */
static void test_checkerboard(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct page *page, *next;
	struct zone *zone;

	host_boot_simple(64 * MIB, 1);
	zone = the_zone();
	CHECK_EQ(fragmentation_index(zone, 9), -1000);
	no_marks();
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	drain_all_pages();
	CHECK_EQ(zone->nr_free, 0);
	CHECK_EQ(fragmentation_index(zone, 9), 0);
	CHECK_EQ(unusable_index(zone, 0), 1000);
	list_for_each_entry_safe(page, next, &taken, lru) {
		if (page_to_pfn(page) & 1)
			continue;
		list_del(&page->lru);
		__free_page(page);
	}
	drain_all_pages();
	CHECK(unusable_index(zone, 1) > 900);
	CHECK(fragmentation_index(zone, 9) > 900);
	CHECK_EQ(fragmentation_index(zone, 0), -1000);
	CHECK_EQ(unusable_index(zone, 0), 0);
	host_check();
}

/* Threads: all types, in too little memory, urgent requests among them. */

#define THREADS	 6
#define OPS_MOST 100000UL

static unsigned long thread_ops;

static bool fell_back(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	bool some = zone->nr_fallbacks > 0;

	spin_unlock_irqrestore(&zone->lock, flags);
	return some;
}

/*
 * As many as there are to be, and then until memory was short: all threads together have more than there is, but on a
 * busy host one may be done before another has begun.
 */
static bool go_on(unsigned long done)
{
	return done < thread_ops || (done < OPS_MOST && !fell_back(the_zone()));
}

static void thread_work(void *unused)
{
	struct page *mine[200] = { NULL };

	(void)unused;
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long i = 0; go_on(i); i++) {
		struct page **slot = &mine[tap_below(ARRAY_SIZE(mine))];
		gfp_t gfp = gfp_of[tap_below(MIGRATE_PCPTYPES)] | __GFP_NOWARN;

		if (*slot) {
			__free_pages(*slot, page_order(*slot));
			*slot = NULL;
			continue;
		}
		if (!tap_below(4))
			gfp = (gfp & ~GFP_KERNEL) | GFP_ATOMIC;
		*slot = alloc_pages(gfp, (unsigned int)tap_below(tap_below(4) ? 4 : 10));
		if (*slot)
			CHECK_EQ(page_ref_count(*slot), 1);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(mine); i++)
		if (mine[i])
			__free_pages(mine[i], page_order(mine[i]));
}

static void test_threads(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct zone *zone;
	unsigned long before;

	host_boot_simple(256 * MIB + 8 * MIB, THREADS);
	zone = the_zone();
	host_cpus_start();
	drain_all_pages();
	before = nr_free_pages();
	while (zone->nr_free > 12 * PAGEBLOCK_NR_PAGES) {
		struct page *page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);

		CHECK(page);
		list_add(&page->lru, &taken);
	}
	thread_ops = tap_ops(6000);
	host_on_all_cpus(thread_work, NULL);
	CHECK(fell_back(zone));
	give_blocks(&taken);
	drain_all_pages();
	CHECK_EQ(nr_free_pages(), before);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("types stay apart while there are free pageblocks", test_grouped),
	TAP_CASE("a large block takes its pageblock along", test_steal_large),
	TAP_CASE("unmovable requests convert too", test_steal_for_unmovable),
	TAP_CASE("a pageblock half free becomes the request's", test_half_free),
	TAP_CASE("one less than half free does not", test_less_than_half_free),
	TAP_CASE("unmovable takes from reclaimable first", test_fallback_order),
	TAP_CASE("the reserve for urgent requests", test_highatomic),
	TAP_CASE("a small zone has no reserve", test_no_highatomic),
	TAP_CASE("tables and indices agree with the struct pages", test_tables),
	TAP_CASE("pageblocks by type", test_pageblocks),
	TAP_CASE("a checkerboard is fragmented", test_checkerboard),
	TAP_CASE("6 CPUs, short of memory", test_threads),
};
TAP_MAIN(cases)
