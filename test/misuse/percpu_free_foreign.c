// SPDX-License-Identifier: BSD-2-Clause
/* What is freed as per-CPU memory is none: one CPU's copy, a static variable, an object. */
#include <mm/percpu.h>
#include <mm/slab.h>

#include "misuse.h"

static DEFINE_PER_CPU(u64, fixed);

MISUSE(percpu_free_foreign, basic, GOES_ON)
{
	u64 *counter = alloc_percpu(u64), *object = kmalloc(8, GFP_KERNEL);

	free_percpu(per_cpu_ptr(counter, 0));
	free_percpu(&fixed);
	free_percpu(object);
	free_percpu(counter);
	kfree(object);
}
