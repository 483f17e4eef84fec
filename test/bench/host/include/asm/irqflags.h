/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's host port: interrupt masking is nothing.
 *
 * A thread is a CPU, no signal handler allocates, and this port has no cross calls (port.c): nothing ever runs on a CPU
 * beside its own thread, so there is nothing to mask. What is left is that the compiler moves no access across.
 */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H

#include <lib/types.h>

static inline void local_irq_disable(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline void local_irq_enable(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline unsigned long local_irq_save(void)
{
	local_irq_disable();
	return 0;
}

static inline void local_irq_restore(unsigned long flags)
{
	(void)flags;
	local_irq_enable();
}

static inline bool irqs_disabled(void)
{
	return false;
}

#endif
