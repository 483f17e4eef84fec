/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock's simulator: all memory is mapped, and where it is. */
#ifndef ASM_MMU_H
#define ASM_MMU_H

#include <lib/types.h>

#include <asm/page.h>

/** arch_boot_va() - the address itself */
static inline void *arch_boot_va(phys_addr_t pa, size_t size)
{
	(void)size;
	return __va(pa);
}

#endif
