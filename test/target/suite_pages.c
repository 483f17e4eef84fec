// SPDX-License-Identifier: BSD-2-Clause
/* The page allocator in the image: what gfp.h promises. */
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/page_offline.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <string.h>

#include <asm/sections.h>

#include "target.h"

#define STOCK_WAIT_NS 10000000000ULL /* a helper may be a CPU that a busy host does not run */

static bool stock_is_low(const struct zone *zone)
{
	return 2 * READ_ONCE(zone->stock.nr) < zone->stock.goal;
}

/* Whether another CPU is on line that writes ahead for @zone. */
static bool has_helper(const struct zone *zone)
{
	int cpu;

	for_each_online_cpu(cpu) {
		const struct mm_cpu *head = percpu_base(cpu);

		if (cpu != smp_processor_id() && node_for_alloc[head->nid] == zone->node->node_id)
			return true;
	}
	return false;
}

/* After this CPU has used the stock up, another one fills it again. */
static void case_written_ahead(void)
{
	struct page *first = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER), *page;
	struct zone *zone = first ? page_zone(first) : NULL;
	u64 end, touched = memmap_touched_bytes();
	LIST_HEAD(taken);

	if (!zone || !zone->stock.goal || !has_helper(zone) ||
	    zone->nr_deferred < 4 * DEFERRED_STOCK << PAGEBLOCK_ORDER) {
		ktap_skip("no other CPU on this node, or a zone too small for a stock");
	} else {
		list_add(&first->lru, &taken);
		for (unsigned int n = 0; n < 2 * DEFERRED_STOCK; n++) {
			page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
			if (ktap_ok(page && page_zone(page) == zone))
				list_add(&page->lru, &taken);
		}
		end = arch_clock_ns() + STOCK_WAIT_NS;
		while (stock_is_low(zone) && arch_clock_ns() < end)
			cpu_relax();
		ktap_ok(!stock_is_low(zone));
		ktap_ok(memmap_touched_bytes() > touched && memmap_touched_bytes() < memmap_reserved_bytes());
		first = NULL;
	}
	give_blocks(&taken);
	if (first)
		__free_pages(first, MAX_PAGE_ORDER);
}

static void case_orders(void)
{
	struct page *page[NR_PAGE_ORDERS];

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		page[order] = alloc_pages(GFP_KERNEL, order);
		if (!ktap_ok(page[order] != NULL))
			continue;
		ktap_ok(page_to_pfn(page[order]) % (1UL << order) == 0);
		ktap_ok(page_ref_count(page[order]) == 1);
		ktap_ok(!memblock_kept() || memblock_is_map_memory(page_to_phys(page[order])));
		ktap_ok(virt_to_page(page_address(page[order])) == page[order]);
		memset(page_address(page[order]), (int)order, PAGE_SIZE << order);
	}
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		const u8 *bytes = page[order] ? page_address(page[order]) : NULL;

		ktap_ok(!bytes || (bytes[0] == order && bytes[(PAGE_SIZE << order) - 1] == order));
		if (page[order])
			__free_pages(page[order], order);
	}
}

static void case_zeroed(void)
{
	u64 *dirty = (u64 *)__get_free_pages(GFP_KERNEL, 1);
	u64 *clean, sum = 0;

	if (!ktap_ok(dirty != NULL))
		return;
	memset(dirty, 0xa5, 2 * PAGE_SIZE);
	free_pages((unsigned long)dirty, 1);
	clean = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	/* The page cache gives back what was freed last: the page was dirty. */
	if (!ktap_ok(clean == dirty))
		return;
	for (size_t i = 0; i < 2 * PAGE_SIZE / sizeof(u64); i++)
		sum |= clean[i];
	ktap_ok(sum == 0);
	free_pages((unsigned long)clean, 1);
}

