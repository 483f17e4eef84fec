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

/** stack_trace_save() - the return addresses of the caller's frames, innermost first, without the first @skipnr */
unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr);

#define ARCH_SYMBOL_MAX 96

/** arch_symbol() - the function of a return address, as far as the dynamic linker knows it, else the bare address */
const char *arch_symbol(unsigned long address, char *buf, size_t size);

#endif
