// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hand-over, and struct pages that are written when they are first needed.
 *
 * 1. memblock_free_all() goes through the free ranges of memblock (free_all_bootmem(): of bootmem's bitmaps) and gives each
 *    to hand_over_range(). A pageblock that is wholly free is only marked deferred, one bit: nothing here is proportional
 *    to the number of pages. A pageblock that is free in part has its struct pages written at once, all reserved, and the
 *    free part goes to the buddy allocator.
 * 2. A zone that runs out of free blocks takes a deferred pageblock: its struct pages are written, and it enters the free
 *    lists as one block of MAX_PAGE_ORDER, with the migratetype of whoever asked.
 * 3. A pageblock in which nothing is free is never written; page_initialised() says so.
 * 4. A deferred pageblock lies in one zone, for the range that set its bit did. Another may hold pages of several zones
 *    and nodes, or none: it is written in runs. That zones share it is noted for the buddy allocator (usage->shared).
 *    Those of CMA areas, which are handed over last, have their type from then on and are counted apart.
 * 5. A pageblock's bits are covered by the lock of the zone it is in (at hand-over the boot CPU is alone). Zones of
 *    different locks may share a word of a bitmap, so words are changed with atomics. The spans of zones of different
 *    nodes may interleave: whose a deferred pageblock is, is noted with its bit, a byte for each, set a section at a time.
 *    So nothing asks memblock after hand-over, and its arrays can be given away too (memblock_discard.c).
 */
#include "internal.h"

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/mmzone.h>
#include <string.h>

#include "buddy.h"

/* The usage map of a page frame that is present. */
static struct mem_section_usage *usage_of(unsigned long pfn)
{
	unsigned long nr = pfn_to_section_nr(pfn);

	return mem_section[nr / SECTIONS_PER_ROOT][nr % SECTIONS_PER_ROOT].usage;
}

static unsigned long identity(const struct zone *zone, unsigned long pfn)
{
	return pfn_to_section_nr(pfn) << SECTION_ID_SHIFT | (unsigned long)zone->node->node_id << NODE_ID_SHIFT |
	       (unsigned long)zone->idx << ZONE_ID_SHIFT;
}

/* Write the struct pages of [pfn, pfn + n), all with @flags and @refcount. */
static void write_pages(unsigned long pfn, unsigned long n, unsigned long flags, s32 refcount)
{
	struct page *page = pfn_to_page(pfn);

	for (struct page *end = page + n; page < end; page++)
		*page = (struct page){ .flags = flags, ._refcount = refcount };
}

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
 * The memory of @region within [start, end), part of a pageblock, as reserved pages, each with its zone. *@owner is the
 * zone of the memory before it, NULL when there is none.
 */
static void write_region(const struct memblock_region *region, unsigned long start, unsigned long end,
			 struct zone **owner)
{
	start = max(start, PFN_UP(region->base));
	end = min(end, PFN_DOWN(region->base + region->size));
	while (start < end) {
		struct zone *zone = zone_of(region->nid, start);
		unsigned long part_end = min(end, zone_end_pfn(zone));

		write_pages(start, part_end - start, identity(zone, start) | BIT(PG_reserved), 1);
		if (*owner && *owner != zone)
			bit_set(usage_of(start)->shared, pageblock_nr(start));
		*owner = zone;
		start = part_end;
	}
}

/*
 * Write the pageblock that begins at @pfn, every page reserved, and note whether zones share it. Holes get the identity of
 * node and zone 0.
 */
static void init_reserved_block(unsigned long pfn)
{
	struct zone *owner = NULL;
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;
	unsigned long i = memblock_first_ending_after(&memblock.memory, PFN_PHYS(pfn));
	struct mem_section_usage *usage = usage_of(pfn);

	write_pages(pfn, PAGEBLOCK_NR_PAGES, pfn_to_section_nr(pfn) << SECTION_ID_SHIFT | BIT(PG_reserved), 1);
	for (; i < memblock.memory.cnt && memblock.memory.regions[i].base < PFN_PHYS(end); i++)
		write_region(&memblock.memory.regions[i], pfn, end, &owner);
	bit_set(usage->initialised, pageblock_nr(pfn));
	set_pageblock_migratetype(pfn, MIGRATE_MOVABLE);
}

/* Give [start, end), which lies in one pageblock that is not wholly free, to the buddy allocator. */
static void free_partial_block(struct zone *zone, unsigned long start, unsigned long end)
{
	if (!page_initialised(start))
		init_reserved_block(ALIGN_DOWN(start, PAGEBLOCK_NR_PAGES));
	for (unsigned long pfn = start; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		page_clear(page, PG_reserved);
		page->_refcount = 0;
	}
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

/* The first deferred pageblock at or above @pfn and below @end; @end when there is none. */
static unsigned long find_deferred(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
		unsigned long block = pageblock_nr(pfn);
		u64 word = usage ? READ_ONCE(usage->deferred[block / 64]) >> (block % 64) : 0;

		if (word)
			return pfn + ((unsigned long)__builtin_ctzll(word) << PAGEBLOCK_ORDER);
		/* Nothing more in this word; without a usage map, in this section. */
		pfn = ALIGN_DOWN(pfn, (usage ? 64 : PAGEBLOCKS_PER_SECTION) * PAGEBLOCK_NR_PAGES) +
		      (usage ? 64 : PAGEBLOCKS_PER_SECTION) * PAGEBLOCK_NR_PAGES;
	}
	return end;
}

bool deferred_in_zone(const struct zone *zone, unsigned long pfn)
{
	return usage_of(pfn)->deferred_nid[pageblock_nr(pfn)] == zone->node->node_id;
}

bool pageblock_deferred(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));

	return usage && bit_test(usage->deferred, pageblock_nr(pfn));
}

