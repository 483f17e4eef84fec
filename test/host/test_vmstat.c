// SPDX-License-Identifier: BSD-2-Clause
/* What the page allocator counts (<mm/vmstat.h>), and the tables that are made from it. */
#include <errno.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmstat.h>

#include "../../mm/show.h"
#include "../../mm/slub.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define CPUS 8

/*
 *	[ node 0, 16 MiB ][ node 1, 24 MiB ]	CPUs 0, 2, ... on node 0
 */
static const struct host_bank two_nodes[] = {
	{ GIB, 16 * MIB, 0 },
	{ GIB + 16 * MIB, 24 * MIB, 1 },
};

static int node_of_cpu(int cpu)
{
	return cpu % 2;
}

static void boot_two_nodes(void)
{
	host_boot(&(struct host_machine){
		.banks = two_nodes, .nr_banks = ARRAY_SIZE(two_nodes), .nr_cpus = CPUS, .cpu_node = node_of_cpu });
}

static struct zone *zone_of_node(int nid)
{
	return &node_data[nid]->node_zones[ZONE_DMA];
}

static struct numa_stat numa_of(int nid)
{
	struct numa_stat stat = { 0 };

	zone_numa_stat(zone_of_node(nid), &stat);
	return stat;
}

/* Events. */

static void test_hand_over(void)
{
	boot_two_nodes();
	CHECK(zone_events_check());
}

/* Orders that no cache serves and orders that one does; a hit counts nothing. */
static void test_pages(void)
{
	u64 taken, given;
	struct page *page;

	boot_two_nodes();
	drain_all_pages();
	taken = zone_event_sum(zone_of_node(0), PGALLOC);
	given = zone_event_sum(zone_of_node(0), PGFREE);
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page);
	__free_pages(page, MAX_PAGE_ORDER);
	drain_all_pages();
	CHECK_EQ(zone_event_sum(zone_of_node(0), PGALLOC) - taken, 1 << MAX_PAGE_ORDER);
	CHECK_EQ(zone_event_sum(zone_of_node(0), PGFREE) - given, 1 << MAX_PAGE_ORDER);
	CHECK(zone_events_check());
	CHECK_EQ(global_event_sum(MAX_NR_ZONES, PGALLOC), global_event_sum(ZONE_DMA, PGALLOC));
	CHECK_EQ(global_event_sum(ZONE_NORMAL, PGALLOC), 0);
}

/* What a CPU's cache serves and takes is not counted. */
static void test_hits(void)
{
	u64 taken, given;
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	__free_page(page);
	page = alloc_page(GFP_KERNEL);
	taken = global_event_sum(MAX_NR_ZONES, PGALLOC);
	given = global_event_sum(MAX_NR_ZONES, PGFREE);
	for (int i = 0; i < 100; i++) {
		__free_page(page);
		page = alloc_page(GFP_KERNEL);
		CHECK(page);
	}
	CHECK_EQ(global_event_sum(MAX_NR_ZONES, PGALLOC), taken);
	CHECK_EQ(global_event_sum(MAX_NR_ZONES, PGFREE), given);
	__free_page(page);
	drain_all_pages();
	CHECK(global_event_sum(MAX_NR_ZONES, PGFREE) > given);
	CHECK(zone_events_check());
}

/* This CPU, of node 0, asks for each node; then for node 0 when that has nothing left. */
static void test_numa(void)
{
	struct numa_stat start[2], now[2];
	struct page *page;
	LIST_HEAD(taken);

	boot_two_nodes();
	start[0] = numa_of(0);
	start[1] = numa_of(1);
	page = alloc_pages_node(1, GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page && page_to_nid(page) == 1);
	now[1] = numa_of(1);
	CHECK_EQ(now[1].hit - start[1].hit, 1024);
	CHECK_EQ(now[1].other - start[1].other, 1024);
	CHECK_EQ(now[1].local + now[1].miss, start[1].local + start[1].miss);
	__free_pages(page, MAX_PAGE_ORDER);

	take_blocks(0, GFP_KERNEL | __GFP_THISNODE, MAX_PAGE_ORDER, &taken);
	start[0] = numa_of(0);
	start[1] = numa_of(1);
	page = alloc_pages_node(0, GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page && page_to_nid(page) == 1);
	now[0] = numa_of(0);
	now[1] = numa_of(1);
	CHECK_EQ(now[0].foreign - start[0].foreign, 1024);
	CHECK_EQ(now[1].miss - start[1].miss, 1024);
	CHECK_EQ(now[1].other - start[1].other, 1024);
	CHECK_EQ(now[1].hit, start[1].hit);
	CHECK_EQ(now[0].hit + now[0].miss, now[0].local + now[0].other);
	CHECK_EQ(now[1].hit + now[1].miss, now[1].local + now[1].other);
	__free_pages(page, MAX_PAGE_ORDER);
	give_blocks(&taken);
	CHECK(zone_events_check());
	host_check();
}

