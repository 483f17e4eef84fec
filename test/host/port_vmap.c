// SPDX-License-Identifier: BSD-2-Clause
/*
 * The host port's vmalloc addresses (test/host/include/asm/vmap.h).
 *
 * 1. One entry for each block of 2 MiB: the address of its table, or the physical address of a block with bit 0 set.
 * 2. table_lock covers what tables there are, as the machine's does; pages for them are taken under it. A table that is
 *    taken out is retired, as the machine's are: who looks for one takes no lock.
 * 3. Large physical ranges are mapped by blocks, and by tables at both ends, under phys_mutex. Who may not take it
 *    leaves the tables.
 * 4. Unmapping leaves a mapping that allows nothing, so that nothing else of the process lands there.
 */
#include <errno.h>
#include <sys/mman.h>

#include <lib/mutex.h>
#include <lib/spinlock.h>
#include <mm/gfp.h>
#include <mm/port.h>

#include "../../mm/internal.h"
#include "../../mm/vmap.h"
#include "host.h"

#define NR_BLOCKS ((VMALLOC_END - VMALLOC_START) / VMAP_BLOCK_SIZE)
#define PRESENT	  1ULL

static DEFINE_SPINLOCK(table_lock, LOCK_RANK_VMAP_TABLES);
static u64 block_entry[NR_BLOCKS]; /* written under table_lock, read at any time */

static void (*tlb_watch)(unsigned long start, unsigned long end);

static u64 *entry_of(unsigned long va)
{
	return &block_entry[(va - VMALLOC_START) / VMAP_BLOCK_SIZE];
}

static void unmap_range(unsigned long va, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;

	if (mmap((void *)va, size, PROT_NONE, flags, -1, 0) != (void *)va)
		host_die("unmap %#lx, %#zx bytes", va, size);
}

static unsigned long early_addr(unsigned int slot)
{
	return HOST_EARLY + slot * EARLY_SLOT_PAGES * PAGE_SIZE;
}

void *arch_early_map(unsigned int slot, phys_addr_t pa, unsigned int pages, u64 prot)
{
	if (slot >= EARLY_SLOTS || pages > EARLY_SLOT_PAGES)
		host_die("slot %u, %u pages", slot, pages);
	host_map_at(early_addr(slot), pa, pages * PAGE_SIZE, !(prot & PAGE_KERNEL_RO));
	return (void *)early_addr(slot);
}

void arch_early_unmap(unsigned int slot, unsigned int pages)
{
	unmap_range(early_addr(slot), pages * PAGE_SIZE);
}

/* Called once, by this thread's next look for a table, between the look and what is made of it. */
static __thread void (*walk_watch)(void);

void host_walk_watch(void (*fn)(void))
{
	walk_watch = fn;
}

u64 *arch_vmap_table(unsigned long va)
{
	u64 entry = __atomic_load_n(entry_of(va), __ATOMIC_ACQUIRE);
	void (*watch)(void) = walk_watch;

	if (watch) {
		walk_watch = NULL;
		watch();
	}
	return entry & PRESENT ? NULL : (u64 *)(uintptr_t)entry;
}

u64 *arch_vmap_table_alloc(unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);
	u64 *table;

	table = arch_vmap_table(va);
	if (!table && !*entry_of(va)) {
		table = (u64 *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
		if (table)
			virt_to_page(table)->mapping = NULL;
		__atomic_store_n(entry_of(va), (uintptr_t)table, __ATOMIC_RELEASE);
	}
	spin_unlock_irqrestore(&table_lock, flags);
	return table;
}

void arch_vmap_table_free(unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);
	u64 *table;

	table = arch_vmap_table(va);
	for (size_t i = 0; table && i < PAGE_SIZE / sizeof(u64); i++)
		if (table[i])
			host_die("the table for %#lx is freed, and its entry %zu is %#llx", va, i, table[i]);
	if (table)
		__atomic_store_n(entry_of(va), 0, __ATOMIC_RELEASE);
	spin_unlock_irqrestore(&table_lock, flags);
	if (table)
		vmap_retire_table(virt_to_page(table));
}

void arch_set_ptes(u64 *pte, unsigned long va, phys_addr_t pa, unsigned long n, u64 prot)
{
	for (unsigned long i = 0; i < n; i++) {
		if (READ_ONCE(pte[i]))
			host_die("%#lx is mapped already", va + i * PAGE_SIZE);
		WRITE_ONCE(pte[i], (pa + i * PAGE_SIZE) | prot | PRESENT);
	}
	host_map_at(va, pa, n * PAGE_SIZE, !(prot & PAGE_KERNEL_RO));
}

void arch_clear_ptes(u64 *pte, unsigned long va, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		WRITE_ONCE(pte[i], 0);
	unmap_range(va, n * PAGE_SIZE);
}

