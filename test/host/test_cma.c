// SPDX-License-Identifier: BSD-2-Clause
/*
 * CMA areas: which there are, whom they lend to, and cma_alloc() against a map of the area's pages.
 *
 *	|      | linux,cma 16 MiB, default  | ... | pool@42000000, 8 MiB | ...		128 MiB at 1 GiB
 *
 * With one CPU the map tells beforehand what cma_alloc() finds: the lowest aligned place that nobody has pages in.
 */
#include <string.h>

#include <lib/smp.h>
#include <mm/cma.h>
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

#define POOL_BASE  (GIB + 32 * MIB)
#define POOL_SIZE  (8 * MIB)
#define AREA_PAGES (16 * MIB >> PAGE_SHIFT)
#define LIVE_MAX   2048

enum owner { FREE, LENT, ALLOCATED };

static u8 map[AREA_PAGES];
static struct cma *area;
static unsigned long first; /* page frame of the area */

static void open_reserved_memory(void)
{
	tree_open("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_flag("ranges");
}

static void pool_flags(void)
{
	tree_string("compatible", "shared-dma-pool");
	tree_flag("reusable");
}

static void fixed_pool(const char *name, u64 base, u64 size)
{
	tree_open(name);
	tree_reg("reg", &(struct tree_range){ base, size }, 1);
	pool_flags();
	tree_close();
}

static void usual_pools(void)
{
	open_reserved_memory();
	tree_open("linux,cma");
	tree_size("size", 16 * MIB);
	pool_flags();
	tree_flag("linux,cma-default");
	tree_close();
	fixed_pool("pool@42000000", POOL_BASE, POOL_SIZE);
	tree_close();
}

static const struct host_bank bank = { GIB, 128 * MIB, -1 };

static void boot_usual(int nr_cpus)
{
	host_boot(
		&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = nr_cpus, .add_nodes = usual_pools });
	area = cma_default_area();
	CHECK(area);
	first = PFN_DOWN(cma_get_base(area));
}

static struct zone *the_zone(void)
{
	return &node_data[0]->node_zones[ZONE_DMA];
}

static bool in_cma(const struct page *page)
{
	return get_pageblock_migratetype(page_to_pfn(page)) == MIGRATE_CMA;
}

static int count_area(struct cma *cma, void *n)
{
	CHECK(IS_ALIGNED(cma_get_base(cma) | cma_get_size(cma), PAGEBLOCK_SIZE));
	++*(int *)n;
	return 0;
}

static int stop(struct cma *cma, void *seen)
{
	*(struct cma **)seen = cma;
	return 7;
}

