// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages that are freed twice, and free lists whose links were written to: what must not be used again is out of use,
 * nothing else is lost, and the machine runs on.
 *
 * After each damage all memory is taken, page by page and by large blocks, and given back: none of it is what is out,
 * and what comes back is what there was, less what is out.
 */
#include <errno.h>

#include <lib/smp.h>
#include <mm/contig.h>
#include <mm/page_offline.h>
#include <mm/port.h>
#include <string.h>

#include "../../mm/buddy.h"
#include "../../mm/fragindex.h"
#include "../../mm/page_offline.h"
#include "../../mm/page_report.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB	  (1ULL << 20)
#define GIB	  (1ULL << 30)
#define BANK_SIZE (64 * MIB)
#define MAX_PAGES (BANK_SIZE >> PAGE_SHIFT)
#define GFP_QUIET (GFP_KERNEL | __GFP_NOWARN)

static struct zone *the_zone(void)
{
	return node_data[0]->zonelist[0];
}

static struct page *taken[MAX_PAGES];
static unsigned int taken_order[MAX_PAGES];

/* Take all that there is in blocks of @order and below, and give it back. Nothing of it is out. */
static void exhaust(unsigned int order)
{
	unsigned long n = 0;

	for (unsigned int o = order + 1; o-- > 0;) {
		struct page *page;

		while ((page = alloc_pages(GFP_QUIET | __GFP_HIGH | __GFP_MOVABLE, o))) {
			for (unsigned long i = 0; i < 1UL << o; i++)
				CHECK(!PageHWPoison(page + i));
			taken_order[n] = o;
			taken[n++] = page;
		}
	}
	while (n--)
		__free_pages(taken[n], taken_order[n]);
}

/* Everything is as at the start, when @start pages were free, but for @bad pages that are out. */
static void runs_on(unsigned long start, unsigned long bad)
{
	host_check();
	exhaust(0);
	host_check();
	exhaust(MAX_PAGE_ORDER);
	host_check();
	CHECK_EQ(num_poisoned_pages(), bad);
	CHECK_EQ(the_zone()->nr_bad_pending, 0);
	CHECK_EQ(host_quiet_pages(), start - bad);
}

/* --- Freed twice --- */

static void check_out(const struct page *page, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		CHECK(PageHWPoison(page + i));
}

static void freed_twice(unsigned int order, const char *said)
{
	struct page *page;
	unsigned long start;

	host_boot_simple(BANK_SIZE, 1);
	start = host_quiet_pages();
	page = alloc_pages(GFP_KERNEL, order);
	CHECK(page);
	__free_pages(page, order);
	__free_pages(page, order);
	CHECK_LOG("bad page free: .*: the page is free already: not freed$");
	CHECK_LOG("  page: number 0 of the cached block of order ");
	CHECK_LOG(said);
	check_out(page, 1UL << order);
	host_log_clear();
	__free_pages(page, order);
	CHECK_LOG("bad page free: .*: the page is bad and was taken out of use: not freed$");
	CHECK_NO_LOG("bad page: ");
	runs_on(start, 1UL << order);
}

static void test_page_twice(void)
{
	freed_twice(0, "bad page: pfn 0x[0-9a-f]+: taken out of use$");
}

static void test_block_twice(void)
{
	freed_twice(4, "bad page: pfn 0x[0-9a-f]+-0x[0-9a-f]+: taken out of use$");
}

/* It has become the middle of a large free block of the zone: that is cut, not a page of it is lost but this. */
static void test_twice_later(void)
{
	struct page *page;
	unsigned long start;

	host_boot_simple(BANK_SIZE, 1);
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(page);
	__free_pages(page, MAX_PAGE_ORDER);
	start = host_quiet_pages();
	__free_page(page + 5);
	CHECK_LOG("  page: number [0-9]+ of the free block of order ");
	CHECK_LOG("bad page: pfn 0x[0-9a-f]+: taken out of use$");
	check_out(page + 5, 1);
	CHECK(!PageHWPoison(page + 4) && !PageHWPoison(page + 6));
	/* Now by a wrong order, and from a place where no such block can begin. */
	__free_pages(page + 1, 2);
	check_out(page + 1, 1);
	__free_pages(page + 2, 60);
	check_out(page + 2, 1);
	CHECK(!PageHWPoison(page + 3));
	runs_on(start, 3);
}

