/* SPDX-License-Identifier: BSD-2-Clause */
/* What an allocation at boot costs, counted at the prompt on a stretch of memory that is set apart for it. */
#ifndef TEST_BENCH_BOOT_ALLOCATORS_H
#define TEST_BENCH_BOOT_ALLOCATORS_H

#include <lib/types.h>

/**
 * struct boot_bench - what the measured allocator is told
 * @base, @size: bytes, physical: memory of node 0 that it may give
 * @map_pfn: a page for its own needs
 * @nr_reserved: pages reserved, one in each @stride bytes from @base on
 */
struct boot_bench {
	phys_addr_t base, size, stride;
	unsigned long map_pfn, nr_reserved;
};

/**
 * bench_boot_each() - get_cycles() for each of @nr allocations of @size bytes aligned to @align, by @alloc, on average
 */
u64 bench_boot_each(phys_addr_t (*alloc)(phys_addr_t size, phys_addr_t align), unsigned int nr, phys_addr_t size,
		    phys_addr_t align);

/** bench_boot_memblock() - measure memblock on @bench: one line. Context: the only CPU on line, interrupts masked. */
void bench_boot_memblock(const struct boot_bench *bench);

#ifdef CONFIG_BOOTMEM

/** bench_bootmem() - measure bootmem on @bench: one line. Context: as for bench_boot_memblock(). */
void bench_bootmem(const struct boot_bench *bench);

#else

static inline void bench_bootmem(const struct boot_bench *bench)
{
	(void)bench;
}

#endif

#endif
