/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: interrupt masking. "Masked" is "this thread holds its CPU's interrupt mutex".
 *
 * Simulated interrupts and cross calls take the same mutex (port.c), so they run only while the CPU is unmasked, and
 * ThreadSanitizer sees what keeps them apart. Unlike on hardware the interrupted thread goes on running: code that is
 * wrong with an interrupt between any two instructions is wrong here as well.
 */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H

#include <lib/types.h>

/** local_irq_save() - mask. Return: whether it was masked before, for local_irq_restore(). */
unsigned long local_irq_save(void);
void local_irq_restore(unsigned long flags);
void local_irq_enable(void);
void local_irq_disable(void);
bool irqs_disabled(void);

#endif
