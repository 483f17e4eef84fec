// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hand-over: what memblock has left goes to the zones.
 *
 * 1. memblock_free_all() goes through the free ranges of memblock (free_all_bootmem(): of bootmem's bitmaps) and gives
 *    each to hand_over_range(). A pageblock that is wholly free is only marked deferred, one bit: nothing here is
 *    proportional to the number of pages. What becomes of it then is in deferred.c.
 * 2. A pageblock that is free in part has its struct pages written at once, all reserved, and the free part goes to the
 *    buddy allocator. At most two of them lie at the ends of each free range.
 * 3. A pageblock in which nothing is free is never written; page_initialised() says so.
 * 4. A deferred pageblock lies in one zone, for the range that set its bit did. Another may hold pages of several zones
 *    and nodes, or none: it is written in runs. That zones share it is noted for the buddy allocator (usage->shared).
 *    Those of CMA areas, which are handed over last, have their type from then on and are counted apart.
 * 5. Here the boot CPU is alone. The spans of zones of different nodes may interleave: whose a deferred pageblock is,
 *    is noted with its bit, a byte for each, set a section at a time. So nothing asks memblock after hand-over, and its
 *    arrays can be given away too (memblock_discard.c).
 */
#include "internal.h"

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/mmzone.h>
#include <string.h>

#include "buddy.h"
#include "deferred.h"

/* The zone of @nid whose span holds @pfn, NULL when none does. */
static struct zone *zone_of(int nid, unsigned long pfn)
{
	for (int idx = 0; idx < MAX_NR_ZONES; idx++) {
		struct zone *zone = &node_data[nid]->node_zones[idx];

		if (pfn >= zone->zone_start_pfn && pfn < zone_end_pfn(zone))
			return zone;
	}
	return NULL;
}

/*
 * A pageblock that is being written page by page: up to where, and the zone of the memory before that, NULL for none.
 */
struct block_writer {
	unsigned long pfn;
	struct zone *owner;
};

static void write_reserved(unsigned long pfn, unsigned long n, unsigned long identity)
{
	struct page *page = pfn_to_page(pfn);

	write_pages(pfn, n, identity | BIT(PG_reserved));
#pragma GCC unroll 8
	for (struct page *end = page + n; page < end; page++)
		page->_refcount = 1;
}

static const struct zone *first_zone(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		return zone;
	return NULL;
}

/*
 * What no region names is a hole: reserved pages of no zone, but page_zone() must lead somewhere: the machine's first.
 */
static void write_hole(struct block_writer *writer, unsigned long end)
{
	if (writer->pfn >= end)
		return;
	write_reserved(writer->pfn, end - writer->pfn, page_identity(first_zone(), writer->pfn));
	writer->pfn = end;
}

/* The memory of @region below @end, as reserved pages, each with its zone. */
static void write_region(struct block_writer *writer, const struct memblock_region *region, unsigned long end)
{
	end = min(end, PFN_DOWN(region->base + region->size));
	write_hole(writer, min(end, PFN_UP(region->base)));
	while (writer->pfn < end) {
		unsigned long pfn = writer->pfn;
		struct zone *zone = zone_of(region->nid, pfn);
		unsigned long part_end = min(end, zone_end_pfn(zone));

		write_reserved(pfn, part_end - pfn, page_identity(zone, pfn));
		if (writer->owner && writer->owner != zone)
			bit_set(usage_of(pfn)->shared, pageblock_nr(pfn));
		*writer = (struct block_writer){ part_end, zone };
	}
}

/* Write the pageblock that begins at @pfn, every page reserved, and note whether zones share it. */
static void init_reserved_block(unsigned long pfn)
{
	struct block_writer writer = { pfn, NULL };
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;
	unsigned long i = memblock_first_ending_after(&memblock.memory, PFN_PHYS(pfn));

	for (; i < memblock.memory.cnt && memblock.memory.regions[i].base < PFN_PHYS(end); i++)
		write_region(&writer, &memblock.memory.regions[i], end);
	write_hole(&writer, end);
	memmap_note_written();
	bit_set(usage_of(pfn)->initialised, pageblock_nr(pfn));
	set_pageblock_migratetype(pfn, MIGRATE_MOVABLE);
}

/* Give [start, end), which lies in one pageblock that is not wholly free, to the buddy allocator. */
static void free_partial_block(struct zone *zone, unsigned long start, unsigned long end)
{
	if (!page_initialised(start))
		init_reserved_block(ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES));
	write_pages(start, end - start, page_identity(zone, start));
	buddy_free_range(zone, start, end - start);
}

