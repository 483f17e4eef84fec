/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers: how to reach them, and the fields that this port sets or reads.
 *
 * Source of every value: Arm Architecture Reference Manual for A-profile (DDI 0487), chapter D24, the register's own
 * section. Registers that the assembler may not know under their name are spelled by their encoding.
 */
#ifndef ASM_SYSREG_H
#define ASM_SYSREG_H

#include <asm/const.h>

/* CurrentEL: the exception level, in bits 3:2. */
#define CURRENT_EL1 (UL(1) << 2)
#define CURRENT_EL2 (UL(2) << 2)
#define CURRENT_EL3 (UL(3) << 2)

/* SPSR_ELx: return to ELn on its own stack pointer, with D, A, I and F masked. */
#define SPSR_EL1H_MASKED UL(0x3c5)
#define SPSR_EL2H_MASKED UL(0x3c9)

/* SCTLR_EL1 and SCTLR_EL2: bits that are 1 on a core without later extensions; all else off is "MMU and caches off". */
#define SCTLR_EL1_RES1 UL(0x30d00800)
#define SCTLR_EL2_RES1 UL(0x30c50830)

#define SCTLR_M	  (UL(1) << 0)	/* translation */
#define SCTLR_C	  (UL(1) << 2)	/* data cache */
#define SCTLR_SA  (UL(1) << 3)	/* stack pointer alignment check */
#define SCTLR_I	  (UL(1) << 12) /* instruction cache */
#define SCTLR_WXN (UL(1) << 19) /* what is writable is not executable, whatever its descriptor says */

/* What <asm/protect.h> changes where the CPU has it; SPAN is one of SCTLR_EL1_RES1. */
#define SCTLR_SPAN (UL(1) << 23) /* exceptions leave PSTATE.PAN alone */
#define SCTLR_EnIA (UL(1) << 31) /* PACIASP and AUTIASP sign and authenticate */
#define SCTLR_BT1  (UL(1) << 36) /* PACIASP is no landing pad for a jump */

#define SCTLR_EL1_ON (SCTLR_EL1_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN)

/*
 * SCR_EL3: below EL3 is non-secure AArch64. No firmware stays behind, so SMC is undefined (SMD) rather than a trap to
 * nowhere, and so is HVC (HCE clear). FGTEN and HXEN, where they exist, let EL2 reach the registers named so.
 */
#define SCR_NS	  (UL(1) << 0)
#define SCR_RES1  (UL(3) << 4)
#define SCR_SMD	  (UL(1) << 7)
#define SCR_RW	  (UL(1) << 10)
#define SCR_APK	  (UL(1) << 16)
#define SCR_API	  (UL(1) << 17)
#define SCR_FGTEN (UL(1) << 27)
#define SCR_HXEN  (UL(1) << 38)

/* HCR_EL2: EL1 is AArch64, nothing of it traps, pointer authentication included. */
#define HCR_RW	(UL(1) << 31)
#define HCR_APK (UL(1) << 40)
#define HCR_API (UL(1) << 41)

/* CNTHCTL_EL2: EL1 may use the physical counter and timer. */
#define CNTHCTL_EL1PCTEN (UL(1) << 0)
#define CNTHCTL_EL1PCEN	 (UL(1) << 1)

/* CPTR_EL2: its RES1 bits; TFP, bit 10, is clear, so floating point does not trap. */
#define CPTR_EL2_RES1 UL(0x33ff)

/* CPACR_EL1: floating point and SIMD do not trap at EL1 and EL0. */
#define CPACR_FPEN (UL(3) << 20)

/*
 * Traps to EL2 of later extensions, all unknown at reset: fine-grained (FEAT_FGT), the rest of HCR_EL2 (FEAT_HCX), and
 * of the memory partitioning registers, which EL3 traps too (FEAT_MPAM). 0 traps nothing that is used here. The arm64
 * boot protocol asks of firmware at EL3 that EL2 may reach these registers.
 */