/* Their pages are the page allocator's, nothing of them is written at boot, and the account names them. */
static void test_areas(void)
{
	struct cma *pool = NULL;
	int n = 0;

	boot_usual(1);
	CHECK_EQ(cma_for_each_area(count_area, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(cma_for_each_area(stop, &pool), 7);
	CHECK_EQ(cma_get_base(pool), POOL_BASE);
	CHECK_EQ(cma_get_size(pool), POOL_SIZE);
	CHECK(!strcmp(cma_get_name(pool), "pool@42000000") && !strcmp(cma_get_name(area), "linux,cma"));
	CHECK_EQ(totalcma_pages(), (POOL_SIZE + 16 * MIB) >> PAGE_SHIFT);
	CHECK_EQ(zone_free_cma(the_zone()), totalcma_pages());
	CHECK_EQ(the_zone()->nr_deferred_cma, totalcma_pages());
	for (unsigned long pfn = first; pfn < first + AREA_PAGES; pfn += PAGEBLOCK_NR_PAGES) {
		CHECK_EQ(get_pageblock_migratetype(pfn), MIGRATE_CMA);
		CHECK(!page_initialised(pfn));
	}
	CHECK_LOG("account: +8388608 bytes handed over, CMA: /reserved-memory/pool@42000000");
	CHECK_LOG("account: +16777216 bytes handed over, CMA: /reserved-memory/linux,cma");
	CHECK_LOG("account: discovered 134217728 bytes = .*: balanced");
}

static void odd_pools(void)
{
	open_reserved_memory();
	fixed_pool("unaligned@42100000", GIB + 33 * MIB, 8 * MIB);
	fixed_pool("short@43000000", GIB + 48 * MIB, 5 * MIB);
	fixed_pool("a@44000000", GIB + 64 * MIB, 8 * MIB);
	fixed_pool("b@44400000", GIB + 68 * MIB, 8 * MIB);
	fixed_pool("outside@47c00000", GIB + 124 * MIB, 8 * MIB);
	tree_open("secret@45000000");
	tree_reg("reg", &(struct tree_range){ GIB + 80 * MIB, 4 * MIB }, 1);
	pool_flags();
	tree_flag("no-map");
	tree_close();
	tree_open("mine@45800000");
	tree_reg("reg", &(struct tree_range){ GIB + 88 * MIB, 4 * MIB }, 1);
	tree_string("compatible", "vendor,frames");
	tree_flag("reusable");
	tree_close();
	/* To be placed: an alignment and a size below a pageblock are raised. */
	tree_open("small");
	tree_size("size", 300 * KIB);
	tree_reg("alloc-ranges", &(struct tree_range){ GIB + 97 * MIB, 9 * MIB }, 1);
	pool_flags();
	tree_close();
	tree_close();
}

/* What cannot be an area stays reserved, and a line says why. */
static void test_refused(void)
{
	struct cma *small = NULL;
	int n = 0;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .add_nodes = odd_pools });
	CHECK_EQ(cma_for_each_area(count_area, &n), 0);
	CHECK_EQ(n, 1);
	CHECK(!cma_default_area());
	cma_for_each_area(stop, &small);
	CHECK(!strcmp(cma_get_name(small), "small"));
	CHECK_EQ(cma_get_size(small), PAGEBLOCK_SIZE);
	CHECK_EQ(cma_get_base(small), GIB + 100 * MIB);
	CHECK_LOG(
		"cma: /reserved-memory/unaligned@42100000 .*: base and size are no multiples of a pageblock \\(4 MiB\\): "
		"it stays reserved");
	CHECK_LOG("cma: /reserved-memory/short@43000000 .*: base and size are no multiples");
	CHECK_LOG("cma: /reserved-memory/a@44000000 .*: somebody else has part of it: it stays reserved");
	CHECK_LOG("cma: /reserved-memory/b@44400000 .*: somebody else has part of it: it stays reserved");
	CHECK_LOG("cma: /reserved-memory/outside@47c00000 .*: it is not all RAM of one zone: it stays reserved");
	CHECK_NO_LOG("cma: /reserved-memory/(secret|mine)");
	CHECK_LOG("account: +8388608 bytes reserved: /reserved-memory/unaligned@42100000");
}

static void boot_with_argument(const char *bootargs, bool pools)
{
	host_boot(&(struct host_machine){ .banks = &bank,
					  .nr_banks = 1,
					  .bootargs = bootargs,
					  .dma_limit = GIB + 100 * MIB,
					  .add_nodes = pools ? usual_pools : NULL });
}

/* cma=SIZE: below the reach of all masters, and the default area. */
static void test_argument(void)
{
	boot_with_argument("cma=10M", true);
	area = cma_default_area();
	CHECK(area && !strcmp(cma_get_name(area), "cma="));
	CHECK_EQ(cma_get_size(area), 12 * MIB);
	CHECK(cma_get_base(area) + cma_get_size(area) <= GIB + 100 * MIB);
	CHECK_EQ(totalcma_pages(), (12 + 16 + 8) * MIB >> PAGE_SHIFT);
}

static void test_argument_place(void)
{
	boot_with_argument("cma=8M@0x42000000", false);
	area = cma_default_area();
	CHECK(area);
	CHECK_EQ(cma_get_base(area), 0x42000000);
	CHECK_EQ(cma_get_size(area), 8 * MIB);
}

static void test_argument_range(void)
{
	boot_with_argument("cma=8M@0x41000000-0x41c00000", false);
	area = cma_default_area();
	CHECK(area);
	CHECK_EQ(cma_get_base(area), 0x41400000);
}

static void test_argument_wrong(void)
{
	boot_with_argument("cma=8Q", false);
	CHECK(!cma_default_area());
	CHECK_LOG("bootargs: cma=8Q is not SIZE\\[@BASE\\[-END\\]\\]: ignored");
}

