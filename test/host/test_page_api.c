// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page allocator's calls beside alloc_pages(): exact numbers of pages, compound blocks, what each gfp flag does,
 * pages that are taken out of use, and who had a page.
 *
 * After each case every page is back: the same number of free pages as at the start, less those that are bad, and all
 * check functions agree.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lib/monitor.h>
#include <lib/smp.h>
#include <mm/contig.h>
#include <mm/gfp.h>
#include <mm/mm_init.h>
#include <mm/page_exact.h>
#include <mm/page_offline.h>
#include <mm/port.h>

#include "../../mm/page_report.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define MAX_PAGES 16384
#define GFP_QUIET (GFP_KERNEL | __GFP_NOWARN)

static struct page *taken[MAX_PAGES];

/* Every page that @gfp may have, into taken[]. Return: how many. */
static unsigned long take_all(gfp_t gfp)
{
	unsigned long n = 0;

	while (n < MAX_PAGES && (taken[n] = alloc_page(gfp | __GFP_NOWARN)))
		n++;
	return n;
}

static void give_back(unsigned long n)
{
	while (n)
		__free_page(taken[--n]);
}

/* --- Exact numbers of pages --- */

static void test_get_order(void)
{
	CHECK_EQ(get_order(1), 0);
	CHECK_EQ(get_order(PAGE_SIZE), 0);
	CHECK_EQ(get_order(PAGE_SIZE + 1), 1);
	CHECK_EQ(get_order(3 * PAGE_SIZE), 2);
	CHECK_EQ(get_order(4 * PAGE_SIZE), 2);
	CHECK_EQ(get_order(PAGE_SIZE << MAX_PAGE_ORDER), MAX_PAGE_ORDER);
	CHECK_EQ(get_order((PAGE_SIZE << MAX_PAGE_ORDER) + 1), MAX_PAGE_ORDER + 1);
	CHECK_EQ(get_order(0), 64 - PAGE_SHIFT);
	CHECK_EQ(get_order(~0UL), 64 - PAGE_SHIFT);
}

/* @n pages, each a block of its own, and no page more; freed in two parts, the second page by page and downwards. */
static void exact_of(unsigned long n, gfp_t gfp, unsigned long start)
{
	char *addr = alloc_pages_exact(n * PAGE_SIZE - 1, gfp);

	CHECK(addr);
	for (unsigned long i = 0; i < n; i++) {
		struct page *page = virt_to_page(addr + i * PAGE_SIZE);

		CHECK_EQ(page_ref_count(page), 1);
		CHECK_EQ(page_order(page), 0);
		CHECK(!PageCompound(page));
		if (gfp & __GFP_ZERO)
			CHECK(addr[i * PAGE_SIZE] == 0 && addr[i * PAGE_SIZE + PAGE_SIZE - 2] == 0);
		memset(addr + i * PAGE_SIZE, 0xa5, PAGE_SIZE);
	}
	CHECK_EQ(host_checked_pages(), start - n);
	free_pages_exact(addr, n / 2 * PAGE_SIZE);
	CHECK_EQ(host_checked_pages(), start - (n - n / 2));
	for (unsigned long i = n; i > n / 2; i--)
		free_page((unsigned long)addr + (i - 1) * PAGE_SIZE);
	CHECK_EQ(host_checked_pages(), start);
}

static void test_exact(void)
{
	static const unsigned long sizes[] = { 1, 2, 3, 5, 8, 9, 100, 513, 1024 };
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		exact_of(sizes[i], GFP_KERNEL, start);
		exact_of(sizes[i], GFP_KERNEL | __GFP_ZERO | __GFP_COMP, start);
	}
	CHECK(!alloc_pages_exact((PAGE_SIZE << MAX_PAGE_ORDER) + 1, GFP_KERNEL));
	CHECK_LOG("page allocation failure: order 11, .*: there is no such order");
	host_log_clear();
	CHECK(!alloc_pages_exact(0, GFP_KERNEL));
	CHECK_LOG("page allocation failure: order 52, .*: there is no such order");
	CHECK_EQ(host_checked_pages(), start);
}

