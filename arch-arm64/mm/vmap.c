/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for vmalloc, made and freed while the machine runs (contract: <asm/vmap.h>).
 *
 * 1. vmap_lock covers what tables hang where: entries of levels 0 to 2 in vmalloc's part. Entries of level 3, and of
 *    level 2 that map a block, belong to who owns the addresses, who clears them without it; nobody frees a table under
 *    them.
 * 2. A table that is freed is taken out, with those above it that are empty then; all TLBs forget what they cached of
 *    the way to them (TLBI VAE1IS without "last level"), and only then the pages are retired (mm/vmap_retire.c):
 *    neither a walker of the machine's nor arch_vmap_table(), which takes no lock, reads a page that has another owner.
 * 3. TLB maintenance is broadcast by hardware: no CPU is interrupted.
 * 4. Pages for tables are taken without the lock, one at a time: what is kept for handlers is left to them, and other
 *    CPUs' caches are asked, where it is a thread that wants a table. A page that turns out not to be needed goes back.
 * 5. From VMAP_PHYS_START on the engine maps and unmaps (pt_map.c, pt_change.c), under pt_mutex: no table there but the
 *    first is anybody else's. What it takes out is retired as well. A handler, which may take no mutex, clears the
 *    entries of its range, which are its own as those of level 3 are, and leaves the tables to a thread.
 * 6. Small areas do not go that way: a pair of vmalloc() and vfree() has some 400 instructions, of which the entries'
 *    stores are a few.
 */
#include <errno.h>

#include <lib/mutex.h>
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/gfp.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pt_hw.h>
#include <asm/smp.h>
#include <asm/vmap.h>

#include "../../mm/internal.h"
#include "../../mm/vmap.h"
#include "pt_change.h"

static DEFINE_SPINLOCK(vmap_lock, LOCK_RANK_VMAP_TABLES);
static phys_addr_t spare; /* vmap_lock: a page for the next table, 0 for none */

unsigned long pt_hold_tables(void)
{
	return spin_lock_irqsave(&vmap_lock);
}

void pt_release_tables(unsigned long flags)
{
	spin_unlock_irqrestore(&vmap_lock, flags);
}

/* Retire @table, unless it is 0, and tables above @va that are empty then. vmap_lock is held. */
static void free_tables(phys_addr_t table, unsigned long va)
{
	phys_addr_t gone[PT_LAST_LEVEL + 1];
	unsigned int n = pt_unlink_empty(va, gone);

	if (table)
		gone[n++] = table;
	pt_written();
	pt_invalidate(va);
	pt_invalidated();
	while (n)
		vmap_retire_table(pfn_to_page(PFN_DOWN(gone[--n])));
}

_Static_assert((PTE_TABLE & ~PTE_BLOCK) == 2, "a bit tells tables from blocks, valid or not, and from nothing");

/*
 * On the way of each vfree(): its own walk, for all tables but the first are ordinary pages, which pt_slot() has to
 * find out. Between the levels one bit is looked at.
 */
u64 *arch_vmap_table(unsigned long va)
{
	const u64 *table = boot_tables.pgd;
	u64 entry;

	for (int level = 0; level < 2; level++) {
		entry = READ_ONCE(table[pt_index(va, level)]);
		if (!(entry & PTE_TABLE & ~PTE_BLOCK))
			return NULL;
		table = __va(entry & PTE_ADDR_MASK);
	}
	entry = READ_ONCE(table[pt_index(va, 2)]);
	return pt_is_table(entry, 2) ? __va(entry & PTE_ADDR_MASK) : NULL;
}

/* The entry of level 2 for @va; NULL when there is no table of level 2. */
static u64 *block_entry(unsigned long va)
{
	u64 next;

	return pt_slot(va, 2, &next);
}

static phys_addr_t take_spare(void)
{
	phys_addr_t page = spare;

	spare = 0;
	return page;
}

static phys_addr_t new_page(void)
{
	return arch_cross_call_ok() ? pt_page_new_thread() : pt_page_new();
}

/*
 * The table of @level for @va, made if need be: of *@page, which is 0 then. NULL when there would have to be more
 * pages.
 */
