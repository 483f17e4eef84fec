// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ranges of page frames: isolation and alloc_contig_*(), against a map of who owns which page.
 *
 * 1. The map has a byte for each page frame: not ours to give, free, of a block, or of a range. With one CPU it tells
 *    beforehand whether a range can be had: when every page of it is free, whatever caches and deferred pageblocks
 *    hold.
 * 2. With several, claiming is an atomic exchange, so two owners of a page are found out at once.
 * 3. After each phase the check functions walk everything, and at the end all is free as it was.
 */
#include <errno.h>

#include <lib/smp.h>
#include <mm/contig.h>
#include <mm/memblock.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "../../mm/internal.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define BASE_PFN  (GIB >> PAGE_SHIFT)
#define MAP_PAGES (128 * MIB >> PAGE_SHIFT)
#define LIVE_MAX  1024

enum owner { NOBODYS, FREE, BLOCK, RANGE };

static u8 map[MAP_PAGES];
static unsigned long nr_pages;

struct block {
	struct page *page;
	unsigned int order;
};

static struct block live[LIVE_MAX];
static unsigned int nr_live;

static u8 *owner_of(unsigned long pfn)
{
	return &map[pfn - BASE_PFN];
}

static void change_owner(unsigned long pfn, unsigned long n, enum owner from, enum owner to)
{
	for (; n; n--, pfn++)
		CHECK_EQ(__atomic_exchange_n(owner_of(pfn), (u8)to, __ATOMIC_RELAXED), from);
}

/* Whether SLUB has the page since boot: its blocks are of order 0, or PG_slab is on all their pages. */
static bool in_use(unsigned long pfn)
{
	return page_initialised(pfn) && (page_ref_count(pfn_to_page(pfn)) || page_test(pfn_to_page(pfn), PG_slab));
}

/* What was handed over, as memblock tells, but for the pages that SLUB has had since. */
static void make_map(unsigned long pages)
{
	nr_pages = pages;
	for (unsigned long i = 0; i < pages; i++) {
		phys_addr_t pa = PFN_PHYS(BASE_PFN + i);
		bool ours = memblock_is_map_memory(pa) && !memblock_is_region_reserved(pa, PAGE_SIZE);

		map[i] = ours && !in_use(BASE_PFN + i) ? FREE : NOBODYS;
	}
}

static void get_block(void)
{
	gfp_t gfp = (tap_below(2) ? GFP_KERNEL : GFP_KERNEL | __GFP_MOVABLE) | __GFP_NOWARN;
	unsigned int order = (unsigned int)__builtin_ctzll(tap_random() | 1ULL << MAX_PAGE_ORDER);
	struct page *page = alloc_pages(gfp, order);

	if (!page)
		return;
	change_owner(page_to_pfn(page), 1UL << order, FREE, BLOCK);
	live[nr_live++] = (struct block){ page, order };
}

static void put_block(unsigned int i)
{
	struct block block = live[i];

	live[i] = live[--nr_live];
	change_owner(page_to_pfn(block.page), 1UL << block.order, BLOCK, FREE);
	__free_pages(block.page, block.order);
}

/* The first page frame of [start, end) that is not free by the map; @end when all are. */
static unsigned long first_taken(unsigned long start, unsigned long end)
{
	while (start < end && *owner_of(start) == FREE)
		start++;
	return start;
}

/* Whether any page of each pageblock of the range was handed over: else there is no such pageblock for isolation. */
static bool pageblocks_ours(unsigned long start, unsigned long end)
{
	bool ours = true;

	for (unsigned long pfn = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES); pfn < end; pfn += PAGEBLOCK_NR_PAGES) {
		unsigned long i = pfn;

		while (i < pfn + PAGEBLOCK_NR_PAGES && (i - BASE_PFN >= nr_pages || *owner_of(i) == NOBODYS))
			i++;
		ours &= i < pfn + PAGEBLOCK_NR_PAGES;
	}
	return ours;
}