/* A block that was split has the users that it had; each page then goes for itself, the last user of it frees it. */
static void test_split(void)
{
	unsigned long start;
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	page = alloc_pages(GFP_KERNEL, 3);
	CHECK(page);
	get_page(page);
	split_page(page, 3);
	CHECK_EQ(page_ref_count(page), 2);
	get_page(page + 5);
	for (unsigned long i = 0; i < 8; i++)
		__free_page(page + i);
	CHECK_EQ(host_checked_pages(), start - 2);
	put_page(page + 5);
	put_page(page);
	CHECK_EQ(host_checked_pages(), start);
}

static void test_split_refused(void)
{
	unsigned long start;
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	CHECK(page);
	split_page(page, 2);
	CHECK_LOG("bad page split: pfn 0x[0-9a-f]+, order 2: the block is compound$");
	CHECK(PageHead(page) && PageTail(page + 1));
	split_page(page, 1);
	CHECK_LOG("bad page split: pfn 0x[0-9a-f]+, order 1: it was allocated with another order$");
	__free_pages(page, 2);
	split_page(page, 2);
	CHECK_LOG("bad page split: pfn 0x[0-9a-f]+, order 2: the page is free already$");
	CHECK_EQ(host_checked_pages(), start);
}

/* --- Compound blocks --- */

static void check_compound(struct page *page, unsigned int order)
{
	CHECK(PageHead(page) && !PageTail(page) && PageCompound(page));
	CHECK_EQ(compound_order(page), order);
	CHECK(compound_head(page) == page);
	/* No CPU's stack takes it as it is. */
	CHECK_EQ(page->page_stack, 0);
	for (unsigned long i = 1; i < 1UL << order; i++) {
		CHECK(PageTail(page + i) && !PageHead(page + i) && PageCompound(page + i));
		CHECK(compound_head(page + i) == page);
		CHECK_EQ(compound_order(page + i), 0);
	}
	CHECK(virt_to_head_page((char *)page_address(page) + (PAGE_SIZE << order) - 1) == page);
}

/* No page of RAM that was ever given looks like one of a compound block any more. */
static void check_no_compound(void)
{
	const struct zone *zone = page_zone(taken[0]);

	for (unsigned long pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++)
		if (page_initialised(pfn))
			CHECK(!PageCompound(pfn_to_page(pfn)));
}

static void test_compound(void)
{
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, order);

		CHECK(page);
		taken[0] = page;
		check_compound(page, order);
		CHECK_EQ(((u8 *)page_address(page))[(PAGE_SIZE << order) - 1], 0);
		get_page(page + 1);
		CHECK_EQ(page_ref_count(page), 2);
		CHECK_EQ(page_ref_count(page + 1), 0);
		__free_pages(page, order);
		check_compound(page, order);
		host_check();
		put_page(page + (1UL << order) - 1);
		check_no_compound();
		CHECK_EQ(host_checked_pages(), start);
	}
}

/* Order 0 is no compound block; the flag changes nothing there. */
static void test_compound_of_one(void)
{
	struct page *page;

	host_boot_simple(16 * MIB, 1);
	page = alloc_page(GFP_KERNEL | __GFP_COMP);
	CHECK(page && !PageCompound(page));
	__free_page(page);
	CHECK_NO_LOG("bad page");
	host_check();
}

static void test_compound_misuse(void)
{
	struct page *page;

	host_boot_simple(16 * MIB, 1);
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	CHECK(page);
	__free_page(page + 3);
	CHECK_LOG("bad page free: pfn 0x[0-9a-f]+, order 0: it is in the middle of a block: not freed$");
	CHECK_LOG("  page: number 3 of the allocated block of order 3 at pfn 0x");
	__free_pages(page, 2);
	CHECK_LOG("order 2: it was allocated with another order: not freed$");
	CHECK_LOG("  page: node 0 zone DMA, flags 0x[0-9a-f]+ .head., order 3, refcount 1, mapcount 0$");
	check_compound(page, 3);
	__free_pages(page, 3);
	host_check();
}

/* --- Flags --- */

static void check_names(gfp_t gfp, const char *names)
{
	char buf[GFP_NAMES_MAX];

	if (strcmp(gfp_names(gfp, buf, sizeof(buf)), names) != 0)
		tap_fail(__FILE__, __LINE__, "0x%x is %s, not %s", gfp, buf, names);
}

