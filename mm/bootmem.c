// SPDX-License-Identifier: BSD-2-Clause
/*
 * bootmem's bitmaps: which pages of a node are reserved.
 *
 * 1. bootmem_node_data has a struct bootmem_data for each node. One that has a bitmap is on bdata_list, which is sorted
 *    by node_min_pfn. Bit i stands for page frame node_min_pfn + i; set is reserved. A new bitmap is all set, so what
 *    nobody calls free, holes too, never is.
 * 2. A range of bytes becomes one of page frames: outwards to reserve, inwards to free. Both look first and change
 *    then: on -EBUSY or a panic no bit has changed.
 * 3. Whose a page is, when no node is named: that of the region of memblock's memory array it lies in, if that node has
 *    a bitmap which covers it; else the first bitmap that covers it, and there it is a hole's page or memory that
 *    nobody gave a node.
 * 4. Freeing lowers hint_idx, and it forgets last_end_off when it frees the page that lies in: nobody's rest of a page.
 * 5. free_all_bootmem() hands runs of clear bits over. The pages of the bitmaps follow when the last has been read.
 *
 * The boot CPU alone; no lock. Everything goes by words of 64 pages.
 */
#include <mm/bootmem.h>

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/port.h>
#include <string.h>

#include "bootmem_list.h"
#include "internal.h"

struct bootmem_data bootmem_node_data[MAX_NUMNODES];
LIST_HEAD(bdata_list);
unsigned long min_low_pfn, max_low_pfn;

/* Page frames of one bitmap. */
struct span {
	struct bootmem_data *bdata;
	unsigned long start, end;
};

static unsigned long map_bytes(unsigned long pages)
{
	return DIV_ROUND_UP(pages, 64) * sizeof(u64);
}

unsigned long bootmem_bootmap_pages(unsigned long pages)
{
	return PFN_UP(map_bytes(pages));
}

static void link_by_address(struct bootmem_data *bdata)
{
	struct bootmem_data *other;

	list_for_each_entry(other, &bdata_list, list)
		if (other->node_min_pfn > bdata->node_min_pfn)
			break;
	list_add_tail(&bdata->list, &other->list);
}

unsigned long bootmem_init_nid(int nid, unsigned long freepfn, unsigned long startpfn, unsigned long endpfn)
{
	struct bootmem_data *bdata = &bootmem_node_data[nid];

	if (startpfn >= endpfn || bdata->list.next)
		panic("bootmem: node %d: no bitmap for page frames 0x%lx to 0x%lx: %s", nid, startpfn, endpfn,
		      bdata->list.next ? "there is one already" : "no range");
	bdata->node_min_pfn = startpfn;
	bdata->node_low_pfn = endpfn;
	bdata->node_bootmem_map = __va(PFN_PHYS(freepfn));
	bdata->last_end_off = 0;
	bdata->hint_idx = 0;
	memset(bdata->node_bootmem_map, 0xff, map_bytes(endpfn - startpfn));
	link_by_address(bdata);
	return map_bytes(endpfn - startpfn);
}

unsigned long init_bootmem_node(pg_data_t *pgdat, unsigned long freepfn, unsigned long startpfn, unsigned long endpfn)
{
	return bootmem_init_nid(pgdat->node_id, freepfn, startpfn, endpfn);
}

unsigned long init_bootmem(unsigned long start, unsigned long pages)
{
	min_low_pfn = start;
	max_low_pfn = pages;
	return bootmem_init_nid(0, start, 0, pages);
}

static int nid_of(const struct bootmem_data *bdata)
{
	return (int)(bdata - bootmem_node_data);
}

static bool covers(const struct bootmem_data *bdata, unsigned long pfn)
{
	return bdata->list.next && pfn >= bdata->node_min_pfn && pfn < bdata->node_low_pfn;
}

