// SPDX-License-Identifier: BSD-2-Clause
/* A byte is written right behind what was asked for, and well within what kmalloc() keeps for it. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_overflow_odd, full, GOES_ON)
{
	volatile char *p = kmalloc(60, GFP_KERNEL);

	for (int i = 0; i < 60; i++)
		p[i] = (char)i;
	p[60] = 'A';
	kfree((void *)(uintptr_t)p);
}
