// SPDX-License-Identifier: BSD-2-Clause
/* Registers that a driver has are claimed, and claims are given back that nobody made. */
#include <mm/ioport.h>

#include "misuse.h"

MISUSE(io_claimed, basic, GOES_ON)
{
	if (request_mem_region(0x9000100, 16, "misuse"))
		return;
	release_mem_region(0x9000000, 0x1000);
	release_mem_region(0x9001000, 0x1000);
}