/* The region of memory that @pfn lies in, NULL in a hole. *@end: one past the last page frame for which that holds. */
static const struct memblock_region *region_of(unsigned long pfn, unsigned long *end)
{
	unsigned long i = memblock_first_ending_after(&memblock.memory, PFN_PHYS(pfn));
	const struct memblock_region *r = &memblock.memory.regions[i];

	*end = ~0UL;
	if (i == memblock.memory.cnt)
		return NULL;
	if (r->base >= PFN_PHYS(pfn + 1)) {
		*end = PFN_DOWN(r->base);
		return NULL;
	}
	*end = max(PFN_DOWN(r->base + r->size), pfn + 1);
	return r;
}

/* The bitmap that answers for @pfn, NULL when none does. *@end: one past the last page frame that it answers for. */
static struct bootmem_data *owner_of(unsigned long pfn, unsigned long *end)
{
	const struct memblock_region *region = region_of(pfn, end);
	struct bootmem_data *bdata;

	if (region && region->nid >= 0 && covers(&bootmem_node_data[region->nid], pfn)) {
		bdata = &bootmem_node_data[region->nid];
		*end = min(*end, bdata->node_low_pfn);
		return bdata;
	}
	list_for_each_entry(bdata, &bdata_list, list)
		if (covers(bdata, pfn)) {
			*end = min(*end, bdata->node_low_pfn);
			return bdata;
		}
	return NULL;
}

/* The span behind @span, up to the page frame @end at most. Return: false when @span ends there. */
static bool next_span(struct span *span, unsigned long end)
{
	unsigned long owned_end;

	if (span->end >= end)
		return false;
	span->start = span->end;
	span->bdata = owner_of(span->start, &owned_end);
	if (!span->bdata)
		panic("bootmem: [mem 0x%016llx-0x%016llx] begins in no node's bitmap", PFN_PHYS(span->start),
		      PFN_PHYS(end) - 1);
	span->end = min(end, owned_end);
	return true;
}

static struct span node_span(int nid, unsigned long start, unsigned long end)
{
	struct bootmem_data *bdata = &bootmem_node_data[nid];

	if (start < end && (!covers(bdata, start) || !covers(bdata, end - 1)))
		panic("bootmem: [mem 0x%016llx-0x%016llx] is not within node %d, page frames 0x%lx to 0x%lx",
		      PFN_PHYS(start), PFN_PHYS(end) - 1, nid, bdata->node_min_pfn, bdata->node_low_pfn);
	return (struct span){ bdata, start, end };
}

static bool span_free(const struct span *span)
{
	unsigned long min_pfn = span->bdata->node_min_pfn, end = span->end - min_pfn;

	return bits_next_set(span->bdata->node_bootmem_map, span->start - min_pfn, end) == end;
}

static void set_span(const struct span *span)
{
	unsigned long min_pfn = span->bdata->node_min_pfn;

	bits_set_range(span->bdata->node_bootmem_map, span->start - min_pfn, span->end - span->start);
}

/* Whatever of @span is free already must not be freed. */
static void check_reserved(const struct span *span)
{
	unsigned long min_pfn = span->bdata->node_min_pfn, end = span->end - min_pfn;
	unsigned long idx = bits_next_clear(span->bdata->node_bootmem_map, span->start - min_pfn, end);

	if (idx < end)
		panic("bootmem: node %d: page frame 0x%lx is free already, freeing [mem 0x%016llx-0x%016llx]",
		      nid_of(span->bdata), min_pfn + idx, PFN_PHYS(span->start), PFN_PHYS(span->end) - 1);
}

static void clear_span(const struct span *span)
{
	struct bootmem_data *bdata = span->bdata;
	unsigned long idx = span->start - bdata->node_min_pfn, n = span->end - span->start;

	if (!n)
		return;
	bits_clear_range(bdata->node_bootmem_map, idx, n);
	bdata->hint_idx = min(bdata->hint_idx, idx);
	if (PFN_DOWN(bdata->last_end_off) - idx < n)
		bdata->last_end_off = 0;
}

void bootmem_free_nid(int nid, phys_addr_t physaddr, phys_addr_t size)
{
	unsigned long start = PFN_UP(physaddr), end = PFN_DOWN(physaddr + size);
	struct span span = node_span(nid, start, max(start, end));

	check_reserved(&span);
	clear_span(&span);
}

