/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turning the MMU on, and the only code that is mapped where it lies in physical memory.
 *
 * 1. The instruction after the one that sets SCTLR_EL1.M is fetched by virtual address. So this code has a page of its
 *    own, .idmap.text, which boot_idmap maps at its physical address, read-only and executable, through TTBR0_EL1.
 * 2. It is used by each core once. The first instructions in the high half (enter_high, head.S) turn TTBR0_EL1 walks
 *    off for good, so that address 0 and all user addresses fault.
 * 3. TLBs and instruction cache hold what was there before us: both are emptied first.
 */
#include <asm/linkage.h>
#include <asm/sysreg.h>

	.section .idmap.text, "ax", %progbits

/* Go on at virtual address x1 with the MMU on. Clobbers x2, x3. */
func enable_mmu
	mov64	x2, MAIR_VALUE
	msr	mair_el1, x2
	mov64	x2, TCR_BOOT
	mrs	x3, id_aa64mmfr0_el1
	and	x3, x3, #0xf
	cmp	x3, #PARANGE_48
	b.ls	1f
	mov	x3, #PARANGE_48
1:	bfi	x2, x3, #TCR_IPS_SHIFT, #TCR_IPS_WIDTH
	msr	tcr_el1, x2
	adr_of	x2, boot_idmap
	msr	ttbr0_el1, x2
	adr_of	x2, boot_tables
	msr	ttbr1_el1, x2
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	mov64	x2, SCTLR_EL1_ON
	msr	sctlr_el1, x2
	isb
	br	x1
endfunc enable_mmu