static void check_range(unsigned long pfn, unsigned long n)
{
	for (; n; n--, pfn++) {
		CHECK_EQ(page_ref_count(pfn_to_page(pfn)), 1);
		CHECK_EQ(page_state(pfn_to_page(pfn)), 0);
	}
}

static void try_range(unsigned long start, unsigned long n)
{
	unsigned long taken = first_taken(start, start + n), busy;
	int err = alloc_contig_quietly(start, start + n, MIGRATE_MOVABLE, GFP_KERNEL, &busy);

	if (taken == start + n) {
		CHECK_EQ(err, 0);
		check_range(start, n);
		change_owner(start, n, FREE, RANGE);
	} else if (pageblocks_ours(start, start + n)) {
		CHECK_EQ(err, -EBUSY);
		CHECK_EQ(busy, taken);
	} else {
		CHECK_EQ(err, -EINVAL);
	}
}

/* A run of pages that ranges hold, from a random one on; perhaps of several ranges, perhaps not the whole of one. */
static void put_run(void)
{
	unsigned long first = tap_below(nr_pages), n = 0, most = 1 + tap_below(3000);

	while (first < nr_pages && map[first] != RANGE)
		first++;
	while (n < most && first + n < nr_pages && map[first + n] == RANGE)
		n++;
	change_owner(BASE_PFN + first, n, RANGE, FREE);
	free_contig_range(BASE_PFN + first, n);
}

static void random_op(void)
{
	unsigned long start = tap_below(nr_pages), n = 1 + tap_below(tap_below(4) ? 64 : 3000);

	switch (tap_below(6)) {
	case 0:
	case 1:
		if (nr_live < LIVE_MAX)
			get_block();
		break;
	case 2:
	case 3:
		if (nr_live)
			put_block((unsigned int)tap_below(nr_live));
		break;
	case 4:
		if (start + n <= nr_pages)
			try_range(BASE_PFN + start, n);
		break;
	default:
		put_run();
	}
}

static void put_everything(void)
{
	while (nr_live)
		put_block(nr_live - 1);
	for (unsigned long i = 0; i < nr_pages; i++) {
		if (map[i] != RANGE)
			continue;
		change_owner(BASE_PFN + i, 1, RANGE, FREE);
		free_contig_range(BASE_PFN + i, 1);
	}
}

static void model_test(const struct host_bank *banks, int nr_banks, unsigned long pages)
{
	unsigned long ops = tap_ops(6000), before;

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = nr_banks });
	make_map(pages);
	before = host_quiet_pages();
	for (unsigned long i = 0; i < ops; i++) {
		random_op();
		if (i % 64 == 0)
			CHECK(page_alloc_check());
	}
	host_check();
	put_everything();
	CHECK_EQ(host_quiet_pages(), before);
	host_check();
}

/* [== 64 MiB ==] */
static void test_model(void)
{
	static const struct host_bank bank = { GIB, 64 * MIB, -1 };

	model_test(&bank, 1, 64 * MIB >> PAGE_SHIFT);
}

/* [=== 21 MiB + 12 KiB ===]....[== 9 MiB ==]	holes in pageblocks, and pageblocks of nobody's */
static void test_model_holes(void)
{
	static const struct host_bank banks[] = {
		{ GIB, 21 * MIB + 12 * KIB, -1 },
		{ GIB + 34 * MIB + 20 * KIB, 9 * MIB, -1 },
	};

	model_test(banks, ARRAY_SIZE(banks), 44 * MIB >> PAGE_SHIFT);
}