void free_bootmem_node(pg_data_t *pgdat, unsigned long physaddr, unsigned long size)
{
	bootmem_free_nid(pgdat->node_id, physaddr, size);
}

void free_bootmem(unsigned long physaddr, unsigned long size)
{
	unsigned long start = PFN_UP(physaddr), end = PFN_DOWN(physaddr + size);
	struct span span = { .end = start };

	while (next_span(&span, end))
		check_reserved(&span);
	span.end = start;
	while (next_span(&span, end))
		clear_span(&span);
}

bool bootmem_is_free_nid(int nid, phys_addr_t physaddr, phys_addr_t size)
{
	struct span span = { &bootmem_node_data[nid], PFN_DOWN(physaddr), PFN_UP(physaddr + size) };

	return covers(span.bdata, span.start) && covers(span.bdata, span.end - 1) && span_free(&span);
}

int bootmem_reserve_nid(int nid, phys_addr_t physaddr, phys_addr_t size, int flags)
{
	struct span span = node_span(nid, PFN_DOWN(physaddr), size ? PFN_UP(physaddr + size) : PFN_DOWN(physaddr));

	if ((flags & BOOTMEM_EXCLUSIVE) && !span_free(&span))
		return -EBUSY;
	set_span(&span);
	return 0;
}

int reserve_bootmem_node(pg_data_t *pgdat, unsigned long physaddr, unsigned long size, int flags)
{
	return bootmem_reserve_nid(pgdat->node_id, physaddr, size, flags);
}

int reserve_bootmem(unsigned long physaddr, unsigned long size, int flags)
{
	unsigned long start = PFN_DOWN(physaddr), end = size ? PFN_UP(physaddr + size) : start;
	struct span span = { .end = start };

	while (next_span(&span, end))
		if ((flags & BOOTMEM_EXCLUSIVE) && !span_free(&span))
			return -EBUSY;
	span.end = start;
	while (next_span(&span, end))
		set_span(&span);
	return 0;
}

/* The first run of free pages of @bdata that begins at or behind bit *@idx; *@idx moves to it. Return: its length. */
static unsigned long next_run(const struct bootmem_data *bdata, unsigned long *idx)
{
	unsigned long nr = bdata->node_low_pfn - bdata->node_min_pfn;

	*idx = bits_next_clear(bdata->node_bootmem_map, *idx, nr);
	return bits_next_set(bdata->node_bootmem_map, *idx, nr) - *idx;
}

unsigned long bootmem_free_pages(unsigned long *largest)
{
	unsigned long pages = 0, longest = 0, n;
	struct bootmem_data *bdata;

	list_for_each_entry(bdata, &bdata_list, list)
		for (unsigned long idx = 0; (n = next_run(bdata, &idx)); idx += n) {
			pages += n;
			longest = max(longest, n);
		}
	if (largest)
		*largest = longest;
	return pages;
}

static unsigned long free_node(const struct bootmem_data *bdata)
{
	unsigned long pages = 0, n;

	for (unsigned long idx = 0; (n = next_run(bdata, &idx)); idx += n) {
		hand_over_range(nid_of(bdata), bdata->node_min_pfn + idx, bdata->node_min_pfn + idx + n);
		pages += n;
	}
	return pages;
}

/* The bitmap need not lie in its own node. */
static unsigned long free_map(struct bootmem_data *bdata)
{
	phys_addr_t place = __pa(bdata->node_bootmem_map);
	unsigned long pages = bootmem_bootmap_pages(bdata->node_low_pfn - bdata->node_min_pfn);

	hand_over_range(memblock_search(&memblock.memory, place)->nid, PFN_DOWN(place), PFN_DOWN(place) + pages);
	list_del(&bdata->list);
	*bdata = (struct bootmem_data){ 0 };
	return pages;
}

unsigned long free_all_bootmem(void)
{
	struct bootmem_data *bdata, *next;
	unsigned long pages = 0;

	list_for_each_entry(bdata, &bdata_list, list)
		pages += free_node(bdata);
	list_for_each_entry_safe(bdata, next, &bdata_list, list)
		pages += free_map(bdata);
	return pages;
}
