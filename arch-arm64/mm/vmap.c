/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for vmalloc, made and freed while the machine runs (contract: <asm/vmap.h>).
 *
 * 1. vmap_lock covers what tables hang where: entries of levels 0 to 2 in vmalloc's part. Entries of level 3, and of level 2
 *    that map a block, belong to who owns the addresses, who clears them without it; nobody frees a table under them.
 * 2. A table that is freed is taken out, all TLBs forget what they cached of the way to it (TLBI VAE1IS without "last
 *    level"), and only then the page goes back: no walker reads a page that has another owner.
 * 3. TLB maintenance is broadcast by hardware: no CPU is interrupted. More than FLUSH_PAGES single pages cost more than
 *    refilling the whole TLB does.
 */
#include <errno.h>

#include <lib/spinlock.h>
#include <mm/gfp.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/vmap.h>

#include "../../mm/internal.h"

#define FLUSH_PAGES 128

static DEFINE_SPINLOCK(vmap_lock, LOCK_RANK_VMAP_TABLES);

unsigned long pt_hold_tables(void)
{
	return spin_lock_irqsave(&vmap_lock);
}

void pt_release_tables(unsigned long flags)
{
	spin_unlock_irqrestore(&vmap_lock, flags);
}

static phys_addr_t table_page(void)
{
	struct page *page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);

	return page ? page_to_phys(page) : 0;
}

/* The entry of level 2 for @va; NULL when there is no table of level 2. All tables but the first are ordinary pages. */
static u64 *block_entry(unsigned long va)
{
	u64 *table = boot_tables.pgd;

	for (int level = 0; level < 2; level++) {
		u64 entry = READ_ONCE(table[pt_index(va, level)]);

		if (!entry)
			return NULL;
		table = __va(entry & PTE_ADDR_MASK);
	}
	return &table[pt_index(va, 2)];
}

u64 *arch_vmap_table(unsigned long va)
{
	const u64 *slot = block_entry(va);
	u64 entry = slot ? READ_ONCE(*slot) : 0;

	return pt_is_table(entry, 2) ? __va(entry & PTE_ADDR_MASK) : NULL;
}

u64 *arch_vmap_table_alloc(unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&vmap_lock);
	const u64 *slot = block_entry(va);
	u64 *table = NULL;

	if (!slot || !*slot || pt_is_table(*slot, 2))
		table = pt_find_table(va, PT_LAST_LEVEL, table_page);
	spin_unlock_irqrestore(&vmap_lock, flags);
	return table;
}

static void flush_page(unsigned long va)
{
	__asm__ volatile("tlbi vae1is, %0" : : "r"((va << 8) >> (8 + PAGE_SHIFT)) : "memory");
}

void arch_vmap_table_free(unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&vmap_lock);
	u64 *slot = block_entry(va), entry = *slot;

	WRITE_ONCE(*slot, 0);
	dsb(ishst);
	flush_page(va);
	dsb(ish);
	isb();
	pt_table_gone();
	spin_unlock_irqrestore(&vmap_lock, flags);
	__free_page(pfn_to_page(PFN_DOWN(entry & PTE_ADDR_MASK)));
}

int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot)
{
	unsigned long flags = spin_lock_irqsave(&vmap_lock);
	u64 *table = pt_find_table(va, 2, table_page);

	if (table)
		WRITE_ONCE(table[pt_index(va, 2)], pa | prot | PTE_BLOCK);
	spin_unlock_irqrestore(&vmap_lock, flags);
	return table ? 0 : -ENOMEM;
}

phys_addr_t arch_vunmap_block(unsigned long va)
{
	u64 *slot = block_entry(va);
	u64 entry = slot ? READ_ONCE(*slot) : 0;

	if (!entry || pt_is_table(entry, 2))
		return 0;
	WRITE_ONCE(*slot, 0);
	return entry & PTE_ADDR_MASK;
}

/* Under the lock: a table that is freed meanwhile would be read as its next owner left it. */
bool arch_vmap_lookup(unsigned long va, phys_addr_t *pa)
{
	unsigned long flags = spin_lock_irqsave(&vmap_lock);
	const u64 *slot = block_entry(va);
	u64 entry = slot ? READ_ONCE(*slot) : 0;
	int level = 2;

	if (pt_is_table(entry, 2)) {
		entry = READ_ONCE(((const u64 *)__va(entry & PTE_ADDR_MASK))[pt_index(va, PT_LAST_LEVEL)]);
		level = PT_LAST_LEVEL;
	}
	spin_unlock_irqrestore(&vmap_lock, flags);
	*pa = (entry & PTE_ADDR_MASK) + (va & (PT_SPAN(level) - 1));
	return entry;
}

void arch_flush_tlb_kernel(unsigned long start, unsigned long end)
{
	dsb(ishst);
	if (end - start > FLUSH_PAGES * PAGE_SIZE)
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	else
		for (; start < end; start += PAGE_SIZE)
			flush_page(start);
	dsb(ish);
	isb();
}
