/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMU and the data cache off, for those who enter with them on: efi_main.c, and U-Boot's bootelf and go.
 *
 * 1. The arm64 boot protocol asks loaders to turn them off, but not all keep to it. Where they are on, the image is
 *    mapped where it lies in physical memory, or the instruction after the switch would be fetched elsewhere. All
 *    loaders that leave them on map memory so.
 * 2. What was written through the cache, the image to begin with, is cleaned to memory first, or code that runs with
 *    the caches off would read what was there before. It is invalidated too: nothing of it may be written later.
 * 3. Registers only, no stack: the stack is the loader's, and lies in the cache.
 *
 * Source: Arm ARM D8.2.12 (effects of disabling translation), D7.5.9 (cache maintenance).
 */
#include <asm/linkage.h>
#include <asm/sysreg.h>

	.section .text.boot, "ax", %progbits

/* If they are on at level \el: clean, switch off. Goes on at \done. x4 is the return address of mmu_off. */
	.macro	switch_off el, done
	mrs	x5, sctlr_\el
	mov	x0, #(SCTLR_M | SCTLR_C)
	and	x6, x5, x0
	cbz	x6, \done
	adr_of	x0, _text
	adr_of	x1, _end
	bl	dcache_clean_inval_poc
	mov	x0, #(SCTLR_M | SCTLR_C | SCTLR_I)
	bic	x5, x5, x0
	msr	sctlr_\el, x5
	isb
	ic	iallu
	dsb	nsh
	isb
	b	\done
	.endm

/* Returns in x0 which of SCTLR's M and C were set. Context: everything masked. Clobbers x0 to x6 and x30. */
func mmu_off
	mov	x4, x30
	mrs	x0, CurrentEL
	cmp	x0, #CURRENT_EL2
	b.eq	.Lel2
	b.hi	.Lel3
	switch_off el1, .Ldone
.Lel2:
	switch_off el2, .Ldone
.Lel3:
	switch_off el3, .Ldone
.Ldone:
	mov	x0, x6
	ret	x4
endfunc mmu_off
