// SPDX-License-Identifier: BSD-2-Clause
/*
 * The per-CPU page caches: which stack a block goes to, how limits follow the load, what drains bring back.
 *
 * A zone's nr_allocs counts blocks taken from its free lists: where it stands still, a CPU's stack has served.
 */
#include <string.h>

#include <lib/smp.h>
#include <mm/contig.h>
#include <mm/gfp.h>
#include <mm/mm_init.h>
#include <mm/page_offline.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "../../mm/pcp.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB 1048576ULL
#define GIB (1024 * MIB)

#define MANY 2000

static struct page *pages[MANY];

static struct per_cpu_pages *cache_of(const struct page *page, int cpu)
{
	return per_cpu_ptr(page_zone(page)->pcp, cpu);
}

/* A block of @gfp and @order, freed again, so that this CPU's stack has one. Return: the block. */
static struct page *warm(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	CHECK(page);
	__free_pages(page, order);
	return page;
}

static const gfp_t kinds[] = { GFP_KERNEL, GFP_KERNEL | __GFP_MOVABLE, GFP_KERNEL | __GFP_RECLAIMABLE };

/*
 * Once a block of an order and type has been freed, that one is allocated again and again, and the zone is not asked.
 */
static void test_hits(void)
{
	host_boot_simple(1 * GIB, 1);
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
			struct page *first = warm(kinds[kind], order);
			unsigned long allocs = page_zone(first)->nr_allocs;

			for (int i = 0; i < 10; i++) {
				struct page *page = alloc_pages(kinds[kind], order);

				CHECK(page == first);
				CHECK_EQ(page_ref_count(page), 1);
				CHECK_EQ(page_order(page), order);
				CHECK_EQ(page->page_stack,
					 pcp_stack_of(page_zone(page), order, (enum migratetype)kind));
				__free_pages(page, order);
				CHECK_EQ(page_ref_count(page), 0);
			}
			CHECK_EQ(page_zone(first)->nr_allocs, allocs);
			/* Limits are shared out: the next order may need all there is. */
			drain_all_pages();
		}
	host_check();
}

/* What is asked for at run time and as a constant comes from the same stack. */
static void test_constant_or_not(void)
{
	volatile unsigned int order = 3;
	volatile gfp_t gfp = GFP_KERNEL;
	struct page *page;

	host_boot_simple(256 * MIB, 1);
	page = warm(GFP_KERNEL, 3);
	for (int i = 0; i < 4; i++) {
		struct page *again = i & 1 ? alloc_pages(gfp, i & 2 ? order : 3) :
					     alloc_pages(GFP_KERNEL, i & 2 ? order : 3);

		CHECK(again == page);
		__free_pages(again, order);
	}
	memset(page_address(page), 0x5a, PAGE_SIZE << 3);
	CHECK(alloc_pages(gfp | __GFP_ZERO, order) == page);
	for (unsigned int i = 0; i < PAGE_SIZE << 3; i += 64)
		CHECK_EQ(((char *)page_address(page))[i], 0);
	__free_pages(page, order);
}

/*
 * [ NORMAL ................ | MOVABLE ......... ]
 *
 * The stack that requests for it look at first holds ZONE_MOVABLE's blocks there, and NORMAL's movable ones have
 * another. Those of movable requests without __GFP_HIGHMEM come from NORMAL, as on Linux.
 */
static void test_movable_zone(void)
{
	static const struct host_bank bank = { 4 * GIB, 512 * MIB, -1 };
	volatile gfp_t gfp = GFP_KERNEL | __GFP_MOVABLE;
	struct page *movable, *normal, *low;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "quiet movablecore=256M" });
	movable = warm(GFP_HIGHUSER_MOVABLE, 0);
	normal = warm(GFP_KERNEL, 0);
	CHECK_EQ(page_zonenum(movable), ZONE_MOVABLE);
	CHECK(page_zonenum(normal) < ZONE_MOVABLE);
	low = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 0);
	CHECK(low && page_zone(low) == page_zone(normal));
	CHECK_EQ(low->page_stack, pcp_stack_of(page_zone(normal), 0, MIGRATE_MOVABLE));
	__free_page(low);
	CHECK(alloc_pages(gfp, 0) == low);
	__free_page(low);
	CHECK(alloc_pages(GFP_HIGHUSER_MOVABLE, 0) == movable);
	CHECK(alloc_pages(GFP_KERNEL, 0) == normal);
	CHECK_EQ(movable->page_stack, percpu_local_offset(0) + local_page_stack(0, MIGRATE_MOVABLE));
	CHECK_EQ(normal->page_stack, percpu_local_offset(0) + local_page_stack(0, MIGRATE_UNMOVABLE));
	CHECK(pcp_stack_of(page_zone(normal), 0, MIGRATE_MOVABLE) != movable->page_stack);
	__free_page(movable);
	__free_page(normal);
	host_check();
}

