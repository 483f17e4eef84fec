/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * At EL3: interrupts are given to the non-secure state.
 *
 * 1. After reset every interrupt is secure, and stays so for whoever is not. So at EL3 each core gives away its own,
 *    and all shared ones, which is the same each time. What enables interrupts is left to EL1.
 * 2. The tree cannot be read here, so the addresses are configuration options. They are believed where the controller
 *    identifies itself as what the core's interface is for (ID_AA64PFR0_EL1.GIC): GICv2, or GICv3 and later.
 * 3. GICv2: a core's own interrupts are in the banked GICD_IGROUPR0. The priority mask can be changed from the
 *    non-secure side only while its upper bit is set, so it is opened.
 * 4. GICv3: the groups of a core's own interrupts are in its redistributor, which is found by its affinity as
 *    irq/gicv3_redist.c does, and which only the secure state can wake. IGRPMODR counts with affinity routing only,
 *    which is turned on, while nothing is enabled, by the first core that comes. SCR_EL3.FIQ is clear, so the
 *    non-secure side sees the whole priority mask and needs no help. ICC_SRE_EL3 opens the system registers to EL2
 *    and EL1.
 * 5. A wait that does not end (a million reads) is given up: EL1 then finds its interrupts off, and says so.
 */
#include <asm/linkage.h>
#include <asm/sysreg.h>

/* One bit of GICD_IGROUPR per interrupt; 1 is non-secure. GICv2: IHI 0048, 4.1.2 and 4.1.3. */
#define GICD_TYPER	 0x004
#define GICD_TYPER_LINES 5 /* width of the field from bit 0 on: registers of one bit per interrupt, less one */
#define GICD_IGROUPR	 0x080
#define GICD_PIDR2	 0xfe8
#define PIDR2_ARCHREV	 4 /* first bit of a field of four */
#define ARCHREV_GICV2	 2
#define GICC_CTLR	 0x000
#define GICC_CTLR_GROUP1 2
#define GICC_PMR	 0x004
#define GICC_PMR_ALL	 0xff

/* GICv3: IHI 0069, 12.8 and 12.11. Both distributor and redistributors consist of frames of 64 KiB. */
#define GIC_FRAME	      0x10000
#define GICV3_PIDR2	      0xffe8
#define ARCHREV_GICV3	      3
#define GICD_CTLR	      0x000
#define GICD_CTLR_GROUPS      7
#define GICD_CTLR_ARE_SHIFT   4	   /* of the secure state; the only one where there is one state */
#define GICD_CTLR_ARE_BOTH    0x30 /* of both states */
#define GICD_CTLR_RWP_SHIFT   31
#define GICD_IGRPMODR	      0xd00
#define GICR_TYPER	      0x008
#define GICR_VLPIS_SHIFT      1 /* of TYPER, as is the next */
#define GICR_LAST_SHIFT	      4
#define GICR_WAKER	      0x014
#define WAKER_SLEEP	      2
#define WAKER_ASLEEP_SHIFT    2
#define WAIT_READS	      1000000

	.section .text.boot, "ax", %progbits

/* Wait until bit \bit of the register at x9 + \offset is clear. Clobbers x10 and x11. */
	.macro	wait_clear offset, bit
	mov64	x11, WAIT_READS
