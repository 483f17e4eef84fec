// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many pages at once, and pages that are put: alloc_pages_bulk(), put_page(), release_pages().
 *
 * 1. What is put may be anything: a page of a compound block, one with other users, one that is free, a slab's, one
 *    whose struct page was never written, or none at all. Each is freed, or left and reported, and those beside it are
 *    freed.
 * 2. With several CPUs and their handlers a map tells who owns a page: claiming is an atomic exchange, so two owners of
 *    a page are found out at once, and each page holds its owner's stamp.
 * 3. After each case every page is back, and all check functions agree.
 */
#include <string.h>

#include <lib/smp.h>
#include <mm/contig.h>
#include <mm/gfp.h>
#include <mm/page_offline.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "../../mm/buddy.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define BANK_SIZE (64 * MIB)
#define GFP_QUIET (GFP_KERNEL | __GFP_NOWARN)

/* --- put_page() --- */

/* Blocks of every order, with one user and two; of a compound block any page stands for all. */
static void test_put(void)
{
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order), *compound;

		CHECK(page);
		get_page(page);
		put_page(page);
		CHECK_EQ(page_ref_count(page), 1);
		put_page(page);
		CHECK_EQ(page_ref_count(page), 0);
		compound = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		CHECK(compound);
		get_page(compound);
		put_page(compound + (1UL << order) - 1);
		CHECK_EQ(page_ref_count(compound), 1);
		put_page(compound + (1UL << order) / 2);
		CHECK(!page_ref_count(compound) && !PageCompound(compound));
		CHECK_EQ(host_checked_pages(), start);
	}
	CHECK_NO_LOG("bad page");
}

/* A struct page that was never written, full of what memory holds. */
static struct page *rubbish(void)
{
	unsigned long pfn = PFN_DOWN(GIB) + 6000;

	CHECK(!page_initialised(pfn));
	memset(pfn_to_page(pfn), 0xa5, sizeof(struct page));
	return pfn_to_page(pfn);
}

/* Each is said to be what it is, and nothing has changed. Between two that are right the two are freed. */
static void check_not_put(struct page *page, const char *report)
{
	struct page *pages[3] = { NULL, NULL, NULL };
	unsigned long start = host_checked_pages();

	host_log_clear();
	put_page(page);
	CHECK_LOG(report);
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, 3, pages), 3);
	__free_page(pages[1]);
	pages[1] = page;
	host_log_clear();
	release_pages(pages, 3);
	CHECK_LOG(report);
	CHECK_EQ(host_checked_pages(), start);
}

static void test_put_rubbish(void)
{
	host_boot_simple(32 * MIB, 1);
	check_not_put(rubbish(), "bad page free: .*: no page that was ever allocated: not freed$");
	check_not_put(pfn_to_page(PFN_DOWN(3 * GIB)), "bad page free: .*: no page that was ever allocated: not freed$");
}

/* Slabs and large blocks of kmalloc() are in use once, as a page is; freed as pages they would be given twice. */
static void test_put_of_slub(void)
{
	void *small, *large;

	host_boot_simple(32 * MIB, 1);
	small = kmalloc(64, GFP_KERNEL);
	large = kmalloc(5 * PAGE_SIZE, GFP_KERNEL);
	CHECK(small && large);
	check_not_put(virt_to_page(small), "bad page free: .*: the page belongs to SLUB: not freed$");
	check_not_put(virt_to_page(large), "bad page free: .*: the page belongs to SLUB: not freed$");
	kfree(small);
	kfree(large);
	host_check();
}

/*
 * The user of a shared page left something in it that looks as if it were of a compound block, whose first page is
 * nowhere.
 */
static void test_put_wild_head(void)
{
	static const unsigned long wild[] = { 0xa5a5a5a5a5a5a5a5UL, ~0UL, VMEMMAP_START + 9, 1 };
	unsigned long start;
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	get_page(page);
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		host_log_clear();
		page->compound_head = wild[i];
		put_page(page);
		CHECK_LOG("bad page free: .*: its compound_head leads to no page: not freed$");
		CHECK_EQ(page_ref_count(page), 2);
	}
	page->compound_head = 0;
	put_page(page);
	put_page(page);
	CHECK_EQ(host_checked_pages(), start);
}

