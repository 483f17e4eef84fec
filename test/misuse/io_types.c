// SPDX-License-Identifier: BSD-2-Clause
/* Registers that are mapped as a device's, by us and by a driver, are mapped with another memory type. */
#include <mm/io.h>

#include <asm/mmu.h>

#include "misuse.h"

MISUSE(io_types, basic, GOES_ON)
{
	phys_addr_t nothing = (1ULL << arch_pa_bits()) - 2 * PAGE_SIZE;
	char *mapping = ioremap(nothing, 2 * PAGE_SIZE);

	iounmap(ioremap_wc(nothing + PAGE_SIZE, 8));
	memunmap(memremap(0x8000000, 4096, MEMREMAP_WB));
	iounmap(mapping);
}
