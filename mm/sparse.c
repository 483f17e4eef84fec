// SPDX-License-Identifier: BSD-2-Clause
/*
 * sparse: sections, their usage maps, and the memmap's storage.
 *
 * 1. Physical memory is cut into sections of 1 GiB. mem_section is a two-level array: NR_SECTION_ROOTS pointers to roots
 *    of one page, a root allocated when the first of its sections has memory.
 * 2. A section with memory has a usage map (struct mem_section_usage): for each of its 256 pageblocks whether it is
 *    present, initialised, deferred, shared by zones, and of which migratetype.
 * 3. A pageblock is present when any whole page of it is memory. Present pageblocks have struct pages: 64 KiB of
 *    vmemmap each, mapped onto storage allocated from the memory's own node. Storage is allocated for runs of present
 *    pageblocks, a section at a time, so that it is one block of 16 MiB for a full section, mapped by eight 2 MiB
 *    entries, and no more than needed for a small board. It is not written: page_init.c does that, block by block.
 * 4. NOMAP memory is present too: pfn_to_page() of firmware's memory must be valid, its pages are reserved ones.
 *
 * All boot CPU, before hand-over. Cost: O(sections + regions), nothing for each page.
 */
#include "internal.h"

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/mmzone.h>
#include <mm/port.h>

struct mem_section *mem_section[NR_SECTION_ROOTS];

/* Storage of the memmap that one pageblock needs. */
#define BLOCK_MEMMAP (PAGEBLOCK_NR_PAGES * sizeof(struct page))

_Static_assert(BLOCK_MEMMAP % PAGE_SIZE == 0, "the memmap of a pageblock is whole pages");
_Static_assert(sizeof(struct mem_section) == 8, "a root holds 512 sections");
_Static_assert(PAGEBLOCKS_PER_SECTION % 64 == 0, "bitmaps of whole words");

static unsigned long nr_present_sections;

static struct mem_section *section_slot(unsigned long nr, int nid)
{
	struct mem_section **root = &mem_section[nr / SECTIONS_PER_ROOT];

	if (!*root)
		*root = boot_alloc(PAGE_SIZE, PAGE_SIZE, nid, "mem_section");
	return &(*root)[nr % SECTIONS_PER_ROOT];
}

/* Usage maps for those of sections [first, last] that have none yet, in one piece. */
static void alloc_usage(unsigned long first, unsigned long last, int nid)
{
	struct mem_section_usage *usage;

	/* Regions are sorted: only the first section can have been seen before. */
	if (section_slot(first, nid)->usage)
		first++;
	if (first > last)
		return;
	usage = boot_alloc((last - first + 1) * sizeof(*usage), SMP_CACHE_BYTES, nid, "section usage");
	for (unsigned long nr = first; nr <= last; nr++) {
		section_slot(nr, nid)->usage = usage++;
		nr_present_sections++;
	}
}

/* The memmap of @n pageblocks of one section, from pageblock @first on. */
static void map_memmap(unsigned long section_nr, unsigned long first, unsigned long n, int nid)
{
	unsigned long pfn = (section_nr << PFN_SECTION_SHIFT) + (first << PAGEBLOCK_ORDER);
	phys_addr_t size = n * BLOCK_MEMMAP, align = n == PAGEBLOCKS_PER_SECTION ? 2UL << 20 : PAGE_SIZE;
	phys_addr_t storage = boot_phys_alloc(size, align, nid, "memmap");

	if (arch_map_vmemmap((unsigned long)pfn_to_page(pfn), storage, size))
		panic("sparse: no page table for the memmap of section %lu", section_nr);
}

/* Pageblocks [first, last] of one section hold memory of @nid. Some may be present already, from another region. */
static void add_blocks(unsigned long section_nr, unsigned long first, unsigned long last, int nid)
{
	u64 *present = section_slot(section_nr, nid)->usage->present;

	/* Regions are sorted and disjoint: only the first block can have been added before. */
	if (bit_test(present, first))
		first++;
	if (first > last)
		return;
	bits_set_range(present, first, last - first + 1);
	map_memmap(section_nr, first, last - first + 1, nid);
}

static void add_region(unsigned long start_pfn, unsigned long end_pfn, int nid)
{
	unsigned long pfn = start_pfn;

	alloc_usage(pfn_to_section_nr(start_pfn), pfn_to_section_nr(end_pfn - 1), nid);
	while (pfn < end_pfn) {
		unsigned long nr = pfn_to_section_nr(pfn), section_end = (nr + 1) << PFN_SECTION_SHIFT;
		unsigned long last = min(end_pfn, section_end) - 1;

		add_blocks(nr, pageblock_nr(pfn), pageblock_nr(last), nid);
		pfn = section_end;
	}
}

void sparse_init(void)
{
	unsigned long start, end;
	int i, nid;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, &nid)
		add_region(start, end, nid);
	printk("sparse: %lu sections of %lu MiB present, vmemmap at 0x%lx\n", nr_present_sections,
	       1UL << (SECTION_SIZE_BITS - 20), (unsigned long)VMEMMAP_START);
}

bool pfn_valid(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));

	return usage && bit_test(usage->present, pageblock_nr(pfn));
}

bool page_initialised(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));

	return usage && bit_test_acquire(usage->initialised, pageblock_nr(pfn));
}
