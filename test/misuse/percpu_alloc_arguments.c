// SPDX-License-Identifier: BSD-2-Clause
/* Per-CPU memory is asked for in sizes and alignments that there are not. */
#include <lib/printk.h>
#include <mm/percpu.h>

#include "misuse.h"

MISUSE(percpu_alloc_arguments, basic, GOES_ON)
{
	BUG_ON(__alloc_percpu(0, 8));
	BUG_ON(__alloc_percpu(PERCPU_ALLOC_MAX + 1, 8));
	BUG_ON(__alloc_percpu(8, 24));
}