/* The next deferred pageblock of @zone from @pfn on, of a CMA area or of none; a counter has said that there is one. */
static unsigned long next_deferred(const struct zone *zone, unsigned long pfn, bool cma)
{
	unsigned long end = zone_end_pfn(zone);

	pfn = find_deferred(pfn, end);
	while (pfn < end && (!deferred_in_zone(zone, pfn) || (get_pageblock_migratetype(pfn) == MIGRATE_CMA) != cma))
		pfn = find_deferred(pfn + PAGEBLOCK_NR_PAGES, end);
	BUG_ON(pfn >= end);
	return pfn;
}

/* Write the struct pages of the deferred pageblock at @pfn and free it as a block of @type; *@deferred counts it. */
static void init_deferred(struct zone *zone, unsigned long pfn, enum migratetype type, unsigned long *deferred)
{
	struct mem_section_usage *usage = usage_of(pfn);

	write_pages(pfn, PAGEBLOCK_NR_PAGES, identity(zone, pfn), 0);
	bit_clear(usage->deferred, pageblock_nr(pfn));
	bit_set(usage->initialised, pageblock_nr(pfn));
	set_pageblock_migratetype(pfn, type);
	ADD_ONCE(*deferred, -PAGEBLOCK_NR_PAGES);
	ADD_ONCE(zone->nr_free, -PAGEBLOCK_NR_PAGES);
	buddy_free_range(zone, pfn, PAGEBLOCK_NR_PAGES);
}

bool zone_take_deferred(struct zone *zone, enum migratetype type)
{
	bool cma = type == MIGRATE_CMA;
	unsigned long *deferred = cma ? &zone->nr_deferred_cma : &zone->nr_deferred;
	unsigned long *first = cma ? &zone->deferred_cma_pfn : &zone->deferred_pfn;
	unsigned long pfn;

	if (!*deferred)
		return false;
	pfn = next_deferred(zone, *first, cma);
	*first = pfn + PAGEBLOCK_NR_PAGES;
	init_deferred(zone, pfn, type, deferred);
	return true;
}

void zone_init_deferred(struct zone *zone, unsigned long pfn)
{
	if (!pageblock_deferred(pfn) || !deferred_in_zone(zone, pfn))
		return;
	if (get_pageblock_migratetype(pfn) == MIGRATE_CMA)
		init_deferred(zone, pfn, MIGRATE_CMA, &zone->nr_deferred_cma);
	else
		init_deferred(zone, pfn, MIGRATE_MOVABLE, &zone->nr_deferred);
}
