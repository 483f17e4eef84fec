// SPDX-License-Identifier: BSD-2-Clause
/* A per-CPU variable is freed twice. */
#include <mm/percpu.h>

#include "misuse.h"

MISUSE(percpu_free_twice, basic, GOES_ON)
{
	u64 *counter = alloc_percpu(u64);

	free_percpu(counter);
	free_percpu(counter);
}
