// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages: alloc_pages() and __free_pages() on machines of odd shapes, against a map of who owns which page.
 *
 * 1. The map has one byte for each page frame below 8 GiB. Allocating claims a block's pages in it, freeing lets them
 *    go; both are atomic, so two owners of a page are found out at once, whichever CPUs they are on.
 * 2. An owner writes a stamp into each page and finds it there when it frees, so that nobody else wrote.
 * 3. Each block must be aligned, in one zone, within what its gfp flags allow, and in memory that was not kept at boot.
 * 4. After each phase the check functions walk everything, and at the end all is as it was at the start: the same
 *    number of free pages in the same number of blocks of the largest order.
 */
#include <pthread.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define MAP_PAGES (8 * GIB >> PAGE_SHIFT)
#define LIVE_MAX  4096

struct block {
	struct page *page;
	unsigned int order;
};

static u8 owned[MAP_PAGES];

/* What one CPU, or its interrupt handler, holds. */
struct holder {
	struct block live[LIVE_MAX];
	unsigned int nr, max;
};

static u64 stamp_of(unsigned long pfn)
{
	return pfn * 0x9e3779b97f4a7c15ULL;
}

static u64 *first_word(unsigned long pfn)
{
	return page_address(pfn_to_page(pfn));
}

/* The block is right for the request; its pages become owned. */
static void claim(struct page *page, unsigned int order, gfp_t gfp, int nid)
{
	unsigned long pfn = page_to_pfn(page);

	CHECK(IS_ALIGNED(pfn, 1UL << order));
	CHECK(pfn + (1UL << order) <= MAP_PAGES);
	CHECK(page_zonenum(page) <= (int)gfp_zone(gfp));
	CHECK_EQ(page_ref_count(page), 1);
	if (gfp & __GFP_THISNODE)
		CHECK_EQ(page_to_nid(page), nid);
	for (unsigned long p = pfn; p < pfn + (1UL << order); p++) {
		CHECK_EQ(__atomic_exchange_n(&owned[p], 1, __ATOMIC_RELAXED), 0);
		CHECK(memblock_is_map_memory(PFN_PHYS(p)) && !memblock_is_region_reserved(PFN_PHYS(p), PAGE_SIZE));
		CHECK(page_zone(pfn_to_page(p)) == page_zone(page));
		if (gfp & __GFP_ZERO)
			CHECK(first_word(p)[0] == 0 && first_word(p)[PAGE_SIZE / 8 - 1] == 0);
		first_word(p)[0] = stamp_of(p);
		first_word(p)[PAGE_SIZE / 8 - 1] = ~stamp_of(p);
	}
}

static void let_go(const struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);

	for (unsigned long p = pfn; p < pfn + (1UL << order); p++) {
		CHECK_EQ(first_word(p)[0], stamp_of(p));
		CHECK_EQ(first_word(p)[PAGE_SIZE / 8 - 1], ~stamp_of(p));
		CHECK_EQ(__atomic_exchange_n(&owned[p], 0, __ATOMIC_RELAXED), 1);
	}
}

static bool get_block(struct holder *holder, gfp_t gfp, unsigned int order, int nid)
{
	struct page *page = alloc_pages_node(nid, gfp, order);

	if (!page)
		return false;
	claim(page, order, gfp, nid);
	holder->live[holder->nr++] = (struct block){ page, order };
	return true;
}

static void put_block(struct holder *holder, unsigned int i)
{
	struct block block = holder->live[i];

	holder->live[i] = holder->live[--holder->nr];
	let_go(block.page, block.order);
	__free_pages(block.page, block.order);
}

static void put_all(struct holder *holder)
{
	while (holder->nr)
		put_block(holder, (unsigned int)tap_below(holder->nr));
}

/* Orders up to 10, half of them 0, each order half as frequent as the one below. */
static unsigned int random_order(void)
{
	return (unsigned int)__builtin_ctzll(tap_random() | 1ULL << MAX_PAGE_ORDER);
}

static gfp_t random_gfp(void)
{
	static const gfp_t kinds[] = {
		GFP_KERNEL,
		GFP_ATOMIC,
		GFP_NOWAIT,
		GFP_DMA,
		GFP_DMA32,
		__GFP_MOVABLE,
		__GFP_MOVABLE | GFP_KERNEL,
		__GFP_RECLAIMABLE,
	};

	return kinds[tap_below(ARRAY_SIZE(kinds))] | __GFP_NOWARN | (tap_below(8) ? 0 : __GFP_ZERO);
}

