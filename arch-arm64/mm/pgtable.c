/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where tables lie, who gives pages for them, and how many there are. What is written into them is pt_map.c's and
 * pt_change.c's (contract and formats: <asm/pgtable.h>).
 *
 * 1. Tables are reached in one of three ways, pt_table(): the static ones at their address in the image; the others
 *    through a fixmap page per level (so that the parents of a table stay reachable), and once all RAM is mapped,
 *    through the linear map.
 * 2. Pages for tables come from memblock at boot and stay. Later they come from the page allocator and go back to it.
 *    Their page->mapping is NULL until vmalloc names the block whose slots a table maps (block_of(), mm/vmap.h).
 * 3. The count changes when a table is linked or unlinked, in one step with that for whoever holds the tables: at boot
 *    there is one CPU, then tables are held (vmap.c), or all other CPUs stand still.
 *
 * Invariant: tables reachable from boot_tables.pgd = those in boot_tables + arch_table_pages(); arch_pt_check() proves
 * it.
 */
#include <lib/mutex.h>
#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/numa.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/pt_hw.h>
#include <asm/sections.h>

DEFINE_MUTEX(pt_mutex);

static bool use_linear_map;
static unsigned long table_pages;

u64 *pt_table(phys_addr_t pa, int level)
{
	if (pa - kimage_pa(_text) < (u64)(_end - _text))
		return (u64 *)(uintptr_t)(pa + kimage_voffset);
	if (use_linear_map)
		return __va(pa);
	return fixmap_table(pa, level);
}

phys_addr_t pt_boot_alloc(void)
{
	return boot_phys_alloc(PAGE_SIZE, PAGE_SIZE, NUMA_NO_NODE, "page tables");
}

static phys_addr_t new_page(gfp_t gfp)
{
	struct page *page = alloc_page(gfp | __GFP_NOWARN);

	if (!page)
		return 0;
	page->mapping = NULL;
	return page_to_phys(page);
}

phys_addr_t pt_page_new(void)
{
	return new_page(GFP_ATOMIC);
}

phys_addr_t pt_page_new_thread(void)
{
	return new_page(GFP_KERNEL);
}

void pt_page_free(phys_addr_t pa)
{
	__free_page(pfn_to_page(PFN_DOWN(pa)));
}

void pt_count(long n)
{
	WRITE_ONCE(table_pages, table_pages + (unsigned long)n);
}

void pt_use_linear_map(void)
{
	use_linear_map = true;
	fixmap_release_tables();
}

bool pt_linear_ready(void)
{
	return use_linear_map;
}

unsigned long arch_table_pages(void)
{
	return READ_ONCE(table_pages);
}