static u64 *try_table(unsigned long va, int level, phys_addr_t *page)
{
	u64 *table;

	spare = *page;
	table = pt_find_table(va, level, take_spare);
	*page = take_spare();
	return table;
}

static bool is_block(unsigned long va)
{
	const u64 *slot = block_entry(va);

	return slot && *slot && !pt_is_table(*slot, 2);
}

/*
 * Take vmap_lock, and find the table of @level for @va, made if need be: the first one of @page, if there is one.
 * Return: NULL, and what was made on the way is gone, when there is no page for it, or a block is mapped where it
 * should be.
 */
static u64 *lock_table(unsigned long va, int level, phys_addr_t page, unsigned long *flags)
{
	u64 *table = NULL;

	for (;;) {
		*flags = spin_lock_irqsave(&vmap_lock);
		if (level == PT_LAST_LEVEL && is_block(va))
			break;
		table = try_table(va, level, &page);
		if (table || page)
			break;
		spin_unlock_irqrestore(&vmap_lock, *flags);
		page = new_page();
		if (page)
			continue;
		*flags = spin_lock_irqsave(&vmap_lock);
		free_tables(0, va);
		break;
	}
	if (page)
		pt_page_free(page);
	return table;
}

u64 *arch_vmap_table_alloc(unsigned long va)
{
	unsigned long flags;
	u64 *table = lock_table(va, PT_LAST_LEVEL, new_page(), &flags);

	spin_unlock_irqrestore(&vmap_lock, flags);
	return table;
}

void arch_vmap_table_free(unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&vmap_lock);
	u64 *slot = block_entry(va), entry = slot ? *slot : 0;

	if (pt_is_table(entry, 2)) {
		pt_write(slot, 0);
		pt_count(-1);
		free_tables(pt_entry_pa(entry), va);
	} else if (!entry) {
		free_tables(0, va);
	}
	spin_unlock_irqrestore(&vmap_lock, flags);
}

int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot)
{
	unsigned long flags;
	u64 *table = lock_table(va, 2, 0, &flags), entry = 0;

	if (table)
		entry = table[pt_index(va, 2)];
	if (table && !entry)
		pt_write(&table[pt_index(va, 2)], pa | prot | PTE_BLOCK);
	spin_unlock_irqrestore(&vmap_lock, flags);
	if (!table)
		return -ENOMEM;
	if (!entry)
		return 0;
	printk("page tables: 0x%lx is mapped to 0x%llx (level 2), and to be mapped to 0x%llx, a block: refused\n", va,
	       pt_entry_pa(entry), pa);
	return -EEXIST;
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
	struct pt_unit unit;

	pt_query(va, &unit);
	spin_unlock_irqrestore(&vmap_lock, flags);
	*pa = pt_entry_pa(unit.entry) + (va - unit.va);
	return unit.entry;
}

/* --- large physical ranges --- */

void pt_page_retire(phys_addr_t pa)
{
	vmap_retire_table(pfn_to_page(PFN_DOWN(pa)));
}

int arch_vmap_phys(unsigned long va, phys_addr_t pa, unsigned long size, u64 prot)
{
	int err;

	mutex_lock(&pt_mutex);
	err = pt_map_range(va, pa, size, prot);
	mutex_unlock(&pt_mutex);
	return err;
}

bool arch_vunmap_phys(unsigned long va, unsigned long size)
{
	int err;

	if (!arch_cross_call_ok()) {
		pt_clear_range(va, size);
		return false;
	}
	mutex_lock(&pt_mutex);
	err = pt_unmap_range(va, size);
	mutex_unlock(&pt_mutex);
	if (err)
		panic("vmalloc: 0x%lx-0x%lx is unmapped: error %d", va, va + size - 1, err);
	return true;
}

void arch_vmap_phys_tidy(unsigned long va, unsigned long size)
{
	mutex_lock(&pt_mutex);
	pt_tidy_range(va, size);
	mutex_unlock(&pt_mutex);
}

void arch_flush_tlb_kernel(unsigned long start, unsigned long end)
{
	dsb(ishst);
	pt_invalidate_range(start, end, PAGE_SIZE);
	pt_invalidated();
}
