/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: entries of vmalloc's addresses. Group 10 of <mm/port.h>.
 *
 * Tables are pages of the page allocator as on the machine, found through an array of pointers; an entry is a physical
 * address, bit 0 set. Beside each change of an entry the page of the memory file is mapped at its address, or unmapped:
 * an access to what no entry maps faults. What is unmapped is so at once, on all CPUs.
 */
#ifndef ASM_VMAP_H
#define ASM_VMAP_H

#include <lib/types.h>

#include <asm/page.h>

/* What is left below the place of the program itself. */
#define VMALLOC_START (VMEMMAP_START + HOST_VMEMMAP_SIZE + (16UL << 30))
#define VMALLOC_END   (VMALLOC_START + (32UL << 30))

#define VMAP_PHYS_START (VMALLOC_END - (8UL << 30))

_Static_assert(VMALLOC_END <= HOST_LINEAR + (5UL << 36), "the program itself begins above");

#define VMAP_BLOCK_SIZE (2UL << 20)
#define VMAP_UNITS	1UL << 30, 16 * VMAP_BLOCK_SIZE, VMAP_BLOCK_SIZE

/* Bit 1: read-only. Bits 2 to 4: the memory type, which makes no difference to the host. */
#define PAGE_KERNEL    0ULL
#define PAGE_KERNEL_RO 2ULL
#define PAGE_KERNEL_NC 4ULL
#define PAGE_KERNEL_WT 8ULL
#define PAGE_DEVICE    12ULL
#define PAGE_DEVICE_NP 16ULL

u64 *arch_vmap_table(unsigned long va);
u64 *arch_vmap_table_alloc(unsigned long va);
void arch_vmap_table_free(unsigned long va);
void arch_set_ptes(u64 *pte, unsigned long va, phys_addr_t pa, unsigned long n, u64 prot);
void arch_clear_ptes(u64 *pte, unsigned long va, unsigned long n);
int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot);
phys_addr_t arch_vunmap_block(unsigned long va);
int arch_vmap_phys(unsigned long va, phys_addr_t pa, unsigned long size, u64 prot);
bool arch_vunmap_phys(unsigned long va, unsigned long size);
void arch_vmap_phys_tidy(unsigned long va, unsigned long size);
bool arch_vmap_lookup(unsigned long va, phys_addr_t *pa);
unsigned long arch_vmap_next(unsigned long va, unsigned long end);
void arch_flush_tlb_kernel(unsigned long start, unsigned long end);

/** host_walk_watch() - have @fn called when this thread has found, or not, the next table that it looks for; once */
void host_walk_watch(void (*fn)(void));

/**
 * host_tlb_watch() - have @fn called with each range that TLBs are told of; NULL for nobody. Context: all CPUs quiet.
 */
void host_tlb_watch(void (*fn)(unsigned long start, unsigned long end));

static inline phys_addr_t arch_pte_phys(u64 pte)
{
	return pte & PAGE_MASK;
}

static inline void arch_vmap_publish(void)
{
}

#endif
