// SPDX-License-Identifier: BSD-2-Clause
/* Per-CPU variables are freed, and part of them once more. */
#include <mm/percpu.h>

#include "misuse.h"

MISUSE(percpu_free_twice, basic, GOES_ON)
{
	u64 *many = __alloc_percpu(24 * sizeof(u64), sizeof(u64));

	free_percpu(many);
	free_percpu(many + 2);
}
