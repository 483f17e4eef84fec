// SPDX-License-Identifier: BSD-2-Clause
/*
 * The account: where every page of RAM is.
 *
 *	discovered = reserved + metadata + free + per-CPU + allocated	per zone, in pages
 *	discovered = reserved + metadata + free + allocated + fragments	in all, in bytes
 *
 * 1. discovered is what memblock holds as memory; fragments are bytes at the ends of banks that are no whole page.
 * 2. reserved and metadata were counted at hand-over from memblock's reserved array; free is the buddy allocator's
 *    counter; allocated is found by walking the struct pages (zone_check.c). Each side comes from other code, so the
 *    equation can fail; when it does, the line says by how much.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>

struct account {
	unsigned long present, reserved, metadata, free, cached, allocated;
};

static void add_zone(struct account *sum, struct zone *zone)
{
	struct account a = {
		.present = zone->present_pages,
		.reserved = zone->reserved_pages,
		.metadata = zone->metadata_pages,
		.free = zone->nr_free,
		.cached = zone_pcp_pages(zone),
		.allocated = zone_allocated_pages(zone),
	};

	printk("account: node %d zone %s: %lu pages = %lu reserved + %lu metadata + %lu free + %lu per-CPU + %lu allocated\n",
	       zone->node->node_id, zone->name, a.present, a.reserved, a.metadata, a.free, a.cached, a.allocated);
	sum->present += a.present;
	sum->reserved += a.reserved;
	sum->metadata += a.metadata;
	sum->free += a.free;
	sum->cached += a.cached;
	sum->allocated += a.allocated;
}

bool account_print(void)
{
	phys_addr_t discovered = memblock_phys_mem_size(), fragments, found;
	struct account sum = { 0 };
	struct zone *zone;
	bool ok;
	int i;

	for_each_populated_zone(i, zone)
		add_zone(&sum, zone);
	fragments = discovered - PFN_PHYS(sum.present);
	found = PFN_PHYS(sum.reserved + sum.metadata + sum.free + sum.cached + sum.allocated) + fragments;
	ok = page_alloc_check() && found == discovered;
	printk("account: discovered %llu bytes = %llu reserved + %llu metadata + %llu free + %llu allocated + %llu fragments",
	       discovered, PFN_PHYS(sum.reserved), PFN_PHYS(sum.metadata), PFN_PHYS(sum.free + sum.cached),
	       PFN_PHYS(sum.allocated), fragments);
	if (ok)
		printk(": balanced\n");
	else
		printk(": NOT balanced: %lld bytes apart\n", (s64)(discovered - found));
	return ok;
}