#define HFGRTR_EL2  S3_4_C1_C1_4
#define HFGWTR_EL2  S3_4_C1_C1_5
#define HFGITR_EL2  S3_4_C1_C1_6
#define HDFGRTR_EL2 S3_4_C3_C1_4
#define HDFGWTR_EL2 S3_4_C3_C1_5
#define HCRX_EL2    S3_4_C1_C2_2
#define MPAM2_EL2   S3_4_C10_C5_0
#define MPAM3_EL3   S3_6_C10_C5_0

/* Registers that later extensions added: pointer authentication's key A for instructions, and an ID register. */
#define APIAKEYLO_EL1	 S3_0_C2_C1_0
#define APIAKEYHI_EL1	 S3_0_C2_C1_1
#define ID_AA64ISAR2_EL1 S3_0_C0_C6_2

/* PSTATE.PAN (FEAT_PAN): as a register, and the instruction MSR PAN, #1. */
#define PSTATE_PAN     S3_0_C4_C2_3
#define PSTATE_PAN_SET (UL(1) << 22)
#define SET_PSTATE_PAN ".inst 0xd500419f"

/* GICv3's switch to system registers, at EL2 and EL3, EL3's control of the interface, and the hypervisor's. */
#define ICC_SRE_EL2	  S3_4_C12_C9_5
#define ICC_SRE_EL3	  S3_6_C12_C12_5
#define ICC_CTLR_EL3	  S3_6_C12_C12_4
#define ICH_HCR_EL2	  S3_4_C12_C11_0
#define ICC_SRE_SRE_SHIFT 0
#define ICC_SRE_SRE	  (UL(1) << ICC_SRE_SRE_SHIFT)
#define ICC_SRE_ENABLE	  (UL(1) << 3)

/* Identification registers: first bit of the fields that are read here. */
#define ID_AA64PFR0_EL2_SHIFT	  8
#define ID_AA64PFR0_GIC_SHIFT	  24
#define ID_AA64PFR0_MPAM_SHIFT	  40
#define ID_AA64PFR1_BT_SHIFT	  0
#define ID_AA64PFR1_MPAM_SHIFT	  16 /* the minor version: there is one without a major one */
#define ID_AA64DFR0_PMUVER_SHIFT  8
#define ID_AA64MMFR0_TGRAN4_SHIFT 28 /* signed: negative is none */
#define ID_AA64MMFR0_FGT_SHIFT	  56
#define ID_AA64MMFR1_HCX_SHIFT	  40
#define ID_FIELD_WIDTH		  4

/* PMCR_EL0.N: number of event counters. */
#define PMCR_N_SHIFT 11
#define PMCR_N_WIDTH 5

/*
 * TCR_EL1: 48-bit addresses in both halves, 4 KiB pages, walks cacheable (write-back) and inner shareable. IPS, bits
 * 34:32, has the encoding of ID_AA64MMFR0_EL1.PARange and is added at run time. EPD0: TTBR0 is not walked.
 */
#define TCR_T0SZ(bits) ((UL(64) - (bits)) << 0)
#define TCR_EPD0       (UL(1) << 7)
#define TCR_WALK0      ((UL(1) << 8) | (UL(1) << 10) | (UL(3) << 12))
#define TCR_T1SZ(bits) ((UL(64) - (bits)) << 16)
#define TCR_WALK1      ((UL(1) << 24) | (UL(1) << 26) | (UL(3) << 28))
#define TCR_TG1_4K     (UL(2) << 30)
#define TCR_IPS_SHIFT  32
#define TCR_IPS_WIDTH  3
#define TCR_BOOT       (TCR_T0SZ(48) | TCR_WALK0 | TCR_T1SZ(48) | TCR_WALK1 | TCR_TG1_4K)

/* PARange and IPS of a 48-bit physical address space, the widest that 4 KiB pages reach without FEAT_LPA2. */
#define PARANGE_48 5

