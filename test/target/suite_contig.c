// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ranges of page frames in the image: alloc_contig_*() and CMA areas, alone and while other CPUs allocate and free.
 *
 * Who owns a page has its own number in it, written when it was had and looked for when it is given back: two owners of
 * a page would see each other's.
 */
#include <mm/cma.h>
#include <mm/contig.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "target.h"

#define LOAD_NS	       700000000ULL
#define RANGE_LIMIT_NS 10000000000ULL
#define SLOTS	       64
#define RANGE_MAX      600
#define MAX_ORDER      4
#define LARGE_SIZE     5000 /* pages: more than a block of the largest order */

static u64 stamp_of(const struct page *page, u64 owner)
{
	return (page_to_pfn(page) + 1) * 0x9e3779b97f4a7c15ULL ^ owner;
}

static void stamp(struct page *page, unsigned long n, u64 owner)
{
	for (struct page *end = page + n; page < end; page++)
		*(u64 *)page_address(page) = stamp_of(page, owner);
}

static bool stamped(struct page *page, unsigned long n, u64 owner)
{
	for (struct page *end = page + n; page < end; page++)
		if (*(u64 *)page_address(page) != stamp_of(page, owner))
			return false;
	return true;
}

static void case_pages(void)
{
	unsigned long before = quiet_free_pages();
	struct page *page = alloc_contig_pages(LARGE_SIZE, GFP_KERNEL, NUMA_NO_NODE, NULL);
	bool single = true;

	if (!ktap_ok(page != NULL))
		return;
	stamp(page, LARGE_SIZE, 1);
	for (unsigned long i = 0; i < LARGE_SIZE; i++)
		single &= page_ref_count(page + i) == 1 && page_order(page + i) == 0;
	ktap_ok(single);
	ktap_ok(nr_free_pages() <= before - LARGE_SIZE);
	/* Its pages are in the way of others. */
	ktap_ok(alloc_contig_range(page_to_pfn(page) + 100, page_to_pfn(page) + 200, MIGRATE_MOVABLE,
				   GFP_KERNEL | __GFP_NOWARN) != 0);
	ktap_ok(stamped(page, LARGE_SIZE, 1));
	/* One by one, and the rest at once. */
	__free_page(page);
	free_contig_range(page_to_pfn(page) + 1, LARGE_SIZE - 1);
	ktap_ok(quiet_free_pages() == before);
}

static void case_isolation(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER), *other;
	unsigned long pfn;

	if (!ktap_ok(page != NULL))
		return;
	pfn = page_to_pfn(page);
	ktap_ok(start_isolate_page_range(pfn, pfn + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE) == 0);
	ktap_ok(start_isolate_page_range(pfn, pfn + PAGEBLOCK_NR_PAGES, MIGRATE_MOVABLE) != 0);
	ktap_ok(test_pages_isolated(pfn, pfn + PAGEBLOCK_NR_PAGES) == pfn);
	__free_pages(page, MAX_PAGE_ORDER);
	/* It would be the first to be had again. */
	other = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	ktap_ok(other != NULL && other != page);
	ktap_ok(test_pages_isolated(pfn, pfn + PAGEBLOCK_NR_PAGES) == pfn + PAGEBLOCK_NR_PAGES);
	undo_isolate_page_range(pfn, pfn + PAGEBLOCK_NR_PAGES);
	if (other)
		__free_pages(other, MAX_PAGE_ORDER);
}

/* One CPU's part of the load, and what came of it. */
struct part {
	u64 random;
	u64 ranges;  /* that were had */
	u64 refused; /* because somebody stood in the way */
	u64 blocks;
	u64 doubled; /* pages that somebody else had too */
};

static struct part parts[CONFIG_NR_CPUS];
static u64 load_end_ns;

struct slot {
	struct page *page;
	unsigned int order;
};

static void churn(struct part *part, struct slot *slot, u64 owner)
{
	u64 r = next_random(&part->random);

	if (slot->page) {
		part->doubled += !stamped(slot->page, 1UL << slot->order, owner);
		__free_pages(slot->page, slot->order);
		slot->page = NULL;
		return;
	}
	slot->order = (unsigned int)(r % (MAX_ORDER + 1));
	slot->page = alloc_pages(r & 1 << 10 ? GFP_KERNEL : GFP_KERNEL | __GFP_MOVABLE, slot->order);
	if (!slot->page)
		return;
	part->blocks++;
	stamp(slot->page, 1UL << slot->order, owner);
}

