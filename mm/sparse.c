// SPDX-License-Identifier: BSD-2-Clause
/*
 * sparse: sections, their usage maps, and the memmap's storage.
 *
 * 1. Physical memory is cut into sections of 1 GiB. mem_section is a two-level array: NR_SECTION_ROOTS pointers to
 *    roots of one page, a root allocated when the first of its sections has memory.
 * 2. A section with memory has a usage map (struct mem_section_usage): for each of its 256 pageblocks whether it is
 *    present, initialised, deferred, shared by zones, and of which migratetype.
 * 3. A pageblock is present when any whole page of it is memory. Present pageblocks have struct pages: 64 KiB of
 *    vmemmap each, mapped onto storage allocated from the memory's own node. Storage is allocated for runs of present
 *    pageblocks, so that it is a block of 16 MiB for a full section, mapped by eight 2 MiB entries, and no more than
 *    needed for a small board; full sections of one region get theirs in pieces of up to SECTION_RUN, when their node
 *    has such pieces. It is not written: page_init.c does that, block by block.
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

/* Where memmap begins that large entries can map. */
#define MEMMAP_ALIGN (2UL << 20)

/* Whole sections whose memmap is allocated in one piece. */
#define SECTION_RUN 16UL

_Static_assert(BLOCK_MEMMAP % PAGE_SIZE == 0, "the memmap of a pageblock is whole pages");
_Static_assert(sizeof(struct mem_section) == 8, "a root holds 512 sections");
_Static_assert(PAGEBLOCKS_PER_SECTION % 64 == 0, "bitmaps of whole words");

static unsigned long nr_present_sections;
static u64 memmap_bytes;

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

static void map_storage(unsigned long pfn, phys_addr_t storage, phys_addr_t size)
{
	memmap_bytes += size;
	if (arch_map_vmemmap((unsigned long)pfn_to_page(pfn), storage, size))
		panic("sparse: no page table for the memmap of section %lu", pfn_to_section_nr(pfn));
}

/* The memmap of @n pageblocks of one section, from pageblock @first on. */
static void map_memmap(unsigned long section_nr, unsigned long first, unsigned long n, int nid)
{
	unsigned long pfn = (section_nr << PFN_SECTION_SHIFT) + (first << PAGEBLOCK_ORDER);
	phys_addr_t size = n * BLOCK_MEMMAP;
	bool large = size >= MEMMAP_ALIGN && IS_ALIGNED((uintptr_t)pfn_to_page(pfn), MEMMAP_ALIGN);

	map_storage(pfn, boot_phys_alloc(size, large ? MEMMAP_ALIGN : PAGE_SIZE, nid, "memmap"), size);
}

/*
 * The memmap of @n whole sections of @nid from section @nr on in one piece of @nid's memory. Return: @n, or 0 when
 * there is no such piece.
 */
static unsigned long add_sections(unsigned long nr, unsigned long n, int nid)
{
	unsigned long size = n * PAGEBLOCKS_PER_SECTION * BLOCK_MEMMAP;
	phys_addr_t storage = boot_phys_try_exact(size, MEMMAP_ALIGN, nid, "memmap");

	if (!storage)
		return 0;
	map_storage(nr << PFN_SECTION_SHIFT, storage, size);
	for (unsigned long i = 0; i < n; i++)
		bits_set_range(section_slot(nr + i, nid)->usage->present, 0, PAGEBLOCKS_PER_SECTION);
	return n;
}

/* Pageblocks [first, last] of one section hold memory of @nid. Some may be present already, from another region. */
static void add_blocks(unsigned long section_nr, unsigned long first, unsigned long last, int nid)
{
	struct mem_section_usage *usage = section_slot(section_nr, nid)->usage;
	u64 *present = usage ? usage->present : NULL;

	BUG_ON(!present);
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
	unsigned long pfn = start_pfn, done;

	alloc_usage(pfn_to_section_nr(start_pfn), pfn_to_section_nr(end_pfn - 1), nid);
	while (pfn < end_pfn) {
		unsigned long nr = pfn_to_section_nr(pfn), section_end = (nr + 1) << PFN_SECTION_SHIFT;
		unsigned long last = min(end_pfn, section_end) - 1;

		/* Whole sections of this region: nobody has been there before. */
		done = IS_ALIGNED(pfn, PAGES_PER_SECTION) ? (end_pfn - pfn) >> PFN_SECTION_SHIFT : 0;
		if (done > 1)
			done = add_sections(nr, min(done, SECTION_RUN), nid);
		if (done > 1) {
			pfn += done << PFN_SECTION_SHIFT;
			continue;
		}
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

u64 memmap_reserved_bytes(void)
{
	return memmap_bytes;
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