static void random_op(struct holder *holder, gfp_t also)
{
	if (holder->nr < holder->max && tap_below(100) < 55) {
		int nid = tap_below(4) ? NUMA_NO_NODE : (int)tap_below(3);
		gfp_t gfp = random_gfp() | also;

		if (nid != NUMA_NO_NODE && node_data[nid] && !tap_below(2))
			gfp |= __GFP_THISNODE;
		get_block(holder, gfp, random_order(), nid);
	} else if (holder->nr) {
		put_block(holder, (unsigned int)tap_below(holder->nr));
	}
}

/* The state that must come back. */

struct shape {
	unsigned long free, largest;
};

static struct shape shape_now(void)
{
	struct shape shape = { 0, 0 };
	struct zone *zone;
	int i;

	drain_all_pages();
	shape.free = nr_free_pages();
	for_each_populated_zone(i, zone)
		shape.largest += zone->free_area[MAX_PAGE_ORDER].nr_free + zone->nr_deferred / PAGEBLOCK_NR_PAGES;
	return shape;
}

static void check_shape(struct shape start)
{
	struct shape now = shape_now();

	host_check();
	CHECK_EQ(now.free, start.free);
	CHECK_EQ(now.largest, start.largest);
}

/* Phases. */

static struct holder one;

static void random_phase(unsigned long ops, unsigned int most)
{
	one.max = most;
	for (unsigned long i = 0; i < ops; i++)
		random_op(&one, 0);
	tap_did(ops);
	host_check();
	put_all(&one);
}

/* No zone that the request may use has anything left above its mark, or no block of that order. */
static void check_refusal(gfp_t gfp, unsigned int order)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		unsigned long mark = zone->watermark[WMARK_MIN] / (gfp & __GFP_HIGH ? 2 : 1);
		bool block = zone->nr_deferred;

		for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++)
			block |= zone->free_area[o].nr_free != 0;
		if (zone->idx <= gfp_zone(gfp) && block)
			CHECK(zone->nr_free < (1UL << order) + mark + zone->lowmem_reserve[gfp_zone(gfp)]);
	}
}

/* All there is in blocks of @order, chained through their own pages; then all of it back, in the order of a stack. */
static unsigned long exhaust(gfp_t gfp, unsigned int order)
{
	struct page *page, *chain = NULL;
	unsigned long n = 0;

	while ((page = alloc_pages(gfp | __GFP_NOWARN, order))) {
		claim(page, order, gfp, NUMA_NO_NODE);
		first_word(page_to_pfn(page))[1] = (uintptr_t)chain;
		chain = page;
		n++;
	}
	check_refusal(gfp, order);
	CHECK(!alloc_pages(gfp | __GFP_NOWARN, order));
	CHECK(page_alloc_check());
	while (chain) {
		page = chain;
		chain = (struct page *)(uintptr_t)first_word(page_to_pfn(page))[1];
		let_go(page, order);
		__free_pages(page, order);
	}
	return n;
}

static void exhaust_phase(void)
{
	static const unsigned int orders[] = { 0, 1, 3, 4, 9, 10 };
	unsigned long atomic, normal;

	for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++)
		exhaust(i % 2 ? __GFP_MOVABLE | GFP_KERNEL : GFP_KERNEL, orders[i]);
	/* Who may use half of the last reserve gets more. */
	normal = exhaust(GFP_KERNEL, 0);
	atomic = exhaust(GFP_ATOMIC | __GFP_DIRECT_RECLAIM, 0);
	CHECK(atomic >= normal);
}

static void machine_test(const struct host_machine *machine)
{
	struct shape start;

	host_boot(machine);
	start = shape_now();
	random_phase(tap_ops(4000), LIVE_MAX);
	check_shape(start);
	random_phase(tap_ops(4000), 40);
	check_shape(start);
	exhaust_phase();
	check_shape(start);
	random_phase(tap_ops(1000), LIVE_MAX);
	check_shape(start);
}

#define MACHINE_TEST(...)                                                                                \
	do {                                                                                             \
		static const struct host_bank banks_[] = { __VA_ARGS__ };                                \
		machine_test(&(struct host_machine){ .banks = banks_, .nr_banks = ARRAY_SIZE(banks_) }); \
	} while (0)

/* Machines. */

/* [== 64 MiB ==] */
static void test_plain(void)
{
	MACHINE_TEST({ GIB, 64 * MIB, -1 });
}

