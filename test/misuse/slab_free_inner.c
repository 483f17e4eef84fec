// SPDX-License-Identifier: BSD-2-Clause
/* What is freed is an address inside of an object. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_free_inner, basic, GOES_ON)
{
	char *p = kzalloc(64, GFP_KERNEL);
	void *volatile inner = p + 16;

	kfree(inner);
	kfree(p);
}