/* What is put twice is free already, and goes out of use; what stands beside it is freed. */
static void test_put_twice(void)
{
	unsigned long start;
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	page = alloc_pages(GFP_KERNEL, 2);
	CHECK(page);
	put_page(page);
	put_page(page);
	CHECK_LOG("bad page free: .*, order 2: the page is free already: not freed$");
	CHECK_EQ(num_poisoned_pages(), 4);
	CHECK_EQ(host_checked_pages(), start - 4);
}

/*
 * A page has two users. One CPU frees it twice while another frees it once: of the three one is too many, whichever,
 * and none may believe that it was not because it looked before the others were done.
 */

static struct page *contested;
static bool by_range; /* whether it is a range's */
static u32 arrived;   /* atomic */
static unsigned long rounds;

static void free_contested(void)
{
	if (by_range)
		free_contig_range(page_to_pfn(contested), 1);
	else
		__free_pages(contested, 3);
}

static void free_too_often(void *first)
{
	unsigned long all = nr_free_pages();

	for (u32 round = 0; round < rounds; round++) {
		if (first) {
			contested = by_range ? alloc_contig_pages(1, GFP_KERNEL, NUMA_NO_NODE, NULL) :
					       alloc_pages(GFP_KERNEL, 3);
			CHECK(contested);
			get_page(contested);
		}
		host_meet(&arrived, 2, 3 * round + 1);
		for (u32 delay = first ? round % 32 : 0; delay; delay--)
			cpu_relax();
		free_contested();
		if (!first)
			free_contested();
		host_meet(&arrived, 2, 3 * round + 2);
		/* What was one too many was reported, and the page is out of use. */
		if (first) {
			CHECK_EQ(page_ref_count(contested), 0);
			drain_all_pages();
			CHECK_EQ(nr_free_pages() + num_poisoned_pages(), all);
			CHECK(PageHWPoison(contested));
		}
		host_meet(&arrived, 2, 3 * round + 3);
	}
}

static void three_of_two(void)
{
	rounds = tap_ops(1500);
	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	host_mute();
	drain_all_pages();
	CHECK_EQ(smp_work_start(1, free_too_often, NULL), 0);
	free_too_often(&rounds);
	smp_work_wait(1);
	CHECK_LOG("bad page free: pfn 0x[0-9a-f]+, order [03]: the page is free already: not freed");
	drain_all_pages();
	host_check();
	host_cpus_stop();
}

static void test_three_of_two(void)
{
	three_of_two();
}

static void test_three_of_two_ranges(void)
{
	by_range = true;
	three_of_two();
}

/* --- release_pages() --- */

#define RELEASED 300

/*
 * Pages of two kinds, a compound block by one of its tails, one that is shared, one that is given up twice, and blocks
 * of order 3.
 */
static void test_release(void)
{
	static struct page *pages[RELEASED];
	struct page *shared = NULL, *twice;
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, RELEASED - 6, pages), RELEASED - 6);
	twice = pages[100];
	get_page(twice);
	for (int i = RELEASED - 6; i < RELEASED; i++) {
		pages[i] = pages[i - 200];
		pages[i - 200] = alloc_page(GFP_KERNEL | __GFP_MOVABLE);
		CHECK(pages[i - 200]);
	}
	__free_page(pages[RELEASED - 3]);
	pages[RELEASED - 3] = twice;
	__free_page(pages[4]);
	pages[4] = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	for (int i = 5; i < 8; i++) {
		__free_page(pages[i]);
		pages[i] = alloc_pages(GFP_KERNEL, 3);
		CHECK(pages[i]);
	}
	CHECK(pages[4]);
	pages[4] += 3;
	shared = pages[RELEASED - 200];
	get_page(shared);
	release_pages(pages, RELEASED);
	CHECK_EQ(page_ref_count(shared), 1);
	CHECK_EQ(host_checked_pages(), start - 1);
	release_pages(&shared, 1);
	CHECK_EQ(host_checked_pages(), start);
	release_pages(NULL, 0);
	host_check();
}

/* One that is freed already is reported and taken out of use, and the others are freed. */
static void test_release_bad(void)
{
	struct page *pages[3] = { NULL };
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, 3, pages), 3);
	__free_page(pages[1]);
	host_log_clear();
	release_pages(pages, 3);
	CHECK_LOG("bad page free: .*: the page is free already: not freed$");
	CHECK(PageHWPoison(pages[1]));
	CHECK_EQ(host_checked_pages(), start - 1);
}

/* --- alloc_pages_bulk() --- */

#define BULK 200

