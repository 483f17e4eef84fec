/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting, time, and what each CPU sets up for itself.
 */
#ifndef ASM_PROCESSOR_H
#define ASM_PROCESSOR_H

#include <lib/types.h>

/** cpu_relax() - a hint inside a spin loop */
static __always_inline void cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/**
 * cpu_wait_for_interrupt() - sleep until an interrupt is pending, masked or not; what was written before is seen by
 * others
 */
static __always_inline void cpu_wait_for_interrupt(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

/** arch_ticks() - the virtual counter, which all CPUs share; not reordered before earlier instructions */
static __always_inline u64 arch_ticks(void)
{
	u64 ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
}

/**
 * arch_clock_ns() - nanoseconds since the image was entered, the same on all CPUs, never going back
 *
 * 0 until clock_init(). Exact when the counter runs at 1 GHz; else within one part in 10^9. Context: any.
 */
u64 arch_clock_ns(void);

/**
 * clock_init() - learn the counter's frequency, so that arch_clock_ns() counts
 *
 * Context: the boot CPU, before the first line is logged. Needs no tree. A counter whose frequency firmware left at
 * zero stands still until timer_init() finds the frequency in the tree.
 */
void clock_init(void);

/**
 * get_cycles() - the counter that benchmarks read
 *
 * PMCCNTR_EL0, which QEMU advances once per instruction under -icount shift=0; the virtual counter on a CPU without
 * a performance monitor. Differences are meaningful on one CPU only.
 */
u64 get_cycles(void);

/**
 * cpu_setup() - the registers each CPU sets for itself: vectors, thread register, cycle counter; SError unmasked
 *
 * Context: each CPU once, when its per-CPU base is set and before anything can fault. After it exceptions are reported.
 */
void cpu_setup(void);

/** cpu_print_info() - one line on this CPU: "CPU1: on line, MPIDR 0x1, Cortex-A72 r0p3 [0x410fd083]" */
void cpu_print_info(void);

/** CPU_MODEL_MAX - room for a CPU's name */
#define CPU_MODEL_MAX 56

/** cpu_model() - name and revision by MIDR_EL1: "Cortex-A72 r0p3 [0x410fd083]" */
const char *cpu_model(u64 midr, char *buf, size_t size);

/** cpu_print_features() - two lines: what this CPU has that matters here, and what of that is in use */
void cpu_print_features(void);

/** cpu_idle_loop() - run what smp_work_start() gives this CPU, sleep in between; interrupts are unmasked */
_Noreturn void cpu_idle_loop(void);

/** cpu_note_wake() - by the wake interrupt: the idle loop of this CPU must look at its work again */
void cpu_note_wake(void);

/** cpu_halt() - mask everything that can be masked and sleep for ever */
_Noreturn void cpu_halt(void);

#endif
