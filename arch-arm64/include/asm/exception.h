/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: the frame that entry saves, the exception table, and probes that survive a fault.
 *
 * 1. irq/entry.S saves a struct pt_regs for every exception, floating-point registers included: handlers may call
 *    picolibc, whose memcpy and printf use q registers, and what they interrupt may be inside memcpy itself.
 * 2. An instruction that may fault has an entry in the section ex_table: two 32-bit offsets, each from its own place,
 *    to the instruction and to where to go on. The table is not sorted (links are small); a search is linear.
 */
#ifndef ASM_EXCEPTION_H
#define ASM_EXCEPTION_H

/* Offsets of struct pt_regs, for entry.S; asserted below. */
#define PT_SP	 248
#define PT_PC	 256
#define PT_ESR	 272
#define PT_FRAME 288
#define PT_FPCR	 304
#define PT_Q	 320
#define PT_SIZE	 832

/* Bytes of the stack on which a stack overflow is reported (irq/traps.c, one for the machine). */
#define EMERGENCY_STACK_SIZE 8192

/* SPSR_EL1.BTYPE: what kind of branch was to end at the interrupted instruction (FEAT_BTI). */
#define PSTATE_BTYPE (3UL << 10)

/* What the vector table passes as the kind of an exception that has no handler. */
#define VECTOR_SP0   0
#define VECTOR_FIQ   1
#define VECTOR_LOWER 2

#ifndef __ASSEMBLER__

#include <lib/types.h>

/**
 * struct pt_regs - what an exception interrupted, at the bottom of its handler's stack
 * @x: general registers x0 to x30
 * @sp: stack pointer before the exception
 * @pc: the interrupted instruction (ELR_EL1); a fix-up changes it
 * @pstate: SPSR_EL1
 * @esr: syndrome (ESR_EL1), meaningless for interrupts
 * @far: fault address (FAR_EL1), meaningless for exceptions that have none
 * @frame: a frame record {x29, pc} through which a backtrace finds its way out of the handler
 * @fpcr: floating-point control
 * @fpsr: floating-point status
 * @q: q0 to q31
 */
struct pt_regs {
	u64 x[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 esr;
	u64 far;
	u64 frame[2];
	u64 fpcr;
	u64 fpsr;
	struct {
		u64 lo, hi;
	} q[32];
};

_Static_assert(offsetof(struct pt_regs, sp) == PT_SP, "entry.S stores here");
_Static_assert(offsetof(struct pt_regs, pc) == PT_PC, "entry.S stores here");
_Static_assert(offsetof(struct pt_regs, esr) == PT_ESR, "entry.S stores here");
_Static_assert(offsetof(struct pt_regs, frame) == PT_FRAME, "entry.S stores here");
_Static_assert(offsetof(struct pt_regs, fpcr) == PT_FPCR, "entry.S stores here");
_Static_assert(offsetof(struct pt_regs, q) == PT_Q, "entry.S stores here");
_Static_assert(sizeof(struct pt_regs) == PT_SIZE && PT_SIZE % 16 == 0, "SP stays aligned");

/* The stack on which a stack overflow is reported, in .bss. */
extern char emergency_stack[EMERGENCY_STACK_SIZE];

/* The vector table (VBAR_EL1), 2 KiB aligned. */
extern char exception_vectors[];

/* Within an asm: a fault at local label @insn goes on at local label @fixup. */
#define EX_TABLE(insn, fixup)              \
	".pushsection ex_table, \"a\"\n\t" \
	".balign 4\n\t"                    \
	".long (" #insn ") - .\n\t"        \
	".long (" #fixup ") - .\n\t"       \
	".popsection\n\t"

/**
 * ex_fixup() - let an exception go on at its fix-up
 * @regs: the frame; its pc is changed
 * @insn: address of the instruction that faulted
 *
 * Return: whether @insn is in the exception table.
 */
bool ex_fixup(struct pt_regs *regs, u64 insn);

/**
 * arch_probe_read() - read eight bytes that may not be readable
 * @addr: any virtual address
 * @value: set to what was read
 *
 * Context: any CPU, any context once cpu_setup() has run. Return: false when the read faulted (@value is untouched).
 */
bool arch_probe_read(const void *addr, u64 *value);

/**
 * arch_probe_read32() - read a device register where there may be no device
 * @value: set to what was read
 *
 * Return: false when nothing answered. A bus that reports that later, by SError, ends the run.
 */
bool arch_probe_read32(const volatile void *addr, u32 *value);

/** arch_probe_write() - write eight bytes that may not be writable. Return: false when the write faulted. */
bool arch_probe_write(void *addr, u64 value);

/**
 * arch_probe_exec() - call an address that may not be executable
 * @addr: holds a RET instruction (0xd65f03c0) in case it is executable after all
 *
 * Return: false when the instruction fetch faulted.
 */
bool arch_probe_exec(const void *addr);

/** BACKTRACE_MAX - frames that a backtrace shows, repeated ones counted once */
#define BACKTRACE_MAX 32

/**
 * backtrace() - log the call chain
 * @pc: where the chain begins
 * @lr: its return address (x30), shown when the function of @pc is a leaf without a frame; 0 when not known
 * @fp: its frame pointer (x29); followed while it lies in a stack of this CPU and grows
 */
void backtrace(u64 pc, u64 lr, u64 fp);

/** strip_signature() - a return address as it was before PACIASP signed it */
u64 strip_signature(u64 address);

/** report_exception() - report a fatal exception, with cause, registers and backtrace, and end with status 1 */
_Noreturn void report_exception(const struct pt_regs *regs, const char *prefix);

/** ESR_DESC_MAX - room for the cause of an exception in words */
#define ESR_DESC_MAX 160

/** esr_describe() - the cause of an exception in words, e.g. "write to unmapped address (translation, level 3)" */
const char *esr_describe(u64 esr, char *buf, size_t size);

/** esr_has_far() - whether FAR_EL1 means anything with this syndrome */
bool esr_has_far(u64 esr);

/** va_describe() - which part of the address space @va is in, e.g. "guard page of CPU 2's stack" */
const char *va_describe(u64 va, char *buf, size_t size);

#endif
#endif
