// SPDX-License-Identifier: BSD-2-Clause
/*
 * zone_check() sees every kind of damage, and names it.
 *
 * Each case damages one thing of a zone that is whole, by hand, and expects the line that says so; the damage undone,
 * the zone is whole again. So no equation of zone_check() is one that always holds.
 *
 * The zone has every kind of page: reserved ones, free blocks of several orders, deferred pageblocks, cached pages and
 * allocated blocks.
 */
#include <lib/bitmap.h>
#include <mm/gfp.h>
#include <mm/mmzone.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)

/* The order of the blocks in use: two, buddies of each other, and what is left of their pageblock is free blocks. */
#define ORDER 4

static struct zone *zone;
static struct page *used, *spare; /* the blocks in use */
static struct page *listed;	  /* the free block behind them, the first of its list */

/*
 *	| used | spare | listed: order 5 | 6 | 7 | 8 | 9 |	a pageblock
 */
static void cut_pageblock(struct page *block)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock), kept = 2UL << ORDER;

	used = block;
	spare = used + (1 << ORDER);
	listed = spare + (1 << ORDER);
	set_page_order(used, ORDER);
	set_page_order(spare, ORDER);
	spare->_refcount = 1;
	buddy_free_range(zone, page_to_pfn(used) + kept, PAGEBLOCK_NR_PAGES - kept);
	spin_unlock_irqrestore(&zone->lock, flags);
}

static void boot_zone(void)
{
	struct page *block;

	host_boot_simple(64 * MIB, 1);
	block = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(block);
	zone = page_zone(block);
	drain_all_pages();
	cut_pageblock(block);
	CHECK(page_test(listed, PG_buddy) && page_order(listed) == ORDER + 1 && zone->nr_deferred);
	CHECK(zone_check(zone));
}

static void expect(const char *regex)
{
	host_log_clear();
	CHECK(!zone_check(zone));
	CHECK_LOG(regex);
}

static void whole_again(void)
{
	host_log_clear();
	CHECK(page_alloc_check());
}

static void counter_off(unsigned long *counter, const char *regex)
{
	++*counter;
	expect(regex);
	*counter -= 2;
	expect(regex);
	++*counter;
	whole_again();
}

static void test_counters(void)
{
	boot_zone();
	counter_off(&zone->nr_free,
		    " zone check: node 0 zone DMA: pages in free lists \\+ deferred is [0-9]+, nr_free is ");
	counter_off(&zone->nr_deferred, "pages in free lists \\+ deferred is ");
	counter_off(&zone->managed_pages, ": present is [0-9]+, reserved \\+ metadata \\+ managed is ");
	counter_off(&zone->present_pages, ": present is ");
	counter_off(&zone->reserved_pages, ": present is ");
	counter_off(&zone->metadata_pages, ": present is ");
	counter_off(&zone->nr_bad, "bad by struct page is [0-9]+, nr_bad is ");
	counter_off(&zone->free_area[page_order(listed)].nr_free,
		    "(free blocks in the lists is|more than their counter)");
}

/* Two counters that are wrong by the same number agree with each other, but not with the pages. */
static void test_counters_together(void)
{
	boot_zone();
	zone->nr_deferred++;
	zone->nr_free++;
	expect("deferred by bitmap is [0-9]+, nr_deferred is ");
	zone->nr_deferred--;
	zone->nr_free--;
	zone->managed_pages++;
	zone->present_pages++;
	expect("free \\+ cached \\+ allocated \\+ bad is [0-9]+, managed is ");
	zone->managed_pages--;
	zone->present_pages--;
	whole_again();
}

static void test_free_block_state(void)
{
	unsigned int order;

	boot_zone();
	order = page_order(listed);
	page_clear(listed, PG_buddy);
	expect("member 1, pfn 0x[0-9a-f]+, of the free list of order [0-9]+ type [0-9] is no free block of that order");
	page_set(listed, PG_buddy);
	set_page_order(listed, order - 1);
	expect("is no free block of that order");
	set_page_order(listed, order);
	listed->_refcount = 1;
	expect(" has users");
	listed->_refcount = 0;
	listed->flags ^= (unsigned long)ZONE_NORMAL << ZONE_ID_SHIFT;
	expect(" is of another zone");
	listed->flags ^= (unsigned long)ZONE_NORMAL << ZONE_ID_SHIFT;
	whole_again();
}

static void test_wrong_list(void)
{
	struct list_head *own;
	unsigned int order;

	boot_zone();
	own = listed->lru.prev;
	order = page_order(listed);
	list_move(&listed->lru, &zone->free_area[order].free_list[MIGRATE_RECLAIMABLE]);
	expect("type 2 is of another migratetype");
	list_move(&listed->lru, &zone->free_area[order - 1].free_list[MIGRATE_UNMOVABLE]);
	expect("(is no free block of that order|is one more than their counter says)");
	list_move(&listed->lru, own);
	whole_again();
}

/* A free block that is in no list: its counter says so, and when that is wrong too, its struct page does. */
static void test_lost_block(void)
{
	struct list_head *own;
	unsigned int order;

	boot_zone();
	own = listed->lru.prev;
	order = page_order(listed);
	list_del(&listed->lru);
	expect("free blocks in the lists is [0-9]+, their counter is ");
	zone->free_area[order].nr_free--;
	expect("pages in free lists \\+ deferred is ");
	zone->nr_free -= 1UL << order;
	expect("free by struct page is [0-9]+, nr_free is ");
	zone->nr_free += 1UL << order;
	zone->free_area[order].nr_free++;
	list_add(&listed->lru, own);
	whole_again();
}

