// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's public face: what is memory, what is reserved, flags, nodes, queries, and the dump.
 *
 * 1. The arrays are memblock_array.c's, limits memblock_limit.c's, walks memblock_walk.c's, allocation
 *    memblock_alloc.c's, and the end is told in page_init.c.
 * 2. A change of flags or node isolates the range, changes whole regions and merges what became equal.
 * 3. Boot CPU only, no lock. A change that would need a larger array and cannot have one returns -ENOMEM, and
 *    everything stands as before.
 * 4. Every query is one binary search.
 */
#include "internal.h"

#include <errno.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>

bool memblock_mirror_seen;

int memblock_add(phys_addr_t base, phys_addr_t size)
{
	return memblock_add_range(&memblock.memory, base, size, NUMA_NO_NODE, MEMBLOCK_NONE);
}

int memblock_add_node(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags)
{
	memblock_mirror_seen |= flags & MEMBLOCK_MIRROR;
	return memblock_add_range(&memblock.memory, base, size, nid, flags);
}

int memblock_physmem_add(phys_addr_t base, phys_addr_t size)
{
	return memblock_add_range(&physmem, base, size, NUMA_NO_NODE, MEMBLOCK_NONE);
}

int memblock_remove(phys_addr_t base, phys_addr_t size)
{
	return memblock_remove_range(&memblock.memory, base, size);
}

int __memblock_reserve(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags)
{
	return memblock_add_range(&memblock.reserved, base, size, nid, flags);
}

int memblock_phys_free(phys_addr_t base, phys_addr_t size)
{
	return memblock_remove_range(&memblock.reserved, base, size);
}

void memblock_free(void *ptr, size_t size)
{
	if (ptr)
		memblock_phys_free(__pa(ptr), size);
}

/* Set or clear @flag on all regions of @type within the range. */
static int change_flag(struct memblock_type *type, phys_addr_t base, phys_addr_t size, bool set,
		       enum memblock_flags flag)
{
	unsigned long first, last;
	int err = memblock_isolate_range(type, base, size, &first, &last);

	if (err)
		return err;
	for (unsigned long i = first; i < last; i++) {
		unsigned int flags = type->regions[i].flags;

		type->regions[i].flags = (enum memblock_flags)(set ? flags | flag : flags & ~(unsigned int)flag);
	}
	memblock_merge_regions(type, first, last);
	return 0;
}

int memblock_mark_hotplug(phys_addr_t base, phys_addr_t size)
{
	return change_flag(&memblock.memory, base, size, true, MEMBLOCK_HOTPLUG);
}

int memblock_clear_hotplug(phys_addr_t base, phys_addr_t size)
{
	return change_flag(&memblock.memory, base, size, false, MEMBLOCK_HOTPLUG);
}

int memblock_mark_mirror(phys_addr_t base, phys_addr_t size)
{
	memblock_mirror_seen = true;
	return change_flag(&memblock.memory, base, size, true, MEMBLOCK_MIRROR);
}

bool memblock_has_mirror(void)
{
	struct memblock_region *r;

	if (!memblock_mirror_seen)
		return false;
	for_each_mem_region(r)
		if (memblock_is_mirror(r))
			return true;
	return false;
}

int memblock_mark_nomap(phys_addr_t base, phys_addr_t size)
{
	return change_flag(&memblock.memory, base, size, true, MEMBLOCK_NOMAP);
}

int memblock_clear_nomap(phys_addr_t base, phys_addr_t size)
{
	return change_flag(&memblock.memory, base, size, false, MEMBLOCK_NOMAP);
}

int memblock_reserved_mark_noinit(phys_addr_t base, phys_addr_t size)
{
	return change_flag(&memblock.reserved, base, size, true, MEMBLOCK_RSRV_NOINIT);
}

int memblock_set_node(phys_addr_t base, phys_addr_t size, struct memblock_type *type, int nid)
{
	unsigned long first, last;
	int err = memblock_isolate_range(type, base, size, &first, &last);

	if (err)
		return err;
	for (unsigned long i = first; i < last; i++)
		memblock_set_region_node(&type->regions[i], nid);
	memblock_merge_regions(type, first, last);
	return 0;
}

