/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a run, and the trace that goes before it.
 */
#ifndef ASM_BUG_H
#define ASM_BUG_H

#include <lib/types.h>

/**
 * arch_exit() - end the run with this status
 * @status: QEMU's exit status, 0 to 255; 0 is success
 *
 * Tries, in this order: semihosting (gives QEMU the status), PSCI SYSTEM_OFF (always status 0), the board's own way,
 * sleep for ever with interrupts masked. A way that is missing traps, and the trap's fix-up goes on to the next.
 * Context: any.
 */
_Noreturn void arch_exit(int status);

/**
 * arch_begin_report() - before a CPU says why the run ends
 *
 * One CPU says it: the first to call this. On another it does not return, for the end that the first one brings is
 * near. When the first comes again, because something went wrong during its report, it may say one more line; a third
 * time ends the run with status 1 at once. Context: any, interrupts masked. Return: true the first time, false the
 * second.
 */
bool arch_begin_report(void);

/** arch_dump_stack() - the caller's backtrace, with symbol names, to the log. Context: any. */
void arch_dump_stack(void);

/**
 * stack_trace_save() - the return addresses of the caller's frames, innermost first
 * @store: @size of them at most
 * @skipnr: leave out so many of the innermost frames; with 0 the first is that of the caller itself
 *
 * Context: any. Cost: about 25 instructions for each frame. Return: how many were stored.
 */
unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr);

/** ARCH_SYMBOL_MAX - room for what arch_symbol() writes */
#define ARCH_SYMBOL_MAX 96

/**
 * arch_symbol() - write "name+0x1c" of a return address, or the bare address, into @buf of @size bytes. Return: @buf.
 */
const char *arch_symbol(unsigned long address, char *buf, size_t size);

#endif