static void test_argument_no_room(void)
{
	boot_with_argument("cma=8M@0x90000000", false);
	CHECK(!cma_default_area());
	CHECK_LOG("reserved: cma=8M@0x90000000: no free 0x800000 bytes aligned to 0x400000 there: not reserved");
}

static void test_argument_none(void)
{
	boot_with_argument("cma=0", false);
	CHECK(!cma_default_area());
	CHECK_NO_LOG("reserved: cma=");
}

/* Whom they lend to. */

static unsigned long take_all(gfp_t gfp, unsigned int order, struct list_head *taken, unsigned long *of_cma)
{
	struct page *page;
	unsigned long n = 0;

	*of_cma = 0;
	for (; (page = alloc_pages(gfp | __GFP_NOWARN, order)); n++) {
		list_add(&page->lru, taken);
		*of_cma += in_cma(page);
	}
	return n;
}

/* Requests that are not movable get nothing of the areas, not even at the end, and movable ones all that is left. */
static void test_lending(void)
{
	static const gfp_t others[] = { GFP_KERNEL, GFP_ATOMIC, GFP_KERNEL | __GFP_RECLAIMABLE };
	struct list_head taken = LIST_HEAD_INIT(taken);
	unsigned long before, of_cma, whole;

	boot_usual(1);
	drain_all_pages();
	before = nr_free_pages();
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order += 5) {
			CHECK(take_all(others[i], order, &taken, &of_cma) > 0);
			CHECK_EQ(of_cma, 0);
			CHECK_EQ(zone_free_cma(the_zone()), totalcma_pages());
			CHECK(page_alloc_check());
			/* The mark is kept of what such a request may have: CMA pages do not count. */
			CHECK(the_zone()->nr_free >= totalcma_pages() + the_zone()->watermark[WMARK_MIN] / 2);
			give_blocks(&taken);
		}
	}
	take_all(GFP_KERNEL, 0, &taken, &of_cma);
	/* Nothing of the areas has been written yet: whole pageblocks are there for a block of any order. */
	CHECK(take_all(GFP_KERNEL | __GFP_MOVABLE, MAX_PAGE_ORDER, &taken, &whole) > 0 && whole > 0);
	take_all(GFP_KERNEL | __GFP_MOVABLE, 0, &taken, &of_cma);
	CHECK(whole * PAGEBLOCK_NR_PAGES + of_cma + the_zone()->watermark[WMARK_MIN] >= totalcma_pages());
	host_check();
	give_blocks(&taken);
	drain_all_pages();
	CHECK_EQ(nr_free_pages(), before);
	host_check();
}

/* More than half of what is free is in areas: movable requests go there first. */
static void test_balance(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken), fill = LIST_HEAD_INIT(fill);
	struct page *page;

	boot_usual(1);
	page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 9);
	CHECK(page && !in_cma(page));
	__free_pages(page, 9);
	drain_all_pages();
	while (zone_free_cma(the_zone()) <= the_zone()->nr_free / 2) {
		page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		CHECK(page);
		list_add(&page->lru, &fill);
	}
	page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 9);
	CHECK(page && in_cma(page));
	__free_pages(page, 9);
	give_blocks(&fill);
	host_check();
}

/*
 * A page of an area that a CPU has cached stays apart: freed, it is on the stack of movable blocks, and no other
 * request is served from there.
 */
static void test_caches(void)
{
	struct list_head lent = LIST_HEAD_INIT(lent), taken = LIST_HEAD_INIT(taken);
	unsigned long of_cma;
	struct page *page;

	boot_usual(1);
	take_all(GFP_KERNEL, 0, &taken, &of_cma);
	/* Not to the end: where no block of an order is left in the areas, one below the zone's mark is. */
	while (zone_free_cma(the_zone()) > totalcma_pages() / 4) {
		page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, (unsigned int)tap_below(4));
		CHECK(page && in_cma(page));
		list_add(&page->lru, &lent);
	}
	give_blocks(&taken);
	give_blocks(&lent);
	CHECK(zone_pcp_pages(the_zone()) > 0);
	CHECK(page_alloc_check());
	/* What the caches have comes first, and then what the zone has. */
	for (unsigned int order = 0; order < 4; order++) {
		take_all(GFP_ATOMIC, order, &taken, &of_cma);
		CHECK_EQ(of_cma, 0);
		take_all(GFP_ATOMIC | __GFP_RECLAIMABLE, order, &taken, &of_cma);
		CHECK_EQ(of_cma, 0);
		CHECK(page_alloc_check());
	}
	give_blocks(&taken);
	host_check();
}

