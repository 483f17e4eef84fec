// SPDX-License-Identifier: BSD-2-Clause
/* A mapping of registers is ended twice, and once inside of another. */
#include <mm/io.h>

#include <asm/mmu.h>

#include "misuse.h"

MISUSE(io_unmap_twice, basic, GOES_ON)
{
	phys_addr_t nothing = (1ULL << arch_pa_bits()) - 2 * PAGE_SIZE;
	char *mapping = ioremap(nothing, 2 * PAGE_SIZE);

	iounmap(mapping + PAGE_SIZE);
	iounmap(mapping);
	iounmap(mapping);
}
