// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests that fail: what the report says, and how often there is one.
 */
#include <mm/contig.h>
#include <mm/gfp.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "../../mm/page_report.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define GFP_QUIET (GFP_KERNEL | __GFP_NOWARN)

static LIST_HEAD(taken); /* every page that a request may have */

/* Every second page of what a request of @gfp may have is free, and nothing else that it may have is. */
static void leave_single_pages(gfp_t gfp)
{
	struct page *page, *next;
	LIST_HEAD(odd);

	take_blocks(NUMA_NO_NODE, gfp | __GFP_HIGH, 0, &taken);
	list_for_each_entry_safe(page, next, &taken, lru)
		if (page_to_pfn(page) % 2)
			list_move(&page->lru, &odd);
	CHECK(!list_empty(&odd));
	give_blocks(&odd);
	drain_all_pages();
	/* What is kept back still is in pairs: take it, down to the pages that were just freed. */
	while (alloc_pages(gfp | __GFP_NOWARN | __GFP_HIGH, 1)) {
	}
	host_log_clear();
}

static void test_why_min(void)
{
	host_boot_simple(16 * MIB, 1);
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	/* With __GFP_NOWARN, as there, nothing is said. */
	CHECK_NO_LOG("page allocation failure");
	CHECK(!alloc_pages(GFP_KERNEL | __GFP_COMP, 2));
	CHECK_LOG("page allocation failure: order 2, gfp 0x1100 .GFP_KERNEL.__GFP_COMP., node 0, CPU 0$");
	CHECK_LOG(
		"  node 0 zone DMA: below min watermark by [1-4]: free [0-9]+, min 125, low 156, high 187, lowmem reserve 0, high-atomic 0, "
		"largest block order");
}

/* Every other page is in use: half of memory is free, and no two pages of it lie together. */
static void test_why_fragments(void)
{
	host_boot_simple(16 * MIB, 1);
	leave_single_pages(GFP_KERNEL);
	CHECK(!alloc_pages(GFP_KERNEL, 1));
	CHECK_LOG("  node 0 zone DMA: no block of order 1 .largest 0.: free [0-9]+, min ");
}

/* Most of what is free is in pageblocks that are isolated. */
static void test_why_isolated(void)
{
	unsigned long first = PFN_DOWN(GIB) + PAGEBLOCK_NR_PAGES;

	host_boot_simple(16 * MIB, 1);
	CHECK_EQ(start_isolate_page_range(first, first + 2 * PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), 0);
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	CHECK(!alloc_page(GFP_KERNEL));
	CHECK_LOG(
		"  node 0 zone DMA: 20[0-9][0-9] pages are isolated, CMA's or kept for others, short by 1: free 2[0-9]+, min 125, ");
	undo_isolate_page_range(first, first + 2 * PAGEBLOCK_NR_PAGES);
	CHECK(alloc_page(GFP_KERNEL));
}

static void boot_nodes_and_zones(void)
{
	static const struct host_bank banks[] = { { GIB, 32 * MIB, 0 }, { GIB + 32 * MIB, 32 * MIB, 1 } };

	host_boot(&(struct host_machine){
		.banks = banks, .nr_banks = 2, .dma_limit = (u32)(GIB + 16 * MIB), .bootargs = "movablecore=8M" });
}

static void test_why_not_tried(void)
{
	boot_nodes_and_zones();
	take_blocks(NUMA_NO_NODE, GFP_KERNEL | __GFP_THISNODE, 0, &taken);
	CHECK(!alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE, 4));
	CHECK_LOG("  node 0 zone DMA32: below min watermark by ");
	CHECK_LOG("  node 1 zone DMA32: not tried: other node, __GFP_THISNODE$");
	CHECK_LOG("  node 1 zone Movable: not tried: above the zones that the flags allow$");
	host_log_clear();
	CHECK(!alloc_pages_node(1, GFP_DMA | __GFP_THISNODE, 4));
	CHECK_LOG("  node 0 zone DMA: not tried: other node, __GFP_THISNODE$");
	CHECK_LOG("  node 1 zone DMA32: not tried: above the zones that the flags allow$");
}

static void test_why_lowmem_reserve(void)
{
	boot_nodes_and_zones();
	CHECK(take_blocks(NUMA_NO_NODE, GFP_HIGHUSER_MOVABLE, 0, &taken));
	host_log_clear();
	CHECK(!alloc_page(GFP_HIGHUSER_MOVABLE));
	CHECK_LOG(
		"  node 0 zone DMA: below lowmem reserve by 1: free [0-9]+, min [0-9]+, .*, lowmem reserve [1-9][0-9]*, ");
}

