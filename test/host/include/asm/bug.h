/* SPDX-License-Identifier: BSD-2-Clause */
/* Host port: the end of a run. */
#ifndef ASM_BUG_H
#define ASM_BUG_H

#include <lib/types.h>

/** arch_exit() - end the process with @status */
_Noreturn void arch_exit(int status);

/** arch_begin_report() - as <mm/port.h> has it; a CPU is a thread here, and one that loses sleeps until the end */
bool arch_begin_report(void);

/** arch_dump_stack() - the caller's backtrace on standard output */
void arch_dump_stack(void);

#endif
