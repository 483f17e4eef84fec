/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock's simulator: physical addresses are the program's own, so a test's buffer can be its memory. */
#ifndef ASM_PAGE_H
#define ASM_PAGE_H

#include <string.h>

#include <lib/types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define MAX_PHYSMEM_BITS 48
#define PHYS_ADDR_LIMIT	 ((phys_addr_t)1 << MAX_PHYSMEM_BITS)

/* There is no memmap: nothing of the simulator looks at a struct page. */
#define VMEMMAP_START 0UL

#define __va(pa) ((void *)(uintptr_t)(pa))
#define __pa(va) ((phys_addr_t)(uintptr_t)(va))

static inline void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

#endif
