/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where cores enter: the arm64 Image header, the boot CPU's way in, the other CPUs' way in.
 *
 * 1. The header is that of the arm64 boot protocol: the first two words are instructions, the rest tells a boot loader
 *    how much room the image needs and that it may lie anywhere (flags: little endian, 4 KiB pages, any base that is a
 *    multiple of 2 MiB; 4 KiB would do). It is the beginning of a PE file too (pe.S).
 * 2. At entry x0 is the physical address of the device tree (boot CPU) or of this CPU's struct secondary_boot (PSCI's
 *    context argument). The boot CPU's MMU and caches may be on, if the image is mapped where it lies (mmu_off.S); the
 *    others' are off. Nothing else is relied on.
 * 3. Until the MMU is on, code runs at its physical address, and reads and writes bypass the caches. Caches may hold
 *    lines of the same addresses, left by whoever ran before: a dirty one could later be written over what we wrote, so
 *    .noinit is invalidated before it is written; a clean one would be read instead of it once the caches are on, so
 *    everything written is invalidated again after. (The boot loader has cleaned what it loaded, as the protocol asks.)
 * 4. The boot CPU: EL1, a look at what must be right before anything is written (early_check.S), clear the early
 *    tables, C on the boot stack (early_init: relocations, tables), MMU, high half, the same stack by its address above
 *    a guard, start_memstage(). Time counts from the first instruction at EL1.
 * 5. The others share all tables and read their stack and per-CPU base from memory with the MMU still off.
 */
#include <asm/layout.h>
#include <asm/linkage.h>
#include <asm/smp.h>
#include <asm/sysreg.h>

	.section .head.text, "ax", %progbits

	.globl	image_header
	.hidden	image_header
image_header:
	add	x13, x18, #0x16			/* "MZ", and of no effect */
	b	primary_entry
	.quad	0				/* load offset from a 2 MiB boundary */
	.long	image_size_bytes, 0		/* memory needed, bss included */
	.quad	0xa				/* flags */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	pe_header - image_header	/* what UEFI reads: pe.S */

	.section .text.boot, "ax", %progbits

/* [\start, \end), page aligned, are dropped from the data cache. Clobbers x0 to x3 and x30. */
	.macro	inval_range start, end
	adrp	x0, \start
	adrp	x1, \end
	bl	dcache_inval_poc
	.endm

/* x0 = the physical address of the device tree */
func primary_entry
	msr	daifset, #0xf
	mov	x19, x0
	bl	mmu_off
	mov	x29, x0				/* no frame before there is a stack; early_check keeps it */
	bl	drop_to_el1
	mov	x20, x0
	mrs	x21, cntvct_el0
	mov	x0, x19
	bl	early_check
	inval_range __noinit_start, _end
	bl	early_check_ram
	adrp	x0, __noinit_start
	adrp	x1, __early_tables_end
1:	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	adrp	x0, boot_stack + STACK_SIZE
	mov	sp, x0
	mov	x0, x21
	mov	x1, x20
	mov	x2, x29
	mov	x3, x19
	mov	x29, xzr
	bl	early_init
	mov	x20, x0				/* virtual minus physical */
	inval_range __rodata_start, __data_end
	inval_range __noinit_start, _end
	adr_of	x1, primary_high
	add	x1, x1, x20
	b	enable_mmu
primary_high:
	bti	j
	bl	enter_high
	mov64	x0, STACK_INITIAL_SP(0)
	mov	sp, x0
	mov	x29, xzr
	mov	x0, x19
	bl	start_memstage
endfunc primary_entry

/* x0 = the physical address of this CPU's struct secondary_boot */
func secondary_entry
	msr	daifset, #0xf
	mov	x19, x0
	bl	drop_to_el1
	mov	x22, x0
	ldr	x20, [x19, #SECONDARY_BOOT_SP]
	ldr	x21, [x19, #SECONDARY_BOOT_PERCPU]
	adr_of	x0, kimage_voffset
	ldr	x0, [x0]
	adr_of	x1, secondary_high
	add	x1, x1, x0
	b	enable_mmu
secondary_high:
	bti	j
	bl	enter_high
	mov	sp, x20
	msr	tpidr_el1, x21
	mov	x29, xzr
	mov	x0, x22
	bl	secondary_start
endfunc secondary_entry

/* The first thing in the high half: the identity map has done its work. Clobbers x0. */
local_func enter_high
	mrs	x0, tcr_el1
	orr	x0, x0, #TCR_EPD0
	msr	tcr_el1, x0
	msr	ttbr0_el1, xzr
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret
endfunc enter_high
