// SPDX-License-Identifier: BSD-2-Clause
/* CPUs, cross calls, and the load of all allocators from all CPUs and interrupt handlers at once. */
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/mm_init.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include <asm/timer.h>

#include "target.h"

static DEFINE_PER_CPU(u64, test_counter);
static u32 calls; /* atomic */

static void count_call(void *arg)
{
	*(int *)arg = smp_processor_id();
	++*this_cpu_ptr(&test_counter);
	fetch_add32(&calls, 1);
}

static void case_cross_calls(void)
{
	int cpu, ran_on;

	calls = 0;
	for_each_online_cpu(cpu) {
		ran_on = -1;
		ktap_ok(smp_call_function_single(cpu, count_call, &ran_on) == 0);
		ktap_ok(ran_on == cpu);
	}
	ktap_ok(calls == (u32)num_online_cpus());
	ktap_ok(smp_call_function_single(CONFIG_NR_CPUS - 1, count_call, &ran_on) != 0 ||
		num_online_cpus() == CONFIG_NR_CPUS);
}

/* The more CPUs, the more calls a round is. */
static u32 call_rounds(void)
{
	return 1 + 200 / (u32)(num_online_cpus() * num_online_cpus());
}

static void call_everybody(void *arg)
{
	int cpu, ran_on;

	(void)arg;
	for (u32 round = 0; round < call_rounds(); round++)
		for_each_online_cpu(cpu) {
			smp_call_function_single(cpu, count_call, &ran_on);
			ktap_ok(ran_on == cpu);
		}
}

/* All CPUs call all others at the same time: nobody waits for ever, no call is lost. */
static void case_crossing_calls(void)
{
	u32 n = (u32)num_online_cpus();

	calls = 0;
	on_all_cpus(call_everybody, NULL);
	ktap_ok(calls == call_rounds() * n * n);
}

static u64 locked_sum;
static DEFINE_SPINLOCK(test_lock, 1);

static void add_locked(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++) {
		unsigned long flags = spin_lock_irqsave(&test_lock);

		locked_sum++;
		spin_unlock_irqrestore(&test_lock, flags);
	}
}

static void case_spinlock(void)
{
	locked_sum = 0;
	on_all_cpus(add_locked, NULL);
	ktap_ok(locked_sum == 2000 * (u64)num_online_cpus());
	ktap_ok(spin_trylock(&test_lock));
	ktap_ok(!spin_trylock(&test_lock));
	spin_unlock(&test_lock);
}

#define TICKS	      5
#define TICKS_WAIT_NS 10000000000ULL

static u32 ticks[CONFIG_NR_CPUS];

static void count_tick(void)
{
	ticks[smp_processor_id()]++;
}

static void wait_for_ticks(void *arg)
{
	volatile u32 *mine = &ticks[smp_processor_id()];
	u64 end = arch_clock_ns() + TICKS_WAIT_NS;

	(void)arg;
	*mine = 0;
	timer_start_periodic(1000000, count_tick);
	while (*mine < TICKS && arch_clock_ns() < end)
		cpu_relax();
	timer_stop();
	ktap_ok(*mine >= TICKS);
}

static void case_timer(void)
{
	if (!timer_available()) {
		ktap_skip("no timer interrupt");
		return;
	}
	on_all_cpus(wait_for_ticks, NULL);
}

static void case_load(void)
{
	unsigned long before = quiet_free_pages();
	struct load_result r;
	u64 seed = get_cycles() | 1;

	load_run(1000000000ULL, seed, &r);
	con_printf(
		"  # seed 0x%llx: %llu operations, %llu foreign frees, %llu interrupts, %llu without memory, %llu caches\n",
		seed, r.operations, r.foreign_frees, r.interrupts, r.no_memory, r.caches);
	ktap_ok(r.corruptions == 0);
	ktap_ok(r.operations > 1000);
	ktap_ok(r.interrupts > 0 || !timer_available());
	ktap_ok(r.foreign_frees > 0 || num_online_cpus() == 1);
	ktap_ok(quiet_free_pages() == before);
	ktap_ok(account_print());
}

static const struct ktap_case cases[] = {
	{ "cross calls", case_cross_calls }, { "crossing calls", case_crossing_calls }, { "spinlock", case_spinlock },
	{ "timer interrupt", case_timer },   { "all allocators at once", case_load },
};
KTAP_SUITE(cpus, cases, memory_check);