/* This CPU's caches give back what was freed last, and have nothing after a drain. */
static void case_caches(void)
{
	struct zone *zone;
	int i;

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *first = alloc_pages(GFP_KERNEL, order), *again;
		unsigned long cached;

		if (!ktap_ok(first && first->page_stack))
			continue;
		zone = page_zone(first);
		cached = zone_pcp_pages(zone);
		__free_pages(first, order);
		if (zone_pcp_pages(zone) != cached + (1UL << order))
			continue; /* the zone is too small for a stack of this order */
		ktap_ok(page_ref_count(first) == 0);
		again = alloc_pages(GFP_KERNEL, order);
		ktap_ok(again == first && page_ref_count(again) == 1 && page_order(again) == order);
		ktap_ok(zone_pcp_pages(zone) == cached);
		__free_pages(again, order);
	}
	drain_all_pages();
	for_each_populated_zone(i, zone)
		ktap_ok(zone_pcp_pages(zone) == 0);
}

static void case_zones(void)
{
	static const gfp_t kinds[] = { GFP_DMA, GFP_DMA32, GFP_KERNEL, GFP_KERNEL | __GFP_MOVABLE,
				       GFP_HIGHUSER_MOVABLE };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct page *page = alloc_page(kinds[i] | __GFP_NOWARN);

		/* A machine whose RAM is all above 4 GiB has nothing for GFP_DMA32 but its DMA zone. */
		if (!ktap_ok(page != NULL))
			continue;
		ktap_ok(page_zonenum(page) <= (int)gfp_zone(kinds[i]));
		ktap_ok(page_zone(page)->zone_start_pfn <= page_to_pfn(page));
		ktap_ok(page_to_pfn(page) < zone_end_pfn(page_zone(page)));
		__free_page(page);
	}
}

static unsigned long node_managed_pages(const pg_data_t *pgdat)
{
	unsigned long pages = 0;

	for (int idx = 0; idx < MAX_NR_ZONES; idx++)
		pages += pgdat->node_zones[idx].managed_pages;
	return pages;
}

static void case_nodes(void)
{
	pg_data_t *pgdat;
	int nid;

	for_each_online_pgdat(nid, pgdat) {
		struct page *here = alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0);
		struct page *near = alloc_pages_node(nid, GFP_KERNEL, 0);

		ktap_ok((node_for_alloc[nid] == nid) == (node_managed_pages(pgdat) != 0));
		ktap_ok(node_for_alloc[nid] == nid ? here && page_to_nid(here) == nid : !here);
		ktap_ok(near && page_to_nid(near) == node_for_alloc[nid]);
		if (here)
			__free_page(here);
		if (near)
			__free_page(near);
	}
	ktap_ok(alloc_pages_node(MAX_NUMNODES, GFP_KERNEL | __GFP_NOWARN, 0) == NULL);
}

static void case_refusals(void)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;

	ktap_ok(alloc_pages(gfp, MAX_PAGE_ORDER + 1) == NULL);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		ktap_ok(alloc_pages(gfp | __GFP_MOVABLE | __GFP_RECLAIMABLE, order) == NULL);
}

static void case_pfn_valid(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		ktap_ok(pfn_valid(zone->zone_start_pfn));
		ktap_ok(pfn_valid(zone_end_pfn(zone) - 1));
	}
	ktap_ok(!pfn_valid(ALIGN(PFN_UP(memblock_end_of_DRAM()), PAGEBLOCK_NR_PAGES)));
	ktap_ok(!pfn_valid(~0UL));
	ktap_ok(!pfn_valid(0) || memblock_start_of_DRAM() < PAGEBLOCK_SIZE);
}

static unsigned long free_or_cached(void)
{
	unsigned long pages = nr_free_pages();
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += zone_pcp_pages(zone);
	return pages;
}

/*
 * Wrong frees are reported, and nothing changes but that a block that two claim goes out of use: the check after the
 * case proves that nothing was lost or doubled.
 */
