// SPDX-License-Identifier: BSD-2-Clause
/* What is freed is the address of a local variable. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_free_stack, basic, GOES_ON)
{
	char local[64] = "";
	void *volatile p = local;

	kfree(p);
}