/*
 * MAIR_EL1: the memory types, by the index that descriptors carry (PTE_MAIR()). All of them, and what each is for:
 *
 *	0  0x00  Device-nGnRnE: registers whose writes must have arrived before the CPU goes on, as those of
 *		 configuration space: ioremap_np()
 *	1  0x04  Device-nGnRE: registers: the fixmap's devices, ioremap()
 *	2  0x44  Normal, not cacheable: memory shared with a device that does not look into caches, frame buffers:
 *		 ioremap_wc(), memremap(MEMREMAP_WC), coherent DMA memory
 *	3  0xbb  Normal, write-through: memory that the CPU writes and a device reads: memremap(MEMREMAP_WT)
 *	4  0xff  Normal, write-back: all other memory: the linear map, the image, memremap(MEMREMAP_WB)
 *
 * In an attribute the high half is the outer, the low half the inner cache's: 0b0100 not cacheable, 0b1011
 * write-through and 0b1111 write-back, both allocating on reads and writes and not transient. Indexes 5 to 7 stay
 * Device-nGnRnE.
 */
#define MAIR_IDX_DEVICE_nGnRnE 0
#define MAIR_IDX_DEVICE_nGnRE  1
#define MAIR_IDX_NORMAL_NC     2
#define MAIR_IDX_NORMAL_WT     3
#define MAIR_IDX_NORMAL_WB     4
#define MAIR_DEVICE_nGnRnE     0x00
#define MAIR_DEVICE_nGnRE      0x04
#define MAIR_NORMAL_NC	       0x44
#define MAIR_NORMAL_WT	       0xbb
#define MAIR_NORMAL_WB	       0xff
#define MAIR_ATTR(attr, idx)   (UL(attr) << (8 * (idx)))
#define MAIR_VALUE                                                                                                     \
	(MAIR_ATTR(MAIR_DEVICE_nGnRnE, MAIR_IDX_DEVICE_nGnRnE) | MAIR_ATTR(MAIR_DEVICE_nGnRE, MAIR_IDX_DEVICE_nGnRE) | \
	 MAIR_ATTR(MAIR_NORMAL_NC, MAIR_IDX_NORMAL_NC) | MAIR_ATTR(MAIR_NORMAL_WT, MAIR_IDX_NORMAL_WT) |               \
	 MAIR_ATTR(MAIR_NORMAL_WB, MAIR_IDX_NORMAL_WB))

#ifndef __ASSEMBLER__

#include <lib/types.h>

_Static_assert(MAIR_IDX_DEVICE_nGnRnE == 0, "an entry without a type is of the strictest one");
_Static_assert(MAIR_VALUE == 0xffbb440400, "each type has its index");

/* A register's name as text, after macros that give its encoding. */
#define SYSREG_NAME_(reg) #reg
#define SYSREG_NAME(reg)  SYSREG_NAME_(reg)

/* The value of a system register; not moved across other accesses to system registers. */
#define read_sysreg(reg)                                                       \
	({                                                                     \
		u64 sysreg_;                                                   \
		__asm__ volatile("mrs %0, " SYSREG_NAME(reg) : "=r"(sysreg_)); \
		sysreg_;                                                       \
	})

/* Set a system register. What must see the effect needs an isb() between. */
#define write_sysreg(value, reg)                                                                \
	do {                                                                                    \
		u64 sysreg_ = (value);                                                          \
		__asm__ volatile("msr " SYSREG_NAME(reg) ", %x0" : : "rZ"(sysreg_) : "memory"); \
	} while (0)

/** sysreg_field() - the unsigned field of four bits that begins at bit @shift of an identification register */
static inline unsigned int sysreg_field(u64 reg, unsigned int shift)
{
	return (reg >> shift) & (BIT(ID_FIELD_WIDTH) - 1);
}

#endif
#endif