static void test_names(void)
{
	check_names(0, "0x0");
	check_names(GFP_KERNEL, "GFP_KERNEL");
	check_names(GFP_ATOMIC, "GFP_ATOMIC");
	check_names(GFP_NOWAIT, "GFP_NOWAIT");
	check_names(GFP_DMA, "__GFP_DMA");
	check_names(GFP_KERNEL | __GFP_HIGH | __GFP_ZERO, "GFP_KERNEL|__GFP_HIGH|__GFP_ZERO");
	check_names(GFP_ATOMIC | __GFP_NOWARN, "GFP_ATOMIC|__GFP_NOWARN");
	check_names(GFP_KERNEL | (gfp_t)1 << GFP_BITS, "GFP_KERNEL|0x2000");
	check_names((gfp_t)-1,
		    "GFP_KERNEL|__GFP_DMA|__GFP_DMA32|__GFP_HIGHMEM|__GFP_MOVABLE|__GFP_RECLAIMABLE|__GFP_HIGH|"
		    "__GFP_NORETRY|__GFP_NOFAIL|__GFP_NOWARN|__GFP_THISNODE|__GFP_ZERO|__GFP_COMP|0xffffe000");
}

static void test_groups(void)
{
	CHECK_EQ(gfp_migratetype(GFP_KERNEL | __GFP_COMP | __GFP_NOFAIL | __GFP_HIGHMEM), MIGRATE_UNMOVABLE);
	CHECK_EQ(gfp_migratetype(GFP_ATOMIC | __GFP_MOVABLE | __GFP_NORETRY), MIGRATE_MOVABLE);
	CHECK_EQ(gfp_migratetype(GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_DMA), MIGRATE_RECLAIMABLE);
	CHECK_EQ(gfp_zone(GFP_KERNEL | __GFP_HIGHMEM), ZONE_NORMAL);
	CHECK_EQ(gfp_zone(GFP_KERNEL | __GFP_MOVABLE), ZONE_NORMAL);
	CHECK_EQ(gfp_zone(GFP_HIGHUSER_MOVABLE), ZONE_MOVABLE);
	CHECK_EQ(gfp_zone(GFP_HIGHUSER_MOVABLE | __GFP_DMA32), ZONE_DMA32);
	CHECK_EQ(gfp_zone(GFP_KERNEL | __GFP_DMA | __GFP_DMA32), ZONE_DMA);
}

/* Other CPUs are not called for a request with __GFP_NORETRY, and are without. */
static void test_noretry(void)
{
	unsigned long *calls;
	unsigned long before;

	host_boot_simple(16 * MIB, 2);
	host_cpus_start();
	calls = per_cpu_ptr(&host_interrupts, 1);
	take_all(GFP_KERNEL);
	before = READ_ONCE(*calls);
	CHECK(!alloc_pages(GFP_QUIET | __GFP_NORETRY, 3));
	CHECK_EQ(READ_ONCE(*calls), before);
	CHECK(!alloc_pages(GFP_QUIET, 3));
	CHECK(READ_ONCE(*calls) > before);
	host_cpus_stop();
}

static unsigned long calls_before; /* that CPU 1 has taken */

static unsigned long calls_taken(void)
{
	unsigned long flags = local_irq_save(), calls = *this_cpu_ptr(&host_interrupts);

	local_irq_restore(flags);
	return calls;
}

/*
 * When the other CPU has had this one's cache drained twice: once before it says that there is nothing, and again as it
 * waits.
 */
static void free_later(void *unused)
{
	(void)unused;
	while (calls_taken() < calls_before + 2)
		cpu_relax();
	for (int i = 0; i < 64; i++)
		__free_page(taken[i]);
}

/* With nothing left, a request that must not fail waits until another CPU frees. */
static void test_nofail_waits(void)
{
	unsigned long n;
	struct page *page;

	host_boot_simple(16 * MIB, 2);
	host_cpus_start();
	n = take_all(GFP_KERNEL | __GFP_HIGH);
	CHECK(n > 64);
	CHECK(!alloc_page(GFP_QUIET | __GFP_HIGH));
	calls_before = *per_cpu_ptr(&host_interrupts, 1);
	CHECK_EQ(smp_work_start(1, free_later, NULL), 0);
	page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	CHECK(page);
	CHECK_LOG("page allocation failure: order 0, gfp 0x500 .GFP_KERNEL.__GFP_NOFAIL., node 0, CPU 0$");
	smp_work_wait(1);
	__free_page(page);
	for (unsigned long i = 64; i < n; i++)
		__free_page(taken[i]);
	host_cpus_stop();
	host_check();
}

