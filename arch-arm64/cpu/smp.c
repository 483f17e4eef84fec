/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing up the other CPUs (contract: <asm/smp.h>), and reaching them.
 *
 * 1. cpus[] is filled by smp_discover() on the boot CPU and constant from then on.
 * 2. A CPU is started by: its record in secondary_boot[] written and cleaned to the point of coherency; PSCI CPU_ON
 *    with the record's physical address; a wait until it says that it is on line, at most START_TIMEOUT_NS. A CPU that
 *    fails is one line in the log; the others are started all the same.
 * 3. A CPU says that it is on line when it can take interrupts, so whoever sees it on line may call it.
 * 4. CPUs are started one after the other: their lines in the log stay whole and in order.
 * 5. One that comes later than that joins late, be it in the middle of mm_hand_over(). That does no harm: until it is
 *    given work a CPU touches its stack, its per-CPU area and the log only; and whoever gives work to all CPUs on line
 *    (for_each_online_cpu(), then smp_work_wait()) does not mind when one more comes in between, for to wait for a
 *    CPU that was given none is to return at once.
 */
#include <asm/cache.h>
#include <asm/cpufeature.h>
#include <asm/irq.h>
#include <asm/irqflags.h>
#include <asm/layout.h>
#include <asm/processor.h>
#include <asm/protect.h>
#include <asm/psci.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <asm/timer.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

#include "cpu_map.h"

#define START_TIMEOUT_NS 1000000000ULL

_Static_assert(offsetof(struct mm_cpu, cpu) == 0, "smp_processor_id() reads the first field");

static struct secondary_boot secondary_boot[CONFIG_NR_CPUS];

static bool wait_online(int cpu)
{
	u64 start = arch_clock_ns();

	while (!cpu_online(cpu)) {
		if (cpu_features_refused(cpu) || arch_clock_ns() - start > START_TIMEOUT_NS)
			return false;
		cpu_relax();
	}
	return true;
}

static void start_cpu(int cpu)
{
	const struct cpu_desc *desc = cpu_desc(cpu);
	struct secondary_boot *record = &secondary_boot[cpu];
	int err;

	if (!desc->by_psci) {
		printk("CPU%d: MPIDR 0x%llx: its enable-method is not psci: stays off\n", cpu, desc->mpidr);
		return;
	}
	record->sp = STACK_INITIAL_SP((u64)cpu);
	record->percpu = (uintptr_t)percpu_base(cpu);
	dcache_clean_poc(record, sizeof(*record));
	err = psci_cpu_on(desc->mpidr, kimage_pa(secondary_entry), kimage_pa(record));
	if (err)
		printk("CPU%d: MPIDR 0x%llx: PSCI CPU_ON: %s: stays off\n", cpu, desc->mpidr, psci_strerror(err));
	else if (!wait_online(cpu) && cpu_features_refused(cpu))
		printk("CPU%d: MPIDR 0x%llx: stays off: %s\n", cpu, desc->mpidr, cpu_features_refused(cpu));
	else if (!cpu_online(cpu))
		printk("CPU%d: MPIDR 0x%llx: not on line one second after PSCI CPU_ON\n", cpu, desc->mpidr);
}

_Noreturn void secondary_start(u64 entry_el)
{
	cpu_setup();
	if (!cpu_features_join(entry_el))
		cpu_halt();
	cpu_protect();
	if (!irq_init_cpu())
		cpu_halt();
	timer_init_cpu();
	cpu_print_info();
	set_cpu_online(smp_processor_id());
	cpu_idle_loop();
}

/* How many CPUs can be brought up; why not all of them is said. */
static int startable_cpus(void)
{
	int limit = min(nr_cpu_ids, irq_max_cpus());

	if (limit < nr_cpu_ids)
		printk("SMP: the interrupt controller serves %d of %d CPUs: the others stay off\n", limit, nr_cpu_ids);
	if (limit == 1 || psci_available())
		return limit;
	printk("SMP: no PSCI to start CPUs with: %d stay off\n", nr_cpu_ids - 1);
	return 1;
}

void smp_init(void)
{
	int limit, online;

	cpu_print_info();
	cpu_print_features();
	set_cpu_online(0);
	limit = startable_cpus();
	for (int cpu = 1; cpu < limit; cpu++)
		start_cpu(cpu);
	online = num_online_cpus();
	printk("SMP: %d CPU%s on line\n", online, online == 1 ? "" : "s");
}

int arch_cpu_node(int cpu)
{
	return cpu_desc(cpu)->node;
}

void arch_send_call(int cpu)
{
	irq_send_sgi(cpu, SGI_CALL);
}

void arch_wake_idle(int cpu)
{
	irq_send_sgi(cpu, SGI_WAKE);
}

bool arch_cross_call_ok(void)
{
	return !irqs_disabled() && this_cpu()->irq_depth == 0;
}
