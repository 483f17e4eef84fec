// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allocation from memblock: walking free ranges, choosing a place, reserving it.
 *
 * 1. Free is memory minus reserved. Both arrays are sorted, so the walk is a merge of two sorted lists with a cursor in
 *    each. A u64 holds both: the index in `memory` in the low half, in the gaps between `reserved` regions in the high
 *    half; gap i lies before region i, gap cnt behind the last. ~0 means the walk is over (or, backwards, not begun).
 * 2. Placing. Top-down: the highest free range that holds an aligned block, the block rounded down from the range's
 *    end. Bottom-up: the lowest, rounded up from its start; when that finds nothing, top-down is tried.
 * 3. Order of mercy when there is no place: mirrored memory only, then any; the asked node, then any (unless exact);
 *    at or above min_addr, then anywhere.
 * 4. The page at physical address 0 is never given, so 0 can mean failure.
 * 5. While somebody knows of claims that are not reserved yet, each place is checked with them.
 * 6. Memory is reserved with MEMBLOCK_RSRV_KERN: what memblock itself gave away is metadata of ours.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <string.h>

#define WALK_END (~0ULL)

struct range {
	phys_addr_t start, end;
};

static phys_addr_t (*claimed_before)(phys_addr_t base, phys_addr_t end);

void memblock_set_claimed(phys_addr_t (*fn)(phys_addr_t base, phys_addr_t end))
{
	claimed_before = fn;
}

/* The gap before region @i of @type (behind the last one when @i is cnt); all addresses when there is no array. */
static struct range gap_before(const struct memblock_type *type, u32 i)
{
	struct range gap = { 0, ~(phys_addr_t)0 };

	if (!type)
		return gap;
	if (i)
		gap.start = type->regions[i - 1].base + type->regions[i - 1].size;
	if (i < type->cnt)
		gap.end = type->regions[i].base;
	return gap;
}

static bool should_skip(const struct memblock_type *type, const struct memblock_region *r, int nid, unsigned int flags)
{
	if (type != &memblock.memory)
		return false;
	if (nid != NUMA_NO_NODE && nid != r->nid)
		return true;
	if ((flags & MEMBLOCK_MIRROR) && !(r->flags & MEMBLOCK_MIRROR))
		return true;
	if (!(flags & MEMBLOCK_NOMAP) && (r->flags & MEMBLOCK_NOMAP))
		return true;
	return !(flags & MEMBLOCK_DRIVER_MANAGED) && (r->flags & MEMBLOCK_DRIVER_MANAGED);
}

static void emit(const struct range *range, const struct memblock_region *r, phys_addr_t *out_start,
		 phys_addr_t *out_end, int *out_nid)
{
	if (out_start)
		*out_start = range->start;
	if (out_end)
		*out_end = range->end;
	if (out_nid)
		*out_nid = r->nid;
}

static u64 make_cursor(u32 a, u32 b)
{
	return (u64)b << 32 | a;
}

void __next_mem_range(u64 *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
		      struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid)
{
	u32 a = (u32)*idx, b = (u32)(*idx >> 32), gaps = type_b ? (u32)type_b->cnt + 1 : 1;

	for (; a < type_a->cnt; a++) {
		const struct memblock_region *m = &type_a->regions[a];
		phys_addr_t m_end = m->base + m->size;

		if (should_skip(type_a, m, nid, flags))
			continue;
		for (; b < gaps; b++) {
			struct range gap = gap_before(type_b, b);
			struct range both = { max(m->base, gap.start), min(m_end, gap.end) };

			if (gap.start >= m_end)
				break;
			if (both.start >= both.end)
				continue;
			emit(&both, m, out_start, out_end, out_nid);
			/* Whichever ends first is used up. */
			if (m_end <= gap.end)
				a++;
			else
				b++;
			*idx = make_cursor(a, b);
			return;
		}
	}
	*idx = WALK_END;
}

void __next_mem_range_rev(u64 *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
			  struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid)
{
	/* Backwards the cursor counts what is left: a regions and b gaps. */
	u32 a = (u32)*idx, b = (u32)(*idx >> 32);

	if (*idx == WALK_END) {
		a = (u32)type_a->cnt;
		b = type_b ? (u32)type_b->cnt + 1 : 1;
	}
	for (; a; a--) {
		const struct memblock_region *m = &type_a->regions[a - 1];
		phys_addr_t m_end = m->base + m->size;

		if (should_skip(type_a, m, nid, flags))
			continue;
		for (; b; b--) {
			struct range gap = gap_before(type_b, b - 1);
			struct range both = { max(m->base, gap.start), min(m_end, gap.end) };

			if (gap.end <= m->base)
				break;
			if (both.start >= both.end)
				continue;
			emit(&both, m, out_start, out_end, out_nid);
			if (m->base >= gap.start)
				a--;
			else
				b--;
			*idx = make_cursor(a, b);
			return;
		}
	}
	*idx = WALK_END;
}