static void test_nofail_atomic(void)
{
	host_boot_simple(16 * MIB, 1);
	take_all(GFP_KERNEL | __GFP_HIGH);
	CHECK(!alloc_page(GFP_ATOMIC | __GFP_NOFAIL));
}

static void test_nofail_masked(void)
{
	host_boot_simple(16 * MIB, 1);
	take_all(GFP_KERNEL | __GFP_HIGH);
	local_irq_disable();
	CHECK(!alloc_page(GFP_KERNEL | __GFP_NOFAIL));
}

static void test_nofail_too_large(void)
{
	host_boot_simple(3 * MIB, 1);
	CHECK(!alloc_pages(GFP_KERNEL | __GFP_NOFAIL, MAX_PAGE_ORDER));
}

static void test_nofail_no_order(void)
{
	host_boot_simple(16 * MIB, 1);
	CHECK(!alloc_pages(GFP_KERNEL | __GFP_NOFAIL, MAX_PAGE_ORDER + 1));
}

/* Who says both gets what cannot fail, as on Linux: it drains the other CPU's cache, and waits. */
static void test_nofail_noretry(void)
{
	unsigned long n;
	struct page *page;

	host_boot_simple(16 * MIB, 2);
	host_cpus_start();
	n = take_all(GFP_KERNEL | __GFP_HIGH);
	CHECK(!alloc_page(GFP_QUIET | __GFP_NORETRY | __GFP_HIGH));
	calls_before = *per_cpu_ptr(&host_interrupts, 1);
	CHECK_EQ(smp_work_start(1, free_later, NULL), 0);
	page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOFAIL);
	CHECK(page);
	smp_work_wait(1);
	__free_page(page);
	for (unsigned long i = 64; i < n; i++)
		__free_page(taken[i]);
	host_cpus_stop();
	host_check();
}

/* --- Bad pages --- */

/* Pages that hold the notes of those that ever waited at once, and stay: 64 need none. */
#define NOTES(bad) ((bad) > 64UL ? DIV_ROUND_UP((bad)-64, 170UL) : 0UL)

static void check_bad(unsigned long pfn, unsigned long nr)
{
	CHECK(PageHWPoison(pfn_to_page(pfn)));
	CHECK_EQ(num_poisoned_pages(), nr);
	CHECK_EQ(page_offline(pfn), 0);
	host_check();
}

static void test_offline_free(void)
{
	unsigned long start, pfn = PFN_DOWN(GIB) + 5000;
	struct page *page;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	CHECK(!page_initialised(pfn));
	CHECK_EQ(page_offline(pfn), 0); /* of a pageblock that nobody has written yet */
	check_bad(pfn, 1);
	CHECK_EQ(page_offline(pfn + 1), 0); /* its neighbour, a block of one page now */
	CHECK_EQ(page_offline(pfn + 300), 0);
	check_bad(pfn + 300, 3);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	__free_page(page);
	CHECK_EQ(page_offline(page_to_pfn(page)), 0); /* in a CPU's cache */
	check_bad(page_to_pfn(page), 4);
	CHECK_EQ(host_checked_pages(), start - 4 - NOTES(1));
	__free_page(page);
	CHECK_LOG("bad page free: .*: the page is bad and was taken out of use: not freed$");
	CHECK_LOG("  page: node 0 zone DMA, flags 0x[0-9a-f]+ .hwpoison., order 0, refcount 0, mapcount 0$");
	CHECK_EQ(host_checked_pages(), start - 4 - NOTES(1));
}

static void test_offline_used(void)
{
	unsigned long start;
	struct page *page, *compound;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	page = alloc_pages(GFP_KERNEL, 4);
	compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	CHECK(page && compound);
	CHECK_EQ(page_offline(page_to_pfn(page)), 1);
	CHECK_EQ(page_offline(page_to_pfn(page + 7)), 1);
	CHECK_EQ(page_offline(page_to_pfn(page + 7)), 1);
	CHECK_EQ(page_offline(page_to_pfn(compound + 2)), 1);
	CHECK_EQ(num_poisoned_pages(), 0);
	memset(page_address(page), 0x5a, PAGE_SIZE << 4);
	CHECK_EQ(host_checked_pages(), start - 24 - NOTES(3));
	__free_pages(page, 4);
	CHECK_EQ(num_poisoned_pages(), 2);
	check_bad(page_to_pfn(page + 7), 2);
	check_bad(page_to_pfn(page), 2);
	put_page(compound + 2);
	check_bad(page_to_pfn(compound + 2), 3);
	CHECK_EQ(host_checked_pages(), start - 3 - NOTES(3));
}