.Lwait\@:
	ldr	w10, [x9, #\offset]
	tbz	w10, #\bit, .Ldone\@
	subs	x11, x11, #1
	b.ne	.Lwait\@
.Ldone\@:
	.endm

/* w10 = the architecture revision in the frame at x9, whose PIDR2 is at \offset. */
	.macro	archrev offset
	mov	x10, #\offset
	ldr	w10, [x9, x10]
	ubfx	w10, w10, #PIDR2_ARCHREV, #ID_FIELD_WIDTH
	.endm

/* w10 = registers of one bit per interrupt, less one, of the distributor at x9. */
	.macro	last_register
	ldr	w10, [x9, #GICD_TYPER]
	ubfx	w10, w10, #0, #GICD_TYPER_LINES
	.endm

/* Give what the GIC has for this core, and what is shared, to the non-secure state. Clobbers x9 to x13. */
func gic_non_secure
	mrs	x9, id_aa64pfr0_el1
	ubfx	x9, x9, #ID_AA64PFR0_GIC_SHIFT, #ID_FIELD_WIDTH
	cbnz	x9, gicv3_non_secure
	b	gicv2_non_secure
endfunc gic_non_secure

local_func gicv2_non_secure
	mov64	x9, CONFIG_EL3_GICD_ADDR
	cbz	x9, 2f
	archrev	GICD_PIDR2
	cmp	w10, #ARCHREV_GICV2
	b.ne	2f
	last_register
	add	x9, x9, #GICD_IGROUPR
	mov	w11, #-1
1:	str	w11, [x9], #4
	subs	w10, w10, #1
	b.pl	1b
	mov64	x9, CONFIG_EL3_GICC_ADDR
	cbz	x9, 2f
	mov	w10, #GICC_PMR_ALL
	str	w10, [x9, #GICC_PMR]
	mov	w10, #GICC_CTLR_GROUP1
	str	w10, [x9, #GICC_CTLR]
2:	dsb	sy
	ret
endfunc gicv2_non_secure

/* The shared interrupts, then the core's own. */
local_func gicv3_non_secure
	mrs	x9, ICC_SRE_EL3
	orr	x9, x9, #ICC_SRE_SRE
	orr	x9, x9, #ICC_SRE_ENABLE
	msr	ICC_SRE_EL3, x9
	isb
	mov64	x9, CONFIG_EL3_GICD_ADDR
	cbz	x9, 3f
	archrev	GICV3_PIDR2
	cmp	w10, #ARCHREV_GICV3
	b.lo	3f
	ldr	w10, [x9, #GICD_CTLR]
	tbnz	w10, #GICD_CTLR_ARE_SHIFT, 1f
	bic	w12, w10, #GICD_CTLR_GROUPS
	str	w12, [x9, #GICD_CTLR]
	wait_clear GICD_CTLR, GICD_CTLR_RWP_SHIFT
	orr	w12, w12, #GICD_CTLR_ARE_BOTH
	str	w12, [x9, #GICD_CTLR]
	wait_clear GICD_CTLR, GICD_CTLR_RWP_SHIFT
	/* The registers of INTIDs 0 to 31 are the redistributor's. */
1:	last_register
	mov	w11, #-1
2:	cbz	w10, gicv3_own_non_secure
	add	x9, x9, #4
	str	w11, [x9, #GICD_IGROUPR]
	str	wzr, [x9, #GICD_IGRPMODR]
	sub	w10, w10, #1
	b	2b
3:	ret
endfunc gicv3_non_secure

/* x12 = the affinity of this core, as GICR_TYPER has it in its upper half; x9 = the redistributor that is looked at. */
local_func gicv3_own_non_secure
	mrs	x12, mpidr_el1
	ubfx	x11, x12, #32, #8
	bfi	x12, x11, #24, #8
	mov	w12, w12
	mov64	x9, CONFIG_EL3_GICR_ADDR
	cbz	x9, 3f
1:	archrev	GICV3_PIDR2
	cmp	w10, #ARCHREV_GICV3
	b.lo	3f
	ldr	x13, [x9, #GICR_TYPER]
	cmp	x12, x13, lsr #32
	b.eq	2f
	tbnz	w13, #GICR_LAST_SHIFT, 3f
	add	x9, x9, #(2 * GIC_FRAME)
	tbz	w13, #GICR_VLPIS_SHIFT, 1b
	add	x9, x9, #(2 * GIC_FRAME)
	b	1b
2:	ldr	w10, [x9, #GICR_WAKER]
	bic	w10, w10, #WAKER_SLEEP
	str	w10, [x9, #GICR_WAKER]
	wait_clear GICR_WAKER, WAKER_ASLEEP_SHIFT
	add	x9, x9, #GIC_FRAME
	mov	w11, #-1
	str	w11, [x9, #GICD_IGROUPR]
	str	wzr, [x9, #GICD_IGRPMODR]
	msr	ICC_CTLR_EL3, xzr
3:	dsb	sy
	ret
endfunc gicv3_own_non_secure