/* cma_alloc() and the map. */

struct range {
	unsigned long at, n;
};

static struct range ranges[LIVE_MAX];
static unsigned int nr_ranges;
static struct page *lent[LIVE_MAX];
static unsigned int nr_lent;

static void mark(unsigned long at, unsigned long n, enum owner from, enum owner to)
{
	for (; n; n--, at++)
		CHECK_EQ(__atomic_exchange_n(&map[at], (u8)to, __ATOMIC_RELAXED), from);
}

static void mark_page(struct page *page, enum owner from, enum owner to)
{
	unsigned long at = page_to_pfn(page) - first;

	if (at < AREA_PAGES)
		mark(at, 1UL << page_order(page), from, to);
}

/* The lowest place of @n pages by the map; AREA_PAGES when there is none. */
static unsigned long place_by_map(unsigned long n, unsigned long align)
{
	for (unsigned long at = 0; at + n <= AREA_PAGES; at++) {
		unsigned long i = 0;

		while (i < n && map[at + i] == FREE)
			i++;
		if (i == n && IS_ALIGNED(first + at, align))
			return at;
	}
	return AREA_PAGES;
}

static void try_cma(void)
{
	unsigned long n = 1 + tap_below(tap_below(3) ? 40 : AREA_PAGES);
	unsigned int align = (unsigned int)tap_below(11);
	unsigned long place = place_by_map(n, 1UL << align);
	struct page *page = cma_alloc(area, n, align, true);

	CHECK_EQ(page != NULL, place < AREA_PAGES);
	if (!page)
		return;
	CHECK_EQ(page_to_pfn(page) - first, place);
	for (unsigned long i = 0; i < n; i++)
		CHECK(page_ref_count(page + i) == 1 && page_state(page + i) == 0);
	mark(place, n, FREE, ALLOCATED);
	ranges[nr_ranges++] = (struct range){ place, n };
}

static void put_range(unsigned int i)
{
	struct range range = ranges[i];

	ranges[i] = ranges[--nr_ranges];
	mark(range.at, range.n, ALLOCATED, FREE);
	CHECK(cma_release(area, pfn_to_page(first + range.at), range.n));
}

static void borrow(void)
{
	unsigned int order = (unsigned int)__builtin_ctzll(tap_random() | 1 << 7);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE | __GFP_NOWARN, order);

	if (!page)
		return;
	mark_page(page, FREE, LENT);
	lent[nr_lent++] = page;
}

static void give_back(unsigned int i)
{
	struct page *page = lent[i];

	lent[i] = lent[--nr_lent];
	mark_page(page, LENT, FREE);
	__free_pages(page, page_order(page));
}

static void random_op(void)
{
	switch (tap_below(4)) {
	case 0:
		if (nr_ranges < LIVE_MAX)
			try_cma();
		break;
	case 1:
		if (nr_ranges)
			put_range((unsigned int)tap_below(nr_ranges));
		break;
	case 2:
		if (nr_lent < LIVE_MAX)
			borrow();
		break;
	default:
		if (nr_lent)
			give_back((unsigned int)tap_below(nr_lent));
	}
}

static void put_everything(void)
{
	while (nr_ranges)
		put_range(nr_ranges - 1);
	while (nr_lent)
		give_back(nr_lent - 1);
}

static void test_model(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	unsigned long of_cma, ops = tap_ops(4000);

	boot_usual(1);
	/* With nothing else left, movable requests are served from the areas at once. */
	take_all(GFP_KERNEL, 0, &taken, &of_cma);
	for (unsigned long i = 0; i < ops; i++) {
		random_op();
		if (i % 64 == 0)
			CHECK(page_alloc_check());
		if (i % 1000 == 0)
			put_everything();
	}
	put_everything();
	CHECK_EQ(cma_used_pages(area), 0);
	give_blocks(&taken);
	drain_all_pages();
	CHECK_EQ(zone_free_cma(the_zone()), totalcma_pages());
	host_check();
}

