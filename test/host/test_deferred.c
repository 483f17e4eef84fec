// SPDX-License-Identifier: BSD-2-Clause
/*
 * Struct pages that are written late: nothing before it is needed, the stock that idle CPUs keep, and walkers that
 * leave alone what was not written.
 *
 * What was not written is made inaccessible, so that a look at it ends the case. How much was written is compared with
 * a count over all pageblocks.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <lib/bitmap.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/mm_init.h>
#include <mm/port.h>

#include "../../mm/buddy.h"
#include "../../mm/deferred.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1024ULL * 1024)
#define GIB (1024 * MIB)

#define BLOCK_MEMMAP (PAGEBLOCK_NR_PAGES * sizeof(struct page))
#define PATIENCE_NS  (20ULL * 1000000000)

/* All present pageblocks, and those that page_initialised() vouches for. */
static unsigned long count_blocks(unsigned long *initialised)
{
	unsigned long present = 0;

	*initialised = 0;
	for (unsigned long pfn = 0; pfn < PFN_DOWN(8 * GIB); pfn += PAGEBLOCK_NR_PAGES) {
		present += pfn_valid(pfn);
		*initialised += page_initialised(pfn);
		CHECK(pfn_valid(pfn) || !page_initialised(pfn));
	}
	return present;
}

/* Memmap is written for initialised blocks and the stock of @zone, and for no others. */
static void check_usage(const struct zone *zone)
{
	unsigned long initialised, present = count_blocks(&initialised);

	CHECK_EQ(memmap_reserved_bytes(), present * BLOCK_MEMMAP);
	CHECK_EQ(memmap_touched_bytes(), (initialised + (zone ? zone->stock.nr : 0)) * BLOCK_MEMMAP);
}

static void test_written_when_needed(void)
{
	unsigned long before;

	host_boot_simple(4 * GIB, 1);
	check_usage(NULL);
	before = memmap_touched_bytes();
	/* Image, tree and metadata lie at both ends; SLUB has taken pages. */
	CHECK(before <= 8 * BLOCK_MEMMAP);
	for (int i = 0; i < 10; i++)
		CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	CHECK(memmap_touched_bytes() >= before + 9 * BLOCK_MEMMAP &&
	      memmap_touched_bytes() <= before + 10 * BLOCK_MEMMAP);
	check_usage(NULL);
}

/* An initialised page is zero but for flags, whatever the memory held. */
static void test_zeroed(void)
{
	struct zone *zone;
	unsigned long pfn;

	host_boot_simple(256 * MIB, 1);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	pfn = zone->deferred_pfn;
	CHECK(!page_initialised(pfn));
	memset(pfn_to_page(pfn), 0xa5, BLOCK_MEMMAP);
	local_irq_disable();
	spin_lock(&zone->lock);
	CHECK(zone_take_deferred(zone, MIGRATE_RECLAIMABLE));
	spin_unlock(&zone->lock);
	local_irq_enable();
	CHECK(page_initialised(pfn) && get_pageblock_migratetype(pfn) == MIGRATE_RECLAIMABLE);
	/* The first one is a free block's. */
	for (unsigned long i = 1; i < PAGEBLOCK_NR_PAGES; i++) {
		const u64 *word = (const u64 *)(const void *)pfn_to_page(pfn + i);

		CHECK(page_in_zone(zone, pfn_to_page(pfn + i)) && !page_state(pfn_to_page(pfn + i)));
		for (int j = 1; j < 8; j++)
			CHECK_EQ(word[j], 0);
	}
	host_check();
}

/* A look at the struct pages of a block that was not written faults from now on. */
static void forbid_unwritten(void)
{
	for (unsigned long pfn = 0; pfn < PFN_DOWN(8 * GIB); pfn += PAGEBLOCK_NR_PAGES)
		if (pfn_valid(pfn) && !page_initialised(pfn))
			CHECK(!mprotect(pfn_to_page(pfn), BLOCK_MEMMAP, PROT_NONE));
}

