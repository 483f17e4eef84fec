// SPDX-License-Identifier: BSD-2-Clause
/* An object is freed twice, one time right after the other. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_free_twice, basic, GOES_ON)
{
	void *p = kzalloc(64, GFP_KERNEL);

	kfree(p);
	kfree(p);
}
