/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a run.
 *
 * 1. Semihosting (Arm "Semihosting for AArch32 and AArch64", SYS_EXIT_EXTENDED): HLT #0xf000 with the operation in w0
 *    and, in x1, the address of {reason, status}. A debugger or emulator that offers it ends the run with this status.
 *    Where none does, HLT is undefined, and the fix-up lets us go on.
 * 2. PSCI SYSTEM_OFF powers the machine off, without a status (QEMU exits with 0). It comes second so that one order
 *    gives the right status whenever a status can be given.
 * 3. What the board itself has comes third: the BCM2835's halt (bcm2835_pm.c).
 * 4. With none of them, the CPU sleeps with everything masked.
 * 5. A reset takes the same order, without semihosting, which has none.
 */
#include <errno.h>

#include <asm/board.h>
#include <asm/bug.h>
#include <asm/exception.h>
#include <asm/irqflags.h>
#include <asm/processor.h>
#include <asm/psci.h>
#include <lib/monitor.h>
#include <lib/printk.h>

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
	bcm2835_pm_off();
	cpu_halt();
}

static int cmd_reboot(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	psci_system_reset();
	bcm2835_pm_reset();
	con_printf("reboot: neither PSCI nor a watchdog that we know resets this machine\n");
	return -ENODEV;
}
MONITOR_CMD(reboot, "", "reset the machine", cmd_reboot);