/* Mark whole pageblocks [start, end) deferred, a section at a time. */
static void defer_blocks(struct zone *zone, unsigned long start, unsigned long end)
{
	ADD_ONCE(zone->nr_free, end - start);
	ADD_ONCE(zone->nr_deferred, end - start);
	zone->deferred_pfn = min(zone->deferred_pfn, start);
	while (start < end) {
		unsigned long section_end = ALIGN_DOWN(start, PAGES_PER_SECTION) + PAGES_PER_SECTION;
		unsigned long part_end = min(end, section_end), blocks = (part_end - start) >> PAGEBLOCK_ORDER;
		struct mem_section_usage *usage = usage_of(start);

		bits_set_range(usage->deferred, pageblock_nr(start), blocks);
		memset(&usage->deferred_nid[pageblock_nr(start)], zone->node->node_id, blocks);
		start = part_end;
	}
}

/* Hand [start, end) of one zone over: whole pageblocks deferred, the rest freed now. */
static void free_zone_range(struct zone *zone, unsigned long start, unsigned long end)
{
	zone->managed_pages += end - start;
	while (start < end) {
		unsigned long block_end = ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES;
		unsigned long whole_end = ALIGN_DOWN(end, PAGEBLOCK_NR_PAGES);

		if (IS_ALIGNED(start, PAGEBLOCK_NR_PAGES) && whole_end > start) {
			defer_blocks(zone, start, whole_end);
			start = whole_end;
			continue;
		}
		free_partial_block(zone, start, min(end, block_end));
		start = min(end, block_end);
	}
}

/* Pages of @zone within [start, end) that are not free, to @zone's reserved or metadata pages. */
static void count_kept(int nid, unsigned long start, unsigned long end, bool metadata)
{
	while (start < end) {
		struct zone *zone = zone_of(nid, start);
		unsigned long part_end = min(end, zone_end_pfn(zone));

		if (metadata)
			zone->metadata_pages += part_end - start;
		else
			zone->reserved_pages += part_end - start;
		start = part_end;
	}
}

/* What of one memory region is not handed over. */
static void count_region(const struct memblock_region *m)
{
	unsigned long start = PFN_UP(m->base), end = PFN_DOWN(m->base + m->size), counted = start;
	unsigned long i = memblock_first_ending_after(&memblock.reserved, m->base);

	if (m->flags & (MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED)) {
		count_kept(m->nid, start, max(start, end), false);
		return;
	}
	for (; i < memblock.reserved.cnt && memblock.reserved.regions[i].base < m->base + m->size; i++) {
		const struct memblock_region *r = &memblock.reserved.regions[i];
		unsigned long from = max(PFN_DOWN(r->base), counted), to = min(PFN_UP(r->base + r->size), end);

		if (from >= to)
			continue;
		count_kept(m->nid, from, to, r->flags & MEMBLOCK_RSRV_KERN);
		counted = to;
	}
}

void count_kept_pages(void)
{
	struct memblock_region *region;

	for_each_mem_region(region)
		count_region(region);
}

void hand_over_range(int nid, unsigned long start, unsigned long end)
{
	while (start < end) {
		struct zone *zone = zone_of(nid, start);
		unsigned long part_end = min(end, zone_end_pfn(zone));

		free_zone_range(zone, start, part_end);
		start = part_end;
	}
}

void hand_over_metadata(int nid, unsigned long start, unsigned long end)
{
	while (start < end) {
		struct zone *zone = zone_of(nid, start);
		unsigned long part_end = min(end, zone_end_pfn(zone));

		zone->metadata_pages -= part_end - start;
		free_zone_range(zone, start, part_end);
		start = part_end;
	}
}

/* Deferred pageblocks [start, end) of one zone become the zone's lent ones. */
static void lend_blocks(struct zone *zone, unsigned long start, unsigned long end)
{
	ADD_ONCE(zone->nr_deferred, start - end);
	ADD_ONCE(zone->nr_deferred_cma, end - start);
	zone->cma_pages += end - start;
	zone->deferred_cma_pfn = min(zone->deferred_cma_pfn, start);
	for (; start < end; start += PAGEBLOCK_NR_PAGES)
		set_pageblock_migratetype(start, MIGRATE_CMA);
}

void hand_over_cma(struct zone *zone, unsigned long start, unsigned long end)
{
	zone->reserved_pages -= end - start;
	free_zone_range(zone, start, end);
	lend_blocks(zone, start, end);
}

struct zone *zone_of_range(unsigned long start, unsigned long end)
{
	const struct memblock_region *region = memblock_search(&memblock.memory, PFN_PHYS(start));
	struct zone *zone = region ? zone_of(region->nid, start) : NULL;

	if (!zone || PFN_PHYS(end) > region->base + region->size || end > zone_end_pfn(zone))
		return NULL;
	return zone;
}

unsigned long memblock_free_all(void)
{
	phys_addr_t from, to;
	unsigned long pages = 0;
	int nid;
	u64 i;

	count_kept_pages();
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, &nid) {
		unsigned long start = PFN_UP(from), end = PFN_DOWN(to);

		if (start >= end)
			continue;
		hand_over_range(nid, start, end);
		pages += end - start;
	}
	return pages;
}
