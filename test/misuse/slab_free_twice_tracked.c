// SPDX-License-Identifier: BSD-2-Clause
/* An object is freed twice where owners are kept: the report says who allocated it and who freed it first. */
#include <lib/smp.h>
#include <mm/slab.h>

#include "misuse.h"

static __noinline void misuse_first_free(void *p)
{
	kfree(p);
}

MISUSE(slab_free_twice_tracked, full, GOES_ON)
{
	void *p = kzalloc(64, GFP_KERNEL);

	smp_call_function_single(2, misuse_first_free, p);
	kfree(p);
}
