/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU does when it has nothing to do.
 *
 * 1. Work is posted first and announced by the wake interrupt afterwards (lib/smp.c, arch_wake_idle()).
 * 2. A wake-up cannot be lost. `woken` is cleared before the look at the work. What is posted before that look is
 *    seen by it. What is posted after comes with an interrupt that is taken either before interrupts are masked, and
 *    then `woken` is set and there is no WFI, or after, and then it is pending and WFI does not wait (Arm ARM, "Wait
 *    for Interrupt": a masked interrupt is a wake-up event).
 * 3. Work runs with interrupts unmasked.
 */
#include <asm/irqflags.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <lib/smp.h>
#include <mm/percpu.h>

static DEFINE_PER_CPU(bool, woken);

void cpu_note_wake(void)
{
	WRITE_ONCE(*this_cpu_ptr(&woken), true);
}

static void sleep_unless_woken(const bool *flag)
{
	local_irq_disable();
	if (!READ_ONCE(*flag))
		cpu_wait_for_interrupt();
	local_irq_enable();
}

_Noreturn void cpu_idle_loop(void)
{
	bool *flag = this_cpu_ptr(&woken);

	local_irq_enable();
	for (;;) {
		WRITE_ONCE(*flag, false);
		if (!smp_idle_work())
			sleep_unless_woken(flag);
	}
}