/* A range in the midst of deferred pageblocks initialises those that it lies in, and no other. */
static void test_deferred(void)
{
	unsigned long pfn = BASE_PFN + 8 * PAGEBLOCK_NR_PAGES + 100, n = PAGEBLOCK_NR_PAGES;
	struct zone *zone;
	unsigned long deferred;

	host_boot_simple(64 * MIB, 1);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	deferred = zone->nr_deferred;
	CHECK(!page_initialised(pfn) && !page_initialised(pfn + n));
	CHECK_EQ(alloc_contig_range(pfn, pfn + n, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_ZERO), 0);
	CHECK_EQ(zone->nr_deferred, deferred - 2 * PAGEBLOCK_NR_PAGES);
	CHECK(!page_initialised(pfn - PAGEBLOCK_NR_PAGES) && !page_initialised(pfn + 2 * PAGEBLOCK_NR_PAGES));
	check_range(pfn, n);
	for (unsigned long i = 0; i < n; i++)
		CHECK_EQ(*(u64 *)page_address(pfn_to_page(pfn + i)), 0);
	host_check();
	free_contig_range(pfn, n);
	host_check();
	/* The two are whole again. */
	for (int block = 8; block < 10; block++) {
		struct page *page = pfn_to_page(BASE_PFN + (unsigned long)block * PAGEBLOCK_NR_PAGES);

		CHECK(page_test(page, PG_buddy));
		CHECK_EQ(page_order(page), MAX_PAGE_ORDER);
	}
}