void __next_mem_pfn_range(int *idx, int nid, unsigned long *out_start_pfn, unsigned long *out_end_pfn, int *out_nid)
{
	while (++*idx < (int)memblock.memory.cnt) {
		const struct memblock_region *r = &memblock.memory.regions[*idx];

		if (PFN_UP(r->base) >= PFN_DOWN(r->base + r->size))
			continue;
		if (nid != NUMA_NO_NODE && nid != r->nid)
			continue;
		if (out_start_pfn)
			*out_start_pfn = PFN_UP(r->base);
		if (out_end_pfn)
			*out_end_pfn = PFN_DOWN(r->base + r->size);
		if (out_nid)
			*out_nid = r->nid;
		return;
	}
	*idx = -1;
}

static phys_addr_t find_top_down(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				 enum memblock_flags flags)
{
	phys_addr_t from, to;
	u64 i;

	for_each_free_mem_range_reverse(i, nid, flags, &from, &to, NULL) {
		from = max(from, start);
		to = min(to, end);
		if (to < size || from > to)
			continue;
		to = ALIGN_DOWN(to - size, align);
		if (to >= from)
			return to;
	}
	return 0;
}

static phys_addr_t find_bottom_up(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				  enum memblock_flags flags)
{
	phys_addr_t from, to;
	u64 i;

	for_each_free_mem_range(i, nid, flags, &from, &to, NULL) {
		phys_addr_t place;

		from = max(from, start);
		to = min(to, end);
		place = ALIGN(from, align);
		if (place >= from && place < to && to - place >= size)
			return place;
	}
	return 0;
}

/* Top-down, but clear of what somebody will claim later: a candidate that is claimed moves the search below it. */
static phys_addr_t find_unclaimed(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				  enum memblock_flags flags)
{
	for (;;) {
		phys_addr_t place = find_top_down(size, align, start, end, nid, flags), claim;

		if (!place)
			return 0;
		claim = claimed_before(place, place + size);
		if (claim >= place + size)
			return place;
		end = max(claim, start);
	}
}

phys_addr_t memblock_find_free(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
			       unsigned int flags)
{
	phys_addr_t place;

	end = min(end ? end : memblock.current_limit, memblock.current_limit);
	start = max(start, (phys_addr_t)PAGE_SIZE);
	end = max(start, end);
	if (claimed_before)
		return find_unclaimed(size, align, start, end, nid, (enum memblock_flags)flags);
	if (memblock.bottom_up) {
		place = find_bottom_up(size, align, start, end, nid, (enum memblock_flags)flags);
		if (place)
			return place;
	}
	return find_top_down(size, align, start, end, nid, (enum memblock_flags)flags);
}

static bool has_mirror(void)
{
	struct memblock_region *r;

	for_each_mem_region(r)
		if (r->flags & MEMBLOCK_MIRROR)
			return true;
	return false;
}

phys_addr_t memblock_find_in_range(phys_addr_t start, phys_addr_t end, phys_addr_t size, phys_addr_t align)
{
	phys_addr_t place = 0;

	if (!align)
		align = SMP_CACHE_BYTES;
	if (has_mirror())
		place = memblock_find_free(size, align, start, end, NUMA_NO_NODE, MEMBLOCK_MIRROR);
	return place ? place : memblock_find_free(size, align, start, end, NUMA_NO_NODE, MEMBLOCK_NONE);
}

/* The asked node, then any unless @exact. */
static phys_addr_t find_on_nodes(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				 bool exact, unsigned int flags)
{
	phys_addr_t place = memblock_find_free(size, align, start, end, nid, flags);

	if (!place && nid != NUMA_NO_NODE && !exact)
		place = memblock_find_free(size, align, start, end, NUMA_NO_NODE, flags);
	return place;
}

phys_addr_t memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				     bool exact_nid)
{
	phys_addr_t place = 0;

	if (!align)
		align = SMP_CACHE_BYTES;
	if (has_mirror())
		place = find_on_nodes(size, align, start, end, nid, exact_nid, MEMBLOCK_MIRROR);
	if (!place)
		place = find_on_nodes(size, align, start, end, nid, exact_nid, MEMBLOCK_NONE);
	return place && !memblock_reserve_kern(place, size) ? place : 0;
}

phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end)
{
	return memblock_alloc_range_nid(size, align, start, end, NUMA_NO_NODE, false);
}

phys_addr_t memblock_phys_alloc_try_nid(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_range_nid(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, nid, false);
}

phys_addr_t memblock_phys_alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_phys_alloc_range(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE);
}

/* Allocate, without min_addr if need be, and make it addressable. */
static void *alloc_mapped(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr, int nid,
			  bool exact)
{
	phys_addr_t place = memblock_alloc_range_nid(size, align, min_addr, max_addr, nid, exact);
	void *va;

	if (!place && min_addr)
		place = memblock_alloc_range_nid(size, align, 0, max_addr, nid, exact);
	if (!place)
		return NULL;
	va = arch_boot_va(place, size);
	if (!va)
		memblock_phys_free(place, size);
	return va;
}

void *memblock_alloc_exact_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr,
				   int nid)
{
	return alloc_mapped(size, align, min_addr, max_addr, nid, true);
}

void *memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr,
				 int nid)
{
	return alloc_mapped(size, align, min_addr, max_addr, nid, false);
}

void *memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr, int nid)
{
	void *va = alloc_mapped(size, align, min_addr, max_addr, nid, false);

	return va ? memset(va, 0, size) : NULL;
}

void *memblock_alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

void *memblock_alloc_raw(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid_raw(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

void *memblock_alloc_node(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_try_nid(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, nid);
}
