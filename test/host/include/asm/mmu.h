/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: "page tables" are mappings of the memory file (asm/page.h). Arguments that the contract does not allow
 * end the run with a line that names them.
 */
#ifndef ASM_MMU_H
#define ASM_MMU_H

#include <lib/types.h>

#include <asm/page.h>

/* Bytes that arch_boot_va() can map before arch_linear_map_done(), as on the machine. */
#define HOST_BOOT_WINDOW (2UL << 20)

void *arch_boot_va(phys_addr_t pa, size_t size);
void arch_map_linear(phys_addr_t base, phys_addr_t end);
void arch_linear_map_done(void);

/** arch_sync_memory() - the host's caches are not ours to flush; only the compiler must not carry values across */
static inline void arch_sync_memory(const void *start, size_t size)
{
	(void)start;
	(void)size;
	__asm__ volatile("" : : : "memory");
}

/** arch_pa_valid() - whether the memory file has all of the range */
static inline bool arch_pa_valid(phys_addr_t pa, u64 size)
{
	return pa < PHYS_ADDR_LIMIT && size <= PHYS_ADDR_LIMIT - pa;
}

/* early_ioremap()'s addresses, between the memmap and vmalloc. */
#define EARLY_SLOTS	 7
#define EARLY_SLOT_PAGES 64
#define HOST_EARLY	 (VMEMMAP_START + HOST_VMEMMAP_SIZE + (1UL << 30))

void *arch_early_map(unsigned int slot, phys_addr_t pa, unsigned int pages, u64 prot);
void arch_early_unmap(unsigned int slot, unsigned int pages);

/** arch_alloc_stack() - nothing to do: a CPU is a thread, which has its stack */
static inline void arch_alloc_stack(int cpu, int nid)
{
	(void)cpu;
	(void)nid;
}

/** arch_map_vmemmap() - map the storage a second time: a struct page and the RAM that holds it are the same bytes */
int arch_map_vmemmap(unsigned long va, phys_addr_t pa, size_t size);

/**
 * host_may_load() - whether @word is a word of the memmap, where arch_map_vmemmap() has mapped something, or of a node
 */
bool host_may_load(const unsigned long *word);

static inline bool asm_load_mapped(const unsigned long *word, unsigned long *value)
{
	if (!host_may_load(word))
		return false;
	*value = __atomic_load_n(word, __ATOMIC_RELAXED);
	return true;
}

#endif