static void test_offline_refused(void)
{
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	CHECK_EQ(page_offline(PFN_DOWN(GIB) - 1), -ENXIO);
	CHECK_EQ(page_offline(PFN_DOWN(3 * GIB)), -ENXIO);
	CHECK_EQ(page_offline(~0UL >> PAGE_SHIFT), -ENXIO);
	CHECK_EQ(page_offline(PFN_DOWN(GIB + 64 * KIB)), -EBUSY);
	CHECK_EQ(num_poisoned_pages(), 0);
	CHECK_EQ(host_checked_pages(), start);
}

/* More than the notes of one page, in use; then all are freed. */
static void test_offline_many(void)
{
	unsigned long n, start, bad = 0;

	host_boot_simple(32 * MIB, 1);
	start = host_checked_pages();
	n = take_all(GFP_KERNEL);
	give_back(16);
	for (unsigned long i = 16; i < n; i += 5) {
		CHECK_EQ(page_offline(page_to_pfn(taken[i])), 1);
		bad++;
	}
	CHECK(bad > 1024);
	for (unsigned long i = 16; i < n; i++)
		__free_page(taken[i]);
	CHECK_EQ(num_poisoned_pages(), bad);
	CHECK_EQ(host_checked_pages(), start - bad - NOTES(bad));
}

#define THREADS	  4
#define BANK_SIZE (64 * MIB)

static u8 out[BANK_SIZE / PAGE_SIZE]; /* page_offline() has returned 0 */
static u8 named[BANK_SIZE / PAGE_SIZE];
static u8 held[BANK_SIZE / PAGE_SIZE]; /* by the core itself, for as long as it runs */

/* None of a block that is in use is out. */
static void check_not_out(const struct page *page, unsigned int order)
{
	unsigned long first = page_to_pfn(page) - PFN_DOWN(GIB);

	for (unsigned long i = 0; i < 1UL << order; i++)
		CHECK(!__atomic_load_n(&out[first + i], __ATOMIC_ACQUIRE));
}

static void use_pages(void *arg)
{
	(void)arg;
	host_load_pages(&(struct host_page_load){
		.ops = tap_ops(20000),
		.orders = 7,
		.gfp = { GFP_QUIET | __GFP_MOVABLE | __GFP_COMP, GFP_QUIET },
		.taken = check_not_out,
	});
}

static void name_one(void)
{
	unsigned long i = tap_below(ARRAY_SIZE(out));
	int err = page_offline(PFN_DOWN(GIB) + i);

	CHECK(err == 0 || err == 1 || err == -EBUSY);
	if (err == -EBUSY) {
		unsigned long pfn = PFN_DOWN(GIB) + i;

		CHECK(!page_initialised(pfn) || page_test(pfn_to_page(pfn), PG_reserved));
		return;
	}
	named[i] = 1;
	if (err == 0)
		__atomic_store_n(&out[i], 1, __ATOMIC_RELEASE);
}

/* What is in use while nobody uses anything: the core's own caches. */
static void find_held(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	CHECK(page);
	CHECK_EQ(page_offline(page_to_pfn(page)), 1);
	__free_page(page);
	drain_all_pages();
	for (unsigned long i = 0; i < ARRAY_SIZE(held); i++) {
		page = pfn_to_page(PFN_DOWN(GIB) + i);
		named[i] = PageHWPoison(page);
		held[i] = page_initialised(PFN_DOWN(GIB) + i) && !page_test(page, PG_reserved) && !named[i] &&
			  !page_test(page_block(page), PG_buddy);
	}
}

/* CPUs allocate and free while one names pages bad: whatever is out when page_offline() returns is given to nobody. */
static void test_offline_threads(void)
{
	static const struct host_bank bank = { GIB, BANK_SIZE, -1 };
	unsigned long bad = 0, start;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = THREADS });
	host_cpus_start();
	start = host_checked_pages();
	find_held();
	host_start_others(use_pages, NULL);
	for (int i = 0; i < 400; i++)
		name_one();
	host_wait_for_others();
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		bad += named[i] && !held[i];
	CHECK_EQ(num_poisoned_pages(), bad);
	CHECK_EQ(host_checked_pages(), start - bad - NOTES(1));
	host_cpus_stop();
}

