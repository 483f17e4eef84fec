// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's limits: memory cut to whole units, to its first bytes, or to a range.
 *
 * 1. A limit counts bytes of memory from the lowest address on, NOMAP memory included; where they end, the line is
 *    drawn.
 * 2. enforce_memory_limit draws it through memory and reserved alike. cap_memory_range and mem_limit_remove_map keep
 *    NOMAP memory on both sides of it, for firmware lives there and must not be mistaken for a device.
 * 3. Cutting a region takes a slot, so an array may have to grow. Meanwhile arrays are confined to what stays.
 * 4. An array that lies in memory that is dropped stays usable (arch_boot_va() keeps it mapped): it is lost with the
 *    memory around it. Limits are applied early, when arrays have hardly ever grown.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>

/* The address behind the first @limit bytes of memory, PHYS_ADDR_MAX when there are not so many. */
static phys_addr_t address_after(phys_addr_t limit)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		if (limit <= r->size)
			return r->base + limit;
		limit -= r->size;
	}
	return PHYS_ADDR_MAX;
}

void memblock_enforce_memory_limit(phys_addr_t limit)
{
	phys_addr_t end = limit ? address_after(limit) : PHYS_ADDR_MAX;

	if (end == PHYS_ADDR_MAX)
		return;
	memblock_confine_arrays(0, end);
	if (memblock_remove_range(&memblock.memory, end, PHYS_ADDR_MAX) ||
	    memblock_remove_range(&memblock.reserved, end, PHYS_ADDR_MAX))
		printk("memblock: no memory to note a limit of %llu bytes\n", limit);
	memblock_confine_arrays(0, PHYS_ADDR_MAX);
}

/* Drop the regions [first, last) of memory that are mapped. */
static void drop_mapped(unsigned long first, unsigned long last)
{
	while (last-- > first)
		if (!memblock_is_nomap(&memblock.memory.regions[last]))
			memblock_remove_regions(&memblock.memory, last, last + 1);
}

void memblock_cap_memory_range(phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = base + memblock_cap_size(base, size);
	unsigned long first, last;

	if (!size)
		return;
	if (!memblock.memory.total_size) {
		printk("memblock: no memory to keep [mem 0x%016llx-0x%016llx] of\n", base, end - 1);
		return;
	}
	memblock_confine_arrays(base, end);
	if (memblock_isolate_range(&memblock.memory, base, size, &first, &last)) {
		printk("memblock: no memory to keep only [mem 0x%016llx-0x%016llx]\n", base, end - 1);
	} else {
		drop_mapped(last, memblock.memory.cnt);
		drop_mapped(0, first);
		/* NOMAP memory that crossed an end of the range was cut there. */
		memblock_merge_regions(&memblock.memory, 0, memblock.memory.cnt);
		memblock_remove_range(&memblock.reserved, 0, base);
		memblock_remove_range(&memblock.reserved, end, PHYS_ADDR_MAX);
	}
	memblock_confine_arrays(0, PHYS_ADDR_MAX);
}

void memblock_mem_limit_remove_map(phys_addr_t limit)
{
	phys_addr_t end = limit ? address_after(limit) : PHYS_ADDR_MAX;

	if (end != PHYS_ADDR_MAX)
		memblock_cap_memory_range(0, end);
}

void memblock_trim_memory(phys_addr_t align)
{
	unsigned long i = memblock.memory.cnt;

	while (i-- > 0) {
		struct memblock_region *r = &memblock.memory.regions[i];
		phys_addr_t start = ALIGN(r->base, align), end = ALIGN_DOWN(r->base + r->size, align);

		/* Rounding up may pass the end of the address space. */
		if (start < r->base || start >= end) {
			memblock_remove_regions(&memblock.memory, i, i + 1);
			continue;
		}
		memblock.memory.total_size -= r->size - (end - start);
		r->base = start;
		r->size = end - start;
	}
}
