/* SPDX-License-Identifier: BSD-2-Clause */
/* Restartable sequences (<asm/percpu_stack.h>), for those who take interrupts. */
#ifndef ASM_RESTART_H
#define ASM_RESTART_H

#include <asm/exception.h>

/**
 * restart_interrupted() - have the interrupted sequence, if there is one, begin anew, or go on where it says. Context:
 * interrupt entry, masked.
 */
void restart_interrupted(struct pt_regs *regs);

/** restart_count() - how often @cpu has left one and gone on where it says; a moment's figure */
unsigned long restart_count(int cpu);

/** restart_elsewhere_count() - how often of these that was not at its beginning (RESTART_AT()) */
unsigned long restart_elsewhere_count(int cpu);

/**
 * restart_check() - panic unless every sequence lies where restart_interrupted() looks. Context: boot, before
 * interrupts.
 */
void restart_check(void);

#endif