/* --- Who had a page --- */

static void boot_with_owners(void)
{
	static const struct host_bank banks[] = { { GIB, 32 * MIB, -1 }, { GIB + 48 * MIB + 8 * KIB, 5 * MIB, -1 } };

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = 2, .bootargs = "page_owner=on" });
}

static void test_owner(void)
{
	struct page *page, *bulk[3] = { NULL };

	boot_with_owners();
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, 2);
	CHECK(page);
	dump_page(page + 3);
	CHECK_LOG("  page: number 3 of the allocated block of order 2 at pfn 0x");
	CHECK_LOG(
		"  page: last allocated on CPU 0 via order 2, gfp 0x1120 .GFP_KERNEL.__GFP_ZERO.__GFP_COMP., ts [0-9]+ ns:$");
	CHECK_LOG("  page: never freed since then$");
	__free_pages(page, 2);
	host_log_clear();
	__free_pages(page, 2);
	CHECK_LOG("bad page free: .*: the page is free already: not freed$");
	CHECK_LOG("  page: last allocated on CPU 0 via order 2, ");
	CHECK_LOG("  page: last freed on CPU 0, ts [0-9]+ ns:$");
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL | __GFP_MOVABLE, 3, bulk), 3);
	for (int i = 0; i < 3; i++) {
		host_log_clear();
		dump_page(bulk[i]);
		CHECK_LOG("via order 0, gfp 0x104 .GFP_KERNEL.__GFP_MOVABLE., ");
		__free_page(bulk[i]);
	}
	host_check();
}

/* The pages of a block that was split have its user; each free is its own. */
static void test_owner_split(void)
{
	struct page *page;

	boot_with_owners();
	page = alloc_pages(GFP_KERNEL, 2);
	CHECK(page);
	split_page(page, 2);
	__free_page(page);
	dump_page(page + 2);
	CHECK_LOG("via order 0, gfp 0x100 .GFP_KERNEL., ");
	CHECK_NO_LOG("last freed");
	for (int i = 1; i < 4; i++)
		__free_page(page + i);
	host_check();
}

/* A node of memory of 11 MiB behind the 5 MiB of the machine's, so that they touch in the middle of a pageblock. */
static void add_touching_memory(void)
{
	static const struct tree_range range = { GIB + 5 * MIB, 11 * MIB };

	tree_open("memory@40500000");
	tree_string("device_type", "memory");
	tree_flag("hotpluggable");
	tree_reg("reg", &range, 1);
	tree_close();
}

/* The block of @order that begins at @pfn, out of all that can be had. */
static struct page *get_block_at(unsigned long pfn, unsigned int order)
{
	struct page *page;

	do
		page = alloc_pages(GFP_QUIET, order);
	while (page && page_to_pfn(page) != pfn);
	return page;
}

/*
 * A block of pages of two regions of memory, which have records of their own, is split.
 *
 *	|  region, 5 MiB  |  region, 11 MiB            |
 *	         [block of 4 MiB]
 */
static void test_owner_split_regions(void)
{
	static const struct host_bank bank = { GIB, 5 * MIB, -1 };
	unsigned long border = PFN_DOWN(GIB + 5 * MIB);
	struct page *page, *other;

	host_boot(&(struct host_machine){
		.banks = &bank, .nr_banks = 1, .bootargs = "page_owner=on", .add_nodes = add_touching_memory });
	other = alloc_contig_pages(1, GFP_KERNEL, NUMA_NO_NODE, NULL);
	CHECK(other);
	page = get_block_at(PFN_DOWN(GIB + 4 * MIB), MAX_PAGE_ORDER);
	CHECK(page);
	split_page(page, MAX_PAGE_ORDER);
	host_check();
	for (unsigned long pfn = border - 1; pfn <= border + 1; pfn++) {
		host_log_clear();
		dump_page(pfn_to_page(pfn));
		CHECK_LOG("  page: number 0 of the allocated block of order 0 at pfn 0x");
		CHECK_LOG("via order 0, gfp 0x140 .GFP_KERNEL.__GFP_NOWARN., ");
		CHECK_LOG("never freed");
	}
	for (unsigned long i = 0; i < PAGEBLOCK_NR_PAGES; i++)
		__free_page(page + i);
	host_log_clear();
	dump_page(pfn_to_page(border));
	CHECK_LOG("  page: last freed on CPU 0");
	__free_page(other);
	host_check();
}