/* Entries that hold something stay as they are, wherever they are, and are counted. */
static void test_bulk_filled(void)
{
	static struct page *pages[BULK];
	struct page *mine = (struct page *)(uintptr_t)0x5a5a5a5a;
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	for (int i = 0; i < BULK; i += 3)
		pages[i] = mine;
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, BULK, pages), BULK);
	for (int i = 0; i < BULK; i++) {
		CHECK_EQ(pages[i] == mine, i % 3 == 0);
		CHECK(pages[i] == mine || page_ref_count(pages[i]) == 1);
	}
	/* All there: nothing is to be done. */
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, BULK, pages), BULK);
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, 0, NULL), 0);
	for (int i = 0; i < BULK; i++)
		if (pages[i] != mine)
			__free_page(pages[i]);
	CHECK_EQ(host_checked_pages(), start);
}

static void test_bulk_zeroed(void)
{
	static struct page *pages[BULK];
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	for (int round = 0; round < 2; round++) {
		CHECK_EQ(alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, BULK, pages), BULK);
		for (int i = 0; i < BULK; i++) {
			const u64 *words = page_address(pages[i]);

			for (size_t word = 0; word < PAGE_SIZE / sizeof(*words); word++)
				CHECK_EQ(words[word], 0);
			memset(page_address(pages[i]), 0x5a, PAGE_SIZE);
		}
		release_pages(pages, BULK);
		memset(pages, 0, sizeof(pages));
	}
	CHECK_EQ(host_checked_pages(), start);
}

/*
 * When memory runs out, entries from the first on hold a page, the others nothing; that is a failure, which is
 * reported.
 */
static void test_bulk_short(void)
{
	static struct page *pages[8192];
	unsigned long start, had;
	struct zone *zone;

	host_boot_simple(16 * MIB, 1);
	start = host_checked_pages();
	zone = node_data[0]->zonelist[0];
	had = alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(pages), pages);
	CHECK(had > 3000 && had < start);
	CHECK_LOG("page allocation failure: order 0, gfp 0x100 .GFP_KERNEL., ");
	CHECK(zone->nr_free <= zone->watermark[WMARK_MIN]);
	for (unsigned long i = 0; i < ARRAY_SIZE(pages); i++)
		CHECK_EQ(pages[i] != NULL, i < had);
	host_log_clear();
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL | __GFP_NOWARN, ARRAY_SIZE(pages), pages), had);
	CHECK_EQ(alloc_pages_bulk(__GFP_MOVABLE | __GFP_RECLAIMABLE | __GFP_NOWARN, 1, pages + had), 0);
	CHECK_NO_LOG(".");
	release_pages(pages, (int)had);
	CHECK_EQ(host_checked_pages(), start);
}

/* Which pages come: of the zones and groups that the flags say. */
static void test_bulk_flags(void)
{
	static const struct host_bank bank = { 4 * GIB, 512 * MIB, -1 };
	static struct page *pages[BULK];

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "quiet movablecore=256M" });
	/* These are cached when the others are asked for. */
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, BULK, pages), BULK);
	for (int i = 0; i < BULK; i++)
		CHECK_EQ(get_pageblock_migratetype(page_to_pfn(pages[i])), MIGRATE_UNMOVABLE);
	release_pages(pages, BULK);
	memset(pages, 0, sizeof(pages));
	CHECK_EQ(alloc_pages_bulk(GFP_HIGHUSER_MOVABLE, BULK / 2, pages), BULK / 2);
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL | __GFP_MOVABLE, BULK, pages), BULK);
	for (int i = 0; i < BULK; i++) {
		CHECK_EQ(page_zonenum(pages[i]) == ZONE_MOVABLE, i < BULK / 2);
		CHECK_EQ(get_pageblock_migratetype(page_to_pfn(pages[i])), MIGRATE_MOVABLE);
	}
	release_pages(pages, BULK);
	host_check();
}

/* --- Everybody at once --- */

#define THREADS	  4
#define BATCH	  100
#define HANDLER	  24
#define MAP_PAGES (BANK_SIZE >> PAGE_SHIFT)

static u8 owned[MAP_PAGES];
static unsigned long thread_ops;

static u64 *stamp_of(const struct page *page)
{
	return page_address(page);
}

static void claim(struct page *page, u64 owner)
{
	CHECK_EQ(page_ref_count(page), 1);
	CHECK_EQ(__atomic_exchange_n(&owned[page_to_pfn(page) - PFN_DOWN(GIB)], 1, __ATOMIC_RELAXED), 0);
	*stamp_of(page) = owner;
}

