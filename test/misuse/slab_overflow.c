// SPDX-License-Identifier: BSD-2-Clause
/* A byte is written right behind an object. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_overflow, full, GOES_ON)
{
	volatile char *p = kzalloc(64, GFP_KERNEL);

	p[64] = 'A';
	kfree((void *)(uintptr_t)p);
}
