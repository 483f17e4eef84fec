/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a run.
 *
 * 1. Semihosting (Arm "Semihosting for AArch32 and AArch64", SYS_EXIT_EXTENDED): HLT #0xf000 with the operation in w0
 *    and, in x1, the address of {reason, status}. A debugger or emulator that offers it ends the run with this status.
 *    Where none does, HLT is undefined, and the fix-up lets us go on.
 * 2. PSCI SYSTEM_OFF powers the machine off, without a status (QEMU exits with 0). It comes second so that one order
 *    gives the right status whenever a status can be given.
 * 3. With neither, the CPU sleeps with everything masked.
 */
#include <asm/bug.h>
#include <asm/exception.h>
#include <asm/irqflags.h>
#include <asm/processor.h>
#include <asm/psci.h>

#define SYS_EXIT_EXTENDED	     0x20
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static void semihosting_exit(int status)
{
	const u64 block[2] = { ADP_STOPPED_APPLICATION_EXIT, (u64)(unsigned int)status };
	register u64 op __asm__("x0") = SYS_EXIT_EXTENDED;
	register const u64 *arg __asm__("x1") = block;

	__asm__ volatile("1:	hlt	#0xf000\n"
			 "2:\n" EX_TABLE(1b, 2b)
			 : "+r"(op)
			 : "r"(arg)
			 : "memory");
}

_Noreturn void cpu_halt(void)
{
	__asm__ volatile("msr daifset, #0xf" : : : "memory");
	for (;;)
		__asm__ volatile("wfi" : : : "memory");
}

_Noreturn void arch_exit(int status)
{
	local_irq_disable();
	semihosting_exit(status);
	psci_system_off();
	cpu_halt();
}
