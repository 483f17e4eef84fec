/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: geometry and address translation.
 *
 * 1. Physical memory is one file in memory (memfd): the byte at physical address n is the byte at file offset n.
 * 2. The linear map is a window of virtual addresses at HOST_LINEAR into which arch_map_linear() maps pieces of that
 *    file; what has not been mapped faults, as on the machine.
 * 3. The window lies at a constant address, so that translation is a constant addition here too. This one is free under
 *    AddressSanitizer and ThreadSanitizer alike: it is the lowest part of what ThreadSanitizer takes for a position-
 *    independent program (0x5500_0000_0000 to 0x5680_0000_0000), and Linux loads such programs above 0x5555_5555_4000.
 *    256 GiB of linear map and the 16 GiB of memmap behind it fit below.
 */
#ifndef ASM_PAGE_H
#define ASM_PAGE_H

#include <string.h>

#include <lib/types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define MAX_PHYSMEM_BITS 40
#define PHYS_ADDR_LIMIT	 ((phys_addr_t)1 << 38)

#ifndef HOST_LINEAR /* the benchmark has both elsewhere (test/bench/host/port.c) */
#define HOST_LINEAR   0x550000000000UL
#define VMEMMAP_START (HOST_LINEAR + (1UL << 38))
#endif
#define HOST_VMEMMAP_SIZE ((1UL << (MAX_PHYSMEM_BITS - PAGE_SHIFT)) * 64)

_Static_assert(VMEMMAP_START + HOST_VMEMMAP_SIZE <= 0x555000000000UL, "the program itself begins above");

static inline void *__va(phys_addr_t pa)
{
	return (void *)(uintptr_t)(HOST_LINEAR + pa);
}

static inline phys_addr_t __pa(const void *va)
{
	return (phys_addr_t)(uintptr_t)va - HOST_LINEAR;
}

static inline void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void fill_lines(void *lines, unsigned long n, u64 first)
{
	u64 *line = (u64 *)lines;

	memset(lines, 0, n * 64);
	for (unsigned long i = 0; i < n; i++)
		line[i * 8] = first;
}

#endif
