// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is freed is an address inside of an object whose size is no power of two, so that no bits of the address tell.
 */
#include <lib/printk.h>
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_free_inner_odd, basic, GOES_ON)
{
	char *p = kzalloc(96, GFP_KERNEL), *q;
	void *volatile inner = p + 32;

	kfree(inner);
	/* The next one that is handed out lies elsewhere. */
	q = kzalloc(96, GFP_KERNEL);
	if (q == inner)
		con_printf("an object inside of an object\n");
	kfree(q);
	kfree(p);
}