/* The two blocks were one: [ used | spare ] are made free without merging. */
static void test_unmerged_buddies(void)
{
	boot_zone();
	for (struct page *page = used; page <= spare; page += 1 << ORDER) {
		page->_refcount = 0;
		page_set(page, PG_buddy);
		list_add(&page->lru, &zone->free_area[ORDER].free_list[get_pageblock_migratetype(page_to_pfn(page))]);
		zone->free_area[ORDER].nr_free++;
		zone->nr_free += 1 << ORDER;
	}
	expect("of order 4 type [0-9] has a free buddy");
}

static void test_unaligned_block(void)
{
	struct page *page;

	boot_zone();
	page = used + 1;
	page_set(page, PG_buddy);
	set_page_order(page, 1);
	list_add(&page->lru, &zone->free_area[1].free_list[get_pageblock_migratetype(page_to_pfn(page))]);
	zone->free_area[1].nr_free++;
	expect("member 1, pfn 0x[0-9a-f]+, of the free list of order 1 type [0-9] is not aligned to its size");
	list_del(&page->lru);
	zone->free_area[1].nr_free--;
	page_clear(page, PG_buddy);
	set_page_order(page, 0);
	whole_again();
}

/* A free block within a block that is in use: lists and counters agree, the struct pages do not. */
static void test_overlap(void)
{
	struct page *page;

	boot_zone();
	page = used + 2;
	page_set(page, PG_buddy);
	set_page_order(page, 1);
	list_add(&page->lru, &zone->free_area[1].free_list[get_pageblock_migratetype(page_to_pfn(page))]);
	zone->free_area[1].nr_free++;
	zone->nr_free += 2;
	expect("free by struct page is [0-9]+, nr_free is ");
}

static void test_links(void)
{
	struct list_head *head, was;

	boot_zone();
	was = listed->lru;
	head = was.prev;
	head->next = (struct list_head *)(void *)((char *)&listed->lru + 8);
	expect("member 1, pfn 0xffffffffffffffff, .* is no struct page");
	head->next = &head[1000];
	expect("is no struct page");
	head->next = &pfn_to_page(zone_end_pfn(zone) + 2 * PAGEBLOCK_NR_PAGES)->lru;
	expect("is no struct page");
	head->next = &used->lru;
	expect("does not lead back");
	head->next = &listed->lru;
	listed->lru.next = &listed->lru;
	expect("member 2, .* does not lead back");
	listed->lru = was;
	whole_again();
}

static void test_pages(void)
{
	boot_zone();
	page_set(used, PG_reserved);
	expect("free \\+ cached \\+ allocated \\+ bad is [0-9]+, managed is ");
	page_clear(used, PG_reserved);
	used->flags ^= (unsigned long)ZONE_NORMAL << ZONE_ID_SHIFT;
	expect("free \\+ cached \\+ allocated \\+ bad is ");
	used->flags ^= (unsigned long)ZONE_NORMAL << ZONE_ID_SHIFT;
	whole_again();
}

/* What is not free must be a CPU's or a user's: that is seen when all CPUs are quiet. */
static void expect_cached(void)
{
	host_log_clear();
	CHECK(zone_check(zone) && !page_alloc_check());
	CHECK_LOG("cached by struct page is [0-9]+, the caches' counts is ");
}

static void test_cached(void)
{
	boot_zone();
	used->_refcount = 0;
	expect_cached();
	used->_refcount = 1;
	set_page_order(used, ORDER - 1);
	expect_cached();
	set_page_order(used, ORDER);
	whole_again();
}

static void test_beyond_pageblock(void)
{
	boot_zone();
	set_page_order(used + PAGEBLOCK_NR_PAGES / 2, MAX_PAGE_ORDER);
	expect("pfn 0x[0-9a-f]+ belongs to a block that goes beyond its pageblock");
}

static void test_deferred(void)
{
	unsigned long pfn = 0, was;
	struct mem_section_usage *usage;

	boot_zone();
	for (pfn = zone->deferred_pfn;; pfn += PAGEBLOCK_NR_PAGES) {
		usage = section_usage(pfn_to_section_nr(pfn));
		CHECK(usage);
		if (bit_test(usage->deferred, pageblock_nr(pfn)))
			break;
	}
	bit_set(usage->initialised, pageblock_nr(pfn));
	expect("pfn 0x[0-9a-f]+ begins a pageblock that is deferred and initialised");
	bit_clear(usage->initialised, pageblock_nr(pfn));
	was = zone->deferred_pfn;
	zone->deferred_pfn = pfn + PAGEBLOCK_NR_PAGES;
	expect("pfn 0x[0-9a-f]+ begins a deferred pageblock that would not be found");
	zone->deferred_pfn = was;
	bit_clear(usage->deferred, pageblock_nr(pfn));
	expect("deferred by bitmap is [0-9]+, nr_deferred is ");
	bit_set(usage->deferred, pageblock_nr(pfn));
	whole_again();
}

static const struct tap_case cases[] = {
	TAP_CASE("each counter, one more and one less", test_counters),
	TAP_CASE("counters that are wrong together", test_counters_together),
	TAP_CASE("the state of a free block", test_free_block_state),
	TAP_CASE("a free block in another's list", test_wrong_list),
	TAP_CASE("a free block in no list", test_lost_block),
	TAP_CASE("free buddies that were not merged", test_unmerged_buddies),
	TAP_CASE("a free block that is not aligned", test_unaligned_block),
	TAP_CASE("a free block within one in use", test_overlap),
	TAP_CASE("links that lead astray", test_links),
	TAP_CASE("pages that are not the zone's to give", test_pages),
	TAP_CASE("pages that nobody has", test_cached),
	TAP_CASE("a block that leaves its pageblock", test_beyond_pageblock),
	TAP_CASE("pageblocks that are not written yet", test_deferred),
};
TAP_MAIN(cases)
