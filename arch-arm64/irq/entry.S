/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception entry and return.
 *
 * 1. The image runs at EL1 on SP_EL1, so of the sixteen vectors only "current EL with SPx" is expected: synchronous,
 *    IRQ and SError have handlers; everything else is reported as unexpected.
 * 2. Every entry reserves a struct pt_regs on the stack it interrupted. Before anything is stored there the stack is
 *    checked: stacks lie in the upper half of 32 KiB slots (<asm/layout.h>), so on a good stack bit 14 of SP is set
 *    and below it, in the guard, clear. A garbage SP with bit 14 set faults at the first store, enters again one frame
 *    lower, and so reaches a clear bit too.
 * 3. With bit 14 clear SP may still be good: on the emergency stack, an ordinary piece of .bss. Anything else is a
 *    stack overflow. The CPU that reports the end of the run takes the emergency stack: that is the first that wants
 *    to, the same one that arch_begin_report() chooses (irq/traps.c), so it may have come to its report without an
 *    overflow, or overflow a second time. Any other waits for the end that the report brings.
 * 4. Until registers are saved only x0 and x1 are used, kept in TPIDRRO_EL0 and SP_EL0, which nothing else here uses.
 *    Condition flags are free: the interrupted ones are in SPSR_EL1.
 * 5. Offsets in struct pt_regs are asserted in <asm/exception.h>. Floating-point state is saved always: an exception
 *    here is an interrupt, a probe or the end, and interrupts are few.
 */
#include <asm/exception.h>

/* One vector: check the stack, then go to the entry code of \handler and \arg. */
	.macro	vector handler, arg=0
	.balign	128
	sub	sp, sp, #PT_SIZE
	msr	tpidrro_el0, x0
	mov	x0, sp
	tbz	x0, #14, 2f
1:	mrs	x0, tpidrro_el0
	b	entry_\handler\()_\arg
2:	msr	sp_el0, x1
	adrp	x1, emergency_stack
	add	x1, x1, :lo12:emergency_stack
	sub	x0, x0, x1
	cmp	x0, #EMERGENCY_STACK_SIZE
	mrs	x1, sp_el0
	b.lo	1b
	b	entry_overflow
	.endm

