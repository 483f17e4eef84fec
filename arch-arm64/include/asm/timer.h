/* SPDX-License-Identifier: BSD-2-Clause */
/*
* The generic timer: its frequency, and a periodic interrupt for each CPU. The clock is in <asm/processor.h>.
 */
#ifndef ASM_TIMER_H
#define ASM_TIMER_H

#include <lib/types.h>

/**
 * clock_set_frequency() - say how fast the counter runs, when CNTFRQ_EL0 does not
 * @hz: ticks per second; 0 stops the clock
 */
void clock_set_frequency(u64 hz);

/** clock_frequency() - ticks per second, 0 when not known */
u64 clock_frequency(void);

/** clock_ns_to_ticks() - a duration in ticks, rounded down */
u64 clock_ns_to_ticks(u64 ns);

/** timer_init() - find the virtual timer's interrupt in the tree and register it. Boot CPU, after irq_init(). */
void timer_init(const void *fdt);

/** timer_init_cpu() - stop the calling CPU's timer, whatever firmware left in it */
void timer_init_cpu(void);

/** timer_available() - whether there is a timer interrupt */
bool timer_available(void);

/**
 * timer_start_periodic() - call @fn on the calling CPU again and again
 * @ns: period in nanoseconds; at least 1,000
 * @fn: runs in interrupt context
 *
 * Replaces what was started before. Periods that pass while interrupts are masked are not made up for. Context: any,
 * on the CPU concerned. Return: 0; -ENXIO without a timer interrupt; -EINVAL when @ns is too short.
 */
int timer_start_periodic(u64 ns, void (*fn)(void));

/** timer_stop() - stop the calling CPU's timer; @fn does not run after this returns */
void timer_stop(void);

#endif
