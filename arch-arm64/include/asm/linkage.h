/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembly: functions, and constants of 64 bits. A function may be called by its address: it begins with a landing pad
 * (<asm/protect.h>).
 */
#ifndef ASM_LINKAGE_H
#define ASM_LINKAGE_H

/* A function that other files call. Hidden: the image exports nothing. */
	.macro	func name
	.globl	\name
	.hidden	\name
	.type	\name, %function
	.balign	16
\name:
	bti	c
	.endm

/* A function of this file. */
	.macro	local_func name
	.type	\name, %function
	.balign	16
\name:
	.endm

	.macro	endfunc name
	.size	\name, . - \name
	.endm

/* \reg = \value, any constant of 64 bits, without a literal pool. */
	.macro	mov64 reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #(((\value) >> 16) & 0xffff), lsl #16
	movk	\reg, #(((\value) >> 32) & 0xffff), lsl #32
	movk	\reg, #(((\value) >> 48) & 0xffff), lsl #48
	.endm

/* \reg = address of \symbol, relative to the program counter: physical while the MMU is off, virtual after. */
	.macro	adr_of reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

#endif