/* Less than one pageblock: [== 3 MiB ==].... */
static void test_tiny(void)
{
	MACHINE_TEST({ GIB, 3 * MIB, -1 });
}

/*
 *	|  4 MiB   |  4 MiB   |  4 MiB   |  4 MiB   |
 *	[==========][=]    [==]   [===]   [=============)	holes in pageblocks, ends off every boundary
 */
static void test_holes(void)
{
	MACHINE_TEST({ GIB, 5 * MIB + 12 * KIB, -1 }, { GIB + 7 * MIB, 3 * MIB - 512, -1 },
		     { GIB + 11 * MIB + 4096, 17 * KIB, -1 }, { GIB + 13 * MIB + 1, 9 * MIB, -1 },
		     { GIB + 64 * MIB + 4 * KIB, 17 * MIB, -1 });
}

/* One MiB of every two: no pageblock is whole. */
static void test_checkerboard(void)
{
	static struct host_bank banks[40];

	for (unsigned int i = 0; i < ARRAY_SIZE(banks); i++)
		banks[i] = (struct host_bank){ GIB + 2 * i * MIB, MIB, -1 };
	machine_test(&(struct host_machine){ .banks = banks, .nr_banks = ARRAY_SIZE(banks) });
}

/*
 *	[ node 0 ~33 MiB ][ node 1 ~20 MiB ][ 2 ][ node 0 again ]	borders inside pageblocks, spans interleaved
 */
static const struct host_bank numa_banks[] = {
	{ GIB, 33 * MIB + 20 * KIB, 0 },
	{ GIB + 33 * MIB + 20 * KIB, 20 * MIB, 1 },
	{ GIB + 53 * MIB + 20 * KIB, 11 * MIB, 2 },
	{ GIB + 64 * MIB + 20 * KIB, 16 * MIB, 0 },
};

static int cpu_of_node(int cpu)
{
	return cpu % 3;
}

static void test_nodes(void)
{
	machine_test(&(struct host_machine){
		.banks = numa_banks, .nr_banks = ARRAY_SIZE(numa_banks), .nr_cpus = 3, .cpu_node = cpu_of_node });
}

/*
 *	[ DMA ~21 MiB ][ DMA32 ]....4G-8M[ DMA32 ]4G[ NORMAL | MOVABLE ]	limits inside pageblocks
 */
static const struct host_bank zone_banks[] = {
	{ GIB, 48 * MIB, -1 },
	{ 4 * GIB - 8 * MIB, 40 * MIB + 8 * KIB, -1 },
};

static void test_zones(void)
{
	machine_test(&(struct host_machine){ .banks = zone_banks,
					     .nr_banks = ARRAY_SIZE(zone_banks),
					     .dma_limit = GIB + 21 * MIB + 8 * KIB,
					     .bootargs = "quiet movablecore=13M" });
}

static const struct tree_range some_reserved[] = {
	{ GIB + 8 * MIB, 4 * MIB },
	{ GIB + 14 * MIB + 100, 10 },
	{ GIB + 17 * MIB, 64 * KIB },
	{ GIB + 31 * MIB + 4090, 4 * KIB },
};

static void test_reserved(void)
{
	static const struct host_bank bank = { GIB, 40 * MIB, -1 };

	machine_test(&(struct host_machine){
		.banks = &bank, .nr_banks = 1, .reserved = some_reserved, .nr_reserved = ARRAY_SIZE(some_reserved) });
}

/* Single calls. */

static void test_bad_frees(void)
{
	struct page *page, *two;
	struct shape start;

	host_boot_simple(32 * MIB, 1);
	start = shape_now();
	page = alloc_page(GFP_KERNEL);
	two = alloc_pages(GFP_KERNEL, 1);
	CHECK(page && two);
	__free_pages(page, 1);
	CHECK_LOG("bad page free: pfn 0x[0-9a-f]+, order 1: it was allocated with another order: not freed");
	__free_page(page);
	__free_page(two + 1);
	__free_pages(two, 1);
	__free_page(pfn_to_page(PFN_DOWN(GIB + 64 * KIB)));
	CHECK_LOG("order 0: the page is reserved: not freed");
	__free_page(pfn_to_page(PFN_DOWN(3 * GIB)));
	CHECK_LOG("no page that was ever allocated: not freed");
	free_pages(0, 3);
	check_shape(start);
}