/* A line says which page is in the way, and of whom it is. */
static void test_in_the_way(void)
{
	struct page *page;
	unsigned long pfn;

	host_boot_simple(64 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, 3);
	CHECK(page);
	pfn = page_to_pfn(page);
	CHECK_EQ(alloc_contig_range(pfn - 1, pfn + 20, MIGRATE_MOVABLE, GFP_KERNEL), -EBUSY);
	CHECK_LOG("contig: \\[pfn 0x[0-9a-f]+-0x[0-9a-f]+\\]: pfn 0x[0-9a-f]+ stands in the way: it is in use "
		  "\\(order 3, refcount 1\\)");
	/* Inside the block, too. */
	host_log_clear();
	CHECK_EQ(alloc_contig_range(pfn + 3, pfn + 5, MIGRATE_MOVABLE, GFP_KERNEL), -EBUSY);
	CHECK_LOG("stands in the way: it is in use \\(order 3, refcount 1\\)");
	host_log_clear();
	CHECK_EQ(alloc_contig_range(pfn, pfn + 8, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN), -EBUSY);
	CHECK_NO_LOG(".");
	/* Freed, it is on this CPU's stack: no obstacle. */
	__free_pages(page, 3);
	CHECK_EQ(alloc_contig_range(pfn, pfn + 8, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	get_page(page + 2);
	free_contig_range(pfn, 8);
	CHECK_LOG("contig: 1 of the pages .* have other users still");
	CHECK_EQ(page_ref_count(page + 2), 1);
	free_contig_range(pfn + 2, 1);
	free_contig_range(pfn + 2, 1);
	CHECK_LOG("bad page free: .*the page is free already: not freed");
	host_check();
}

static void test_errors(void)
{
	unsigned long block = BASE_PFN + 4 * PAGEBLOCK_NR_PAGES, beyond = BASE_PFN + 16 * PAGEBLOCK_NR_PAGES;

	host_boot_simple(64 * MIB, 1);
	CHECK_EQ(alloc_contig_range(block, block, MIGRATE_MOVABLE, GFP_KERNEL), -EINVAL);
	CHECK_LOG("contig: from pfn 0x([0-9a-f]+) to before pfn 0x\\1 there is no page: not allocated$");
	CHECK_EQ(alloc_contig_range(block + 2, block + 1, MIGRATE_MOVABLE, GFP_KERNEL), -EINVAL);
	CHECK_LOG("contig: from pfn 0x[0-9a-f]+2 to before pfn 0x[0-9a-f]+1 there is no page: not allocated$");
	CHECK_EQ(alloc_contig_range(beyond - 1, beyond + 1, MIGRATE_MOVABLE, GFP_KERNEL), -EINVAL);
	CHECK_EQ(alloc_contig_range(~0UL - 5, ~0UL, MIGRATE_MOVABLE, GFP_KERNEL), -EINVAL);
	CHECK_LOG("contig: .* is not memory of one zone, or wholly reserved in part: not allocated");
	CHECK_EQ(alloc_contig_range(block, block + 1, MIGRATE_CMA, GFP_KERNEL), -EBUSY);
	CHECK_LOG("contig: .* has pageblocks that are isolated, or of another type: not allocated");
	CHECK_EQ(start_isolate_page_range(block + 1, block + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), -EINVAL);
	/* The last of three is isolated already: the first two are as before. */
	CHECK_EQ(start_isolate_page_range(block + 2 * PAGEBLOCK_NR_PAGES, block + 3 * PAGEBLOCK_NR_PAGES,
					  MIGRATE_MOVABLE),
		 0);
	CHECK_EQ(start_isolate_page_range(block, block + 3 * PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), -EBUSY);
	CHECK_EQ(get_pageblock_migratetype(block), MIGRATE_MOVABLE);
	CHECK_EQ(alloc_contig_range(block, block + 2 * PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	CHECK_EQ(alloc_contig_range(block + 2 * PAGEBLOCK_NR_PAGES, block + 2 * PAGEBLOCK_NR_PAGES + 1, MIGRATE_MOVABLE,
				    GFP_KERNEL | __GFP_NOWARN),
		 -EBUSY);
	free_contig_range(block, 2 * PAGEBLOCK_NR_PAGES);
	undo_isolate_page_range(block + 2 * PAGEBLOCK_NR_PAGES, block + 3 * PAGEBLOCK_NR_PAGES);
	CHECK(!alloc_contig_pages(0, GFP_KERNEL, NUMA_NO_NODE, NULL));
	CHECK(!alloc_contig_pages(1, GFP_KERNEL, -7, NULL));
	CHECK(!alloc_contig_pages(~0UL, GFP_KERNEL, NUMA_NO_NODE, NULL));
	CHECK(!alloc_contig_pages(1UL << 63, GFP_KERNEL, NUMA_NO_NODE, NULL));
	host_check();
}

/* Isolated pages are free in the account, and nobody gets one: neither what was free, nor what is freed into them. */
static void test_isolated(void)
{
	unsigned long first = BASE_PFN + 4 * PAGEBLOCK_NR_PAGES, last = first + 4 * PAGEBLOCK_NR_PAGES, before, n;
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct page *kept, *page;
	struct zone *zone;

	host_boot_simple(64 * MIB, 1);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	before = host_quiet_pages();
	/* One page of the range stays in use, and is freed while the range is isolated. */
	CHECK_EQ(alloc_contig_range(first + 7, first + 8, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	kept = pfn_to_page(first + 7);
	CHECK_EQ(start_isolate_page_range(first, last, MIGRATE_MOVABLE), 0);
	drain_all_pages();
	CHECK_EQ(test_pages_isolated(first, last), first + 7);
	CHECK_EQ(zone_free_special(zone, MIGRATE_ISOLATE), last - first - 1);
	CHECK_EQ(nr_free_pages(), before - 1);
	host_check();
	n = take_blocks(NUMA_NO_NODE, GFP_ATOMIC | __GFP_MOVABLE, 0, &taken);
	CHECK(n + (last - first) <= before);
	list_for_each_entry(page, &taken, lru)
		CHECK(page_to_pfn(page) < first || page_to_pfn(page) >= last);
	__free_page(kept);
	CHECK_EQ(test_pages_isolated(first, last), last);
	CHECK_EQ(zone_free_special(zone, MIGRATE_ISOLATE), last - first);
	CHECK(!alloc_page(GFP_KERNEL | __GFP_NOWARN));
	host_check();
	undo_isolate_page_range(first, last);
	CHECK_EQ(zone_free_special(zone, MIGRATE_ISOLATE), 0);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	__free_page(page);
	give_blocks(&taken);
	CHECK_EQ(host_quiet_pages(), before);
	host_check();
}

/* A pageblock has its old type after its isolation, whatever that was. */
static void test_types_return(void)
{
	struct page *page;
	unsigned long block;

	host_boot_simple(64 * MIB, 1);
	page = alloc_pages(GFP_KERNEL | __GFP_RECLAIMABLE, 9);
	CHECK(page);
	block = ALIGN_DOWN(page_to_pfn(page), PAGEBLOCK_NR_PAGES);
	CHECK_EQ(get_pageblock_migratetype(block), MIGRATE_RECLAIMABLE);
	CHECK_EQ(start_isolate_page_range(block, block + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), 0);
	CHECK_EQ(get_pageblock_migratetype(block), MIGRATE_ISOLATE);
	__free_pages(page, 9);
	CHECK_EQ(test_pages_isolated(block, block + PAGEBLOCK_NR_PAGES), block + PAGEBLOCK_NR_PAGES);
	undo_isolate_page_range(block, block + PAGEBLOCK_NR_PAGES);
	CHECK_EQ(get_pageblock_migratetype(block), MIGRATE_RECLAIMABLE);
	host_check();
}

/*
 * One of the reserve for urgent requests stays of it, whether a range of it could be had or not, and is no place to
 * look in.
 */
static void test_reserve_stays(void)
{
	struct page *page, *other;
	unsigned long block, pfn;
	struct zone *zone;

	host_boot_simple(512 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page);
	pfn = page_to_pfn(page);
	block = ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES);
	zone = page_zone(page);
	reserve_highatomic(page);
	CHECK_EQ(zone->nr_reserved_highatomic, PAGEBLOCK_NR_PAGES);
	CHECK_EQ(alloc_contig_range(pfn, pfn + 2, MIGRATE_MOVABLE, GFP_KERNEL), -EBUSY);
	CHECK_EQ(get_pageblock_migratetype(block), MIGRATE_HIGHATOMIC);
	CHECK_EQ(zone->nr_reserved_highatomic, PAGEBLOCK_NR_PAGES);
	host_check();
	CHECK_EQ(start_isolate_page_range(block, block + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), 0);
	host_check();
	__free_pages(page, MAX_PAGE_ORDER);
	CHECK_EQ(zone_free_special(zone, MIGRATE_HIGHATOMIC), 0);
	undo_isolate_page_range(block, block + PAGEBLOCK_NR_PAGES);
	CHECK(zone_free_special(zone, MIGRATE_HIGHATOMIC) > 0);
	CHECK_EQ(alloc_contig_range(pfn, pfn + 2, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	CHECK_EQ(get_pageblock_migratetype(block), MIGRATE_HIGHATOMIC);
	free_contig_range(pfn, 2);
	/* It would be the lowest place. */
	other = alloc_contig_pages(PAGEBLOCK_NR_PAGES, GFP_KERNEL, NUMA_NO_NODE, NULL);
	CHECK(other);
	CHECK(page_to_pfn(other) > block);
	free_contig_range(page_to_pfn(other), PAGEBLOCK_NR_PAGES);
	CHECK_EQ(zone->nr_reserved_highatomic, PAGEBLOCK_NR_PAGES);
	host_check();
}

/* Whatever is allocated from now on holds something. */
static void soil_memory(void)
{
	struct page *page;
	LIST_HEAD(taken);

	take_blocks(NUMA_NO_NODE, GFP_ATOMIC, 0, &taken);
	list_for_each_entry(page, &taken, lru)
		memset(page_address(page), 0x5a, PAGE_SIZE);
	give_blocks(&taken);
}

/* Of a range with __GFP_ZERO each byte is 0, of its pages alone. */
static void test_zeroed(void)
{
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	soil_memory();
	page = alloc_contig_pages(300, GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE, NULL);
	CHECK(page);
	for (u8 *byte = page_address(page), *end = byte + 300 * PAGE_SIZE; byte < end; byte++)
		CHECK_EQ(*byte, 0);
	CHECK_EQ(*(u8 *)page_address(page + 300), 0x5a);
	free_contig_range(page_to_pfn(page), 300);
	host_check();
}

/* With __GFP_COMP a range is a compound block, which goes as one; what can be no block is refused. */
static void test_compound(void)
{
	unsigned long before, block = BASE_PFN + 8 * PAGEBLOCK_NR_PAGES;

	host_boot_simple(64 * MIB, 1);
	before = host_quiet_pages();
	soil_memory();
	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++) {
		unsigned long n = 1UL << order;
		struct page *page = alloc_contig_pages(n, GFP_KERNEL | __GFP_COMP | __GFP_ZERO, NUMA_NO_NODE, NULL);

		CHECK(page && compound_order(page) == order && page_ref_count(page) == 1);
		for (unsigned long i = 1; i < n; i++) {
			CHECK(compound_head(page + i) == page && !page_ref_count(page + i));
			CHECK_EQ(*(u64 *)page_address(page + i), 0);
		}
		host_check();
		put_page(page + n - 1);
		CHECK_EQ(host_quiet_pages(), before);
		CHECK_EQ(alloc_contig_range(block, block + n, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_COMP), 0);
		get_page(pfn_to_page(block + 1));
		free_contig_range(block, n);
		CHECK_EQ(compound_order(pfn_to_page(block)), order);
		free_contig_range(block, n);
		CHECK(!PageCompound(pfn_to_page(block + 1)));
		CHECK_EQ(host_quiet_pages(), before);
	}
	CHECK_NO_LOG("bad page");
	CHECK_EQ(alloc_contig_range(block, block + 1, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_COMP), 0);
	free_contig_range(block, 1);
	CHECK_EQ(alloc_contig_range(block + 1, block + 3, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_COMP), -EINVAL);
	CHECK_EQ(alloc_contig_range(block, block + 3, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_COMP), -EINVAL);
	CHECK_LOG(
		"contig: \\[pfn 0x[0-9a-f]+-0x[0-9a-f]+\\] is no block of an order from 0 to 10, which __GFP_COMP asks for: "
		"not allocated$");
	CHECK_EQ(alloc_contig_range(block, block + 2 * PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_COMP),
		 -EINVAL);
	CHECK(!alloc_contig_pages(3, GFP_KERNEL | __GFP_COMP, NUMA_NO_NODE, NULL));
	CHECK_EQ(host_quiet_pages(), before);
	/* A part of a compound block is no range. */
	CHECK_EQ(alloc_contig_range(block, block + 4, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_COMP), 0);
	free_contig_range(block, 2);
	CHECK_LOG("bad page free: .*, order 0: it was allocated with another order: not freed");
	CHECK_LOG("bad page free: .*, order 0: it is in the middle of a block: not freed");
	CHECK_EQ(compound_order(pfn_to_page(block)), 2);
	put_page(pfn_to_page(block));
	CHECK_EQ(host_quiet_pages(), before);
}

/* The lowest aligned place for @n pages by the map; nr_pages when there is none. */
static unsigned long place_by_map(unsigned long n)
{
	unsigned long align = n & (n - 1) ? 1 : n;

	for (unsigned long i = 0; i + n <= nr_pages; i += align)
		if (first_taken(BASE_PFN + i, BASE_PFN + i + n) == BASE_PFN + i + n)
			return i;
	return nr_pages;
}

/* alloc_contig_pages() finds a place exactly when there is one, and it is the lowest. */
static void test_anywhere(void)
{
	static const struct host_bank bank = { GIB, 64 * MIB, -1 };
	unsigned long ops = tap_ops(1500), before;
	struct zone *zone;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1 });
	zone = &node_data[0]->node_zones[ZONE_DMA];
	make_map(64 * MIB >> PAGE_SHIFT);
	before = host_quiet_pages();
	for (unsigned long i = 0; i < ops; i++) {
		unsigned long n = tap_below(3) ? 1 + tap_below(5000) : 1UL << tap_below(13), place;
		struct page *page;

		for (int k = 0; k < 6; k++)
			random_op();
		drain_all_pages();
		place = place_by_map(n);
		page = alloc_contig_pages(n, GFP_KERNEL | __GFP_NOWARN, NUMA_NO_NODE, NULL);
		if (!page) {
			CHECK(place == nr_pages || zone->nr_free < n + zone->watermark[WMARK_MIN]);
			continue;
		}
		CHECK_EQ(page_to_pfn(page), BASE_PFN + place);
		change_owner(page_to_pfn(page), n, FREE, RANGE);
		check_range(page_to_pfn(page), n);
	}
	put_everything();
	CHECK_EQ(host_quiet_pages(), before);
	host_check();
}

/* [ node 0 ][ node 1 ], border inside a pageblock */
static void test_nodes(void)
{
	static const struct host_bank banks[] = { { GIB, 33 * MIB, 0 }, { GIB + 33 * MIB, 31 * MIB, 1 } };
	const u64 only_1 = 1 << 1, none = 0;
	unsigned long border = BASE_PFN + (33 * MIB >> PAGE_SHIFT);
	struct page *page;

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = 2 });
	page = alloc_contig_pages(3000, GFP_KERNEL, 1, NULL);
	CHECK(page && page_to_nid(page) == 1);
	free_contig_range(page_to_pfn(page), 3000);
	page = alloc_contig_pages(3000, GFP_KERNEL, 0, &only_1);
	CHECK(page && page_to_nid(page) == 1);
	free_contig_range(page_to_pfn(page), 3000);
	CHECK(!alloc_contig_pages(3000, GFP_KERNEL | __GFP_NOWARN, 0, &none));
	CHECK(!alloc_contig_pages(3000, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0, &only_1));
	/* Zones share the pageblock. */
	CHECK_EQ(alloc_contig_range(border - 1, border, MIGRATE_MOVABLE, GFP_KERNEL), -EINVAL);
	CHECK_EQ(alloc_contig_range(border - 2000, border + 2000, MIGRATE_MOVABLE, GFP_KERNEL), -EINVAL);
	host_check();
}

/* What would bring the zone below its min mark is not for alloc_contig_pages(), however much lies together. */
static void test_watermark(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct page *page;
	struct zone *zone;
	unsigned long n;

	host_boot_simple(512 * MIB, 1);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page);
	take_blocks(NUMA_NO_NODE, GFP_ATOMIC, 0, &taken);
	__free_pages(page, MAX_PAGE_ORDER);
	drain_all_pages();
	n = zone->nr_free - zone->watermark[WMARK_MIN];
	CHECK(n > 512 && n < PAGEBLOCK_NR_PAGES);
	CHECK(!alloc_contig_pages(n + 1, GFP_KERNEL, NUMA_NO_NODE, NULL));
	CHECK_LOG("contig: no [0-9]+ free pages behind one another near node 0, gfp 0x100$");
	CHECK(alloc_contig_pages(n, GFP_KERNEL, NUMA_NO_NODE, NULL) == page);
	free_contig_range(page_to_pfn(page), n);
	give_blocks(&taken);
	host_check();
}

/*
 * Two CPUs want ranges of the only pageblock that is free, each another: while one has it isolated the other waits, and
 * then has its own.
 *
 *	| the other's | in use | mine          |
 */
static unsigned long shared_block;
static bool one_is_done; /* atomic */

static void use_low_range(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&one_is_done, __ATOMIC_RELAXED)) {
		CHECK_EQ(alloc_contig_range(shared_block + 10, shared_block + 20, MIGRATE_MOVABLE, GFP_KERNEL), 0);
		free_contig_range(shared_block + 10, 10);
	}
}

