/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This CPU's per-CPU base, in TPIDR_EL1, and the base for its own node, in TPIDR_EL0. Group 2 of the port contract
 * (<mm/port.h>).
 *
 * 1. A base changes at most once (from the boot area to the final one), and the compiler is told that reading it has no
 *    side effect: it may read once and use the value again. So the function that sets a base, and any that this one is
 *    inlined into, must not read it.
 * 2. TPIDR_EL0 is the C library's thread pointer, too: its thread-local storage is what the second base begins with.
 */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H

/** asm_percpu_base() - the base of this CPU's per-CPU area. Cost: one instruction. */
static inline __attribute__((always_inline)) void *asm_percpu_base(void)
{
	void *base;

	__asm__("mrs %0, tpidr_el1" : "=r"(base));
	return base;
}

/** asm_set_percpu_base() - once per CPU before anything of mm or lib runs on it, and once more on the boot CPU */
static inline void asm_set_percpu_base(void *base)
{
	__asm__ volatile("msr tpidr_el1, %0" : : "r"(base) : "memory");
}

/**
 * asm_set_local_base() - once per CPU, and once more on the boot CPU: what the pops of <asm/percpu_stack.h> start from
 */
static inline void asm_set_local_base(void *base)
{
	__asm__ volatile("msr tpidr_el0, %0" : : "r"(base) : "memory");
}

#endif