static void test_single_calls(void)
{
	struct page *page, *other;

	boot_usual(1);
	CHECK(!cma_alloc(area, 0, 0, false));
	page = cma_alloc(area, AREA_PAGES, 0, false);
	CHECK(page && page_to_pfn(page) == first);
	CHECK_EQ(cma_used_pages(area), AREA_PAGES);
	host_check();
	CHECK(!cma_alloc(area, 1, 0, false));
	CHECK_LOG("cma: linux,cma: no 1 pages behind one another, aligned to 1: of 4096 pages 4096 are allocated");
	other = alloc_page(GFP_KERNEL);
	CHECK(other && !cma_release(area, other, 1));
	__free_page(other);
	CHECK(!cma_release(area, page - 1, 2) && !cma_release(area, page + AREA_PAGES - 1, 2));
	CHECK(!cma_release(area, page, ~0UL));
	/* In parts. */
	CHECK(cma_release(area, page + 5, 11));
	CHECK(!cma_release(area, page + 4, 2) && !cma_release(area, page + 5, 11));
	CHECK_EQ(cma_used_pages(area), AREA_PAGES - 11);
	CHECK(!cma_alloc(area, 9, 3, true));
	CHECK(!cma_alloc(area, 1, 60, true));
	CHECK(cma_alloc(area, 8, 2, true) == page + 8);
	CHECK(cma_release(area, page, 5) && cma_release(area, page + 8, AREA_PAGES - 8));
	CHECK_EQ(cma_used_pages(area), 0);
	CHECK_EQ(zone_free_cma(the_zone()), totalcma_pages());
	/* Such a range is not for who does not name the area. */
	CHECK_EQ(alloc_contig_range(first, first + 4, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN), -16);
	host_check();
}

/* A node's area is found by its offset in the tree. */
static void test_of_node(void)
{
	const struct mem_claim *claim = NULL;

	boot_usual(1);
	for (unsigned int i = 0; i < claim_count(); i++)
		if (claim_get(i)->base == POOL_BASE && claim_get(i)->kind == CLAIM_CMA)
			claim = claim_get(i);
	CHECK(claim);
	CHECK_EQ(cma_get_base(cma_of_node(claim->node)), POOL_BASE);
	CHECK(!cma_of_node(-1) && !cma_of_node(1));
}

/* Threads: all allocate from the area and borrow from it. */

#define THREADS 5

static unsigned long thread_ops;
static unsigned long ranges_had;

static void thread_cma(struct range *range)
{
	struct page *page;

	if (range->n) {
		mark(range->at, range->n, ALLOCATED, FREE);
		CHECK(cma_release(area, pfn_to_page(first + range->at), range->n));
		range->n = 0;
		return;
	}
	range->n = 1 + tap_below(200);
	page = cma_alloc(area, range->n, (unsigned int)tap_below(5), true);
	if (!page) {
		range->n = 0;
		return;
	}
	range->at = page_to_pfn(page) - first;
	mark(range->at, range->n, FREE, ALLOCATED);
	__atomic_fetch_add(&ranges_had, 1, __ATOMIC_RELAXED);
}

static void thread_borrow(struct page **slot)
{
	if (*slot) {
		mark_page(*slot, LENT, FREE);
		__free_pages(*slot, page_order(*slot));
		*slot = NULL;
		return;
	}
	*slot = alloc_pages(GFP_KERNEL | __GFP_MOVABLE | __GFP_NOWARN, (unsigned int)tap_below(4));
	if (*slot)
		mark_page(*slot, FREE, LENT);
}

