/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt masking on this CPU: PSTATE.I, bit 7 of DAIF.
 *
 * 1. Only IRQ is masked and unmasked here. FIQ and debug exceptions stay masked for ever; SError is unmasked once per
 *    CPU, by cpu_setup().
 * 2. Saves nest: local_irq_restore() puts back the whole of what local_irq_save() returned.
 * 3. Each write is a compiler barrier, so no access moves into or out of the masked stretch. A write to PSTATE takes
 *    effect in program order, without a barrier instruction.
 */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H

#include <lib/types.h>

#define DAIF_IRQ (1UL << 7)

/** local_irq_save() - mask interrupts. Return: the flags for local_irq_restore(). Cost: 2 instructions. */
static __always_inline unsigned long local_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(flags) : : "memory");
	return flags;
}

/** local_irq_restore() - put the mask back as local_irq_save() found it */
static __always_inline void local_irq_restore(unsigned long flags)
{
	__asm__ volatile("msr daif, %0" : : "r"(flags) : "memory");
}

/** local_irq_enable() - unmask interrupts */
static __always_inline void local_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

/** local_irq_disable() - mask interrupts */
static __always_inline void local_irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

/** irqs_disabled() - whether this CPU takes no interrupts now */
static __always_inline bool irqs_disabled(void)
{
	unsigned long flags;

	__asm__ volatile("mrs %0, daif" : "=r"(flags) : : "memory");
	return flags & DAIF_IRQ;
}

#endif