/* A range anywhere, or the page frames around a block that is free at the moment, most likely in somebody's cache. */
static struct page *get_range(struct part *part, const struct slot *near, unsigned long n)
{
	unsigned long pfn;

	if (!near->page || next_random(&part->random) % 2)
		return alloc_contig_pages(n, GFP_KERNEL | __GFP_NOWARN, NUMA_NO_NODE, NULL);
	pfn = page_to_pfn(near->page) + (1UL << near->order);
	if (alloc_contig_range(pfn, pfn + n, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN))
		return NULL;
	return pfn_to_page(pfn);
}

static void one_range(struct part *part, const struct slot *near, u64 owner)
{
	unsigned long n = 1 + next_random(&part->random) % RANGE_MAX;
	struct page *page = get_range(part, near, n);

	if (!page) {
		part->refused++;
		return;
	}
	part->ranges++;
	stamp(page, n, owner);
	part->doubled += !stamped(page, n, owner);
	free_contig_range(page_to_pfn(page), n);
}

static void one_cma(struct part *part, u64 owner)
{
	struct cma *cma = cma_default_area();
	unsigned long n = 1 + next_random(&part->random) % RANGE_MAX;
	struct page *page = cma ? cma_alloc(cma, n, 0, true) : NULL;

	if (!page)
		return;
	part->ranges++;
	stamp(page, n, owner);
	part->doubled += !stamped(page, n, owner);
	part->doubled += !cma_release(cma, page, n);
}

/* Until the end, and then until a range was had: on a busy host a CPU may hardly have run. */
static bool go_on(const struct part *part)
{
	u64 now = arch_clock_ns();

	return now < load_end_ns || (!part->ranges && now < load_end_ns + RANGE_LIMIT_NS);
}

static void load_cpu(void *unused)
{
	struct part *part = &parts[smp_processor_id()];
	u64 owner = (u64)smp_processor_id() + 1;
	struct slot slots[SLOTS] = { { NULL, 0 } };

	(void)unused;
	*part = (struct part){ .random = owner * 0xd1342543de82ef95ULL | 1 };
	do {
		for (int i = 0; i < 200; i++)
			churn(part, &slots[next_random(&part->random) % SLOTS], owner);
		one_range(part, &slots[next_random(&part->random) % SLOTS], owner);
		one_cma(part, owner);
	} while (go_on(part));
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].page)
			churn(part, &slots[i], owner);
}

/* All CPUs allocate blocks and ranges at once: caches are drained under those who fill them. */
static void case_load(void)
{
	unsigned long before = quiet_free_pages();
	int cpu;

	load_end_ns = arch_clock_ns() + LOAD_NS;
	if (!ktap_ok(on_all_cpus(load_cpu, NULL)))
		return;
	for_each_online_cpu(cpu) {
		ktap_ok(parts[cpu].doubled == 0);
		ktap_ok(parts[cpu].blocks > 0);
		ktap_ok(parts[cpu].ranges > 0);
	}
	ktap_ok(quiet_free_pages() == before);
}

static void case_cma(void)
{
	struct cma *cma = cma_default_area();
	unsigned long before = quiet_free_pages(), all;
	struct page *page;

	if (!cma) {
		ktap_skip("there is no CMA area");
		return;
	}
	all = cma_get_size(cma) >> PAGE_SHIFT;
	page = cma_alloc(cma, all, 0, false);
	if (!ktap_ok(page != NULL))
		return;
	ktap_ok(page_to_phys(page) == cma_get_base(cma));
	ktap_ok(cma_used_pages(cma) == all);
	stamp(page, all, 1);
	ktap_ok(cma_alloc(cma, 1, 0, true) == NULL);
	ktap_ok(stamped(page, all, 1));
	ktap_ok(!cma_release(cma, page + 1, all));
	ktap_ok(cma_release(cma, page, all));
	ktap_ok(cma_used_pages(cma) == 0);
	ktap_ok(quiet_free_pages() == before);
}

static const struct ktap_case cases[] = {
	{ "pages behind one another", case_pages },
	{ "isolation", case_isolation },
	{ "CMA", case_cma },
	{ "ranges while all CPUs allocate", case_load },
};
KTAP_SUITE(contig, cases, memory_check);
