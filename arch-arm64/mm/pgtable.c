/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine that maps ranges (contract and formats: <asm/pgtable.h>).
 *
 * 1. pt_map() cuts a range into runs. A run lies in one table and consists of entries of one size, the largest that
 *    alignment and length allow; it is written in one loop. From run to run the walk starts at the top again: three
 *    steps, against up to 512 entries in a run.
 * 2. Tables are reached in one of three ways, pt_table(): the static ones at their address in the image; the others
 *    through a fixmap page per level (so that the parents of a table stay reachable), and once all RAM is mapped,
 *    through the linear map.
 * 3. A new table is zeroed before the entry that points to it is written, with a barrier between, for the walker may
 *    read both at any moment. Entries only ever change from 0 to their value here, so no break-before-make and no TLB
 *    invalidation are needed: the architecture does not cache entries that map nothing.
 * 4. An entry that is not 0 is never overwritten: pt_map() panics, for two owners of one address are a bug.
 * 5. On -ENOMEM what was mapped stays. Once the machine runs, tables come and go below vmalloc's entries only (vmap.c), under
 *    its lock, which covers table_pages from then on.
 *
 * Invariant: tables reachable from boot_tables.pgd = those in boot_tables + arch_table_pages(); arch_pt_check() proves
 * it.
 */
#include <errno.h>

#include <lib/printk.h>

#include <mm/discover.h>
#include <mm/numa.h>

#include <asm/barrier.h>
#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/sections.h>

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

/* An entry of @level that points to a new table; 0 when there is no memory for one. */
static u64 new_table(int level, pt_alloc_fn alloc)
{
	phys_addr_t pa = alloc();

	if (!pa)
		return 0;
	clear_page(pt_table(pa, level + 1));
	dsb(ishst);
	table_pages++;
	return pa | PTE_TABLE;
}

static _Noreturn void panic_mapped(u64 va, u64 entry, int level, phys_addr_t pa)
{
	panic("page tables: 0x%llx is mapped to 0x%llx (level %d) and was to be mapped to 0x%llx", va,
	      entry & PTE_ADDR_MASK, level, pa);
}

/* The table of @level that maps @va, made if need be; NULL when there is no memory for it. @pa is for the panic. */
static u64 *find_table(u64 va, phys_addr_t pa, int level, pt_alloc_fn alloc)
{
	u64 *table = boot_tables.pgd;

	for (int l = 0; l < level; l++) {
		u64 *slot = &table[pt_index(va, l)];
		u64 entry = *slot;

		if (!entry) {
			entry = new_table(l, alloc);
			if (!entry)
				return NULL;
			WRITE_ONCE(*slot, entry);
		}
		if (!pt_is_table(entry, l))
			panic_mapped(va, entry, l, pa);
		table = pt_table(entry & PTE_ADDR_MASK, l + 1);
	}
	return table;
}

u64 *pt_find_table(u64 va, int level, pt_alloc_fn alloc)
{
	return find_table(va, 0, level, alloc);
}

void pt_table_gone(void)
{
	table_pages--;
}

/* The first level whose entries may map @pa at @va and are not larger than @size. */
static int leaf_level(u64 va, phys_addr_t pa, u64 size)
{
	int level = 1;

	while (level < PT_LAST_LEVEL && (((va | pa) & (PT_SPAN(level) - 1)) || size < PT_SPAN(level)))
		level++;
	return level;
}

/* Write entries of @level into @table until it ends or @size is used up. Return: bytes mapped. */
static u64 fill_table(u64 *table, int level, u64 va, phys_addr_t pa, u64 size, u64 prot)
{
	unsigned int first = pt_index(va, level);
	u64 count = min(size >> PT_SHIFT(level), (u64)(PT_ENTRIES - first));
	u64 value = pa | prot | (level == PT_LAST_LEVEL ? PTE_PAGE : PTE_BLOCK);
	u64 *end = table + first + count;

	for (u64 *entry = table + first; entry < end; entry++) {
		if (unlikely(*entry))
			panic_mapped(va + ((u64)(entry - table - first) << PT_SHIFT(level)), *entry, level,
				     value & PTE_ADDR_MASK);
		WRITE_ONCE(*entry, value);
		value += PT_SPAN(level);
	}
	return count << PT_SHIFT(level);
}

int pt_map(u64 va, phys_addr_t pa, u64 size, u64 prot, pt_alloc_fn alloc)
{
	BUG_ON((va | pa | size) & ~PAGE_MASK);
	while (size) {
		int level = leaf_level(va, pa, size);
		u64 *table = find_table(va, pa, level, alloc);
		u64 done;

		if (!table)
			return -ENOMEM;
		done = fill_table(table, level, va, pa, size, prot);
		va += done;
		pa += done;
		size -= done;
	}
	dsb(ishst);
	isb();
	return 0;
}

phys_addr_t pt_boot_alloc(void)
{
	return boot_phys_alloc(PAGE_SIZE, PAGE_SIZE, NUMA_NO_NODE, "page tables");
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
	return table_pages;
}