static void case_wrong_frees(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2), *image = pfn_to_page(PFN_DOWN(kimage_pa(_text)));
	unsigned long before, bad = num_poisoned_pages();

	if (!ktap_ok(page != NULL))
		return;
	__free_pages(page, 1);
	ktap_ok(page_ref_count(page) == 1);
	__free_pages(page + 1, 0);
	ktap_ok(page_ref_count(page) == 1);
	__free_pages(page, 2);
	before = free_or_cached();
	__free_pages(page, 2);
	ktap_ok(num_poisoned_pages() == bad + 4);
	ktap_ok(free_or_cached() == before - 4);
	__free_pages(image, 0);
	ktap_ok(free_or_cached() == before - 4);
	/* Its struct page is written when anything in its pageblock is free. */
	ktap_ok(!page_initialised(page_to_pfn(image)) || (page_test(image, PG_reserved) && page_ref_count(image) == 1));
}

/* An order that nobody here allocates: a page that has been given to somebody since is refused for that. */
#define WRONG_ORDER 6

static u32 given_bad; /* atomic: pages that were given though they are out of use */

/* Allocate and free; now and then free twice, with interrupts masked and not. */
static void free_twice(void *unused)
{
	(void)unused;
	for (unsigned int n = 0; n < 400; n++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, n % 4);
		unsigned long flags;

		if (!page)
			continue;
		for (unsigned int i = 0; i < 1U << n % 4; i++)
			if (PageHWPoison(page + i))
				fetch_add32(&given_bad, 1);
		__free_pages(page, n % 4);
		if (n % 100 != 50 + n / 100)
			continue;
		flags = local_irq_save();
		if (n / 100 % 2)
			local_irq_restore(flags);
		__free_pages(page, WRONG_ORDER);
		local_irq_restore(flags);
	}
}

/* What is out of use, and from where, the check after the case proves. */
static void case_freed_twice(void)
{
	unsigned long bad = num_poisoned_pages();

	on_all_cpus(free_twice, NULL);
	drain_all_pages();
	ktap_ok(num_poisoned_pages() > bad);
	ktap_ok(__atomic_load_n(&given_bad, __ATOMIC_RELAXED) == 0);
}

static void case_get_put(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	if (!ktap_ok(page != NULL))
		return;
	get_page(page);
	ktap_ok(page_ref_count(page) == 2);
	put_page(page);
	ktap_ok(page_ref_count(page) == 1);
	put_page(page);
	ktap_ok(page_ref_count(page) == 0);
}

static unsigned long min_watermarks(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += zone->watermark[WMARK_MIN] + zone->lowmem_reserve[ZONE_NORMAL];
	return pages;
}

static void case_exhaustion(void)
{
	unsigned long before = quiet_free_pages(), taken_pages;
	struct page *page;
	LIST_HEAD(taken);

	if (totalram_pages() > EXHAUST_MAX_PAGES) {
		ktap_skip("more than 4 GiB: too slow under emulation");
		return;
	}
	/* Lower zones keep more from movable requests than from others. */
	taken_pages = take_all_pages(NUMA_NO_NODE, GFP_HIGHUSER_MOVABLE, &taken);
	taken_pages += take_all_pages(NUMA_NO_NODE, GFP_KERNEL, &taken);
	ktap_ok(taken_pages + min_watermarks() >= before);
	ktap_ok(taken_pages <= before);
	/* Without memory a request fails, and an urgent one still succeeds. */
	ktap_ok(alloc_page(GFP_KERNEL | __GFP_NOWARN) == NULL);
	page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
	ktap_ok(page || !min_watermarks());
	if (page)
		__free_page(page);
	ktap_ok(page_alloc_check());
	give_blocks(&taken);
	ktap_ok(quiet_free_pages() == before);
}

static const struct ktap_case cases[] = {
	{ "written ahead of need", case_written_ahead },
	{ "orders", case_orders },
	{ "zeroed", case_zeroed },
	{ "caches", case_caches },
	{ "zones", case_zones },
	{ "nodes", case_nodes },
	{ "what is refused", case_refusals },
	{ "pfn_valid", case_pfn_valid },
	{ "wrong frees", case_wrong_frees },
	{ "freed twice on all CPUs", case_freed_twice },
	{ "reference counts", case_get_put },
	{ "exhaustion", case_exhaustion },
};
KTAP_SUITE(pages, cases, memory_check);
