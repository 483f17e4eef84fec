// SPDX-License-Identifier: BSD-2-Clause
/*
 * Walks over memblock's arrays: ranges of one outside of another, page frames.
 *
 * 1. Free is memory minus reserved. Both arrays are sorted, so the walk is a merge of two sorted lists with a cursor in
 *    each. A u64 holds both: the index in the first array in the low half, in the gaps between the regions of the
 *    second in the high half; gap i lies before region i, gap cnt behind the last. ~0 means the walk is over (or,
 *    backwards, not begun). Backwards the two count what is left.
 * 2. A walk need not begin at an end: memblock_cursor_from() and memblock_cursor_below() begin it at an address, by
 *    binary search, which is what makes an allocation cheap whatever lies outside of its range.
 * 3. Which memory a walk passes over (flags, node, movable nodes) is decided in should_skip() alone.
 */
#include "internal.h"

#include <mm/memblock.h>

#define WALK_END (~0ULL)

struct range {
	phys_addr_t start, end;
};

static bool movable_node;

void memblock_set_movable_node(bool enable)
{
	movable_node = enable;
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

/* Of other arrays than memory, every region counts. */
static bool should_skip(const struct memblock_type *type, const struct memblock_region *r, int nid, unsigned int flags)
{
	if (type != &memblock.memory)
		return false;
	if (numa_valid_node(nid) && nid != r->nid)
		return true;
	/* All that is special about memory, when nothing special is asked for: one test for most regions. */
	if (!flags && !(r->flags & ~(unsigned int)MEMBLOCK_MIRROR))
		return false;
	if (movable_node && memblock_is_hotpluggable(r) && !(flags & MEMBLOCK_HOTPLUG))
		return true;
	if ((flags & MEMBLOCK_MIRROR) && !memblock_is_mirror(r))
		return true;
	if (!(flags & MEMBLOCK_NOMAP) && memblock_is_nomap(r))
		return true;
	return !(flags & MEMBLOCK_DRIVER_MANAGED) && memblock_is_driver_managed(r);
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

u64 memblock_cursor_from(phys_addr_t addr)
{
	return make_cursor((u32)memblock_first_ending_after(&memblock.memory, addr),
			   (u32)memblock_first_ending_after(&memblock.reserved, addr));
}

/* How many regions of memory begin below @addr. Most often all. */
static u32 regions_below(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned long n = type->cnt;

	if (n && type->regions[n - 1].base >= addr) {
		n = memblock_first_ending_after(type, addr - 1);
		n += type->regions[n].base < addr;
	}
	return (u32)n;
}

/* How many gaps of @type begin below @addr. Most often all, or all but the one behind the last region. */
static u32 gaps_below(const struct memblock_type *type, phys_addr_t addr)
{
	const struct memblock_region *last = type->regions + type->cnt - 1;

	if (!type->cnt || last->base + last->size < addr)
		return (u32)type->cnt + 1;
	if (last->base < addr)
		return (u32)type->cnt;
	return (u32)memblock_first_ending_after(type, addr - 1) + 1;
}

u64 memblock_cursor_below(phys_addr_t addr)
{
	return make_cursor(regions_below(&memblock.memory, addr),
			   gaps_below(&memblock.reserved, min(addr, memblock_end_of_DRAM())));
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
		if (numa_valid_node(nid) && nid != r->nid)
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
