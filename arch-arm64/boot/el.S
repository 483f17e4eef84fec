/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the exception level that a core is entered at down to EL1.
 *
 * 1. Every core comes through here, with the MMU off, before it touches memory: no stack is used.
 * 2. EL3 is left for EL2, or for EL1 where EL2 does not exist; EL2 is left for EL1. Each step sets all registers of
 *    the higher level that decide what EL1 may do: their reset values are unknown, or a boot loader's.
 * 3. No vectors stay behind at EL2 and EL3, so nothing at EL1 may go there. Entered at EL3, SMC and HVC are undefined.
 *    Entered at EL2, SMC is EL3's firmware's, or undefined; HVC would be taken at EL2, so cpu/psci.c makes none.
 *    Entered at EL1, both are the affair of what is above us.
 * 4. At EL3 each core also gives its interrupts, and all shared ones, to the non-secure state (boot/el3_gic.S).
 * 5. At EL1 the MMU and caches are off, SP is SP_EL1, debug exceptions are off, floating point and SIMD are on (libfdt
 *    and picolibc use them). SCTLR_EL1 is set both before EL3 or EL2 is left, for it rules from the next instruction
 *    on, and after, for cores that are entered at EL1.
 */
#include <asm/linkage.h>
#include <asm/sysreg.h>

	.section .text.boot, "ax", %progbits

/* \reg = the four-bit field at \shift of identification register \id. */
	.macro	id_field reg, id, shift
	mrs	\reg, \id
	ubfx	\reg, \reg, #\shift, #ID_FIELD_WIDTH
	.endm

/* \reg is not 0 when there is FEAT_MPAM. Clobbers x11. */
	.macro	has_mpam reg
	id_field \reg, id_aa64pfr0_el1, ID_AA64PFR0_MPAM_SHIFT
	id_field x11, id_aa64pfr1_el1, ID_AA64PFR1_MPAM_SHIFT
	orr	\reg, \reg, x11
	.endm

/* At EL3: what later extensions keep from EL2 unless EL3 lets it, as SCR_EL3 bits in \scr. Clobbers x10 and x11. */
	.macro	allow_el2 scr
	id_field x10, id_aa64mmfr0_el1, ID_AA64MMFR0_FGT_SHIFT
	cbz	x10, 1f
	orr	\scr, \scr, #SCR_FGTEN
1:	id_field x10, id_aa64mmfr1_el1, ID_AA64MMFR1_HCX_SHIFT
	cbz	x10, 2f
	orr	\scr, \scr, #SCR_HXEN
2:	has_mpam x10
	cbz	x10, 3f
	msr	MPAM3_EL3, xzr
3:
	.endm

/* At EL2: nothing of what later extensions can trap does. Clobbers x9 and x11. */
	.macro	no_new_traps
	id_field x9, id_aa64mmfr0_el1, ID_AA64MMFR0_FGT_SHIFT
	cbz	x9, 1f
	msr	HFGRTR_EL2, xzr
	msr	HFGWTR_EL2, xzr
	msr	HFGITR_EL2, xzr
	msr	HDFGRTR_EL2, xzr
	msr	HDFGWTR_EL2, xzr
1:	id_field x9, id_aa64mmfr1_el1, ID_AA64MMFR1_HCX_SHIFT
	cbz	x9, 2f
	msr	HCRX_EL2, xzr
2:	has_mpam x9
	cbz	x9, 3f
	msr	MPAM2_EL2, xzr
3:
	.endm

/* What EL3 decides. Leaves for EL2 or EL1, at \target, which is to look at CurrentEL. Clobbers x9 to x14. */
	.macro	leave_el3 target
	mov64	x9, (SCR_NS | SCR_RES1 | SCR_SMD | SCR_RW | SCR_APK | SCR_API)
	allow_el2 x9
	msr	scr_el3, x9
	msr	cptr_el3, xzr
	msr	mdcr_el3, xzr
	mov	x14, x30
	bl	gic_non_secure
	mov	x30, x14
	mov64	x9, SCTLR_EL1_RES1
	msr	sctlr_el1, x9
	mov	x10, #SPSR_EL1H_MASKED
	id_field x9, id_aa64pfr0_el1, ID_AA64PFR0_EL2_SHIFT
	cbz	x9, 5f
	mov64	x9, SCTLR_EL2_RES1
	msr	sctlr_el2, x9
	mov	x10, #SPSR_EL2H_MASKED
5:	msr	spsr_el3, x10
	adr	x10, \target
	msr	elr_el3, x10
	isb
	eret
	.endm

/* What EL2 decides. Leaves for EL1, at \target. Clobbers x9 to x11. */
	.macro	leave_el2 target
	mov64	x9, (HCR_RW | HCR_APK | HCR_API)
	msr	hcr_el2, x9
	isb
	mov	x9, #(CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN)
	msr	cnthctl_el2, x9
	msr	cntvoff_el2, xzr
	mov	x9, #CPTR_EL2_RES1
	msr	cptr_el2, x9
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x9, midr_el1
	msr	vpidr_el2, x9
	mrs	x9, mpidr_el1
	msr	vmpidr_el2, x9
	no_new_traps
	/* MDCR_EL2.HPMN: all event counters are EL1's. PMUVer: 0 without a performance monitor, 15 with another's. */
	mov	x10, #0
	id_field x9, id_aa64dfr0_el1, ID_AA64DFR0_PMUVER_SHIFT
	cbz	x9, 4f
	cmp	x9, #0xf
	b.eq	4f
	mrs	x10, pmcr_el0
	ubfx	x10, x10, #PMCR_N_SHIFT, #PMCR_N_WIDTH
4:	msr	mdcr_el2, x10
	id_field x9, id_aa64pfr0_el1, ID_AA64PFR0_GIC_SHIFT
	cbz	x9, 5f
	mrs	x9, ICC_SRE_EL2
	orr	x9, x9, #ICC_SRE_SRE
	orr	x9, x9, #ICC_SRE_ENABLE
	msr	ICC_SRE_EL2, x9
	isb
	/* EL3 may keep the system registers off: SRE then reads as 0, and ICH_HCR_EL2 is undefined. */
	mrs	x9, ICC_SRE_EL2
	tbz	x9, #ICC_SRE_SRE_SHIFT, 5f
	msr	ICH_HCR_EL2, xzr
5:	mov	x10, #SPSR_EL1H_MASKED
	msr	spsr_el2, x10
	adr	x10, \target
	msr	elr_el2, x10
	mov64	x9, SCTLR_EL1_RES1
	msr	sctlr_el1, x9
	isb
	eret
	.endm

/* Go to EL1. Returns the level that was entered at in x0. Clobbers x9 to x14; keeps all else. */
func drop_to_el1
	mrs	x0, CurrentEL
	cmp	x0, #CURRENT_EL3
	b.ne	.Lbelow_el3
	leave_el3 .Lbelow_el3
.Lbelow_el3:
	mrs	x9, CurrentEL
	cmp	x9, #CURRENT_EL2
	b.ne	.Lat_el1
	leave_el2 .Lat_el1
.Lat_el1:
	msr	spsel, #1
	mov64	x9, SCTLR_EL1_RES1
	msr	sctlr_el1, x9
	mov	x9, #CPACR_FPEN
	msr	cpacr_el1, x9
	msr	mdscr_el1, xzr
	isb
	ubfx	x0, x0, #2, #2
	ret
endfunc drop_to_el1