static void let_go(const struct page *page, u64 owner)
{
	CHECK_EQ(*stamp_of(page), owner);
	CHECK_EQ(__atomic_exchange_n(&owned[page_to_pfn(page) - PFN_DOWN(GIB)], 0, __ATOMIC_RELAXED), 1);
}

/* Some pages, and all of them back, in a handler. */
static void use_in_handler(void *unused)
{
	struct page *pages[HANDLER] = { NULL };

	(void)unused;
	CHECK_EQ(alloc_pages_bulk(GFP_ATOMIC | __GFP_NOWARN, HANDLER, pages), HANDLER);
	for (int i = 0; i < HANDLER; i++)
		claim(pages[i], (u64)(uintptr_t)pages);
	for (int i = 0; i < HANDLER; i++)
		let_go(pages[i], (u64)(uintptr_t)pages);
	release_pages(pages, HANDLER);
}

/* Fill up what is empty. */
static void fill_batch(struct page **pages, u64 owner)
{
	bool had[BATCH];

	for (int i = 0; i < BATCH; i++)
		had[i] = pages[i];
	CHECK_EQ(alloc_pages_bulk(tap_below(2) ? GFP_QUIET : GFP_QUIET | __GFP_MOVABLE, BATCH, pages), BATCH);
	for (int i = 0; i < BATCH; i++)
		if (!had[i])
			claim(pages[i], owner);
}

/* Put some of them, in any order: at once or one by one, and some of those twice, having got them twice. */
static void put_some(struct page **pages, u64 owner)
{
	struct page *put[2 * BATCH];
	int n = 0;

	for (int i = 0; i < BATCH; i++) {
		if (!pages[i] || tap_below(3))
			continue;
		let_go(pages[i], owner);
		put[n++] = pages[i];
		if (!tap_below(8)) {
			get_page(pages[i]);
			put[n++] = pages[i];
		}
		pages[i] = NULL;
	}
	for (int i = n - 1; i > 0; i--) {
		int k = (int)tap_below((u64)i + 1);
		struct page *page = put[i];

		put[i] = put[k];
		put[k] = page;
	}
	if (tap_below(4))
		release_pages(put, n);
	else
		while (n)
			put_page(put[--n]);
}

static void use_batches(void *unused)
{
	struct page *pages[BATCH] = { NULL };
	u64 owner = (u64)smp_processor_id() + 1;
	int left = 0;

	(void)unused;
	tap_random_stream((unsigned int)owner);
	for (unsigned long i = 0; i < thread_ops; i++) {
		fill_batch(pages, owner);
		if (!tap_below(4))
			host_interrupt((int)tap_below(THREADS), use_in_handler, NULL);
		put_some(pages, owner);
	}
	for (int i = 0; i < BATCH; i++) {
		if (!pages[i])
			continue;
		let_go(pages[i], owner);
		pages[left++] = pages[i];
	}
	release_pages(pages, left);
}

static void test_threads(void)
{
	unsigned long start;

	host_boot_simple(BANK_SIZE, THREADS);
	host_cpus_start();
	start = host_checked_pages();
	thread_ops = tap_ops(3000);
	host_on_all_cpus(use_batches, NULL);
	CHECK_NO_LOG("bad page");
	CHECK_EQ(host_checked_pages(), start);
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("blocks that are put", test_put),
	TAP_CASE("what is put is no page", test_put_rubbish),
	TAP_CASE("what is put is SLUB's", test_put_of_slub),
	TAP_CASE("what is put says it is of a block that is none", test_put_wild_head),
	TAP_CASE("what is put is free", test_put_twice),
	TAP_CASE("what two may free is freed three times at once", test_three_of_two),
	TAP_CASE("a range that two may free is freed three times at once", test_three_of_two_ranges),
	TAP_CASE("many pages are released", test_release),
	TAP_CASE("a page among many that is free already", test_release_bad),
	TAP_CASE("bulk: entries that hold something", test_bulk_filled),
	TAP_CASE("bulk: zeroed", test_bulk_zeroed),
	TAP_CASE("bulk: memory runs out", test_bulk_short),
	TAP_CASE("bulk: zones and groups", test_bulk_flags),
	TAP_CASE("4 CPUs and their handlers, in bulk", test_threads),
};
TAP_MAIN(cases)
