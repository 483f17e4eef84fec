// SPDX-License-Identifier: BSD-2-Clause
/* An address is freed behind which there is no RAM. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_free_outside_ram, basic, GOES_ON)
{
	free_pages((unsigned long)__va((phys_addr_t)1 << 40), 0);
}
