/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's host port: the per-CPU base is in %gs, where the x86-64 ABI leaves it to the system, and as every
 * kernel for that machine has it. Who wants it as an address has a thread-local copy.
 *
 * The machine has one node, so the local base lies BENCH_LOCAL_OFFSET bytes above it for ever: asm_set_local_base()
 * ends the run when it does not.
 */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H

/* struct mm_cpu and the section of per-CPU variables: a cache line each. */
#define BENCH_LOCAL_OFFSET 128

extern __thread void *host_percpu_base;

static inline void *asm_percpu_base(void)
{
	return host_percpu_base;
}

void asm_set_percpu_base(void *base);
void asm_set_local_base(void *base);

#endif