/* Large blocks are free, all of them the CMA area's: they are not for the request, and the report says so. */
static void test_why_cma(void)
{
	static const struct host_bank bank = { GIB, 96 * MIB, -1 };

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "cma=64M" });
	leave_single_pages(GFP_KERNEL);
	CHECK(!alloc_pages(GFP_KERNEL, 3));
	CHECK_LOG(
		"  node 0 zone DMA: no block of order 3 .largest 0; larger ones are CMA's.: free .*largest block order 0$");
	/* The same when their struct pages are written. */
	CHECK(alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 3));
	drain_all_pages();
	host_log_clear();
	CHECK(!alloc_pages(GFP_KERNEL, 3));
	CHECK_LOG(
		"  node 0 zone DMA: no block of order 3 .largest 0; larger ones are CMA's.: free .*largest block order 0$");
	CHECK(alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 9));
}

/* The same of isolated ones. */
static void test_why_isolated_blocks(void)
{
	unsigned long first = PFN_DOWN(GIB) + PAGEBLOCK_NR_PAGES;

	host_boot_simple(32 * MIB, 1);
	CHECK_EQ(start_isolate_page_range(first, first + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), 0);
	leave_single_pages(GFP_KERNEL);
	CHECK(!alloc_pages(GFP_KERNEL, 2));
	CHECK_LOG("  node 0 zone DMA: no block of order 2 .largest 0; larger ones are isolated.: free ");
	undo_isolate_page_range(first, first + PAGEBLOCK_NR_PAGES);
	CHECK(alloc_pages(GFP_KERNEL, 2));
}

/* And of the reserve for urgent requests, which who does not retry leaves alone. */
static void test_why_reserved_blocks(void)
{
	struct page *page;

	host_boot_simple(512 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, 4);
	CHECK(page);
	reserve_highatomic(page);
	__free_pages(page, 4);
	leave_single_pages(GFP_KERNEL | __GFP_NORETRY);
	CHECK(!alloc_pages(GFP_KERNEL | __GFP_NORETRY, 2));
	CHECK_LOG(
		"  node 0 zone DMA: no block of order 2 .largest [01]; larger ones are kept for urgent requests.: free ");
	CHECK(alloc_pages(GFP_ATOMIC, 2));
}

static void fail_aloud(int times)
{
	for (int i = 0; i < times; i++) {
		host_log_clear();
		CHECK(!alloc_pages(GFP_KERNEL, 9));
		CHECK_LOG("page allocation failure: order 9, gfp 0x100 .GFP_KERNEL., node ");
	}
}

/*
 * However often memory is found in between, there are ten reports and then none, until five seconds have passed since
 * the last; then the next says how many there were not.
 */
static void test_reports_limited(void)
{
	host_boot_simple(16 * MIB, 1);
	host_clock_hold();
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	for (int i = 0; i < 20; i++) {
		struct page *page = list_first_entry(&taken, struct page, lru);

		list_del(&page->lru);
		__free_page(page);
	}
	drain_all_pages();
	fail_aloud(10);
	host_log_clear();
	for (int i = 0; i < 190; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		CHECK(page);
		__free_page(page);
		drain_all_pages();
		CHECK(!alloc_pages(GFP_KERNEL, 9));
	}
	CHECK(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	CHECK_NO_LOG("page allocation failure");
	host_clock_skip(5000000000ULL);
	fail_aloud(10);
	host_log_clear();
	CHECK(!alloc_pages(GFP_KERNEL, 9));
	host_clock_skip(4000000000ULL);
	CHECK(!alloc_pages(GFP_KERNEL, 9));
	CHECK_NO_LOG("page allocation failure");
	host_clock_skip(1000000000ULL);
	CHECK(!alloc_pages(GFP_QUIET, 9));
	CHECK(!alloc_pages(GFP_KERNEL, 9));
	CHECK_LOG("page allocation failure: 2 more were not reported$");
	CHECK_LOG("page allocation failure: order 9, ");
	/* It is the last of the ten that counts, not the first. */
	host_clock_skip(3000000000ULL);
	fail_aloud(9);
	host_clock_skip(3000000000ULL);
	host_log_clear();
	CHECK(!alloc_pages(GFP_KERNEL, 9));
	CHECK_NO_LOG("page allocation failure");
}

static const struct tap_case cases[] = {
	TAP_CASE("why: the watermark", test_why_min),
	TAP_CASE("why: no block is large enough", test_why_fragments),
	TAP_CASE("why: what is free is isolated", test_why_isolated),
	TAP_CASE("why: the lowmem reserve", test_why_lowmem_reserve),
	TAP_CASE("why: zones that were not tried", test_why_not_tried),
	TAP_CASE("why: what is large enough is a CMA area's", test_why_cma),
	TAP_CASE("why: what is large enough is isolated", test_why_isolated_blocks),
	TAP_CASE("why: what is large enough is kept for urgent requests", test_why_reserved_blocks),
	TAP_CASE("ten reports, and then none for a while", test_reports_limited),
};
TAP_MAIN(cases)
