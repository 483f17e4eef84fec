/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching on, on this CPU, what protects the program from itself: PAN, signed return addresses, branch targets.
 *
 * 1. Code is built with -mbranch-protection=standard, unless CONFIG_BRANCH_PROTECTION is off. A function that stores
 *    its return address signs it with key A (PACIASP) and authenticates it before it returns (AUTIASP); each function
 *    that may be called by address begins with a landing pad (BTI c, or PACIASP), each label that is jumped to has one
 *    (BTI j). On a CPU without the feature these are NOPs, and signing is one too until SCTLR_EL1.EnIA is set.
 * 2. EnIA may only change where no function below has signed with it off: what was signed then is not what AUTIASP
 *    finds. So cpu_protect() is inlined, into functions that never return, and it alone sets the key, once for each
 *    CPU. Nothing migrates: each CPU's frames stay on its own stack, so each has a key of its own.
 * 3. Only the key for instruction addresses, A, is set, and only EnIA: nothing here signs with another.
 * 4. Landing pads are wanted in pages with PTE_GP, which is the image's own text but not what was linked from archives
 *    that are built without (boot/memstage.lds.S). SCTLR_EL1.BT1: PACIASP is no landing pad for a jump, only for a
 *    call.
 * 5. PSTATE.PAN: nothing at EL1 reaches pages that are open to EL0. There are none, and an entry made in error stays
 *    harmless. SCTLR_EL1.SPAN clear: exception entry sets it too.
 */
#ifndef ASM_PROTECT_H
#define ASM_PROTECT_H

#include <asm/barrier.h>
#include <asm/const.h>
#include <asm/cpufeature.h>
#include <asm/entropy.h>
#include <asm/smp.h>
#include <asm/sysreg.h>

/** cpu_protect() - by a function that never returns, on each CPU once, when cpu_features_own() and entropy are there */
static __always_inline void cpu_protect(void)
{
	u64 own = cpu_features_own(smp_processor_id());
	u64 low = entropy_u64(), high = entropy_u64();
	u64 sctlr = read_sysreg(sctlr_el1);

	if (BRANCH_PROTECTED && (own & BIT(CPU_PAC))) {
		write_sysreg(low, APIAKEYLO_EL1);
		write_sysreg(high, APIAKEYHI_EL1);
		sctlr |= SCTLR_EnIA;
	}
	if (BRANCH_PROTECTED && (own & BIT(CPU_BTI)))
		sctlr |= SCTLR_BT1;
	if (own & BIT(CPU_PAN)) {
		__asm__ volatile(SET_PSTATE_PAN : : : "memory");
		sctlr &= ~SCTLR_SPAN;
	}
	isb();
	write_sysreg(sctlr, sctlr_el1);
	isb();
}

#endif
