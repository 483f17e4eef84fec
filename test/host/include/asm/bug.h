/* SPDX-License-Identifier: BSD-2-Clause */
/* Host port: the end of a run. */
#ifndef ASM_BUG_H
#define ASM_BUG_H

/** arch_exit() - end the process with @status */
_Noreturn void arch_exit(int status);

/** arch_dump_stack() - the caller's backtrace on standard output */
void arch_dump_stack(void);

#endif