/* Store what the exception interrupted, but for its SP. x0 and x1 hold their own values; clobbers x2 to x5 and x29. */
	.macro	save_regs
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	mrs	x4, esr_el1
	mrs	x5, far_el1
	str	x30, [sp, #240]
	stp	x2, x3, [sp, #PT_PC]
	stp	x4, x5, [sp, #PT_ESR]
	stp	x29, x2, [sp, #PT_FRAME]
	add	x29, sp, #PT_FRAME
	mrs	x2, fpcr
	mrs	x3, fpsr
	stp	x2, x3, [sp, #PT_FPCR]
	stp	q0, q1, [sp, #PT_Q]
	stp	q2, q3, [sp, #PT_Q + 32]
	stp	q4, q5, [sp, #PT_Q + 64]
	stp	q6, q7, [sp, #PT_Q + 96]
	stp	q8, q9, [sp, #PT_Q + 128]
	stp	q10, q11, [sp, #PT_Q + 160]
	stp	q12, q13, [sp, #PT_Q + 192]
	stp	q14, q15, [sp, #PT_Q + 224]
	stp	q16, q17, [sp, #PT_Q + 256]
	stp	q18, q19, [sp, #PT_Q + 288]
	stp	q20, q21, [sp, #PT_Q + 320]
	stp	q22, q23, [sp, #PT_Q + 352]
	stp	q24, q25, [sp, #PT_Q + 384]
	stp	q26, q27, [sp, #PT_Q + 416]
	stp	q28, q29, [sp, #PT_Q + 448]
	stp	q30, q31, [sp, #PT_Q + 480]
	.endm

	.macro	entry handler, arg=0
entry_\handler\()_\arg:
	save_regs
	add	x2, sp, #PT_SIZE
	str	x2, [sp, #PT_SP]
	mov	x0, sp
	mov	x1, #\arg
	bl	\handler
	b	exception_return
	.endm

	.section .text.entry, "ax", %progbits

	.balign	2048
	.globl	exception_vectors
	.hidden	exception_vectors
	.type	exception_vectors, %function
exception_vectors:
	/* Current EL with SP_EL0: synchronous, IRQ, FIQ, SError. */
	vector	handle_unexpected, VECTOR_SP0
	vector	handle_unexpected, VECTOR_SP0
	vector	handle_unexpected, VECTOR_SP0
	vector	handle_unexpected, VECTOR_SP0
	/* Current EL with SP_EL1. */
	vector	handle_sync
	vector	irq_dispatch
	vector	handle_unexpected, VECTOR_FIQ
	vector	handle_serror
	/* Lower EL, AArch64, then AArch32. */
	.rept	8
	vector	handle_unexpected, VECTOR_LOWER
	.endr
	.size	exception_vectors, . - exception_vectors

	entry	handle_sync
	entry	irq_dispatch
	entry	handle_serror
	entry	handle_unexpected, VECTOR_SP0
	entry	handle_unexpected, VECTOR_FIQ
	entry	handle_unexpected, VECTOR_LOWER

	.type	exception_return, %function
exception_return:
	ldp	q0, q1, [sp, #PT_Q]
	ldp	q2, q3, [sp, #PT_Q + 32]
	ldp	q4, q5, [sp, #PT_Q + 64]
	ldp	q6, q7, [sp, #PT_Q + 96]
	ldp	q8, q9, [sp, #PT_Q + 128]
	ldp	q10, q11, [sp, #PT_Q + 160]
	ldp	q12, q13, [sp, #PT_Q + 192]
	ldp	q14, q15, [sp, #PT_Q + 224]
	ldp	q16, q17, [sp, #PT_Q + 256]
	ldp	q18, q19, [sp, #PT_Q + 288]
	ldp	q20, q21, [sp, #PT_Q + 320]
	ldp	q22, q23, [sp, #PT_Q + 352]
	ldp	q24, q25, [sp, #PT_Q + 384]
	ldp	q26, q27, [sp, #PT_Q + 416]
	ldp	q28, q29, [sp, #PT_Q + 448]
	ldp	q30, q31, [sp, #PT_Q + 480]
	ldp	x2, x3, [sp, #PT_FPCR]
	msr	fpcr, x2
	msr	fpsr, x3
	ldp	x2, x3, [sp, #PT_PC]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	add	sp, sp, #PT_SIZE
	eret
	.size	exception_return, . - exception_return

/*
 * SP is PT_SIZE below the overflown one; x0 is in TPIDRRO_EL0, x1 holds its own value. Ends the run, so q0, which is
 * not reported, is free to keep x2.
 */
	.type	entry_overflow, %function
entry_overflow:
	msr	sp_el0, x1
	fmov	d0, x2
	adrp	x0, report_owner
	add	x0, x0, :lo12:report_owner
	mrs	x2, mpidr_el1
1:	ldaxr	x1, [x0]
	cbnz	x1, 2f
	stxr	w1, x2, [x0]
	cbnz	w1, 1b
	b	3f
2:	cmp	x1, x2
	b.ne	4f
3:	fmov	x2, d0
	mov	x1, sp
	adrp	x0, emergency_stack + EMERGENCY_STACK_SIZE - PT_SIZE
	add	x0, x0, :lo12:emergency_stack + EMERGENCY_STACK_SIZE - PT_SIZE
	mov	sp, x0
	add	x0, x1, #PT_SIZE
	str	x0, [sp, #PT_SP]
	mrs	x0, tpidrro_el0
	mrs	x1, sp_el0
	save_regs
	mov	x0, sp
	bl	handle_overflow
4:	wfi
	b	4b
	.size	entry_overflow, . - entry_overflow