static void test_walkers(void)
{
	static const struct host_bank banks[] = { { GIB, 300 * MIB, 0 }, { 2 * GIB, 300 * MIB, 1 } };
	/* Two pageblocks that nobody will ever write. */
	static const struct tree_range kept = { 2 * GIB + 64 * MIB, 8 * MIB };
	struct zone *zone;
	int i;

	host_boot(&(struct host_machine){
		.banks = banks, .nr_banks = ARRAY_SIZE(banks), .reserved = &kept, .nr_reserved = 1, .nr_cpus = 2 });
	CHECK(alloc_pages(GFP_KERNEL, 3));
	forbid_unwritten();
	host_check();
	drain_all_pages();
	for_each_populated_zone(i, zone) {
		CHECK(zone->nr_deferred);
		CHECK(zone_check(zone));
		CHECK(zone_allocated_pages(zone) + zone_pcp_pages(zone) + zone->nr_free == zone->managed_pages);
	}
}

static const struct host_bank bank_1g = { GIB, GIB, -1 };

static void boot_1g(int nr_cpus, const char *bootargs)
{
	host_boot(&(struct host_machine){ .banks = &bank_1g,
					  .nr_banks = 1,
					  .nr_cpus = nr_cpus,
					  .bootargs = bootargs,
					  .before_hand_over = host_cpus_start });
}

static u32 stock_now(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	u32 nr = zone->stock.nr;

	spin_unlock_irqrestore(&zone->lock, flags);
	return nr;
}

/* Half of the stock is what never lacks for long. */
static void wait_for_stock(struct zone *zone)
{
	u64 end = arch_clock_ns() + PATIENCE_NS;

	while (2 * stock_now(zone) < zone->stock.goal)
		CHECK(arch_clock_ns() < end);
}

static void test_stock(void)
{
	struct page *page[12];
	struct zone *zone;

	boot_1g(3, NULL);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	CHECK_EQ(zone->stock.goal, 3);
	CHECK_EQ(stock_now(zone), 0);
	/* The first one leaves less than half: a whole stock is written. */
	CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	for (u64 end = arch_clock_ns() + PATIENCE_NS; stock_now(zone) < zone->stock.goal;)
		CHECK(arch_clock_ns() < end);
	for (size_t i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		CHECK(page[i] && zone_check(zone));
		wait_for_stock(zone);
	}
	host_cpus_stop();
	check_usage(zone);
	/* What is in the stock is still deferred for everybody else. */
	for (u32 i = 0; i < zone->stock.nr; i++)
		CHECK(!page_initialised(zone->stock.pfn[i]) && zone->stock.pfn[i] < zone->deferred_pfn);
	for (size_t i = 0; i < ARRAY_SIZE(page); i++)
		__free_pages(page[i], MAX_PAGE_ORDER);
	host_check();
}

/* Who waits at the prompt does it, too. */
static void test_stock_at_prompt(void)
{
	struct zone *zone;

	boot_1g(1, NULL);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER) && alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	for (u32 n = 0; n < zone->stock.goal; n++) {
		CHECK_EQ(stock_now(zone), n);
		CHECK(smp_idle_step());
	}
	CHECK(!smp_idle_step());
	check_usage(zone);
}

static void test_switched_off(void)
{
	struct zone *zone;

	boot_1g(3, "memmap_ahead=0");
	zone = &node_data[0]->node_zones[ZONE_DMA];
	for (int i = 0; i < 20; i++)
		CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	host_cpus_stop();
	CHECK(!smp_idle_step());
	CHECK_EQ(zone->stock.goal + zone->stock.nr + zone->stock.wanted, 0);
	check_usage(NULL);
}

static void test_bad_argument(void)
{
	boot_1g(1, "memmap_ahead=2");
	CHECK_LOG("memmap: memmap_ahead=2 is neither 0 nor 1");
	CHECK_EQ(node_data[0]->node_zones[ZONE_DMA].stock.goal, 3);
}