static void take_many(void)
{
	for (unsigned int i = 0; i < MANY; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		CHECK(pages[i]);
	}
}

static void free_many(void)
{
	for (unsigned int i = 0; i < MANY; i++)
		__free_page(pages[i]);
}

/*
 * Bursts raise the limit up to the array; what is drained gives it up; what is not used any more loses it bit by bit.
 */
static void test_limits(void)
{
	struct per_cpu_pages *pcp;
	struct pcp_list *list;
	unsigned long high;

	host_boot_simple(1 * GIB, 1);
	drain_all_pages();
	pcp = cache_of(warm(GFP_KERNEL, 0), 0);
	list = &pcp->list[0][MIGRATE_UNMOVABLE];
	CHECK_EQ(pcp_list_limit(list), 1);
	take_many();
	free_many();
	high = pcp_list_limit(list);
	CHECK_EQ(high, list->capacity);
	CHECK_EQ(pcp->spare + high, pcp->share);
	host_check();

	/* Each event of order 1 moves the hand one list further; order 0 sees none. */
	for (int round = 0; round < 100 && pcp_list_limit(list) == high; round++) {
		for (unsigned int i = 0; i < 600; i++)
			CHECK(pages[i] = alloc_pages(GFP_KERNEL, 1));
		for (unsigned int i = 0; i < 600; i++)
			__free_pages(pages[i], 1);
	}
	CHECK(pcp_list_limit(list) < high);
	CHECK(pcp_list_count(list) <= pcp_list_limit(list));
	host_check();

	drain_local_pages();
	CHECK_EQ(pcp_sum(pcp).high, 0);
	CHECK_EQ(pcp_sum(pcp).count, 0);
	CHECK_EQ(pcp->spare, pcp->share);
}

/* All orders and types at once never have more than the CPU's share, which is 1/8 of the zone over all CPUs. */
static void test_share(void)
{
	struct per_cpu_pages *pcp;
	struct zone *zone;

	host_boot_simple(128 * MIB, 2);
	zone = page_zone(warm(GFP_KERNEL, 0));
	pcp = per_cpu_ptr(zone->pcp, 0);
	CHECK_EQ(pcp->share, zone->managed_pages / 16);
	for (int round = 0; round < 20; round++)
		for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
			for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
				unsigned int n = 0;

				while (n < 20 && (pages[n] = alloc_pages(kinds[kind] | __GFP_NOWARN, order)))
					n++;
				while (n)
					__free_pages(pages[--n], order);
				CHECK(pcp_sum(pcp).high <= pcp->share);
				CHECK(pcp_sum(pcp).count <= pcp->share);
			}
	host_check();
	CHECK(pcp_sum(pcp).count);
}

/* A zone below its high watermark gives the caches nothing more. */
static void test_short_of_memory(void)
{
	struct page *page, *last;
	struct per_cpu_pages *pcp;
	struct zone *zone;

	host_boot_simple(64 * MIB, 1);
	last = alloc_page(GFP_KERNEL);
	CHECK(last);
	zone = node_data[0]->zonelist[0];
	pcp = per_cpu_ptr(zone->pcp, 0);
	while ((page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0)))
		last = page;
	CHECK_EQ(pcp_sum(pcp).count, 0);
	CHECK(zone->nr_free <= zone->watermark[WMARK_HIGH]);
	__free_page(last);
	CHECK_EQ(pcp_sum(pcp).high, 0);
	CHECK_EQ(pcp_sum(pcp).count, 0);
}

