/* SPDX-License-Identifier: BSD-2-Clause */
/* Host port: waiting and time. */
#ifndef ASM_PROCESSOR_H
#define ASM_PROCESSOR_H

#include <sched.h>

#include <lib/types.h>

/* There may be more threads than cores: whoever spins lets the holder run. */
static inline void cpu_relax(void)
{
	sched_yield();
}

/** arch_clock_ns() - CLOCK_MONOTONIC */
u64 arch_clock_ns(void);

/** get_cycles() - nanoseconds; the host's benchmarks count instructions with callgrind instead */
static inline u64 get_cycles(void)
{
	return arch_clock_ns();
}

#endif