struct memblock_region *memblock_search(struct memblock_type *type, phys_addr_t addr)
{
	unsigned long i = memblock_first_ending_after(type, addr);

	return i < type->cnt && type->regions[i].base <= addr ? &type->regions[i] : NULL;
}

bool memblock_overlaps_region(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	unsigned long i = memblock_first_ending_after(type, base);

	return i < type->cnt && type->regions[i].base < base + memblock_cap_size(base, size);
}

bool memblock_is_memory(phys_addr_t addr)
{
	return memblock_search(&memblock.memory, addr);
}

bool memblock_is_map_memory(phys_addr_t addr)
{
	struct memblock_region *r = memblock_search(&memblock.memory, addr);

	return r && !memblock_is_nomap(r);
}

bool memblock_is_region_memory(phys_addr_t base, phys_addr_t size)
{
	struct memblock_region *r = memblock_search(&memblock.memory, base);

	return r && r->base + r->size >= base + memblock_cap_size(base, size);
}

bool memblock_is_reserved(phys_addr_t addr)
{
	return memblock_search(&memblock.reserved, addr);
}

bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size)
{
	return memblock_overlaps_region(&memblock.reserved, base, size);
}

phys_addr_t memblock_phys_mem_size(void)
{
	return memblock.memory.total_size;
}

phys_addr_t memblock_reserved_size(void)
{
	return memblock.reserved.total_size;
}

phys_addr_t memblock_start_of_DRAM(void)
{
	return memblock.memory.cnt ? memblock.memory.regions[0].base : 0;
}

phys_addr_t memblock_end_of_DRAM(void)
{
	const struct memblock_region *last = memblock.memory.regions + memblock.memory.cnt - 1;

	return memblock.memory.cnt ? last->base + last->size : 0;
}

int memblock_search_pfn_nid(unsigned long pfn, unsigned long *start_pfn, unsigned long *end_pfn)
{
	const struct memblock_region *r = memblock_search(&memblock.memory, PFN_PHYS(pfn));

	if (!r)
		return NUMA_NO_NODE;
	*start_pfn = PFN_DOWN(r->base);
	*end_pfn = PFN_DOWN(r->base + r->size);
	return memblock_get_region_node(r);
}

bool memblock_validate_numa_coverage(unsigned long threshold_bytes)
{
	unsigned long start, end, pages = 0;
	int i, nid;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, &nid)
		if (!numa_valid_node(nid))
			pages += end - start;
	if (PFN_PHYS(pages) <= threshold_bytes)
		return true;
	printk("numa: %llu KiB of %llu KiB of memory have no node, %lu KiB may\n", PFN_PHYS(pages) >> 10,
	       memblock_phys_mem_size() >> 10, threshold_bytes >> 10);
	return false;
}

static void dump_type(const struct memblock_type *type)
{
	static const char *const flag_names[] = { "hotplug", "mirror", "nomap", "driver-managed", "noinit", "kern" };

	printk(" %s: %lu of %lu regions, 0x%llx bytes\n", type->name, type->cnt, type->max, type->total_size);
	for (unsigned long i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];

		printk(" %s[%lu] [mem 0x%016llx-0x%016llx], 0x%llx bytes", type->name, i, r->base,
		       r->base + r->size - 1, r->size);
		if (r->nid != NUMA_NO_NODE)
			printk(" on node %d", r->nid);
		for (unsigned int f = 0; f < ARRAY_SIZE(flag_names); f++)
			if (r->flags & 1u << f)
				printk(" %s", flag_names[f]);
		printk("\n");
	}
}

void memblock_dump_all(void)
{
	printk("memblock configuration:\n");
	dump_type(&memblock.memory);
	dump_type(&memblock.reserved);
	if (physmem.cnt)
		dump_type(&physmem);
}