/* Blocks whose limit is 0 still find their stack when memory is plentiful; those of page_stack 0 never do. */
static void test_no_stack(void)
{
	struct page *page, *kept;
	unsigned long free;

	host_boot_simple(256 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	kept = alloc_page(GFP_KERNEL);
	drain_all_pages();
	free = nr_free_pages();
	kept->page_stack = 0;
	__free_page(kept);
	CHECK_EQ(nr_free_pages(), free + 1);
	CHECK_EQ(zone_pcp_pages(page_zone(kept)), 0);
	__free_page(page);
	CHECK_EQ(nr_free_pages(), free + 1);
	CHECK_EQ(zone_pcp_pages(page_zone(page)), 1);
	host_check();
}

/* Neighbours that are freed upwards, downwards, or one here and one there come back as the blocks they were. */
static void test_runs(void)
{
	enum { UP, DOWN, SCATTERED, WAYS };
	unsigned long largest, free, drains;
	struct per_cpu_pages *pcp;
	struct zone *zone;

	host_boot_simple(1 * GIB, 1);
	zone = page_zone(warm(GFP_KERNEL, 0));
	pcp = per_cpu_ptr(zone->pcp, 0);
	for (unsigned int order = 0; order < 3; order++)
		for (int way = UP; way < WAYS; way++) {
			const unsigned int n = 640;

			drain_all_pages();
			free = zone->nr_free;
			largest = zone->free_area[MAX_PAGE_ORDER].nr_free + zone->nr_deferred / PAGEBLOCK_NR_PAGES;
			for (unsigned int i = 0; i < n; i++)
				CHECK(pages[i] = alloc_pages(GFP_KERNEL, order));
			drains = pcp->drains;
			for (unsigned int i = 0; i < n; i++) {
				unsigned int k = way == UP ? i : way == DOWN ? n - 1 - i : i * 7 % n;

				__free_pages(pages[k], order);
			}
			/* Of scattered blocks a drain takes PCP_BATCH / 4, of runs PCP_BATCH. */
			CHECK(way == SCATTERED || pcp->drains - drains < n / 20);
			host_check();
			drain_all_pages();
			CHECK_EQ(zone->nr_free, free);
			CHECK_EQ(zone->free_area[MAX_PAGE_ORDER].nr_free + zone->nr_deferred / PAGEBLOCK_NR_PAGES,
				 largest);
		}
}

/* Refills of order 0 take blocks, not pages: many fewer than one for each page. */
static void test_refills(void)
{
	unsigned long allocs, drains;
	struct per_cpu_pages *pcp;
	struct zone *zone;

	host_boot_simple(1 * GIB, 1);
	take_many();
	free_many();
	zone = page_zone(pages[0]);
	pcp = per_cpu_ptr(zone->pcp, 0);
	allocs = zone->nr_allocs;
	drains = pcp->drains;
	for (int i = 0; i < 10; i++) {
		take_many();
		free_many();
	}
	CHECK(zone->nr_allocs - allocs < 10 * MANY / 16);
	CHECK(pcp->drains - drains < 10 * MANY / 32);
	host_check();
}

/* A steal of half a pageblock makes it the thief's: what is still in use there is freed to the thief's stacks. */
static void test_converted(void)
{
	struct page *mine, *page;
	struct zone *zone;

	host_boot_simple(32 * MIB, 1);
	mine = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 0);
	CHECK(mine);
	zone = page_zone(mine);
	CHECK_EQ(mine->page_stack, pcp_stack_of(zone, 0, MIGRATE_MOVABLE));
	while (get_pageblock_migratetype(page_to_pfn(mine)) == MIGRATE_MOVABLE) {
		page = alloc_pages(GFP_KERNEL | __GFP_HIGH | __GFP_NOWARN, 9);
		CHECK(page);
	}
	CHECK_EQ(get_pageblock_migratetype(page_to_pfn(mine)), MIGRATE_UNMOVABLE);
	CHECK_EQ(mine->page_stack, pcp_stack_of(zone, 0, MIGRATE_UNMOVABLE));
	drain_all_pages();
	__free_page(mine);
	host_check();
}

/* Other nodes: [ node 0 ][ node 1 ], CPU 0 and 1 on the node of their number. */

static const struct host_bank two_nodes[] = { { GIB, 256 * MIB, 0 }, { GIB + 256 * MIB, 256 * MIB, 1 } };

static int own_node(int cpu)
{
	return cpu;
}

/* Small blocks of another node go home in bunches, large ones at once. */
static void test_remote(void)
{
	struct page *small, *large;
	unsigned long free;

	host_boot(&(struct host_machine){ .banks = two_nodes, .nr_banks = 2, .nr_cpus = 2, .cpu_node = own_node });
	small = alloc_pages_node(1, GFP_KERNEL, 0);
	large = alloc_pages_node(1, GFP_KERNEL, 5);
	CHECK(small && large && page_to_nid(small) == 1 && page_to_nid(large) == 1);
	CHECK_EQ(small->page_stack, percpu_local_offset(1) + local_page_stack(0, MIGRATE_UNMOVABLE));
	CHECK_EQ(cache_of(small, 0)->list[0][0].capacity, cache_of(small, 1)->list[0][0].capacity / 8);
	CHECK(!cache_of(large, 0)->list[5][0].head && cache_of(large, 1)->list[5][0].head);
	drain_all_pages();
	free = page_zone(large)->nr_free;
	__free_pages(large, 5);
	CHECK_EQ(page_zone(large)->nr_free, free + 32);
	__free_page(small);
	CHECK_EQ(page_zone(large)->nr_free, free + 32);
	CHECK_EQ(pcp_sum(cache_of(small, 0)).count, 1);
	CHECK(alloc_pages_node(1, GFP_KERNEL, 0) == small);
	__free_page(small);
	/* What is allocated near this CPU is not from there. */
	CHECK_EQ(page_to_nid(warm(GFP_KERNEL, 0)), 0);
	host_check();
}

