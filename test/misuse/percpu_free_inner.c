// SPDX-License-Identifier: BSD-2-Clause
/* A pointer inside an allocation of per-CPU memory is freed. */
#include <mm/percpu.h>

#include "misuse.h"

MISUSE(percpu_free_inner, basic, GOES_ON)
{
	u64 *counters = __alloc_percpu(4 * sizeof(u64), sizeof(u64));

	free_percpu(counters + 2);
	free_percpu(counters);
}
