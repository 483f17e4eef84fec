// SPDX-License-Identifier: BSD-2-Clause
/* An object is freed by CPU 2 and then by CPU 3. */
#include <lib/smp.h>
#include <mm/slab.h>

#include "misuse.h"

static void misuse_free(void *p)
{
	kfree(p);
}

MISUSE(slab_free_twice_elsewhere, basic, GOES_ON)
{
	void *p = kzalloc(64, GFP_KERNEL);

	smp_call_function_single(2, misuse_free, p);
	smp_call_function_single(3, misuse_free, p);
}