int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot)
{
	if (*entry_of(va))
		host_die("%#lx is mapped already", va);
	__atomic_store_n(entry_of(va), pa | prot | PRESENT, __ATOMIC_RELEASE);
	host_map_at(va, pa, VMAP_BLOCK_SIZE, !(prot & PAGE_KERNEL_RO));
	return 0;
}

phys_addr_t arch_vunmap_block(unsigned long va)
{
	u64 entry = *entry_of(va);

	if (!(entry & PRESENT))
		return 0;
	__atomic_store_n(entry_of(va), 0, __ATOMIC_RELEASE);
	unmap_range(va, VMAP_BLOCK_SIZE);
	return arch_pte_phys(entry);
}

/* --- large physical ranges --- */

static DEFINE_MUTEX(phys_mutex);

static bool whole_block(unsigned long va, unsigned long end, phys_addr_t pa)
{
	return !((va | pa) % VMAP_BLOCK_SIZE) && end - va >= VMAP_BLOCK_SIZE;
}

/* The end of what is mapped from @va on in one block of 2 MiB. */
static unsigned long part_end(unsigned long va, unsigned long end)
{
	return min(end, ALIGN_DOWN(va, VMAP_BLOCK_SIZE) + VMAP_BLOCK_SIZE);
}

static void clear_phys(unsigned long va, unsigned long end)
{
	for (unsigned long next; va < end; va = next) {
		u64 *table = arch_vmap_table(va);

		next = part_end(va, end);
		if (table)
			arch_clear_ptes(table + va % VMAP_BLOCK_SIZE / PAGE_SIZE, va, (next - va) / PAGE_SIZE);
		else if (!arch_vunmap_block(va))
			host_die("%#lx is not mapped", va);
	}
}

static void free_phys_tables(unsigned long va, unsigned long end)
{
	for (va = ALIGN_DOWN(va, VMAP_BLOCK_SIZE); va < end; va += VMAP_BLOCK_SIZE)
		arch_vmap_table_free(va);
}

static int map_phys(unsigned long va, unsigned long end, phys_addr_t pa, u64 prot)
{
	for (unsigned long at = va, next; at < end; pa += next - at, at = next) {
		u64 *table;

		next = part_end(at, end);
		if (whole_block(at, end, pa)) {
			arch_vmap_block(at, pa, prot);
			continue;
		}
		table = arch_vmap_table_alloc(at);
		if (!table) {
			clear_phys(va, at);
			free_phys_tables(va, at);
			return -ENOMEM;
		}
		arch_set_ptes(table + at % VMAP_BLOCK_SIZE / PAGE_SIZE, at, pa, (next - at) / PAGE_SIZE, prot);
	}
	return 0;
}

int arch_vmap_phys(unsigned long va, phys_addr_t pa, unsigned long size, u64 prot)
{
	int err;

	if (va < VMAP_PHYS_START || va + size > VMALLOC_END)
		host_die("%#lx, %#lx bytes, is not for large physical ranges", va, size);
	mutex_lock(&phys_mutex);
	err = map_phys(va, va + size, pa, prot);
	mutex_unlock(&phys_mutex);
	return err;
}

bool arch_vunmap_phys(unsigned long va, unsigned long size)
{
	bool thread = arch_cross_call_ok();

	if (thread)
		mutex_lock(&phys_mutex);
	clear_phys(va, va + size);
	arch_flush_tlb_kernel(va, va + size);
	if (thread) {
		free_phys_tables(va, va + size);
		mutex_unlock(&phys_mutex);
	}
	return thread;
}

void arch_vmap_phys_tidy(unsigned long va, unsigned long size)
{
	mutex_lock(&phys_mutex);
	free_phys_tables(va, va + size);
	mutex_unlock(&phys_mutex);
}

bool arch_vmap_lookup(unsigned long va, phys_addr_t *pa)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);
	const u64 *table = arch_vmap_table(va);
	u64 entry = table ? READ_ONCE(table[va % VMAP_BLOCK_SIZE / PAGE_SIZE]) : READ_ONCE(*entry_of(va));

	spin_unlock_irqrestore(&table_lock, flags);
	*pa = arch_pte_phys(entry) + va % (table ? PAGE_SIZE : VMAP_BLOCK_SIZE);
	return entry;
}

unsigned long arch_vmap_next(unsigned long va, unsigned long end)
{
	phys_addr_t pa;

	while (va < end) {
		if (arch_vmap_lookup(va, &pa))
			return va;
		/* By the page below a table, else by the block. */
		va = arch_vmap_table(va) ? va + PAGE_SIZE : ALIGN_DOWN(va, VMAP_BLOCK_SIZE) + VMAP_BLOCK_SIZE;
	}
	return end;
}

void host_tlb_watch(void (*fn)(unsigned long start, unsigned long end))
{
	tlb_watch = fn;
}

void arch_flush_tlb_kernel(unsigned long start, unsigned long end)
{
	if (start >= end)
		host_die("no address between %#lx and %#lx to forget", start, end);
	if (tlb_watch)
		tlb_watch(start, end);
}
