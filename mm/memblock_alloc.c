// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allocation from memblock: choosing a place, reserving it.
 *
 * 1. Placing. Top-down: the highest free range that holds an aligned block, the block rounded down from the range's
 *    end. Bottom-up: the lowest, rounded up from its start. One finds a place whenever the other does. The walk over
 *    free ranges (memblock_walk.c) begins at the end of the range that is asked for and stops at its other end.
 * 2. Order of mercy when there is no place: mirrored memory only, then any; the asked node, then any (unless exact);
 *    and for the functions that return pointers, at or above min_addr, then anywhere.
 * 3. The page at physical address 0 is never given, so 0 can mean failure.
 * 4. While somebody knows of claims that are not reserved yet, each place is checked with them.
 * 5. Memory is reserved with MEMBLOCK_RSRV_KERN: what memblock itself gave away is metadata of ours.
 * 6. Cost: three binary searches and O(free ranges that are too small). Adjacent allocations of a kind grow one region.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <string.h>

static phys_addr_t (*claimed_before)(phys_addr_t base, phys_addr_t end);
static bool mirror_shortage_said;

void memblock_set_claimed(phys_addr_t (*fn)(phys_addr_t base, phys_addr_t end))
{
	claimed_before = fn;
}

void memblock_set_current_limit(phys_addr_t limit)
{
	memblock.current_limit = limit;
}

phys_addr_t memblock_get_current_limit(void)
{
	return memblock.current_limit;
}

static phys_addr_t find_top_down(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				 enum memblock_flags flags)
{
	u64 i = memblock_cursor_below(end);
	phys_addr_t from, to;

	for (;;) {
		__next_mem_range_rev(&i, nid, flags, &memblock.memory, &memblock.reserved, &from, &to, NULL);
		if (i == ~0ULL || to <= start)
			return 0;
		from = max(from, start);
		to = min(to, end);
		if (to < size || from > to)
			continue;
		to = ALIGN_DOWN(to - size, align);
		if (to >= from)
			return to;
	}
}

/* Not inlined: the usual direction is the other one. */
static __noinline phys_addr_t find_bottom_up(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end,
					     int nid, enum memblock_flags flags)
{
	u64 i = memblock_cursor_from(start);
	phys_addr_t from, to, place;

	for (;;) {
		__next_mem_range(&i, nid, flags, &memblock.memory, &memblock.reserved, &from, &to, NULL);
		if (i == ~0ULL || from >= end)
			return 0;
		from = max(from, start);
		to = min(to, end);
		place = ALIGN(from, align);
		if (place >= from && place < to && to - place >= size)
			return place;
	}
}

/* Top-down, but clear of what somebody will claim later: a candidate that is claimed moves the search below it. */
static __noinline phys_addr_t find_unclaimed(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end,
					     int nid, enum memblock_flags flags)
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

/* A place within [start, end), both as they are. */
static phys_addr_t find_free(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
			     enum memblock_flags flags)
{
	start = max(start, (phys_addr_t)PAGE_SIZE);
	if (start >= end)
		return 0;
	if (claimed_before)
		return find_unclaimed(size, align, start, end, nid, flags);
	if (memblock.bottom_up)
		return find_bottom_up(size, align, start, end, nid, flags);
	return find_top_down(size, align, start, end, nid, flags);
}

/* What a caller's max_addr means. */
static phys_addr_t real_end(phys_addr_t end)
{
	return end == MEMBLOCK_ALLOC_ACCESSIBLE || end == MEMBLOCK_ALLOC_NOLEAKTRACE ? memblock.current_limit : end;
}

static enum memblock_flags first_choice(void)
{
	return unlikely(memblock_mirror_seen) && memblock_has_mirror() ? MEMBLOCK_MIRROR : MEMBLOCK_NONE;
}

/* Said once: a machine with little mirrored memory falls back thousands of times. */
static void say_not_mirrored(phys_addr_t size)
{
	if (!mirror_shortage_said)
		printk("memblock: no mirrored memory for %llu bytes: memory that is not mirrored serves from here on\n",
		       size);
	mirror_shortage_said = true;
}

phys_addr_t memblock_find_place(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end)
{
	enum memblock_flags flags = first_choice();
	phys_addr_t place = find_free(size, align, start, end, NUMA_NO_NODE, flags);

	if (!place && flags) {
		say_not_mirrored(size);
		place = find_free(size, align, start, end, NUMA_NO_NODE, MEMBLOCK_NONE);
	}
	return place;
}

phys_addr_t memblock_find_in_range(phys_addr_t start, phys_addr_t end, phys_addr_t size, phys_addr_t align)
{
	return memblock_find_place(size, align ? align : SMP_CACHE_BYTES, start, real_end(end));
}

/* Find and reserve; the reservation bears the node that was asked for. */
static phys_addr_t take(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
			enum memblock_flags flags)
{
	phys_addr_t place = find_free(size, align, start, end, nid, flags);

	if (!place || memblock_add_range(&memblock.reserved, place, size, nid, MEMBLOCK_RSRV_KERN))
		return 0;
	return place;
}

phys_addr_t memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				     bool exact_nid)
{
	enum memblock_flags flags = first_choice();
	phys_addr_t place;

	align = align ? align : SMP_CACHE_BYTES;
	end = real_end(end);
	nid = numa_valid_node(nid) ? nid : NUMA_NO_NODE;
	for (;;) {
		place = take(size, align, start, end, nid, flags);
		if (!place && nid != NUMA_NO_NODE && !exact_nid)
			place = take(size, align, start, end, NUMA_NO_NODE, flags);
		if (place || !flags)
			return place;
		say_not_mirrored(size);
		flags = MEMBLOCK_NONE;
	}
}

phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end)
{
	return memblock_alloc_range_nid(size, align, start, end, NUMA_NO_NODE, false);
}

phys_addr_t memblock_phys_alloc_try_nid(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_range_nid(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE, nid, false);
}

phys_addr_t memblock_phys_alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_phys_alloc_range(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE);
}

/* Allocate, without min_addr if need be, and make it addressable. */
static void *alloc_mapped(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr, int nid,
			  bool exact)
{
	phys_addr_t end = min(real_end(max_addr), memblock.current_limit);
	phys_addr_t place = memblock_alloc_range_nid(size, align, min_addr, end, nid, exact);
	void *va;

	if (!place && min_addr)
		place = memblock_alloc_range_nid(size, align, MEMBLOCK_LOW_LIMIT, end, nid, exact);
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

void *__memblock_alloc_or_panic(phys_addr_t size, phys_addr_t align, const char *func)
{
	void *va = memblock_alloc(size, align);

	if (!va)
		panic("%s: Failed to allocate %llu bytes aligned to %llu: %llu of %llu bytes of memory reserved", func,
		      size, align, memblock_reserved_size(), memblock_phys_mem_size());
	return va;
}
