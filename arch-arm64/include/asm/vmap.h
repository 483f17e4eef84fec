/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page table entries of vmalloc's part of the address space. Group 10 of the port contract (<mm/port.h>).
 *
 * 1. Entries of level 3 are written by who owns the addresses. An entry changes from 0 to its value and back to 0, so
 *    no break-before-make is needed; before it is written again, arch_flush_tlb_kernel() is called.
 * 2. Tables come from the page allocator and go back to it: those of level 3 when their owner says so, those of levels
 *    1 and 2 when they are empty then. They go by way of vmap_retire_table() (mm/vmap.h), for arch_vmap_table() may be
 *    reading in them.
 * 3. Large physical ranges have addresses of their own, from VMAP_PHYS_START on, whole entries of level 0. There the
 *    table engine alone maps, protects and unmaps, under pt_mutex, in the largest units that fit.
 */
#ifndef ASM_VMAP_H
#define ASM_VMAP_H

#include <asm/barrier.h>
#include <asm/pgtable.h>

#define PAGE_KERNEL    PT_RW
#define PAGE_KERNEL_RO PT_RO
#define PAGE_KERNEL_NC PT_RW_NC	    /* Normal, not cacheable */
#define PAGE_KERNEL_WT PT_RW_WT	    /* Normal, write-through */
#define PAGE_DEVICE    PT_DEVICE    /* Device-nGnRE: registers */
#define PAGE_DEVICE_NP PT_DEVICE_NP /* Device-nGnRnE: writes are not posted */

#define VMAP_BLOCK_SIZE PT_SPAN(2)

/* What arch_vmap_phys() maps by, largest first. */
#define VMAP_UNITS PT_SPAN(1), PT_CONT_SPAN(2), PT_SPAN(2)

/**
 * arch_vmap_table() - the table whose 512 entries map the block of 2 MiB at @va; NULL when there is none
 *
 * Context: who has not got the addresses keeps interrupts masked until he is done with the table, which may go
 * meanwhile.
 */
u64 *arch_vmap_table(unsigned long va);

/**
 * arch_vmap_table_alloc() - the same, made if need be; NULL when there is no page for it, or a block is mapped at @va
 */
u64 *arch_vmap_table_alloc(unsigned long va);

/**
 * arch_vmap_table_free() - retire that table, if there is one, whose entries are 0, and those above that are empty then
 */
void arch_vmap_table_free(unsigned long va);

/** arch_set_ptes() - map @n pages from @pa on at entries from @pte on, which are 0 */
static inline void arch_set_ptes(u64 *pte, unsigned long va, phys_addr_t pa, unsigned long n, u64 prot)
{
	u64 value = pa | prot | PTE_PAGE;

	(void)va;
	for (u64 *end = pte + n; pte < end; pte++, value += PAGE_SIZE)
		WRITE_ONCE(*pte, value);
}

/** arch_clear_ptes() - unmap @n pages */
static inline void arch_clear_ptes(u64 *pte, unsigned long va, unsigned long n)
{
	(void)va;
	for (u64 *end = pte + n; pte < end; pte++)
		WRITE_ONCE(*pte, 0);
}

/** arch_pte_phys() - what an entry that is not 0 maps */
static inline phys_addr_t arch_pte_phys(u64 pte)
{
	return pte & PTE_ADDR_MASK;
}

/** arch_vmap_publish() - what was mapped before may be used now, on any CPU that is told the address */
static inline void arch_vmap_publish(void)
{
	dsb(ishst);
	isb();
}

/**
 * arch_vmap_block() - map a block of 2 MiB, both ends aligned
 *
 * Return: 0; -ENOMEM when there is no page for a table; -EEXIST, after a line that names both, when something is mapped
 * there.
 */
int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot);

/** arch_vunmap_block() - unmap the block at @va. Return: its physical address; 0 when none is mapped there. */
phys_addr_t arch_vunmap_block(unsigned long va);

/**
 * arch_vmap_phys() - map whole pages of physical addresses at addresses from VMAP_PHYS_START on
 *
 * Blocks of 1 GiB and 2 MiB, and groups with the contiguous hint, where both sides are aligned to them. On return it
 * works on every CPU. Context: where arch_cross_call_ok(); takes pt_mutex. Cost: O(units), 60 instructions for each
 * table. Return: 0; -ENOMEM; -EEXIST, after a line that names both. Then nothing has changed.
 */
int arch_vmap_phys(unsigned long va, phys_addr_t pa, unsigned long size, u64 prot);

/**
 * arch_vunmap_phys() - unmap all of what it mapped at once; no TLB knows it then
 *
 * Context: any; takes pt_mutex where arch_cross_call_ok(). Return: true; false when the tables are left, for a thread
 * to free them by arch_vmap_phys_tidy(): until then nothing is mapped there.
 */
bool arch_vunmap_phys(unsigned long va, unsigned long size);

/** arch_vmap_phys_tidy() - free the tables of a range that maps nothing. Context: where arch_cross_call_ok(). */
void arch_vmap_phys_tidy(unsigned long va, unsigned long size);

/** arch_vmap_lookup() - what is mapped at @va, page or block, whoever unmaps meanwhile. Return: whether anything is. */
bool arch_vmap_lookup(unsigned long va, phys_addr_t *pa);

/**
 * arch_vmap_next() - the lowest address from @va on, below @end, that anything is mapped at; @end when there is none
 */
static inline unsigned long arch_vmap_next(unsigned long va, unsigned long end)
{
	return pt_next_mapped(va, end);
}

/** arch_flush_tlb_kernel() - no CPU uses old translations of [@start, @end) any more. Context: any. */
void arch_flush_tlb_kernel(unsigned long start, unsigned long end);

#endif