static void cache_large_blocks(void *arg)
{
	struct page *block[2];

	(void)arg;
	for (int i = 0; i < 2; i++)
		CHECK(block[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	for (int i = 0; i < 2; i++)
		__free_pages(block[i], MAX_PAGE_ORDER);
}

/* What another CPU keeps is there for who can wait for it, and for nobody else. */
static void test_others_drained(void)
{
	struct zone *zone;

	host_boot_simple(256 * MIB, 2);
	host_cpus_start();
	zone = page_zone(warm(GFP_KERNEL, 0));
	CHECK_EQ(smp_work_start(1, cache_large_blocks, NULL), 0);
	smp_work_wait(1);
	CHECK_EQ(pcp_sum(per_cpu_ptr(zone->pcp, 1)).count >> MAX_PAGE_ORDER, 2);
	while (alloc_pages(GFP_NOWAIT, MAX_PAGE_ORDER))
		;
	CHECK_EQ(pcp_sum(per_cpu_ptr(zone->pcp, 1)).count >> MAX_PAGE_ORDER, 2);
	CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	CHECK_EQ(zone_pcp_pages(zone), 0);
	host_check();
	host_cpus_stop();
}

/*
 * When the zone is at its high watermark but for what is free of a CMA area, caches of blocks that cannot come from
 * there do not grow.
 *
 *	| in use      | free up to the mark | CMA area, free |
 */
static void test_grow_without_cma(void)
{
	static const struct host_bank bank = { GIB, 128 * MIB, -1 };
	struct per_cpu_pages *cache;
	unsigned long n = 0;
	struct zone *zone;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "cma=64M" });
	zone = node_data[0]->zonelist[0];
	while (zone->nr_free - zone_free_cma(zone) > zone->watermark[WMARK_HIGH]) {
		CHECK(n < MANY);
		pages[n] = alloc_pages(GFP_KERNEL, 4);
		CHECK(pages[n++]);
		drain_all_pages();
	}
	CHECK(zone_free_cma(zone) > zone->watermark[WMARK_HIGH]);
	cache = cache_of(pages[0], 0);
	for (int i = 0; i < 10; i++)
		warm(GFP_KERNEL, 0);
	CHECK_EQ(pcp_sum(cache).high, 0);
	warm(GFP_KERNEL | __GFP_MOVABLE, 0);
	CHECK(pcp_sum(cache).high);
	while (n--)
		__free_pages(pages[n], 4);
	host_check();
}

/*
 * The same of pageblocks that are isolated, and of the reserve for urgent requests: they are for no cache.
 *
 *	| in use      | free up to the mark | isolated, or kept |
 */