/*
 * A block of 8 pages is freed; the upper half is given to somebody else. Who frees the block again gets the lower half
 * out of use: the upper half is another's.
 *
 *	|free |another's|
 */
static void test_twice_in_part(void)
{
	struct page *page;
	unsigned long start;

	host_boot_simple(BANK_SIZE, 1);
	start = host_quiet_pages();
	page = alloc_pages(GFP_KERNEL, 3);
	CHECK(page);
	__free_pages(page, 3);
	drain_all_pages();
	CHECK_EQ(alloc_contig_range(page_to_pfn(page) + 4, page_to_pfn(page) + 8, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	__free_pages(page, 3);
	check_out(page, 4);
	CHECK_EQ(num_poisoned_pages(), 4);
	CHECK_EQ(page_ref_count(page + 4), 1);
	free_contig_range(page_to_pfn(page) + 4, 4);
	runs_on(start, 4);
}

/* By free_contig_range(). */
static void test_range_twice(void)
{
	struct page *page;
	unsigned long start;

	host_boot_simple(BANK_SIZE, 1);
	start = host_quiet_pages();
	page = alloc_contig_pages(300, GFP_KERNEL, NUMA_NO_NODE, NULL);
	CHECK(page);
	free_contig_range(page_to_pfn(page), 300);
	free_contig_range(page_to_pfn(page) + 100, 2);
	check_out(page + 100, 2);
	runs_on(start, 2);
}

static struct page *victim;

static void free_victim(void *arg)
{
	(void)arg;
	__free_page(victim);
}

/* In an interrupt handler nobody can wait for other CPUs. This CPU's cache and the zone are served all the same. */
static void test_twice_in_handler(void)
{
	unsigned long start;

	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	start = host_quiet_pages();
	victim = alloc_page(GFP_KERNEL);
	CHECK(victim);
	__free_page(victim);
	host_interrupt(0, free_victim, NULL);
	CHECK_LOG("bad page: pfn 0x[0-9a-f]+: taken out of use$");
	check_out(victim, 1);
	victim = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	CHECK(victim);
	__free_pages(victim, MAX_PAGE_ORDER);
	drain_all_pages();
	host_interrupt(0, free_victim, NULL);
	CHECK_LOG("  page: number [0-9]+ of the free block of order ");
	check_out(victim, 1);
	runs_on(start, 2);
	host_cpus_stop();
}

static void have_freed_by(int cpu)
{
	CHECK_EQ(smp_work_start(cpu, free_victim, NULL), 0);
	smp_work_wait(cpu);
}

/*
 * What another CPU has cached leaves its cache as soon as that CPU can be interrupted; its note serves the next page.
 */
static void test_twice_masked(void)
{
	unsigned long start, flags;

	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	start = host_quiet_pages();
	for (unsigned long n = 1; n <= 2 * BAD_NOTES; n++) {
		victim = alloc_page(GFP_KERNEL);
		CHECK(victim);
		have_freed_by(1);
		flags = local_irq_save();
		__free_page(victim);
		CHECK_EQ(the_zone()->nr_bad_pending, 1);
		CHECK(!PageHWPoison(victim));
		local_irq_restore(flags);
		check_out(victim, 1);
		CHECK_EQ(num_poisoned_pages(), n);
	}
	CHECK_LOG(
		"bad page: pfn 0x[0-9a-f]+: taken out of use, 1 of 1 when a CPU's cache or their user gives them back$");
	runs_on(start, 2 * BAD_NOTES);
	host_cpus_stop();
}

static void use_victim(void *arg)
{
	struct page *page = alloc_page(GFP_KERNEL);

	(void)arg;
	CHECK(page == victim);
	__free_page(page);
}

/*
 * That CPU gives the page once more before it is interrupted: then it is out when its user frees it, wherever that is.
 */
static void test_twice_given(void)
{
	unsigned long start, flags;

	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	start = host_quiet_pages();
	victim = alloc_page(GFP_KERNEL);
	CHECK(victim);
	have_freed_by(1);
	flags = local_irq_save();
	__free_page(victim);
	CHECK(!PageHWPoison(victim));
	CHECK_EQ(smp_work_start(1, use_victim, NULL), 0);
	smp_work_wait(1);
	check_out(victim, 1);
	local_irq_restore(flags);
	runs_on(start, 1);
	host_cpus_stop();
}

/* All notes are of pages in use. What is in the zone, or in a cache that can be drained, needs none. */
static void test_no_notes(void)
{
	struct page *used[BAD_NOTES];
	unsigned long start, flags;

	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	start = host_quiet_pages();
	for (unsigned int i = 0; i < BAD_NOTES; i++) {
		used[i] = alloc_pages(GFP_KERNEL, 1);
		CHECK(used[i]);
		CHECK_EQ(page_offline(page_to_pfn(used[i])), 1);
	}
	victim = alloc_page(GFP_KERNEL);
	CHECK(victim);
	have_freed_by(1);
	flags = local_irq_save();
	__free_page(victim);
	local_irq_restore(flags);
	CHECK_LOG("bad page: .*: 1 of 1 not taken out of use: all notes of pages that wait for that are in use$");
	CHECK_EQ(num_poisoned_pages(), 0);
	have_freed_by(1);
	check_out(victim, 1);
	victim = alloc_page(GFP_KERNEL);
	CHECK(victim);
	__free_page(victim);
	__free_page(victim);
	check_out(victim, 1);
	/* Who may allocate gets a page of notes, which stays. */
	victim = alloc_page(GFP_KERNEL);
	CHECK(victim);
	CHECK_EQ(page_offline(page_to_pfn(victim)), 1);
	__free_page(victim);
	for (unsigned int i = 0; i < BAD_NOTES; i++)
		__free_pages(used[i], 1);
	runs_on(start - 1, BAD_NOTES + 3);
	host_cpus_stop();
}

/* --- While others allocate --- */

#define THREADS	  4
#define WRONG	  4 /* an order that nobody allocates: a page that somebody has got since is refused for that */
#define TWICE_MAX 250

static u8 out[MAX_PAGES]; /* the free that was one too many has returned, and the page is out */
static u32 twice;	  /* atomic */

static u8 *out_of(const struct page *page)
{
	return &out[page_to_pfn(page) - PFN_DOWN(GIB)];
}

static void check_not_out(const struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		CHECK(!__atomic_load_n(out_of(page + i), __ATOMIC_ACQUIRE));
}

/* Free a block for the second time. */
static void free_again(void *block)
{
	struct page *page = block;

	__free_pages(page, WRONG);
	for (unsigned long i = 0; i < 1UL << WRONG && page + i < pfn_to_page(PFN_DOWN(GIB + BANK_SIZE)); i++)
		if (page_initialised(page_to_pfn(page + i)) && PageHWPoison(page + i))
			__atomic_store_n(out_of(page + i), 1, __ATOMIC_RELEASE);
}

/* Once more: with interrupts unmasked, masked, or in a handler, perhaps of another CPU. */
static void free_again_somehow(struct page *page)
{
	u64 how = tap_below(3);
	unsigned long flags;

	if (how == 0) {
		free_again(page);
	} else if (how == 1) {
		flags = local_irq_save();
		free_again(page);
		local_irq_restore(flags);
	} else {
		host_interrupt((int)tap_below(THREADS), free_again, page);
	}
}

static void free_twice_at_times(struct page *page)
{
	if (!tap_below(100) && fetch_add32(&twice, 1) < TWICE_MAX)
		free_again_somehow(page);
}

static void use_pages(void *arg)
{
	(void)arg;
	host_load_pages(&(struct host_page_load){
		.ops = tap_ops(30000),
		.orders = WRONG,
		.gfp = { GFP_QUIET | __GFP_MOVABLE, GFP_QUIET },
		.taken = check_not_out,
		.freed = free_twice_at_times,
	});
}

static void test_twice_threads(void)
{
	unsigned long start;

	host_boot_simple(BANK_SIZE, THREADS);
	host_cpus_start();
	host_mute();
	start = host_quiet_pages();
	host_on_all_cpus(use_pages, NULL);
	CHECK(num_poisoned_pages());
	drain_all_pages();
	runs_on(start, num_poisoned_pages());
	host_cpus_stop();
}

/*
 * A range of several pageblocks is allocated, and as soon as its first page is taken, its last one is freed, which is
 * free still: the range is whole, or it is free again but for that page, which is the end of the next range then.
 */

#define RANGE	 (7 * PAGEBLOCK_NR_PAGES)
#define TRIES	 100
#define NO_ORDER (MAX_PAGE_ORDER + 1) /* nobody has a block of that order: what is in use is refused */

static unsigned long range_first, range_end;
static u32 begun, ended, answered; /* atomic: how many ranges were; the last by who frees their ends */

static void free_ends(void *unused)
{
	(void)unused;
	for (u32 n = 1; n <= TRIES; n++) {
		while (__atomic_load_n(&begun, __ATOMIC_ACQUIRE) < n)
			cpu_relax();
		while (!page_ref_count(pfn_to_page(range_first)) && __atomic_load_n(&ended, __ATOMIC_ACQUIRE) < n)
			cpu_relax();
		__free_pages(pfn_to_page(range_end - 1), NO_ORDER);
		__atomic_store_n(&answered, n, __ATOMIC_RELEASE);
	}
}

static void use_range(u32 n)
{
	int err;

	__atomic_store_n(&begun, n, __ATOMIC_RELEASE);
	err = alloc_contig_range(range_first, range_end, MIGRATE_MOVABLE, GFP_QUIET);
	__atomic_store_n(&ended, n, __ATOMIC_RELEASE);
	while (__atomic_load_n(&answered, __ATOMIC_ACQUIRE) < n)
		cpu_relax();
	if (!err) {
		for (unsigned long pfn = range_first; pfn < range_end; pfn++)
			CHECK(page_ref_count(pfn_to_page(pfn)) == 1 && !PageHWPoison(pfn_to_page(pfn)));
		free_contig_range(range_first, range_end - range_first);
	} else {
		CHECK(PageHWPoison(pfn_to_page(range_end - 1)));
		CHECK(!page_ref_count(pfn_to_page(range_first)));
		range_end--;
	}
}

static void test_twice_ranges(void)
{
	struct page *page;
	unsigned long start;

	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	host_mute();
	start = host_quiet_pages();
	page = alloc_contig_pages(RANGE, GFP_KERNEL, NUMA_NO_NODE, NULL);
	CHECK(page);
	range_first = page_to_pfn(page);
	range_end = range_first + RANGE;
	free_contig_range(range_first, RANGE);
	/* All reports that there may be: they take time. */
	for (int i = 0; i < 20; i++)
		__free_pages(pfn_to_page(--range_end), NO_ORDER);
	CHECK_EQ(smp_work_start(1, free_ends, NULL), 0);
	for (u32 n = 1; n <= TRIES; n++)
		use_range(n);
	smp_work_wait(1);
	drain_all_pages();
	runs_on(start, num_poisoned_pages());
	host_cpus_stop();
}

/* --- Damaged lists --- */

static struct page *kept[MAX_PAGES];
static unsigned int kept_order[MAX_PAGES];
static unsigned long nr_kept;

/* Free lists of many orders and types with several blocks each: some pages of all memory stay in use. */
static void make_lists(void)
{
	unsigned long n = 0;
	struct page *page;

	for (unsigned long i = 0; i < 12000; i++) {
		unsigned int order = (unsigned int)__builtin_ctzll(tap_random() | 1ULL << 7);
		gfp_t gfp = tap_below(2) ? GFP_QUIET : GFP_QUIET | __GFP_MOVABLE;

		page = alloc_pages(tap_below(8) ? gfp : GFP_QUIET | __GFP_RECLAIMABLE, order);
		if (!page)
			break;
		taken_order[n] = order;
		taken[n++] = page;
	}
	while (n--) {
		if (tap_below(4)) {
			__free_pages(taken[n], taken_order[n]);
			continue;
		}
		kept_order[nr_kept] = taken_order[n];
		kept[nr_kept++] = taken[n];
	}
	drain_all_pages();
}

static void free_kept(void)
{
	while (nr_kept) {
		nr_kept--;
		__free_pages(kept[nr_kept], kept_order[nr_kept]);
	}
}

/* A free block, any; NULL when chance would have it that there is none where it looks. */
static struct page *free_block(void)
{
	unsigned long pfn = PFN_DOWN(GIB) + tap_below(MAX_PAGES);
	struct page *page;

	if (!page_initialised(pfn))
		return NULL;
	page = (struct page *)page_block(pfn_to_page(pfn));
	return page_test(page, PG_buddy) ? page : NULL;
}

/* What a stray pointer may leave in a link. */
static struct list_head *stray(struct page *page)
{
	struct list_head *head =
		&the_zone()->free_area[page_order(page)].free_list[get_pageblock_migratetype(page_to_pfn(page))];
	struct page *other = free_block();

	switch (tap_below(10)) {
	case 0:
		return NULL;
	case 1:
		return (struct list_head *)~0UL;
	case 2:
		return (struct list_head *)0x6b6b6b6b6b6b6b6bUL;
	case 3:
		return &page->lru;
	case 4:
		return head;
	case 5:
		return other ? &other->lru : head;
	case 6:
		return page_address(page);
	case 7:
		return (struct list_head *)((char *)&page->lru + 1);
	case 8:
		return &pfn_to_page(PFN_DOWN(8 * GIB))->lru;
	default:
		return (struct list_head *)tap_random();
	}
}

/*
 * Write to a link of @page, or to both, under the lock, as nobody else would. Return: whether that changed something.
 */
static bool damage(struct page *page)
{
	const struct list_head was = page->lru;

	if (tap_below(3))
		page->lru.next = stray(page);
	if (tap_below(3))
		page->lru.prev = stray(page);
	return page->lru.next != was.next || page->lru.prev != was.prev;
}

/* One block of one list at a time. All memory is taken then, so the damage is found; just that block is out. */
static void test_one_link(void)
{
	unsigned long start, bad = 0;

	host_boot_simple(BANK_SIZE, 1);
	host_mute();
	start = host_quiet_pages();
	for (unsigned long n = tap_ops(60); n; n--) {
		unsigned long pages = 0;
		struct page *page;

		make_lists();
		do
			page = free_block();
		while (!page || page_order(page) > 6);
		if (damage(page))
			pages = 1UL << page_order(page);
		exhaust(0);
		CHECK_EQ(num_poisoned_pages(), bad + pages);
		check_out(page, pages);
		bad += pages;
		host_check();
		free_kept();
		CHECK_EQ(host_quiet_pages(), start - bad);
	}
	runs_on(start, bad);
}

/* The same, found by whoever comes first: frees that merge, ranges, pageblocks that change their type, tables. */
static void use_somehow(void)
{
	unsigned long pfn = PFN_DOWN(GIB) + tap_below(MAX_PAGES - 600);
	struct zone_blocks blocks;

	switch (tap_below(4)) {
	case 0:
		free_kept();
		break;
	case 1:
		if (!alloc_contig_range(pfn, pfn + 600, MIGRATE_MOVABLE, GFP_QUIET))
			free_contig_range(pfn, 600);
		break;
	case 2:
		exhaust((unsigned int)tap_below(MAX_PAGE_ORDER + 1));
		break;
	default:
		count_blocks(the_zone(), &blocks);
	}
}

/*
 * Many blocks at once, neighbours perhaps. Each that was damaged may be out, and those whose links led to them; no
 * more.
 */
static void test_many_links(void)
{
	unsigned long start, most = 0;

	host_boot_simple(BANK_SIZE, 1);
	host_mute();
	start = host_quiet_pages();
	for (unsigned long n = tap_ops(20); n; n--) {
		make_lists();
		for (unsigned long i = 1 + tap_below(20); i; i--) {
			struct page *page = free_block();

			if (page && page_order(page) <= 4 && damage(page))
				most += 3UL << page_order(page);
		}
		use_somehow();
		exhaust(0);
		CHECK(num_poisoned_pages() <= most);
		host_check();
		free_kept();
		CHECK_EQ(host_quiet_pages(), start - num_poisoned_pages());
	}
	runs_on(start, num_poisoned_pages());
}

/*
 * A machine with @nr free blocks of the largest order that have struct pages, at the front of their list. Return: how
 * many pages are free.
 */
static unsigned long boot_and_free_blocks(struct page **block, int nr)
{
	unsigned long start;

	host_boot_simple(BANK_SIZE, 1);
	start = host_quiet_pages();
	for (int i = 0; i < nr; i++)
		CHECK(block[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	for (int i = 0; i < nr; i++)
		__free_pages(block[i], MAX_PAGE_ORDER);
	drain_all_pages();
	return start;
}

/* What is said: the block, what its links held, how many are in the list again. */
static void test_link_report(void)
{
	struct page *page[3];
	unsigned long start = boot_and_free_blocks(page, 3);

	page[1]->lru.next = (struct list_head *)0x1234;
	exhaust(MAX_PAGE_ORDER);
	CHECK_LOG("bad free list: node 0 zone DMA, order 10, type Unmovable: pfn 0x[0-9a-f]+: next does not lead back: "
		  "next 0x1234, prev 0x[0-9a-f]+$");
	CHECK_LOG("  page: number 0 of the free block of order 10 at pfn 0x");
	CHECK_LOG(
		"bad free list: node 0 zone DMA, order 10, type Unmovable: [0-9]+ blocks relinked, 1 taken out of use$");
	check_out(page[1], PAGEBLOCK_NR_PAGES);
	runs_on(start, PAGEBLOCK_NR_PAGES);
}

/* The first of the list, both links to itself: taken out of the list it would be in it still. */
static void test_links_to_itself(void)
{
	struct page *page;
	unsigned long start = boot_and_free_blocks(&page, 1);

	INIT_LIST_HEAD(&page->lru);
	exhaust(MAX_PAGE_ORDER);
	CHECK_LOG("bad free list: .*: pfn 0x[0-9a-f]+: neither link leads back: next 0x[0-9a-f]+, prev 0x[0-9a-f]+$");
	check_out(page, PAGEBLOCK_NR_PAGES);
	runs_on(start, PAGEBLOCK_NR_PAGES);
}

/* Who frees a page again that lies in a free block whose links were written to: the block is out as a whole. */
static void test_twice_in_damaged(void)
{
	struct page *page;
	unsigned long start = boot_and_free_blocks(&page, 1);

	CHECK(page_test(page, PG_buddy));
	page->lru.prev = (struct list_head *)0x1234;
	__free_page(page + 3);
	CHECK_LOG("bad page free: .*, order 0: the page is free already: not freed$");
	CHECK_LOG("bad free list: .*: prev does not lead back: ");
	check_out(page, PAGEBLOCK_NR_PAGES);
	runs_on(start, PAGEBLOCK_NR_PAGES);
}

/* Links that are written to while a pageblock is isolated are found when it is given back to its old lists. */
static void test_damaged_in_isolation(void)
{
	unsigned long start, pfn = PFN_DOWN(GIB) + 4 * PAGEBLOCK_NR_PAGES;
	struct page *page = pfn_to_page(pfn);

	host_boot_simple(BANK_SIZE, 1);
	start = host_quiet_pages();
	CHECK_EQ(start_isolate_page_range(pfn, pfn + 2 * PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE), 0);
	CHECK(page_test(page, PG_buddy));
	page->lru.next = (struct list_head *)0x1234;
	undo_isolate_page_range(pfn, pfn + 2 * PAGEBLOCK_NR_PAGES);
	CHECK_LOG("bad free list: .*, type Isolate: pfn 0x[0-9a-f]+: next does not lead back: next 0x1234, ");
	check_out(page, PAGEBLOCK_NR_PAGES);
	CHECK(!PageHWPoison(page + PAGEBLOCK_NR_PAGES));
	runs_on(start, PAGEBLOCK_NR_PAGES);
}

static bool is_masked; /* atomic */

/* This CPU, masked, keeps who isolates the range from draining until it has written to a link of the last pageblock. */
static void damage_isolated(void *last)
{
	unsigned long flags = local_irq_save();
	struct page *page = last;
	bool isolated = false;

	__atomic_store_n(&is_masked, true, __ATOMIC_RELEASE);
	while (!isolated) {
		/* Its blocks change lists under the lock. */
		spin_lock(&the_zone()->lock);
		isolated = get_pageblock_migratetype(page_to_pfn(page)) == MIGRATE_ISOLATE;
		if (isolated)
			page->lru.next = (struct list_head *)0x1234;
		spin_unlock(&the_zone()->lock);
	}
	local_irq_restore(flags);
}

/*
 * Of a range that is all free one block is found to be damaged when the ones before it are taken already: those are
 * free again.
 *
 *	| free, a page of it cached | free | damaged once it is isolated |
 */
static void test_range_damaged(void)
{
	unsigned long start, pfn, end;
	struct page *page, *last;

	host_boot_simple(BANK_SIZE, 2);
	host_cpus_start();
	start = host_quiet_pages();
	page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER - 1);
	CHECK(page);
	pfn = page_to_pfn(page);
	end = ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES) + 3 * PAGEBLOCK_NR_PAGES;
	last = pfn_to_page(end - PAGEBLOCK_NR_PAGES);
	CHECK_EQ(alloc_contig_range(end - 2 * PAGEBLOCK_NR_PAGES, end, MIGRATE_MOVABLE, GFP_KERNEL), 0);
	free_contig_range(end - 2 * PAGEBLOCK_NR_PAGES, 2 * PAGEBLOCK_NR_PAGES);
	__free_pages(page, MAX_PAGE_ORDER - 1);
	CHECK(!page_test(page, PG_buddy));
	CHECK(page_test(last, PG_buddy) && page_order(last) == MAX_PAGE_ORDER);
	CHECK_EQ(smp_work_start(1, damage_isolated, last), 0);
	while (!__atomic_load_n(&is_masked, __ATOMIC_ACQUIRE))
		cpu_relax();
	CHECK_EQ(alloc_contig_range(pfn, end, MIGRATE_MOVABLE, GFP_QUIET), -EBUSY);
	smp_work_wait(1);
	CHECK_LOG("bad free list: .*, type Isolate: pfn 0x[0-9a-f]+: next does not lead back: next 0x1234, ");
	check_out(last, PAGEBLOCK_NR_PAGES);
	for (; pfn < end - PAGEBLOCK_NR_PAGES; pfn++)
		CHECK_EQ(page_ref_count(pfn_to_page(pfn)), 0);
	runs_on(start, PAGEBLOCK_NR_PAGES);
	host_cpus_stop();
}

/*
 * Of four blocks one link each is written to, so that each leads to a block that leads on to the next: nothing proves
 * any of them wrong, or right. None is trusted.
 */
static void test_links_in_a_ring(void)
{
	struct list_head *member[8];
	struct page *block[8];
	unsigned long start = boot_and_free_blocks(block, 8);

	member[0] =
		the_zone()->free_area[MAX_PAGE_ORDER].free_list[get_pageblock_migratetype(page_to_pfn(block[0]))].next;
	for (int i = 1; i < 8; i++)
		member[i] = member[i - 1]->next;
	member[0]->next = member[2];
	member[2]->prev = member[4];
	member[4]->next = member[6];
	member[6]->prev = member[0];
	exhaust(MAX_PAGE_ORDER);
	for (int i = 0; i < 8; i += 2)
		check_out(list_entry(member[i], struct page, lru), PAGEBLOCK_NR_PAGES);
	CHECK_LOG("bad free list: .* blocks relinked, [4-8] taken out of use$");
	runs_on(start, num_poisoned_pages());
}

static const struct tap_case cases[] = {
	TAP_CASE("a page freed twice is out of use", test_page_twice),
	TAP_CASE("a block freed twice is out of use as a whole", test_block_twice),
	TAP_CASE("freed again when it is part of a large free block", test_twice_later),
	TAP_CASE("freed again when part of it is another's", test_twice_in_part),
	TAP_CASE("a range freed twice", test_range_twice),
	TAP_CASE("freed again in an interrupt handler", test_twice_in_handler),
	TAP_CASE("freed again with interrupts masked", test_twice_masked),
	TAP_CASE("freed again, and given before the other CPU is interrupted", test_twice_given),
	TAP_CASE("freed again when all notes are in use", test_no_notes),
	TAP_CASE("4 CPUs and their handlers free twice while all allocate", test_twice_threads),
	TAP_CASE("pages of ranges are freed twice while the ranges are allocated", test_twice_ranges),
	TAP_CASE("links of one free block are written to", test_one_link),
	TAP_CASE("links of many free blocks are written to", test_many_links),
	TAP_CASE("links of a free block lead to itself", test_links_to_itself),
	TAP_CASE("what is said of a damaged free list", test_link_report),
	TAP_CASE("freed again in a damaged block", test_twice_in_damaged),
	TAP_CASE("links of an isolated block are written to", test_damaged_in_isolation),
	TAP_CASE("a block is damaged while its range is allocated", test_range_damaged),
	TAP_CASE("links that nothing proves right or wrong", test_links_in_a_ring),
};
TAP_MAIN(cases)
