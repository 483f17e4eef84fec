// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof of vmalloc's equations (vmap.h).
 *
 * 1. Free and used extents cover the address space, and the page tables have nothing in free ones.
 * 2. In each block: as many bits as it counts free slots; a slot maps its area's pages and nothing behind them; a free
 *    one maps nothing. Slots that are neither free nor used are those that CPUs hold back, over all blocks and CPUs.
 * 3. Tables that are retired (vmap_retire.c) are as many as are counted, and have no entry.
 */
#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

#include "vmap.h"

#define complain(fmt, ...) (printk("vmalloc check: " fmt "\n", __VA_ARGS__), false)

static bool check_area(const struct vmap_area *area, unsigned long slot_pages)
{
	if (area->nr_pages >= slot_pages)
		return complain("the area at 0x%lx has %u pages, its slot %lu", area->addr, area->nr_pages, slot_pages);
	for (unsigned long i = 0; i < slot_pages; i++)
		if (!READ_ONCE(area->pte[i]) == (i < area->nr_pages))
			return complain("page %lu of the area of %u at 0x%lx is %s", i, area->nr_pages, area->addr,
					area->pte[i] ? "mapped" : "not mapped");
	return true;
}

static bool check_block(const struct vmap_block *block, unsigned long *held)
{
	u32 nr_free = 0;

	for (u32 i = 0; i < block->nr_slots; i++) {
		const struct vmap_area *area = &block->area[i];
		bool is_free = bit_test(block->free, i);

		if (!check_area(area, 1UL << area->order))
			return false;
		if (is_free && area->nr_pages)
			return complain("the area at 0x%lx is used and its slot is free", area->addr);
		nr_free += is_free;
		*held += !is_free && !area->nr_pages;
	}
	if (nr_free != block->nr_free)
		return complain("the block at 0x%lx has %u free slots, counted %u", block->extent->start, nr_free,
				block->nr_free);
	return true;
}

/* The lowest address of @extent, but for [@start, @end), that anything is mapped at; the extent's end when none is. */
static unsigned long mapped_outside(const struct va_extent *extent, unsigned long start, unsigned long end)
{
	unsigned long at = arch_vmap_next(extent->start, start);

	return at != start ? at : arch_vmap_next(end, extent->start + extent->len);
}

static bool check_large(const struct va_extent *extent, const struct large_area *large)
{
	unsigned long start = extent->start + large->offset, at;
	unsigned long end = start + ((unsigned long)large->area.nr_pages << PAGE_SHIFT);
	struct arch_mapping mapping;

	for (at = start; at < end; at = mapping.end) {
		arch_query_mapping(at, &mapping);
		if (!mapping.mapped)
			return complain("page %lu of the large area of %u at 0x%lx is not mapped",
					(at - start) >> PAGE_SHIFT, large->area.nr_pages, start);
	}
	at = mapped_outside(extent, start, end);
	if (at != extent->start + extent->len)
		return complain("0x%lx is mapped, outside of the large area of %u pages at 0x%lx", at,
				large->area.nr_pages, start);
	return true;
}

static unsigned long held_by_cpus(void)
{
	unsigned long held = 0;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		const struct vmap_cpu *c = per_cpu_ptr(vmap_cpus, cpu);

		held += c->nr_dirty;
		for (int order = SLOT_ORDER_MIN; order <= SLOT_ORDER_MAX; order++)
			held += c->nr_free[order];
	}
	return held;
}

/* What lies between extents in use maps nothing. */
static bool check_gap(unsigned long start, unsigned long end)
{
	unsigned long mapped = arch_vmap_next(start, end);

	return mapped == end || complain("0x%lx is mapped, in the free addresses 0x%lx-0x%lx", mapped, start, end - 1);
}

bool vmalloc_check(void)
{
	unsigned long held = 0, free_from = VMALLOC_START;
	struct va_extent extent;

	if (!vmap_extents_whole())
		return complain("free and used extents do not cover [0x%lx, 0x%lx)", VMALLOC_START, VMALLOC_END);
	for (; vmap_extent_next(free_from, &extent); free_from = extent.start + extent.len) {
		if (!check_gap(free_from, extent.start))
			return false;
		/* One without an owner is percpu's. */
		if (extent.owner &&
		    !(extent_is_block(&extent) ? check_block(extent.owner, &held) : check_large(&extent, extent.owner)))
			return false;
	}
	if (!check_gap(free_from, VMALLOC_END))
		return false;
	if (!vmap_retired_whole())
		return complain("of %lu retired tables one maps something, or there are not as many",
				vmap_retired_tables());
	if (held != held_by_cpus())
		return complain("%lu slots are neither free nor used, CPUs hold %lu", held, held_by_cpus());
	return true;
}