static void test_references(void)
{
	struct page *page;
	struct shape start;

	host_boot_simple(32 * MIB, 1);
	start = shape_now();
	page = alloc_pages(GFP_KERNEL, 2);
	CHECK(page);
	get_page(page);
	__free_pages(page, 2);
	CHECK_EQ(page_ref_count(page), 1);
	put_page(page);
	CHECK_EQ(page_ref_count(page), 0);
	check_shape(start);
}

static void test_addresses(void)
{
	unsigned long addr;

	host_boot_simple(32 * MIB, 1);
	addr = get_zeroed_page(GFP_KERNEL);
	CHECK(addr && IS_ALIGNED(addr, PAGE_SIZE));
	for (unsigned long i = 0; i < PAGE_SIZE; i++)
		CHECK_EQ(((u8 *)addr)[i], 0);
	CHECK_EQ((uintptr_t)page_address(virt_to_page((void *)(addr + 77))), addr);
	free_page(addr);
	CHECK_EQ(__get_free_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1), 0);
	CHECK_LOG("page allocation failure: order 11, .*: there is no such order");
}

static void check_refused(int nid, gfp_t gfp, unsigned int order, const char *report)
{
	host_log_clear();
	CHECK(!alloc_pages_node(nid, gfp | __GFP_NOWARN, order));
	CHECK_NO_LOG(".");
	CHECK(!alloc_pages_node(nid, gfp, order));
	CHECK_LOG(report);
}

static int node_of_same_number(int cpu)
{
	return cpu;
}

/* What cannot be is refused with a report, what happens to have nothing fails with one: both ten times at the most. */
static void test_refusals(void)
{
	static const struct host_bank bank = { GIB, 32 * MIB, 0 };
	struct shape start;

	host_boot(
		&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = 2, .cpu_node = node_of_same_number });
	start = shape_now();
	check_refused(NUMA_NO_NODE, GFP_KERNEL, MAX_PAGE_ORDER + 1, "order 11, .*: there is no such order");
	check_refused(NUMA_NO_NODE, GFP_KERNEL, ~0u, "order 4294967295, .*: there is no such order");
	check_refused(-2, GFP_KERNEL, 0, "node -2, .*: there is no such node");
	check_refused(MAX_NUMNODES, GFP_KERNEL, 0, ": there is no such node");
	check_refused(0, __GFP_MOVABLE | __GFP_RECLAIMABLE, 0,
		      "order 0, .*MOVABLE and .*RECLAIMABLE exclude each other");
	check_refused(0, __GFP_MOVABLE | __GFP_RECLAIMABLE, 9,
		      "order 9, .*MOVABLE and .*RECLAIMABLE exclude each other");
	check_refused(1, GFP_KERNEL | __GFP_THISNODE, 0, "node 1, .*: the node has no memory");
	for (int i = 0; i < 20; i++)
		CHECK(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	host_log_clear();
	CHECK(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	CHECK(!alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 0));
	CHECK_NO_LOG(".");
	check_shape(start);
}

/*
 *	[ node 2 ][ node 1, all of it reserved ][ node 0 ]	and node 3 has CPUs only
 *
 * From nodes 1 and 3 node 2 and node 0 are equally far; the next id wins: 2 for node 1, 0 for node 3.
 */
static const struct host_bank unequal_banks[] = {
	{ GIB, 32 * MIB, 2 },
	{ GIB + 32 * MIB, 20 * MIB, 1 },
	{ GIB + 52 * MIB, 12 * MIB, 0 },
};

static void boot_unequal_nodes(void)
{
	static const struct tree_range all_of_node_1 = { GIB + 32 * MIB, 20 * MIB };

	host_boot(&(struct host_machine){ .banks = unequal_banks,
					  .nr_banks = ARRAY_SIZE(unequal_banks),
					  .reserved = &all_of_node_1,
					  .nr_reserved = 1,
					  .nr_cpus = 4,
					  .cpu_node = node_of_same_number });
}

static void test_node_without_pages(void)
{
	static const int served_by[] = { 0, 2, 2, 0 };
	struct shape start;

	boot_unequal_nodes();
	start = shape_now();
	for (int nid = 0; nid < 4; nid++) {
		struct page *near = alloc_pages_node(nid, GFP_KERNEL, 5);
		struct page *here = alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 5);

		CHECK_EQ(node_for_alloc[nid], served_by[nid]);
		CHECK(near && page_to_nid(near) == served_by[nid]);
		__free_pages(near, 5);
		CHECK_EQ(here != NULL, served_by[nid] == nid);
		if (here)
			__free_pages(here, 5);
	}
	check_shape(start);
}

