/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing up the other CPUs (contract: <asm/smp.h>), and reaching them.
 *
 * 1. cpus[] is filled by smp_discover() on the boot CPU and constant from then on.
 * 2. A CPU is started by: its record in secondary_boot[] written and cleaned to the point of coherency, the word that
 *    makes it valid after the rest; its enable-method's start; a wait until it says that it is on line, at most
 *    START_TIMEOUT_MS. A CPU that fails is one line in the log, which says how; the others are started all the same,
 *    and its number stays unused.
 * 3. A CPU says that it is on line when it can take interrupts, so whoever sees it on line may call it.
 * 4. CPUs are started one after the other: their lines in the log stay whole and in order.
 * 5. One that comes when it is no longer waited for parks. Which of the two it is, is decided once, by a
 *    compare-and-swap of its start_state: STARTING becomes either JOINED, by the CPU, or GIVEN_UP, by the boot CPU.
 *    Until then a CPU touches the log, its stack and its per-CPU area, which are its own for ever, and its own part
 *    of interrupt controller and timer, all of it between cpu_arrive() and cpu_leave(), for it may be so late that
 *    tables change under it. It looks first whether it can execute the code at all (cpu_features_read()): if not it
 *    stops without a word, for the log's lock may be what it cannot take; the boot CPU has the line.
 */
#include <asm/cache.h>
#include <asm/cpufeature.h>
#include <asm/irq.h>
#include <asm/irqflags.h>
#include <asm/layout.h>
#include <asm/processor.h>
#include <asm/protect.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <asm/timer.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

#include "cpu_map.h"

#define START_TIMEOUT_MS 1000ULL
#define NS_PER_MS	 1000000ULL
#define START_POLLS	 100000000U /* of 10 ns or more each: an end for a machine whose clock stands still, too */

_Static_assert(offsetof(struct mm_cpu, cpu) == MM_CPU_NUMBER, "smp_processor_id() reads it there");

enum start_state { OFF, STARTING, JOINED, GIVEN_UP };

struct secondary_boot secondary_boot[CONFIG_NR_CPUS];
static u32 start_state[CONFIG_NR_CPUS];

/* Decide what becomes of a CPU that is STARTING. Return: whether it was undecided. */
static bool decide(int cpu, enum start_state outcome)
{
	u32 starting = STARTING;

	return __atomic_compare_exchange_n(&start_state[cpu], &starting, (u32)outcome, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* Return: false when @cpu was given up. */
static bool wait_online(int cpu)
{
	u64 start = arch_clock_ns();

	for (u32 polls = 0; !cpu_online(cpu); polls++) {
		bool late = arch_clock_ns() - start > START_TIMEOUT_MS * NS_PER_MS || polls > START_POLLS;

		if ((late || cpu_features_refused(cpu)) && decide(cpu, GIVEN_UP))
			return false;
		cpu_relax();
	}
	return true;
}

static void write_record(int cpu, u64 mpidr)
{
	struct secondary_boot *record = &secondary_boot[cpu];

	record->sp = STACK_INITIAL_SP((u64)cpu);
	record->percpu = (uintptr_t)percpu_base(cpu);
	dcache_clean_poc((uintptr_t)record, (uintptr_t)(record + 1));
	WRITE_ONCE(record->mpidr, mpidr | SECONDARY_BOOT_VALID);
	dcache_clean_poc((uintptr_t)record, (uintptr_t)(record + 1));
}

static void start_cpu(int cpu)
{
	const struct cpu_desc *desc = cpu_desc(cpu);
	char why[CPU_WHY_MAX];

	if (!desc->ops)
		return;
	WRITE_ONCE(start_state[cpu], STARTING);
	write_record(cpu, desc->mpidr);
	if (!(desc->ops->start)(desc, kimage_pa(&secondary_boot[cpu]), why)) {
		WRITE_ONCE(start_state[cpu], GIVEN_UP);
		printk("CPU%d: MPIDR 0x%llx: %s: stays off\n", cpu, desc->mpidr, why);
	} else if (!wait_online(cpu)) {
		if (cpu_features_refused(cpu))
			printk("CPU%d: MPIDR 0x%llx: stays off: %s\n", cpu, desc->mpidr, cpu_features_refused(cpu));
		else
			printk("CPU%d: MPIDR 0x%llx: not on line %llu ms after its start by %s: given up\n", cpu,
			       desc->mpidr, START_TIMEOUT_MS, desc->ops->method);
	}
}

static _Noreturn void stay_off(void)
{
	cpu_leave();
	cpu_halt();
}

static _Noreturn void park(int cpu)
{
	printk("CPU%d: came when it was no longer waited for: parked\n", cpu);
	stay_off();
}

_Noreturn void secondary_start(u64 entry_el)
{
	int cpu;

	cpu_arrive();
	cpu = smp_processor_id();
	cpu_setup();
	if (!cpu_features_read(entry_el))
		stay_off();
	if (READ_ONCE(start_state[cpu]) != STARTING)
		park(cpu);
	cpu_features_join();
	cpu_protect();
	if (!irq_init_cpu())
		stay_off();
	timer_init_cpu();
	if (!decide(cpu, JOINED))
		park(cpu);
	cpu_print_info();
	set_cpu_online(cpu);
	cpu_leave();
	cpu_idle_loop();
}

/* How many CPUs can be brought up; why not all of them is said. */
static int startable_cpus(void)
{
	int limit = min(nr_cpu_ids, irq_max_cpus());

	if (limit < nr_cpu_ids)
		printk("SMP: the interrupt controller serves %d of %d CPUs: the others stay off\n", limit, nr_cpu_ids);
	return limit;
}

/* What has to be done while no other CPU runs. */
static void prepare_cpus(int limit)
{
	for (int cpu = 1; cpu < limit; cpu++) {
		struct cpu_desc *desc = cpu_desc(cpu);

		if (desc->ops && desc->ops->prepare)
			(desc->ops->prepare)(desc);
	}
	/* A CPU may look for its record before that is written: what it finds then are zeros, not what memory held. */
	dcache_clean_poc((uintptr_t)secondary_boot, (uintptr_t)secondary_boot + sizeof(secondary_boot));
}

void smp_init(void)
{
	int limit, online;

	cpu_print_info();
	cpu_print_features();
	set_cpu_online(0);
	limit = startable_cpus();
	prepare_cpus(limit);
	for (int cpu = 1; cpu < limit; cpu++)
		if (irq_serves(cpu))
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