/* Ranges are noted with the flags that the caller gave. */
static void test_owner_range(void)
{
	struct page *page;

	boot_with_owners();
	page = alloc_contig_pages(300, GFP_HIGHUSER_MOVABLE | __GFP_ZERO, NUMA_NO_NODE, NULL);
	CHECK(page);
	for (int i = 0; i < 300; i += 299) {
		host_log_clear();
		dump_page(page + i);
		CHECK_LOG("via order 0, gfp 0x324 .GFP_KERNEL.__GFP_HIGHMEM.__GFP_MOVABLE.__GFP_ZERO., ");
	}
	free_contig_range(page_to_pfn(page), 300);
	CHECK_EQ(alloc_contig_range(page_to_pfn(page), page_to_pfn(page) + 4, MIGRATE_MOVABLE, GFP_ATOMIC), 0);
	host_log_clear();
	dump_page(page + 3);
	CHECK_LOG("via order 0, gfp 0x10 .GFP_ATOMIC., ");
	free_contig_range(page_to_pfn(page), 4);
	host_log_clear();
	dump_page(page + 3);
	CHECK_LOG("  page: last freed on CPU 0");
	host_check();
}

/* What nobody has had since boot, what is reserved, and what is no RAM. */
static void test_story_of_others(void)
{
	boot_with_owners();
	dump_page(pfn_to_page(PFN_DOWN(GIB) + 6000));
	CHECK_LOG("  page: pfn 0x41770 is RAM whose struct page was never written$");
	dump_page(pfn_to_page(PFN_DOWN(3 * GIB)));
	CHECK_LOG("  page: pfn 0xc0000 is not RAM$");
	dump_page(pfn_to_page(PFN_DOWN(GIB + 64 * KIB)));
	CHECK_LOG("  page: node 0 zone DMA, flags 0x10 .reserved., order 0, refcount 1, mapcount 0$");
	CHECK_LOG("  page: number 0 of the reserved block of order 0 at pfn 0x40010$");
	CHECK_LOG("  page: never allocated since hand-over$");
}

/*
 * The only node is number 1, and its last pageblock is in part a hole: the story of a page of that is told all the
 * same, and its zone is one that there is.
 *
 *	node 1 [== 5 MiB ==]..hole..
 */
static void test_story_of_hole(void)
{
	static const struct host_bank bank = { GIB, 5 * MIB, 1 };
	unsigned long pfn = PFN_DOWN(GIB + 7 * MIB);

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "page_owner=on" });
	CHECK(pfn_valid(pfn) && page_initialised(pfn));
	dump_page(pfn_to_page(pfn));
	CHECK_LOG("  page: node 1 zone DMA, flags 0x10 .reserved., order 0, refcount 1, mapcount 0$");
	__free_page(pfn_to_page(pfn));
	CHECK_LOG("bad page free: .*: the page is reserved: not freed$");
	host_check();
}

/* --- At the prompt --- */

static int type(const char *text)
{
	char line[160];

	snprintf(line, sizeof(line), "%s", text);
	host_log_clear();
	return monitor_exec(line);
}

static void test_badpages_command(void)
{
	struct page *page;
	char line[64];

	host_boot_simple(32 * MIB, 1);
	CHECK_EQ(type("badpages"), 0);
	CHECK_LOG("^0 pages are out of use$");
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	snprintf(line, sizeof(line), "badpages 0x%lx", page_to_pfn(page));
	CHECK_EQ(type(line), 0);
	CHECK_LOG("^pfn 0x[0-9a-f]+ is in use, and goes when it is freed$");
	CHECK_EQ(type("badpages 0x41000"), 0);
	CHECK_LOG("^pfn 0x41000 is out of use$");
	CHECK_EQ(type("badpages"), 0);
	CHECK_LOG("^Node 0, zone      DMA: 1 bad, 1 in use and waiting$");
	CHECK_LOG("^  pfn 0x41000$");
	CHECK_LOG("^1 pages are out of use$");
	CHECK_EQ(type("badpages 0x40010"), -EBUSY);
	CHECK_LOG("^badpages: pfn 0x40010 is reserved$");
	CHECK_EQ(type("badpages 12"), -ENXIO);
	CHECK_LOG("^badpages: pfn 0xc is not RAM$");
	CHECK_EQ(type("badpages all"), -EINVAL);
	CHECK_LOG("^badpages: all is no number$");
	CHECK_EQ(type("badpages 1 2"), -EINVAL);
	__free_page(page);
	host_check();
}