static void thread_work(void *unused)
{
	struct range mine[4] = { { 0, 0 } };
	struct page *borrowed[32] = { NULL };

	(void)unused;
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long i = 0; i < thread_ops; i++) {
		thread_cma(&mine[tap_below(ARRAY_SIZE(mine))]);
		for (int k = 0; k < 8; k++)
			thread_borrow(&borrowed[tap_below(ARRAY_SIZE(borrowed))]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(mine); i++)
		if (mine[i].n)
			thread_cma(&mine[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(borrowed); i++)
		if (borrowed[i])
			thread_borrow(&borrowed[i]);
}

static void test_threads(void)
{
	struct list_head taken = LIST_HEAD_INIT(taken);
	unsigned long of_cma;

	boot_usual(THREADS);
	host_cpus_start();
	take_all(GFP_KERNEL, 0, &taken, &of_cma);
	thread_ops = tap_ops(300);
	host_on_all_cpus(thread_work, NULL);
	CHECK(ranges_had > 0);
	CHECK_EQ(cma_used_pages(area), 0);
	give_blocks(&taken);
	drain_all_pages();
	CHECK_EQ(zone_free_cma(the_zone()), totalcma_pages());
	host_check();
	host_cpus_stop();
}

/*
 * As on Linux, who has no area gets nothing and gives nothing. What is not all allocated is told; what is elsewhere is
 * not.
 */
static void test_no_area(void)
{
	static const struct host_bank ram = { GIB, 128 * MIB, -1 };
	struct page *page;
	struct cma *cma;

	host_boot(&(struct host_machine){ .banks = &ram, .nr_banks = 1, .bootargs = "cma=16M" });
	cma = cma_default_area();
	CHECK(cma);
	CHECK(!cma_alloc(NULL, 1, 0, false));
	CHECK(!cma_alloc(cma, 0, 0, false));
	page = cma_alloc(cma, 8, 0, false);
	CHECK(page);
	host_log_clear();
	CHECK(!cma_release(NULL, page, 8));
	CHECK(!cma_release(cma, NULL, 8));
	CHECK(!cma_release(cma, pfn_to_page(PFN_DOWN(GIB)), 1));
	CHECK(!cma_release(cma, pfn_to_page(PFN_DOWN(cma_get_base(cma) + cma_get_size(cma))), 1));
	CHECK_NO_LOG(".");
	CHECK(!cma_release(cma, page, 9));
	CHECK_LOG("cma: cma=: 9 pages from pfn 0x[0-9a-f]+ on: pfn 0x[0-9a-f]+8 is not allocated: none is released$");
	CHECK(!cma_release(cma, page, ~0UL));
	CHECK(cma_release(cma, page, 8));
	host_log_clear();
	CHECK(!cma_release(cma, page, 8));
	CHECK_LOG("cma: cma=: 8 pages from pfn 0x([0-9a-f]+) on: pfn 0x\\1 is not allocated: none is released$");
	page = cma_alloc(cma, cma_get_size(cma) >> PAGE_SHIFT, 0, false);
	CHECK(page);
	CHECK(!cma_release(cma, page, (cma_get_size(cma) >> PAGE_SHIFT) + 1));
	CHECK_LOG(
		"cma: cma=: 4097 pages from pfn 0x[0-9a-f]+ on: pfn 0x[0-9a-f]+ is behind the area: none is released$");
	CHECK(cma_release(cma, page, cma_get_size(cma) >> PAGE_SHIFT));
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("no area, and what is not an area's", test_no_area),
	TAP_CASE("areas from the tree", test_areas),
	TAP_CASE("what cannot be an area stays reserved", test_refused),
	TAP_CASE("cma=SIZE", test_argument),
	TAP_CASE("cma=SIZE@BASE", test_argument_place),
	TAP_CASE("cma=SIZE@BASE-END", test_argument_range),
	TAP_CASE("cma= with no size", test_argument_wrong),
	TAP_CASE("cma= where there is no room", test_argument_no_room),
	TAP_CASE("cma=0", test_argument_none),
	TAP_CASE("areas lend to movable requests only", test_lending),
	TAP_CASE("areas lend first when they have most of what is free", test_balance),
	TAP_CASE("cached pages of areas stay apart", test_caches),
	TAP_CASE("cma_alloc() finds the lowest place", test_model),
	TAP_CASE("single calls", test_single_calls),
	TAP_CASE("an area by its node", test_of_node),
	TAP_CASE("5 CPUs", test_threads),
};
TAP_MAIN(cases)
