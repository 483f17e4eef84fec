/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that are not the same on each boot. */
#ifndef ASM_ENTROPY_H
#define ASM_ENTROPY_H

#include <lib/types.h>

/** entropy_init() - take what the tree's /chosen has: kaslr-seed and rng-seed. Context: the boot CPU, once. */
void entropy_init(const void *fdt);

/**
 * entropy_u64() - 64 bits that an outsider cannot tell beforehand, as far as the machine has any such
 *
 * From the seeds, the counter, and RNDR where this CPU has it. No better than its sources: without a seed and without
 * RNDR it is the counter alone. Context: any CPU after cpu_features_init() or cpu_features_join(). Not for
 * cryptography.
 */
u64 entropy_u64(void);

#endif