static void grow_without(enum migratetype type)
{
	unsigned long n = 0, block;
	struct per_cpu_pages *cache;
	struct page *kept[8];
	struct zone *zone;

	host_boot_simple(512 * MIB, 1);
	zone = node_data[0]->zonelist[0];
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		CHECK(kept[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
		block = page_to_pfn(kept[i]);
		if (type == MIGRATE_ISOLATE)
			CHECK_EQ(start_isolate_page_range(block, block + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), 0);
		else
			convert_pageblock(zone, block, MIGRATE_HIGHATOMIC);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		__free_pages(kept[i], MAX_PAGE_ORDER);
	CHECK_EQ(zone_free_special(zone, type), ARRAY_SIZE(kept) * PAGEBLOCK_NR_PAGES);
	while (zone->nr_free - zone_free_special(zone, type) > zone->watermark[WMARK_HIGH]) {
		CHECK(n < MANY);
		pages[n] = alloc_pages(GFP_KERNEL, 8);
		CHECK(pages[n++]);
		drain_all_pages();
	}
	CHECK(zone->nr_free > zone->watermark[WMARK_HIGH]);
	cache = cache_of(pages[0], 0);
	for (int i = 0; i < 10; i++)
		warm(GFP_KERNEL, 0);
	CHECK_EQ(pcp_sum(cache).high, 0);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		block = page_to_pfn(kept[i]);
		if (type == MIGRATE_ISOLATE)
			undo_isolate_page_range(block, block + PAGEBLOCK_NR_PAGES);
		else
			convert_pageblock(zone, block, MIGRATE_UNMOVABLE);
	}
	warm(GFP_KERNEL, 0);
	CHECK(pcp_sum(cache).high);
}

static void test_grow_without_isolated(void)
{
	grow_without(MIGRATE_ISOLATE);
}

static void test_grow_without_reserve(void)
{
	grow_without(MIGRATE_HIGHATOMIC);
}

/* Two CPUs free the same page at the same time, again and again. */

static struct page *contested;
static unsigned long rounds;
static u32 arrived; /* atomic */

static void free_contested(void *first)
{
	struct zone *zone = node_data[0]->zonelist[0];
	unsigned long all = nr_free_pages();

	for (u32 round = 0; round < rounds; round++) {
		if (first)
			contested = alloc_page(GFP_KERNEL);
		host_meet(&arrived, 2, 3 * round + 1);
		__free_page(contested);
		host_meet(&arrived, 2, 3 * round + 2);
		/* One of them freed it; the other has it taken out of use, if it found it free. */
		if (first)
			CHECK_EQ(zone_pcp_pages(zone) + nr_free_pages() + num_poisoned_pages(), all);
		host_meet(&arrived, 2, 3 * round + 3);
	}
}

static void test_freed_at_once(void)
{
	rounds = tap_ops(10000);
	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	host_mute();
	drain_all_pages();
	CHECK_EQ(smp_work_start(1, free_contested, NULL), 0);
	free_contested(&rounds);
	smp_work_wait(1);
	host_check();
	CHECK_LOG("bad page free: pfn 0x[0-9a-f]+, order 0: the page is free already: not freed");
	CHECK_LOG("bad page: pfn 0x[0-9a-f]+: taken out of use$");
	host_cpus_stop();
}

/* The check functions tell wrong stacks from right ones. */
static void test_check_sees(void)
{
	struct per_cpu_pages *pcp;
	struct page *page;

	host_boot_simple(256 * MIB, 1);
	page = warm(GFP_KERNEL, 0);
	pcp = cache_of(page, 0);
	CHECK(page_alloc_check());
	pcp->spare--;
	CHECK(!page_alloc_check());
	CHECK_LOG("zone check: CPU 0's cache of node 0 zone DMA: share is not spare . limits: ");
	pcp->spare++;
	page->_refcount = 1;
	CHECK(!pcp_check(page_zone(page)));
	CHECK_LOG("zone check: CPU 0's cache of node 0 zone DMA: no cached block: order, pfn: 0, ");
	page->_refcount = 0;
	set_page_order(page, 1);
	CHECK(!pcp_check(page_zone(page)));
	set_page_order(page, 0);
	pcp->list[0][0].slots[0] = page;
	CHECK(!pcp_check(page_zone(page)));
	CHECK_LOG("the end of a stack is not NULL");
	pcp->list[0][0].slots[0] = NULL;
	CHECK(page_alloc_check());
}

static const struct tap_case cases[] = {
	TAP_CASE("a hit gives the block freed last, of each order and type", test_hits),
	TAP_CASE("constant or not, the stack is the same", test_constant_or_not),
	TAP_CASE("a movable zone", test_movable_zone),
	TAP_CASE("limits follow the load", test_limits),
	TAP_CASE("no more than the share", test_share),
	TAP_CASE("nothing for the caches when memory is short", test_short_of_memory),
	TAP_CASE("page_stack 0 leads past the caches", test_no_stack),
	TAP_CASE("runs come back as blocks", test_runs),
	TAP_CASE("refills and drains are few", test_refills),
	TAP_CASE("a converted pageblock's pages change stacks", test_converted),
	TAP_CASE("blocks of another node", test_remote),
	TAP_CASE("other CPUs' caches are drained for who can wait", test_others_drained),
	TAP_CASE("free pages of CMA areas are no reason to cache others", test_grow_without_cma),
	TAP_CASE("isolated pages are no reason to cache others", test_grow_without_isolated),
	TAP_CASE("the reserve is no reason to cache others", test_grow_without_reserve),
	TAP_CASE("two CPUs free a page at once", test_freed_at_once),
	TAP_CASE("pcp_check() sees what is wrong", test_check_sees),
};
TAP_MAIN(cases)
