// SPDX-License-Identifier: BSD-2-Clause
/*
 * The account: where every byte of RAM is.
 *
 *	present    = reserved + metadata + free + per-CPU + allocated + bad	per zone, in pages
 *	discovered = reserved + metadata + rounding + free + allocated + bad	in all, in bytes
 *
 * 1. The two sides come from different code. discovered, reserved (by owner) and metadata (by kind) are summed up from
 *    the claims (provenance.c); free and per-CPU are the page allocator's counters; allocated is found by walking the
 *    struct pages (zone_check.c); rounding is what of the unclaimed bytes lies in pages that are claimed in part.
 * 2. Checked: both equations; that memblock holds as much memory as the claims make; that the whole unclaimed pages are
 *    just the managed pages of all zones; zone_check() of each zone. A difference is an error, with both figures.
 *
 * Exact while no CPU allocates or frees. Cost: O(claims^2) + O(initialised pages).
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <string.h>

#include "provenance.h"

struct page_sums {
	unsigned long managed, free, cached, allocated, bad;
};

static bool agree(const char *left, u64 a, const char *right, u64 b)
{
	if (a != b)
		printk("account: WRONG: %s is %llu bytes, %s is %llu\n", left, a, right, b);
	return a == b;
}

static void add_zone(struct page_sums *sum, struct zone *zone)
{
	unsigned long cached = zone_pcp_pages(zone), allocated = zone_allocated_pages(zone);

	printk("account: node %d zone %s: %lu pages = %lu reserved + %lu metadata + %lu free + %lu per-CPU + %lu allocated + %lu bad\n",
	       zone->node->node_id, zone->name, zone->present_pages, zone->reserved_pages, zone->metadata_pages,
	       zone->nr_free, cached, allocated, zone->nr_bad);
	sum->managed += zone->managed_pages;
	sum->free += zone->nr_free;
	sum->cached += cached;
	sum->allocated += allocated;
	sum->bad += zone->nr_bad;
}

static void print_owner(const struct mem_claim *claim)
{
	char name[128];

	printk("account: %12llu bytes %s: %s\n", claim_owned(claim),
	       claim->kind == CLAIM_CMA ? "handed over, CMA" : "reserved", claim_name(claim, name, sizeof(name)));
}

/* Whether an earlier metadata claim is of the same kind as claim @i: its line has counted this one. */
static bool kind_seen(unsigned int i)
{
	for (unsigned int j = 0; j < i; j++)
		if (claim_get(j)->kind == CLAIM_METADATA && !strcmp(claim_get(j)->name, claim_get(i)->name))
			return true;
	return false;
}

static void print_kind(unsigned int first)
{
	phys_addr_t bytes = 0;

	for (unsigned int i = first; i < claim_count(); i++)
		if (claim_get(i)->kind == CLAIM_METADATA && !strcmp(claim_get(i)->name, claim_get(first)->name))
			bytes += claim_owned(claim_get(i));
	printk("account: %12llu bytes metadata: %s\n", bytes, claim_get(first)->name);
}

static void print_owners(void)
{
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (c->kind == CLAIM_METADATA && !kind_seen(i))
			print_kind(i);
		else if (claim_owned(c) && c->kind != CLAIM_METADATA)
			print_owner(c);
	}
}

bool account_print(void)
{
	struct page_sums pages = { 0 };
	phys_addr_t rounding, free, allocated, bad;
	struct ram_sums ram;
	struct zone *zone;
	bool ok;
	int i;

	ram_sum(&ram);
	print_owners();
	for_each_populated_zone(i, zone)
		add_zone(&pages, zone);
	rounding = ram.unclaimed - ram.whole_pages;
	free = PFN_PHYS(pages.free + pages.cached);
	allocated = PFN_PHYS(pages.allocated);
	bad = PFN_PHYS(pages.bad);

	ok = page_alloc_check();
	ok &= agree("RAM by the claims", ram.discovered, "RAM by memblock", memblock_phys_mem_size());
	ok &= agree("whole unclaimed pages", ram.whole_pages, "managed by the zones", PFN_PHYS(pages.managed));
	ok &= agree("discovered", ram.discovered, "the sum of its parts",
		    ram.reserved + ram.metadata + rounding + free + allocated + bad);
	printk("account: discovered %llu bytes = %llu reserved + %llu metadata + %llu rounding + %llu free + %llu allocated + %llu bad: %s\n",
	       ram.discovered, ram.reserved, ram.metadata, rounding, free, allocated, bad,
	       ok ? "balanced" : "NOT balanced");
	return ok;
}
