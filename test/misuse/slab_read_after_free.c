// SPDX-License-Identifier: BSD-2-Clause
/*
 * A freed object is read. No check can see that; but what is read is poison, so it cannot be taken for what was there.
 */
#include <lib/printk.h>
#include <mm/slab.h>

#include "misuse.h"

MISUSE(slab_read_after_free, full, GOES_ON)
{
	volatile u64 *p = kzalloc(64, GFP_KERNEL);

	p[1] = 5;
	kfree((void *)(uintptr_t)p);
	printk("what was 5 is 0x%llx, the last word 0x%llx\n", p[1], p[7]);
}
