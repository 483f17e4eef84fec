// SPDX-License-Identifier: BSD-2-Clause
/* The NUL of a string that fills its zeroed buffer is written behind it. */
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_overflow_nul, full, GOES_ON)
{
	volatile char *p = kzalloc(60, GFP_KERNEL);

	for (int i = 0; i < 60; i++)
		p[i] = 'a';
	p[60] = '\0';
	kfree((void *)(uintptr_t)p);
}