static void test_one_at_a_time(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	struct page *page;

	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	for (int mark = 0; mark < NR_WMARK; mark++)
		node_data[0]->node_zones[ZONE_DMA].watermark[mark] = 0;
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page);
	shared_block = page_to_pfn(page);
	take_blocks(NUMA_NO_NODE, GFP_ATOMIC, 0, &taken);
	__free_pages(page, MAX_PAGE_ORDER);
	drain_all_pages();
	CHECK_EQ(alloc_contig_range(shared_block + 30, shared_block + 31, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	CHECK_EQ(smp_work_start(1, use_low_range, NULL), 0);
	for (unsigned long i = tap_ops(2000); i; i--) {
		page = alloc_contig_pages(512, GFP_KERNEL, NUMA_NO_NODE, NULL);
		CHECK(page && page_to_pfn(page) == shared_block + 512);
		free_contig_range(shared_block + 512, 512);
	}
	__atomic_store_n(&one_is_done, true, __ATOMIC_RELAXED);
	smp_work_wait(1);
	free_contig_range(shared_block + 30, 1);
	give_blocks(&taken);
	host_check();
	host_cpus_stop();
}

/* Threads. */

#define THREADS	   6
#define RANGES_MAX 8

struct range {
	unsigned long pfn, n;
};

static unsigned long thread_ops;
static unsigned long ranges_had;

static void try_range_shared(struct range *range)
{
	unsigned long start = BASE_PFN + tap_below(nr_pages - 64), n = 1 + tap_below(64);

	if (tap_below(4) == 0) {
		struct page *page = alloc_contig_pages(n, GFP_KERNEL | __GFP_NOWARN, NUMA_NO_NODE, NULL);

		if (!page)
			return;
		start = page_to_pfn(page);
	} else if (alloc_contig_range(start, start + n, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN)) {
		return;
	}
	change_owner(start, n, FREE, RANGE);
	check_range(start, n);
	*range = (struct range){ start, n };
	__atomic_fetch_add(&ranges_had, 1, __ATOMIC_RELAXED);
}

static void put_range(struct range *range)
{
	change_owner(range->pfn, range->n, RANGE, FREE);
	free_contig_range(range->pfn, range->n);
	range->n = 0;
}

static void thread_block(struct block *block)
{
	gfp_t gfp = (tap_below(2) ? GFP_KERNEL : GFP_KERNEL | __GFP_MOVABLE) | __GFP_NOWARN;

	if (block->page) {
		change_owner(page_to_pfn(block->page), 1UL << block->order, BLOCK, FREE);
		__free_pages(block->page, block->order);
		block->page = NULL;
		return;
	}
	block->order = (unsigned int)tap_below(5);
	block->page = alloc_pages(gfp, block->order);
	if (block->page)
		change_owner(page_to_pfn(block->page), 1UL << block->order, FREE, BLOCK);
}

static void thread_work(void *unused)
{
	struct range ranges[RANGES_MAX] = { { 0, 0 } };
	struct block blocks[32] = { { NULL, 0 } };

	(void)unused;
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long i = 0; i < thread_ops; i++) {
		struct range *range = &ranges[tap_below(RANGES_MAX)];

		for (int k = 0; k < 8; k++)
			thread_block(&blocks[tap_below(ARRAY_SIZE(blocks))]);
		if (range->n)
			put_range(range);
		else
			try_range_shared(range);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(blocks); i++)
		if (blocks[i].page)
			thread_block(&blocks[i]);
	for (int i = 0; i < RANGES_MAX; i++)
		if (ranges[i].n)
			put_range(&ranges[i]);
}