/*
 * Each page of a fallback is a miss, however many came with it into this CPU's cache, and however often it was there.
 */
static void test_fallbacks(void)
{
	struct numa_stat start[2], now[2];
	unsigned long far = 0;
	struct page *page;
	LIST_HEAD(taken);

	boot_two_nodes();
	/* The cache of node 1's pages grows. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			page = alloc_pages_node(1, GFP_KERNEL, 0);
			CHECK(page);
			list_add(&page->lru, &taken);
		}
		give_blocks(&taken);
	}
	take_blocks(NUMA_NO_NODE, GFP_KERNEL | __GFP_THISNODE | __GFP_HIGH, 0, &taken);
	for (int round = 0; round < 20; round++) {
		start[0] = numa_of(0);
		start[1] = numa_of(1);
		far = 0;
		for (int i = 0; i < 10; i++) {
			page = alloc_pages(GFP_KERNEL, 1);
			CHECK(page);
			far += 2 * (page_to_nid(page) == 1);
			__free_pages(page, 1);
			page = alloc_page(GFP_KERNEL);
			CHECK(page);
			far += page_to_nid(page) == 1;
			__free_page(page);
		}
		now[0] = numa_of(0);
		now[1] = numa_of(1);
		CHECK_EQ(now[1].miss - start[1].miss, far);
		CHECK_EQ(now[0].foreign - start[0].foreign, far);
		CHECK_EQ(now[0].miss, start[0].miss);
		CHECK_EQ(now[1].hit, start[1].hit);
	}
	CHECK_EQ(far, 30);
	give_blocks(&taken);
	CHECK(zone_events_check());
	host_check();
}

/* A request that fails has met every zone below its mark. */
static void test_stall(void)
{
	u64 stalls;
	LIST_HEAD(taken);

	boot_two_nodes();
	stalls = zone_event_sum(zone_of_node(1), ALLOCSTALL);
	take_blocks(1, GFP_KERNEL, MAX_PAGE_ORDER, &taken);
	CHECK(zone_event_sum(zone_of_node(1), ALLOCSTALL) > stalls);
	CHECK_EQ(zone_event_sum(zone_of_node(0), ALLOCSTALL), 0);
	give_blocks(&taken);
}

static void test_check_sees(void)
{
	boot_two_nodes();
	count_zone_event(zone_of_node(1), PGFREE, 1);
	CHECK(!zone_events_check());
	CHECK_LOG("vmstat check: pages taken - given back is [0-9]+, managed - free - bad is ");
	CHECK_LOG("vmstat check: of node 1 zone DMA");
	count_zone_event(zone_of_node(1), PGFREE, ~0ULL);
	CHECK(zone_events_check());
	count_zone_event(zone_of_node(0), NUMA_FOREIGN, 1);
	CHECK(!zone_events_check());
	CHECK_LOG("vmstat check: numa_miss of all zones is [0-9]+, numa_foreign is ");
}

/* Items. */

#define ITEM NR_SLAB_UNRECLAIMABLE

static void test_threshold(void)
{
	unsigned long before, threshold;
	struct zone *zone;

	host_boot_simple(64 * MIB, 1);
	zone = zone_of_node(0);
	threshold = (unsigned long)zone->stat_threshold;
	CHECK(threshold >= 1 && threshold <= zone->managed_pages / 1024);
	fold_zone_stats();
	before = zone_page_state(zone, ITEM);
	CHECK_EQ(zone_page_state_snapshot(zone, ITEM), before);
	for (unsigned long i = 1; i <= threshold; i++) {
		mod_zone_page_state(zone, ITEM, 1);
		CHECK_EQ(zone_page_state(zone, ITEM), before);
		CHECK_EQ(zone_page_state_snapshot(zone, ITEM), before + i);
	}
	mod_zone_page_state(zone, ITEM, 1);
	CHECK_EQ(zone_page_state(zone, ITEM), before + threshold + 1);
	mod_zone_page_state(zone, ITEM, -1);
	CHECK_EQ(zone_page_state(zone, ITEM), before + threshold + 1);
	CHECK_EQ(zone_page_state_snapshot(zone, ITEM), before + threshold);
	fold_zone_stats();
	CHECK_EQ(zone_page_state(zone, ITEM), before + threshold);
	mod_zone_page_state(zone, ITEM, -(long)(before + 2 * threshold + 5));
	CHECK_EQ(zone_page_state(zone, ITEM), 0);
	CHECK_EQ(zone_page_state_snapshot(zone, ITEM), 0);
	mod_zone_page_state(zone, ITEM, (long)(threshold + 5));
	CHECK_EQ(zone_page_state_snapshot(zone, ITEM), 0);
	mod_zone_page_state(zone, ITEM, (long)before);
	CHECK_EQ(zone_page_state_snapshot(zone, ITEM), before);
}

/* How many pages the page at @pfn stands for: of a slab itself, of a large kmalloc() the first one for all. */
static unsigned long slab_pages_at(unsigned long pfn)
{
	const struct page *page = pfn_to_page(pfn);

	if (!page_initialised(pfn))
		return 0;
	return page_test(page, PG_kmalloc) ? 1UL << page_order(page) : page_test(page, PG_slab);
}

/* The counter of slabs' pages, and those of large kmalloc()s, against the pages themselves. */
static unsigned long slab_pages_by_walk(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		for (unsigned long pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++)
			pages += slab_pages_at(pfn);
	return pages;
}

static void test_slab_pages(void)
{
	static void *objs[3000];

	boot_two_nodes();
	CHECK_EQ(global_zone_page_state_snapshot(ITEM), slab_pages_by_walk());
	for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
		CHECK((objs[i] = kmalloc(16 + i, GFP_KERNEL)));
	CHECK(slab_pages_by_walk() > 500);
	CHECK_EQ(global_zone_page_state_snapshot(ITEM), slab_pages_by_walk());
	CHECK_EQ(node_page_state_snapshot(node_data[0], ITEM) + node_page_state_snapshot(node_data[1], ITEM),
		 slab_pages_by_walk());
	for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
		kfree(objs[i]);
	kmem_cache_shrink_all();
	CHECK_EQ(global_zone_page_state_snapshot(ITEM), slab_pages_by_walk());
}

/* What is too large for a slab counts as the pages that it takes, on the node that it lies on. */
static void test_large_kmalloc(void)
{
	unsigned long before[2];
	void *p[2], *q;

	boot_two_nodes();
	for (int nid = 0; nid < 2; nid++)
		before[nid] = node_page_state_snapshot(node_data[nid], ITEM);
	for (int nid = 0; nid < 2; nid++)
		CHECK((p[nid] = kmalloc_node(100000, GFP_KERNEL, nid)));
	q = kmalloc(10000, GFP_KERNEL | __GFP_RECLAIMABLE);
	CHECK(q && !global_zone_page_state_snapshot(NR_SLAB_RECLAIMABLE));
	CHECK_EQ(global_zone_page_state_snapshot(ITEM), slab_pages_by_walk());
	kfree(q);
	for (int nid = 0; nid < 2; nid++)
		CHECK_EQ(node_page_state_snapshot(node_data[nid], ITEM), before[nid] + 32);
	CHECK((p[0] = krealloc(p[0], 1 << 20, GFP_KERNEL)));
	CHECK_EQ(node_page_state_snapshot(node_data[0], ITEM), before[0] + 256);
	for (int nid = 0; nid < 2; nid++) {
		kfree(p[nid]);
		CHECK_EQ(node_page_state_snapshot(node_data[nid], ITEM), before[nid]);
	}
}

/* Pages on @nid of slabs whose cache has SLAB_RECLAIM_ACCOUNT, or has not. */
static unsigned long pages_of_kind(int nid, bool reclaimable)
{
	const struct zone *zone = zone_of_node(nid);
	unsigned long pages = 0;

	for (unsigned long pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {
		const struct page *page = pfn_to_page(pfn);

		if (page_initialised(pfn) && page_test(page, PG_slab))
			pages += !(page->slab_cache->flags & SLAB_RECLAIM_ACCOUNT) == !reclaimable;
	}
	return pages;
}

static void check_kinds(void)
{
	for (int nid = 0; nid < 2; nid++) {
		CHECK_EQ(node_page_state_snapshot(node_data[nid], NR_SLAB_RECLAIMABLE), pages_of_kind(nid, true));
		CHECK_EQ(node_page_state_snapshot(node_data[nid], NR_SLAB_UNRECLAIMABLE), pages_of_kind(nid, false));
	}
}

/*
 * It is the cache that says which: __GFP_RECLAIMABLE on kmalloc() names another cache, and with the request for an
 * object of a cache it is only about where pages lie. @guards: flags that guard all caches.
 */
static void count_kinds(unsigned int guards)
{
	static void *objs[4][100];
	struct kmem_cache *caches[2];

	boot_two_nodes();
	caches[0] = kmem_cache_create("given up", 1000, 0, SLAB_RECLAIM_ACCOUNT | guards, NULL);
	caches[1] = kmem_cache_create("kept", 1000, 0, SLAB_NO_MERGE | guards, NULL);
	CHECK(caches[0] && caches[1]);
	check_kinds();
	CHECK_EQ(global_zone_page_state_snapshot(NR_SLAB_RECLAIMABLE), 0);
	for (int i = 0; i < 100; i++) {
		CHECK((objs[0][i] = kmem_cache_alloc_node(caches[0], GFP_KERNEL, i % 2)));
		CHECK((objs[1][i] = kmem_cache_alloc_node(caches[1], GFP_KERNEL | __GFP_RECLAIMABLE, i % 2)));
		CHECK((objs[2][i] = kmalloc_node(1000, GFP_KERNEL | __GFP_RECLAIMABLE, i % 2)));
		CHECK((objs[3][i] = kmalloc_node(1000, GFP_KERNEL, i % 2)));
	}
	check_kinds();
	for (int nid = 0; nid < 2; nid++) {
		CHECK(pages_of_kind(nid, true) >= 25);
		CHECK(pages_of_kind(nid, false) >= 25);
	}
	for (int i = 0; i < 100; i++) {
		kmem_cache_free(caches[0], objs[0][i]);
		kmem_cache_free(caches[1], objs[1][i]);
		kfree(objs[2][i]);
		kfree(objs[3][i]);
	}
	CHECK_EQ(kmem_cache_destroy(caches[0]), 0);
	CHECK_EQ(kmem_cache_destroy(caches[1]), 0);
	kmem_cache_shrink_all();
	check_kinds();
	CHECK_EQ(global_zone_page_state_snapshot(NR_SLAB_RECLAIMABLE), 0);
}

static void test_slab_kinds(void)
{
	count_kinds(0);
}

static void test_guarded_slab_kinds(void)
{
	count_kinds(SLAB_RED_ZONE);
}

/* Threads: all CPUs and their interrupt handlers count in both zones, and read what others count. */

/* What each CPU has added by node, in its thread and in its handlers. */
static s64 added[CPUS][2], added_in_handler[CPUS][2];

static void count_randomly(s64 *sums)
{
	int nid = (int)tap_below(2);
	long delta = (long)tap_below(9) - 3;

	mod_zone_page_state(zone_of_node(nid), ITEM, delta);
	count_zone_event(zone_of_node(nid), ALLOCSTALL, 1);
	sums[nid] += delta;
}

static void count_in_handler(void *arg)
{
	(void)arg;
	count_randomly(added_in_handler[smp_processor_id()]);
}

static void count_on_cpu(void *arg)
{
	unsigned long ops = *(const unsigned long *)arg;

	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long i = 0; i < ops; i++) {
		struct page *page;

		count_randomly(added[smp_processor_id()]);
		page = alloc_pages(GFP_KERNEL, (unsigned int)tap_below(6));
		if (page)
			put_page(page);
		if (i % 16 == 0)
			smp_call_function_single((smp_processor_id() + 1) % CPUS, count_in_handler, NULL);
		if (i % 64 == 0)
			zone_page_state_snapshot(zone_of_node(0), ITEM);
		if (i % 256 == 0)
			fold_zone_stats();
	}
}

static void fold(void *arg)
{
	(void)arg;
	fold_zone_stats();
}

static void test_threads(void)
{
	unsigned long ops = tap_ops(4000), base[2], stalls = 0;
	s64 sum[2] = { 0, 0 };

	boot_two_nodes();
	host_cpus_start();
	for (int nid = 0; nid < 2; nid++)
		base[nid] = zone_page_state_snapshot(zone_of_node(nid), ITEM);
	host_on_all_cpus(count_on_cpu, &ops);
	for (int cpu = 0; cpu < CPUS; cpu++)
		for (int nid = 0; nid < 2; nid++)
			sum[nid] += added[cpu][nid] + added_in_handler[cpu][nid];
	CHECK(sum[0] > 0 && sum[1] > 0);
	for (int nid = 0; nid < 2; nid++)
		CHECK_EQ(zone_page_state_snapshot(zone_of_node(nid), ITEM), base[nid] + (u64)sum[nid]);
	on_each_cpu(fold, NULL);
	for (int nid = 0; nid < 2; nid++) {
		CHECK_EQ(zone_page_state(zone_of_node(nid), ITEM), base[nid] + (u64)sum[nid]);
		stalls += zone_event_sum(zone_of_node(nid), ALLOCSTALL);
	}
	CHECK_EQ(stalls, CPUS * (ops + DIV_ROUND_UP(ops, 16)));
	CHECK(zone_events_check());
	host_cpus_stop();
	host_check();
}

/* Tables. */

static int some_nodes(int cpu)
{
	static const int node[] = { 0, 1, 1, 5 };

	return node[cpu];
}

/* Nodes 0, 1, 5 and 12, of which 5 has a CPU and no memory, 12 memory and no CPU. */
static void boot_sparse_nodes(void)
{
	static const struct host_bank banks[] = {
		{ GIB, 16 * MIB, 0 },
		{ GIB + 16 * MIB, 24 * MIB, 1 },
		{ GIB + 40 * MIB, 8 * MIB, 12 },
	};

	host_boot(&(struct host_machine){
		.banks = banks, .nr_banks = ARRAY_SIZE(banks), .nr_cpus = 4, .cpu_node = some_nodes });
	host_cpus_start();
}

static void test_numa_table(void)
{
	boot_sparse_nodes();
	host_log_clear();
	CHECK_EQ(show_numa(1, NULL), 0);
	CHECK(strstr(host_log(), "available: 4 nodes (0-1,5,12)\n"
				 "node 0 cpus: 0\n"
				 "node 0 size: 15 MB\n"));
	CHECK(strstr(host_log(), "node 1 cpus: 1 2\n"));
	CHECK(strstr(host_log(), "node 5 cpus: 3\n"
				 "node 5 size: 0 MB\n"
				 "node 5 free: 0 MB\n"
				 "node 12 cpus:\n"
				 "node 12 size: 7 MB\n"));
	CHECK(strstr(host_log(), "node distances:\n"
				 "node   0   1   5  12 \n"
				 "  0:  10  20  20  20 \n"
				 "  1:  20  10  20  20 \n"
				 "  5:  20  20  10  20 \n"
				 " 12:  20  20  20  10 \n"));
	host_cpus_stop();
}

static void test_numastat_table(void)
{
	struct page *page;

	boot_sparse_nodes();
	page = alloc_pages_node(12, GFP_KERNEL | __GFP_THISNODE, 8);
	CHECK(page);
	host_log_clear();
	CHECK_EQ(show_numastat(1, NULL), 0);
	CHECK(strstr(host_log(), "                           node0           node1           node5          node12\n"
				 "numa_hit        "));
	CHECK_LOG("^other_node +[0-9]+ +0 +0 +[1-9][0-9]*$");
	host_cpus_stop();
}

static void test_meminfo_of_node(void)
{
	char *of_1[] = { "meminfo", "1" }, *of_5[] = { "meminfo", "5" }, *of_what[] = { "meminfo", "1x" };

	boot_sparse_nodes();
	host_log_clear();
	CHECK_EQ(show_meminfo(2, of_1), 0);
	CHECK_LOG("^Node 1 MemTotal:       [ 0-9]{8} kB$");
	CHECK_LOG("^Node 1 MemUsed:        [ 0-9]{8} kB$");
	host_log_clear();
	CHECK_EQ(show_meminfo(2, of_what), -EINVAL);
	CHECK_EQ(show_meminfo(2, of_5), -EINVAL);
	CHECK_LOG("usage: meminfo \\[NODE\\]");
	host_cpus_stop();
}

/* lowmem_reserve, by hand from the documented formula. */
static void test_lowmem_reserve(void)
{
	static const struct host_bank banks[] = {
		{ GIB, 48 * MIB, -1 },
		{ 4 * GIB - 8 * MIB, 72 * MIB, -1 },
	};
	const struct zone *zones;

	host_boot(&(struct host_machine){ .banks = banks,
					  .nr_banks = ARRAY_SIZE(banks),
					  .dma_limit = GIB + 16 * MIB,
					  .bootargs = "movablecore=16M" });
	zones = node_data[0]->node_zones;
	for (int low = 0; low < MAX_NR_ZONES; low++) {
		unsigned long above = 0;

		CHECK(zones[low].managed_pages);
		for (int high = 0; high < MAX_NR_ZONES; high++) {
			above += high > low ? zones[high].managed_pages : 0;
			CHECK_EQ(zones[low].lowmem_reserve[high], above / (low < ZONE_NORMAL ? 256 : 32));
		}
	}
	host_log_clear();
	CHECK_EQ(show_zoneinfo(1, NULL), 0);
	CHECK_LOG("^        protection: \\(0, [1-9][0-9]*, [1-9][0-9]*, [1-9][0-9]*\\)$");
}

/* All of the DMA zone is reserved: it keeps nothing from anybody. */
static void test_lowmem_reserve_of_none(void)
{
	static const struct tree_range all_of_dma = { GIB, 16 * MIB };
	static const struct host_bank banks[] = { { GIB + 64 * MIB, 32 * MIB, -1 }, { GIB, 16 * MIB, -1 } };
	const struct zone *dma;

	host_boot(&(struct host_machine){ .banks = banks,
					  .nr_banks = ARRAY_SIZE(banks),
					  .reserved = &all_of_dma,
					  .nr_reserved = 1,
					  .dma_limit = GIB + 16 * MIB });
	dma = &node_data[0]->node_zones[ZONE_DMA];
	CHECK(dma->present_pages && !dma->managed_pages && node_data[0]->node_zones[ZONE_DMA32].managed_pages);
	CHECK_EQ(dma->lowmem_reserve[ZONE_NORMAL], 0);
}

static const struct tap_case cases[] = {
	TAP_CASE("hand-over", test_hand_over),
	TAP_CASE("pages that leave a zone and come back", test_pages),
	TAP_CASE("hits are not counted", test_hits),
	TAP_CASE("hit, miss, foreign, local, other", test_numa),
	TAP_CASE("each fallback is a miss", test_fallbacks),
	TAP_CASE("requests that find no zone above its mark", test_stall),
	TAP_CASE("zone_events_check() sees what is wrong", test_check_sees),
	TAP_CASE("an item is folded at the threshold", test_threshold),
	TAP_CASE("pages of slabs", test_slab_pages),
	TAP_CASE("pages of large kmalloc()s", test_large_kmalloc),
	TAP_CASE("pages of reclaimable slabs and of others", test_slab_kinds),
	TAP_CASE("the same of guarded caches", test_guarded_slab_kinds),
	TAP_CASE("8 CPUs and interrupts", test_threads),
	TAP_CASE("numa", test_numa_table),
	TAP_CASE("numastat", test_numastat_table),
	TAP_CASE("meminfo of a node", test_meminfo_of_node),
	TAP_CASE("lowmem_reserve", test_lowmem_reserve),
	TAP_CASE("a zone without pages keeps none", test_lowmem_reserve_of_none),
};
TAP_MAIN(cases)
