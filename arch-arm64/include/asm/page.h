/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page geometry and the linear map. Group 1 of the port contract (<mm/port.h>).
 *
 * The low 48 bits of a linear address are the physical address, so translation is one OR or one AND with a constant
 * that fits in an instruction.
 */
#ifndef ASM_PAGE_H
#define ASM_PAGE_H

#include <lib/types.h>

#include <asm/layout.h>

/* Width of what the architecture may hand to the core, and how far the linear map reaches. */
#define MAX_PHYSMEM_BITS 48
#define PHYS_ADDR_LIMIT	 ((phys_addr_t)(LINEAR_END - LINEAR_START))

_Static_assert(LINEAR_END - LINEAR_START <= (UL(1) << MAX_PHYSMEM_BITS), "the linear map covers real addresses only");

/** __va() - linear address of RAM that arch_map_linear() has mapped */
static __always_inline void *__va(phys_addr_t pa)
{
	return (void *)(uintptr_t)(pa | LINEAR_START);
}

/** __pa() - physical address of a linear address */
static __always_inline phys_addr_t __pa(const void *va)
{
	return (uintptr_t)va & ~LINEAR_START;
}

/** clear_page() - zero one page-aligned page of normal memory */
void clear_page(void *page);

/**
 * fill_lines() - write @n units of 64 bytes: the first word of each is @first, the others are 0
 * @lines: aligned to 64 bytes, in normal memory
 *
 * Cost: 3.3 instructions for each unit where DC ZVA zeroes 64 bytes, else 4.5.
 */
void fill_lines(void *lines, unsigned long n, u64 first);

#endif
