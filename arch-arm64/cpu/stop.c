/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All other CPUs stand still for a moment (contract: <asm/smp.h>).
 *
 * 1. It is not a cross call: who makes one may be stopped while another CPU answers it, and call slots would be
 *    waited for in a circle. It has an interrupt of its own, and one flag for all.
 * 2. A CPU that takes the interrupt while the flag is set counts itself in, waits until it is clear, and counts
 *    itself out. One that comes late finds it clear. cpus_go() waits until all are out, so that none is counted
 *    twice by the next stop.
 * 3. A CPU that starts has its per-CPU area in the linear map, too, and takes no interrupts yet; it may come at any
 *    time, long after it was given up. So it says so before it uses anything but the image and its stack, and again
 *    when it is on line, or sleeps for ever. It adds itself to `arriving` and then looks at the flag; cpus_stop()
 *    sets the flag and then looks at `arriving`: one of the two sees the other, and waits. Exclusives, not
 *    fetch_add32(): such a CPU may not have the instruction that this one is replaced with.
 * 4. Who waits, waits with interrupts masked, so it holds what it was interrupted with; that is no spinlock. It
 *    touches nothing but the words below and its stack, none of which is in the linear map. Before it goes on it
 *    synchronises its context.
 */
#include <asm/atomic.h>
#include <asm/barrier.h>
#include <asm/irq.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <lib/smp.h>

static u32 stop;     /* atomic */
static u32 stopped;  /* atomic: CPUs that stand still */
static u32 arriving; /* atomic: CPUs that are not on line, and use the linear map */

void cpu_arrive(void)
{
	for (;;) {
		__atomic_fetch_add(&arriving, 1, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
			return;
		cpu_leave();
		while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
			cpu_relax();
		isb();
	}
}

void cpu_leave(void)
{
	__atomic_fetch_sub(&arriving, 1, __ATOMIC_RELEASE);
}

void cpu_stop_interrupt(void)
{
	if (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		return;
	dmb(ish);
	fetch_add32(&stopped, 1);
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		cpu_relax();
	isb();
	dec_return32_acq_rel(&stopped);
}

void cpus_stop(void)
{
	u32 others = 0;
	int cpu;

	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	/* Who has come on line until now is seen to be; who comes later waits. */
	while (__atomic_load_n(&arriving, __ATOMIC_SEQ_CST))
		cpu_relax();
	for_each_online_cpu(cpu) {
		if (cpu == smp_processor_id())
			continue;
		irq_send_sgi(cpu, SGI_STOP);
		others++;
	}
	while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) != others)
		cpu_relax();
}

void cpus_go(void)
{
	__atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE))
		cpu_relax();
}