/* A CPU is stopped while it writes a block's struct pages: they fault, and the handler goes on when told. */

static struct page *stopped_at, *got;
static int writer;
static bool go_on;

static void stop_writer(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_addr < (void *)stopped_at || info->si_addr >= (void *)(stopped_at + PAGEBLOCK_NR_PAGES))
		_exit(128 + signal);
	__atomic_store_n(&writer, smp_processor_id(), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
		cpu_relax();
	if (mprotect(stopped_at, BLOCK_MEMMAP, PROT_READ | PROT_WRITE))
		_exit(128 + signal);
}

static void stop_at(unsigned long pfn)
{
	struct sigaction action = { .sa_sigaction = stop_writer, .sa_flags = SA_SIGINFO };

	stopped_at = pfn_to_page(pfn);
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(!mprotect(stopped_at, BLOCK_MEMMAP, PROT_NONE));
}

static int wait_for_writer(void)
{
	u64 end = arch_clock_ns() + PATIENCE_NS;

	while (!__atomic_load_n(&writer, __ATOMIC_ACQUIRE))
		CHECK(arch_clock_ns() < end);
	return __atomic_load_n(&writer, __ATOMIC_ACQUIRE);
}

static void take_one(void *arg)
{
	(void)arg;
	__atomic_store_n(&got, alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER), __ATOMIC_RELEASE);
}

static void set_goal(struct zone *zone, u32 goal)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);

	zone->stock.goal = goal;
	__atomic_store_n(&zone->stock.wanted, goal, __ATOMIC_SEQ_CST);
	spin_unlock_irqrestore(&zone->lock, flags);
	smp_wake_idle(~0ULL);
}

/*
 * The zone's last free block is just being written: who needs it waits for it, gets it, and it does not get into the
 * stock.
 */
static void test_last_block(void)
{
	struct timespec moment = { 0, 50 * 1000 * 1000 };
	struct zone *zone;
	unsigned long pfn;

	boot_1g(3, NULL);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	/* Marks would keep the last blocks from us. */
	for (int i = 0; i < NR_WMARK; i++)
		zone->watermark[i] = 0;
	set_goal(zone, 0);
	while (zone->nr_deferred > PAGEBLOCK_NR_PAGES)
		CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	for (pfn = zone->deferred_pfn; !bit_test(usage_of(pfn)->deferred, pageblock_nr(pfn));)
		pfn += PAGEBLOCK_NR_PAGES;
	stop_at(pfn);
	set_goal(zone, 1);
	/* CPU 1 or 2 writes; the other one takes. */
	CHECK_EQ(smp_work_start(3 - wait_for_writer(), take_one, NULL), 0);
	nanosleep(&moment, NULL);
	CHECK(!__atomic_load_n(&got, __ATOMIC_ACQUIRE));
	__atomic_store_n(&go_on, true, __ATOMIC_RELEASE);
	smp_work_wait(3 - writer);
	host_cpus_stop();
	CHECK(got && page_to_pfn(got) == pfn);
	CHECK_EQ(zone->stock.writing, NO_BLOCK);
	CHECK_EQ(zone->stock.nr + zone->nr_deferred, 0);
	check_usage(zone);
	host_check();
}

/* While one CPU writes a block, others take those behind it; then it is in the stock. */
static void test_block_passed(void)
{
	struct zone *zone;
	unsigned long pfn;

	boot_1g(2, NULL);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	set_goal(zone, 0);
	CHECK(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	pfn = zone->deferred_pfn;
	stop_at(pfn);
	set_goal(zone, 1);
	CHECK_EQ(wait_for_writer(), 1);
	for (int i = 0; i < 10; i++) {
		struct page *page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);

		CHECK(page && page_to_pfn(page) > pfn && zone_check(zone));
	}
	CHECK(!page_initialised(pfn) && !stock_now(zone));
	__atomic_store_n(&go_on, true, __ATOMIC_RELEASE);
	wait_for_stock(zone);
	host_cpus_stop();
	CHECK(zone->stock.nr == 1 && zone->stock.pfn[0] == pfn);
	CHECK(page_to_pfn(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER)) == pfn);
	check_usage(zone);
	host_check();
}