static void test_page_owner_command(void)
{
	struct page *page;
	char line[128];

	boot_with_owners();
	page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 5);
	CHECK(page);
	CHECK_EQ(type("page_owner"), 0);
	CHECK_LOG(
		"^Page allocated via order 5, mask 0x104.GFP_KERNEL.__GFP_MOVABLE., pid 0, tgid 0 .cpu/0., ts [0-9]+ ns$");
	snprintf(line, sizeof(line), "^PFN 0x%lx type Movable Block %lu type [A-Z][a-z]+ Flags 0x0$", page_to_pfn(page),
		 page_to_pfn(page) >> PAGEBLOCK_ORDER);
	CHECK_LOG(line);
	__free_pages(page, 5);
	CHECK_EQ(type("page_owner"), 0);
	CHECK_NO_LOG("^Page allocated via order 5, ");
	snprintf(line, sizeof(line), "page_owner %lu", page_to_pfn(page));
	CHECK_EQ(type(line), 0);
	CHECK_LOG("  page: last freed on CPU 0, ts ");
	CHECK_EQ(type("page_owner here"), -EINVAL);
}

static void test_page_owner_off(void)
{
	host_boot_simple(16 * MIB, 1);
	CHECK_EQ(type("page_owner"), -EOPNOTSUPP);
}

static const struct tap_case cases[] = {
	TAP_CASE("the order of a size", test_get_order),
	TAP_CASE("exact numbers of pages, freed in parts", test_exact),
	TAP_CASE("a block that was split", test_split),
	TAP_CASE("what cannot be split is not", test_split_refused),
	TAP_CASE("compound blocks of every order", test_compound),
	TAP_CASE("a page is no compound block", test_compound_of_one),
	TAP_CASE("wrong frees of compound blocks", test_compound_misuse),
	TAP_CASE("flags by name", test_names),
	TAP_CASE("zone and group of flags", test_groups),
	TAP_CASE("__GFP_NORETRY does not drain", test_noretry),
	TAP_CASE("__GFP_NOFAIL waits", test_nofail_waits),
	TAP_PANICS("__GFP_NOFAIL of who cannot wait", test_nofail_atomic,
		   "panic: __GFP_NOFAIL: order 0 cannot be had: the caller cannot wait$"),
	TAP_PANICS(
		"__GFP_NOFAIL with interrupts masked", test_nofail_masked,
		"panic: __GFP_NOFAIL: order 0 cannot be had: nobody can wait in a handler or with interrupts masked$"),
	TAP_PANICS("__GFP_NOFAIL of more than there is", test_nofail_too_large,
		   "panic: __GFP_NOFAIL: order 10 cannot be had: no zone that it may use has as many pages$"),
	TAP_PANICS("__GFP_NOFAIL of no order", test_nofail_no_order,
		   "panic: __GFP_NOFAIL: order 11 cannot be had: there is no such order$"),
	TAP_CASE("__GFP_NOFAIL counts more than __GFP_NORETRY", test_nofail_noretry),
	TAP_CASE("bad pages that are free", test_offline_free),
	TAP_CASE("bad pages in use", test_offline_used),
	TAP_CASE("what cannot be taken out", test_offline_refused),
	TAP_CASE("more bad pages in use than a page of notes has room for", test_offline_many),
	TAP_CASE("pages named bad while CPUs allocate", test_offline_threads),
	TAP_CASE("who had a page", test_owner),
	TAP_CASE("who had the pages of a block that was split", test_owner_split),
	TAP_CASE("who had the pages of a block of two regions that was split", test_owner_split_regions),
	TAP_CASE("who had the pages of a range", test_owner_range),
	TAP_CASE("the story of pages that nobody had", test_story_of_others),
	TAP_CASE("the story of a page of a hole, without a node 0", test_story_of_hole),
	TAP_CASE("badpages at the prompt", test_badpages_command),
	TAP_CASE("page_owner at the prompt", test_page_owner_command),
	TAP_CASE("page_owner at the prompt, when none is tracked", test_page_owner_off),
};
TAP_MAIN(cases)
