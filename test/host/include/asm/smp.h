/* SPDX-License-Identifier: BSD-2-Clause */
/* Host port: threads as CPUs. A test starts and ends them with the functions of test/host/host.h. */
#ifndef ASM_SMP_H
#define ASM_SMP_H

#include <lib/types.h>

#include <asm/percpu.h>

/* Where a per-CPU area has its CPU's number (struct mm_cpu; asserted in port.c). */
#define MM_CPU_NUMBER 24

static inline int smp_processor_id(void)
{
	return (int)*(const u32 *)(const void *)((const char *)asm_percpu_base() + MM_CPU_NUMBER);
}

/**
 * arch_send_call() - run smp_call_interrupt() as @cpu, on the caller's thread: before returning, or as soon as it may
 */
void arch_send_call(int cpu);

/** arch_wake_idle() - wake the thread that host_cpus_start() made for @cpu */
void arch_wake_idle(int cpu);

bool arch_cross_call_ok(void);

#endif