static int node_of_address(const void *va)
{
	return memblock_search(&memblock.memory, __pa(va))->nid;
}

static void test_percpu_nodes(void)
{
	static const int area_on[] = { 0, 2, 2, 0 };

	boot_unequal_nodes();
	for (int cpu = 0; cpu < 4; cpu++) {
		CHECK_EQ(((struct mm_cpu *)percpu_base(cpu))->nid, cpu);
		CHECK_EQ(node_of_address(percpu_base(cpu)), area_on[cpu]);
	}
}

/* A driver's memory is mapped and has struct pages; its pages count as reserved. */
static void test_driver_managed(void)
{
	struct boot_info boot;
	struct zone *zone;

	tree_start();
	tree_root(2, 2);
	tree_memory(GIB, 32 * MIB, -1);
	boot = host_boot_info(tree_finish(), GIB + 128 * KIB, GIB + 64 * KIB, 64 * KIB);
	host_boot_cpu(1);
	CHECK_EQ(memblock_add_node(GIB + 48 * MIB, 6 * MIB, 0, MEMBLOCK_DRIVER_MANAGED), 0);
	mm_init(&boot, NULL);
	mm_hand_over();
	CHECK(page_alloc_check());
	zone = &node_data[0]->node_zones[ZONE_DMA];
	CHECK_EQ(zone->present_pages, 38 * MIB >> PAGE_SHIFT);
	CHECK(zone->reserved_pages >= 6 * MIB >> PAGE_SHIFT);
	CHECK(pfn_valid(PFN_DOWN(GIB + 48 * MIB)));
}

/* The check functions tell a broken allocator from a whole one. */
static void test_check_sees(void)
{
	struct page *page;
	struct zone *zone;

	host_boot_simple(32 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, 4);
	CHECK(page && page_alloc_check());
	zone = page_zone(page);
	zone->nr_free--;
	CHECK(!page_alloc_check());
	CHECK_LOG("zone check: node 0 zone DMA: ");
	zone->nr_free++;
	zone->managed_pages--;
	CHECK(!page_alloc_check());
	zone->managed_pages++;
	page->_refcount = 0;
	CHECK(!page_alloc_check());
	page->_refcount = 1;
	CHECK(page_alloc_check());
}

/* What the debug checks say of a block in passing. */

static void test_block_freed_twice(void)
{
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	/* Its buddy stays in use, so that both times it would join the same list. */
	page = alloc_pages(GFP_KERNEL, 4);
	CHECK(page && alloc_pages(GFP_KERNEL, 4) == page + 16);
	page->_refcount = 0;
	buddy_free(page_zone(page), page, 4);
	buddy_free(page_zone(page), page, 4);
}

static void test_free_block_used(void)
{
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page);
	__free_pages(page, MAX_PAGE_ORDER);
	get_page(page);
	CHECK(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
}

static void test_cached_block_used(void)
{
	struct page *page;

	host_boot_simple(256 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	__free_page(page);
	get_page(page);
	CHECK(!alloc_page(GFP_KERNEL));
}

static void test_memory_too_small(void)
{
	host_boot_simple(200 * KIB, 1);
}

/* Threads. */

#define THREADS	    8
#define MAILBOXES   64
#define HANDLER_OPS 5

static struct holder holders[THREADS], handler_holders[THREADS];
static struct page *mailbox[MAILBOXES];
static unsigned long thread_ops;
static bool interrupts_stop;

/* Leave an order-0 page in a mailbox; free what lay there, whoever left it. */
static void exchange_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_NOWARN);

	if (page)
		claim(page, 0, GFP_KERNEL, NUMA_NO_NODE);
	page = __atomic_exchange_n(&mailbox[tap_below(MAILBOXES)], page, __ATOMIC_ACQ_REL);
	if (page) {
		let_go(page, 0);
		__free_page(page);
	}
}

static void thread_work(void *unused)
{
	struct holder *holder = &holders[smp_processor_id()];

	(void)unused;
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	holder->max = 100;
	for (unsigned long i = 0; i < thread_ops; i++) {
		if (tap_below(8))
			random_op(holder, 0);
		else
			exchange_page();
		if (!tap_below(500))
			drain_all_pages();
	}
	tap_did(thread_ops);
	put_all(holder);
}

