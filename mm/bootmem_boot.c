// SPDX-License-Identifier: BSD-2-Clause
/*
 * Boot on bootmem instead of memblock's allocation functions (CONFIG_BOOTMEM).
 *
 * 1. Three times. Until the linear map is up and nodes are known, memblock alone allocates: page tables of the linear
 *    map, grown arrays, what the tree asks to be placed. bootmem_open() then makes the bitmaps, and until
 *    bootmem_close() every place comes from them. After that memblock serves again.
 * 2. memblock stays the map of who has what. What the bitmaps gave is all claimed as metadata (boot_phys_alloc() is the
 *    only way to them), so bootmem_close() reserves the metadata claims in memblock. From then on memblock can be
 *    asked, its reserved array may grow, and ranges may be added to it that were found bad.
 * 3. While claims are entered, an array may have to grow. Its place must be free in both: the bitmaps tell memblock
 *    what is taken (memblock_set_claimed()).
 * 4. At hand-over the bitmaps learn what memblock has reserved by now, and what they say is free is handed over. The
 *    account is counted from memblock: so it comes from the claims, the free pages come from the bitmaps, and
 *    zone_check() finds where they do not agree.
 * 5. A bitmap's storage is reserved in memblock until hand-over, which frees it with the rest.
 */
#include "bootmem_boot.h"

#include <lib/printk.h>
#include <mm/bootmem.h>
#include <mm/memblock.h>
#include <mm/mmzone.h>

#include "internal.h"

static bool is_open;

/* From the first page of @nid's memory to the last. */
static void init_node(int nid)
{
	unsigned long start, end, first = ~0UL, last = 0, pages;
	phys_addr_t place;
	int i;

	for_each_mem_pfn_range(i, nid, &start, &end, NULL) {
		first = min(first, start);
		last = end;
	}
	if (first >= last)
		return;
	pages = bootmem_bootmap_pages(last - first);
	place = memblock_phys_alloc_try_nid(PFN_PHYS(pages), PAGE_SIZE, nid);
	if (!place)
		panic("bootmem: node %d: no place for the bitmap of [mem 0x%016llx-0x%016llx], %lu pages", nid,
		      PFN_PHYS(first), PFN_PHYS(last) - 1, pages);
	bootmem_init_nid(nid, PFN_DOWN(place), first, last);
	printk("bootmem: node %d: [mem 0x%016llx-0x%016llx], bitmap of %lu KiB at 0x%llx\n", nid, PFN_PHYS(first),
	       PFN_PHYS(last) - 1, pages << (PAGE_SHIFT - 10), place);
}

void bootmem_open(void)
{
	phys_addr_t start, end;
	int nid;
	u64 i;

	for_each_node(nid)
		init_node(nid);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, &nid)
		bootmem_free_nid(nid, start, end - start);
	is_open = true;
}

phys_addr_t bootmem_place(phys_addr_t size, phys_addr_t align, int nid)
{
	if (!is_open)
		return memblock_phys_alloc_try_nid(size, align, nid);
	return bootmem_phys_alloc(size, align, BOOTMEM_LOW_LIMIT, 0, nid);
}

/* For memblock_set_claimed(): @start when any page of [start, end) is taken, which lies in one region of memory. */
static phys_addr_t taken(phys_addr_t start, phys_addr_t end)
{
	int nid = memblock_search(&memblock.memory, start)->nid;

	return bootmem_is_free_nid(nid, start, end - start) ? end : start;
}

void bootmem_close(void)
{
	if (!is_open)
		return;
	memblock_set_claimed(taken);
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *claim = claim_get(i);

		if (claim->kind == CLAIM_METADATA && memblock_reserve_kern(claim->base, claim->size))
			panic("bootmem: memblock cannot reserve [mem 0x%016llx-0x%016llx] for %s", claim->base,
			      claim->base + claim->size - 1, claim->name);
	}
	memblock_set_claimed(NULL);
	is_open = false;
}

/* The bitmaps learn what of one region memblock has reserved. */
static void learn_region(const struct memblock_region *m)
{
	unsigned long i = memblock_first_ending_after(&memblock.reserved, m->base);

	for (; i < memblock.reserved.cnt && memblock.reserved.regions[i].base < m->base + m->size; i++) {
		const struct memblock_region *r = &memblock.reserved.regions[i];
		phys_addr_t start = max(PFN_PHYS(PFN_DOWN(r->base)), PFN_PHYS(PFN_UP(m->base)));
		phys_addr_t end = min(r->base + r->size, PFN_PHYS(PFN_DOWN(m->base + m->size)));

		if (start < end)
			bootmem_reserve_nid(m->nid, start, end - start, BOOTMEM_DEFAULT);
	}
}

/* No bitmap is looked for after this: their pages are about to be handed over, and are no metadata any more. */
static void release_maps(void)
{
	int nid;

	for_each_node(nid) {
		const struct bootmem_data *bdata = &bootmem_node_data[nid];
		unsigned long pages = bootmem_bootmap_pages(bdata->node_low_pfn - bdata->node_min_pfn);

		if (bdata->list.next)
			memblock_phys_free(__pa(bdata->node_bootmem_map), PFN_PHYS(pages));
	}
}

unsigned long bootmem_hand_over(void)
{
	struct memblock_region *region;

	for_each_mem_region(region)
		learn_region(region);
	release_maps();
	count_kept_pages();
	return free_all_bootmem();
}