/* CPUs that take all there is while others write ahead. */

#define TAKERS 4

static struct list_head taken[TAKERS];
static unsigned long nr_taken[TAKERS];

static void take_all(void *arg)
{
	int me = smp_processor_id();
	struct page *page;

	(void)arg;
	for (unsigned int order = MAX_PAGE_ORDER + 1; order-- > 5;)
		while ((page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order))) {
			list_add(&page->lru, &taken[me]);
			nr_taken[me] += 1UL << order;
		}
}

static void test_race(void)
{
	unsigned long before, sum = 0;
	struct page *page, *tmp;
	struct zone *zone;

	boot_1g(TAKERS + 3, NULL);
	zone = &node_data[0]->node_zones[ZONE_DMA];
	before = nr_free_pages();
	for (int cpu = 0; cpu < TAKERS; cpu++)
		INIT_LIST_HEAD(&taken[cpu]);
	for (int cpu = 1; cpu < TAKERS; cpu++)
		CHECK_EQ(smp_work_start(cpu, take_all, NULL), 0);
	while (READ_ONCE(zone->nr_deferred) > zone->managed_pages / 2) {
		CHECK(zone_check(zone));
		cpu_relax();
	}
	take_all(NULL);
	for (int cpu = 1; cpu < TAKERS; cpu++)
		smp_work_wait(cpu);
	host_cpus_stop();
	CHECK_EQ(zone->nr_deferred + zone->stock.nr, 0);
	check_usage(zone);
	host_check();
	for (int cpu = 0; cpu < TAKERS; cpu++) {
		sum += nr_taken[cpu];
		list_for_each_entry_safe(page, tmp, &taken[cpu], lru)
			__free_pages(page, page_order(page));
	}
	CHECK(sum <= before && sum + zone->watermark[WMARK_MIN] + before / 100 >= before);
	host_check();
}

/* Two nodes with CPUs and one without: each zone gets its stock. */

static int two_nodes(int cpu)
{
	return cpu % 2;
}

static void test_nodes(void)
{
	static const struct host_bank banks[] = { { GIB, 512 * MIB, 0 },
						  { 2 * GIB, 512 * MIB, 1 },
						  { 3 * GIB, 512 * MIB, 2 } };

	host_boot(&(struct host_machine){ .banks = banks,
					  .nr_banks = ARRAY_SIZE(banks),
					  .nr_cpus = 4,
					  .cpu_node = two_nodes,
					  .before_hand_over = host_cpus_start });
	for (int nid = 0; nid < 3; nid++) {
		struct zone *zone = &node_data[nid]->node_zones[ZONE_DMA];

		CHECK(zone->stock.goal);
		for (int i = 0; i < 2; i++)
			CHECK(alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE, MAX_PAGE_ORDER));
		wait_for_stock(zone);
	}
	host_cpus_stop();
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("nothing is written before it is needed", test_written_when_needed),
	TAP_CASE("what is written is zero but for its identity", test_zeroed),
	TAP_CASE("walkers leave alone what was not written", test_walkers),
	TAP_CASE("idle CPUs keep a stock", test_stock),
	TAP_CASE("so does who waits at the prompt", test_stock_at_prompt),
	TAP_CASE("memmap_ahead=0: nobody writes ahead", test_switched_off),
	TAP_CASE("memmap_ahead= wants 0 or 1", test_bad_argument),
	TAP_CASE("the last block is being written", test_last_block),
	TAP_CASE("a block that is being written is passed over", test_block_passed),
	TAP_CASE("CPUs take all while others write ahead", test_race),
	TAP_CASE("nodes with and without CPUs", test_nodes),
};
TAP_MAIN(cases)