static void test_threads(void)
{
	static const struct host_bank bank = { GIB, 32 * MIB, -1 };
	unsigned long before;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = THREADS });
	host_cpus_start();
	make_map(32 * MIB >> PAGE_SHIFT);
	before = host_quiet_pages();
	thread_ops = tap_ops(400);
	host_on_all_cpus(thread_work, NULL);
	CHECK(ranges_had > 0);
	CHECK_EQ(host_quiet_pages(), before);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("a range is had exactly when its pages are free", test_model),
	TAP_CASE("the same with holes", test_model_holes),
	TAP_CASE("deferred pageblocks are initialised on demand", test_deferred),
	TAP_CASE("who stands in the way is told", test_in_the_way),
	TAP_CASE("what cannot be is refused, and changes nothing", test_errors),
	TAP_CASE("isolated pages are given to nobody", test_isolated),
	TAP_CASE("a pageblock has its old type after isolation", test_types_return),
	TAP_CASE("the reserve for urgent requests stays", test_reserve_stays),
	TAP_CASE("ranges that are zeroed", test_zeroed),
	TAP_CASE("ranges that are compound blocks", test_compound),
	TAP_CASE("alloc_contig_pages() finds the lowest place", test_anywhere),
	TAP_CASE("nodes", test_nodes),
	TAP_CASE("no zone goes below its mark", test_watermark),
	TAP_CASE("two CPUs want ranges of one pageblock", test_one_at_a_time),
	TAP_CASE("6 CPUs", test_threads),
};
TAP_MAIN(cases)