static void handler(void *arg)
{
	struct holder *holder = &handler_holders[smp_processor_id()];

	(void)arg;
	CHECK(irqs_disabled() && !arch_cross_call_ok());
	holder->max = 10;
	for (int i = 0; i < HANDLER_OPS; i++)
		random_op(holder, GFP_ATOMIC);
	tap_did(HANDLER_OPS);
}

static void *interrupt_all(void *unused)
{
	tap_random_stream(100);
	while (!__atomic_load_n(&interrupts_stop, __ATOMIC_RELAXED)) {
		host_interrupt((int)tap_below(THREADS), handler, NULL);
		cpu_relax();
	}
	return unused;
}

static void empty_mailboxes(void)
{
	for (int i = 0; i < MAILBOXES; i++) {
		if (!mailbox[i])
			continue;
		let_go(mailbox[i], 0);
		__free_page(mailbox[i]);
	}
	for (int cpu = 0; cpu < THREADS; cpu++)
		put_all(&handler_holders[cpu]);
}

static void threads_test(const struct host_machine *machine, unsigned long ops)
{
	pthread_t interrupter;
	struct shape start;

	host_boot(machine);
	host_cpus_start();
	start = shape_now();
	thread_ops = ops;
	CHECK(!pthread_create(&interrupter, NULL, interrupt_all, NULL));
	host_on_all_cpus(thread_work, NULL);
	__atomic_store_n(&interrupts_stop, true, __ATOMIC_RELAXED);
	pthread_join(interrupter, NULL);
	empty_mailboxes();
	check_shape(start);
	host_cpus_stop();
	for (int cpu = 0; cpu < THREADS; cpu++)
		CHECK(*per_cpu_ptr(&host_interrupts, cpu));
}

static void test_threads(void)
{
	static const struct host_bank bank = { GIB, 64 * MIB, -1 };

	threads_test(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = THREADS }, tap_thread_ops(1500));
}

/* Too little for all: they meet in the slow paths, draining each other. */
static void test_threads_short(void)
{
	static const struct host_bank bank = { GIB, 6 * MIB, -1 };

	threads_test(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = THREADS }, tap_thread_ops(500));
}

static void test_threads_nodes(void)
{
	threads_test(&(struct host_machine){ .banks = numa_banks,
					     .nr_banks = ARRAY_SIZE(numa_banks),
					     .nr_cpus = THREADS,
					     .cpu_node = cpu_of_node },
		     tap_thread_ops(1000));
}

static const struct tap_case cases[] = {
	TAP_CASE("64 MiB", test_plain),
	TAP_CASE("3 MiB, less than a pageblock", test_tiny),
	TAP_CASE("holes", test_holes),
	TAP_CASE("a checkerboard", test_checkerboard),
	TAP_CASE("three nodes, borders inside pageblocks", test_nodes),
	TAP_CASE("four zones, limits inside pageblocks", test_zones),
	TAP_CASE("reservations", test_reserved),
	TAP_CASE("wrong frees are reported and refused", test_bad_frees),
	TAP_CASE("the last user frees", test_references),
	TAP_CASE("pages by address", test_addresses),
	TAP_CASE("what cannot be is refused", test_refusals),
	TAP_CASE("a node without pages to give is served by the nearest", test_node_without_pages),
	TAP_CASE("per-CPU areas lie on the nearest node", test_percpu_nodes),
	TAP_CASE("a driver's memory counts as reserved", test_driver_managed),
	TAP_PANICS(
		"a block that is freed twice", test_block_freed_twice,
		"panic: block: pfn 0x[0-9a-f]+, order 4, enters the free lists of node 0 zone DMA: it is in one already "),
	TAP_PANICS("a free block that is used", test_free_block_used,
		   "panic: block: pfn 0x[0-9a-f]+, order 10, leaves the free lists of .*: it has users "),
	TAP_PANICS("a cached block that is used", test_cached_block_used,
		   "panic: block: pfn 0x[0-9a-f]+, order 0, in a CPU's cache of .*: it has users "),
	TAP_CASE("page_alloc_check() sees what is wrong", test_check_sees),
	TAP_PANICS("less RAM than the metadata needs", test_memory_too_small,
		   "panic: out of memory at boot: [0-9]+ bytes .* for "),
	TAP_CASE("8 CPUs and interrupts", test_threads),
	TAP_CASE("8 CPUs and interrupts, short of memory", test_threads_short),
	TAP_CASE("8 CPUs and interrupts, three nodes", test_threads_nodes),
};
TAP_MAIN(cases)
