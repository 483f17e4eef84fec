// SPDX-License-Identifier: BSD-2-Clause
/*
 * The other CPUs stand still while a live block of the linear map goes through 0 (arch-arm64/mm/pt_live.c,
 * cpu/stop.c).
 *
 * 1. CPU 0 changes the rights of one page and back, so that the block of 2 MiB around it is split and merged each
 *    time. The other CPUs read and write words of the pages beside it without a pause, in threads, by turns with
 *    interrupts open and masked; timer handlers come in between. TLBs are told of each change, so who goes on
 *    meanwhile has to walk the tables, and finds nothing.
 * 2. Accesses are probes: one that finds nothing mapped is counted, and fails the case; it ends no run.
 *
 *	| 2 MiB: anchor, in pages | 2 MiB: used by CPUs 1, 2, ... on even pages, odd ones change |
 *
 * 3. The anchor is a page in the block before that is read-only all the time. It keeps the two apart from the larger
 *    unit that they belong to, of 32 MiB or 1 GiB, so that nothing but the words of the test lies where a mapping is
 *    missing. Where all CPUs change at once it is left out: there per-CPU areas and tables lie in what is split.
 * 4. A case proves itself: each change has split and merged, which a look at the tables says; each CPU was stopped
 *    for each of them, as often as all others; each went on using the block between the first change and the last.
 * 5. A CPU that is not on line takes no interrupts. One that never ran is started, by PSCI, while the others stand
 *    still: it must not come before they go on. It finds that nobody waits for it and parks, so this is tried once
 *    in a boot.
 *
 * Counters are in the image: they can be read while everybody stands still.
 */
#include <lib/mutex.h>
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <string.h>

#include <asm/cache.h>
#include <asm/cpufeature.h>
#include <asm/exception.h>
#include <asm/irq.h>
#include <asm/layout.h>
#include <asm/pgtable.h>
#include <asm/psci.h>
#include <asm/sections.h>
#include <asm/timer.h>

#include "target.h"

#define BLOCK_ORDER  9
#define BLOCK_SIZE   PT_SPAN(2)
#define USED_PAGES   (BLOCK_SIZE / PAGE_SIZE / 2)
#define WORD_STRIDE  64 /* between the words of two CPUs */
#define TICK_NS	     200000ULL
#define CHANGES_MIN  12 /* splits, and as many merges */
#define CHANGES_NS   500000000ULL
#define PASSES_MIN   10
#define LIMIT_NS     20000000000ULL
#define STOPS	     5
#define STILL_NS     1000000ULL
#define CHANGES_EACH 2
#define MPIDR_AFF0   0xffULL
#define LATE_NS	     300000000ULL

_Static_assert(PAGE_SIZE / WORD_STRIDE >= CONFIG_NR_CPUS, "each CPU has a word in a page");

/* What a CPU does with the block. Its own; others read. */
static struct user {
	u64 passes;   /* over all pages */
	u64 accesses; /* of words, a read and a write each */
	u64 lost;     /* of those, that found nothing mapped */
	u64 wrong;    /* of those, that did not find what was written last */
	u64 ticks;    /* of its timer */
	u64 stops;    /* taken before the case */
} __aligned(64) users[CONFIG_NR_CPUS];

static char *used;  /* the block */
static u32 enough;  /* atomic: users end */
static u32 answers; /* atomic: cross calls that ran */

static void count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

static void use_word(struct user *user, u64 *word)
{
	u64 value = user->passes;

	if (!arch_probe_read(word, &value) || !arch_probe_write(word, user->passes + 1))
		count(&user->lost);
	else if (value != user->passes)
		count(&user->wrong);
	count(&user->accesses);
}

/* Once over all pages that do not change. Every second time a stop has to wait for the end of it. */
static void use_pages(struct user *user)
{
	bool masked = (user->passes + (u64)smp_processor_id()) % 2;
	unsigned long flags = masked ? local_irq_save() : 0;
	char *word = used + (size_t)smp_processor_id() * WORD_STRIDE;

	for (unsigned int i = 0; i < USED_PAGES; i++, word += 2 * PAGE_SIZE)
		use_word(user, (u64 *)(void *)word);
	count(&user->passes);
	if (masked)
		local_irq_restore(flags);
}

static void count_tick(void)
{
	count(&users[smp_processor_id()].ticks);
}

static void use_until_enough(void *arg)
{
	(void)arg;
	timer_start_periodic(TICK_NS, count_tick);
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED))
		use_pages(&users[smp_processor_id()]);
	timer_stop();
}

/* --- the block --- */

static unsigned long unit_size(unsigned long at)
{
	struct arch_mapping unit;

	arch_query_mapping(at, &unit);
	return unit.mapped ? unit.end - unit.start : 0;
}

/*
 * Two blocks of one allocation, the first with the anchor in it, when there is to be one. Return: whether there is
 * memory.
 */
static bool take_block(bool anchor)
{
	struct page *blocks = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER + 1);

	if (!ktap_ok(blocks != NULL))
		return false;
	used = (char *)page_address(blocks) + BLOCK_SIZE;
	if (anchor)
		ktap_ok(set_memory_ro((unsigned long)page_address(blocks), 1) == 0);
	ktap_ok(!anchor || unit_size((unsigned long)used) == BLOCK_SIZE);
	return true;
}

static void give_block(void)
{
	ktap_ok(set_memory_rw((unsigned long)used - BLOCK_SIZE, 1) == 0);
	__free_pages(virt_to_page(used - BLOCK_SIZE), BLOCK_ORDER + 1);
}

/* Odd page number @i goes through other rights, and the block, in units of @whole bytes, through pages. */
static void split_and_merge(unsigned int i, unsigned long whole)
{
	unsigned long at = (unsigned long)used + (2 * (i % USED_PAGES) + 1) * PAGE_SIZE;
	struct arch_mapping unit;

	ktap_ok(unit_size(at) == whole);
	ktap_ok((i % 2 ? set_memory_ro(at, 1) : set_memory_valid(at, 1, 0)) == 0);
	arch_query_mapping(at, &unit);
	ktap_ok(unit.start == at && unit.end == at + PAGE_SIZE && !(i % 2 ? unit.writable : unit.valid));
	ktap_ok((i % 2 ? set_memory_rw(at, 1) : set_memory_valid(at, 1, 1)) == 0);
	ktap_ok(unit_size(at) == whole);
}

/* --- the users --- */

/* All CPUs but this one use the block from now on. */
static void start_users(void)
{
	int cpu;

	memset(users, 0, sizeof(users));
	__atomic_store_n(&enough, 0, __ATOMIC_RELAXED);
	for_each_online_cpu(cpu) {
		users[cpu].stops = irq_count(SGI_STOP, cpu);
		if (cpu != smp_processor_id())
			ktap_ok(smp_work_start(cpu, use_until_enough, NULL) == 0);
	}
}

/* Whether each has been over the block @least times more than it had been when its passes were @since. */
static bool all_passed(const u64 *since, u64 least)
{
	bool all = true;
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			all = READ_ONCE(users[cpu].passes) - since[cpu] >= least && all;
	return all;
}

static void note_passes(u64 *passes)
{
	int cpu;

	for_each_online_cpu(cpu)
		passes[cpu] = READ_ONCE(users[cpu].passes);
}

/* Each goes on using the block. */
static void wait_for_pass(void)
{
	u64 since[CONFIG_NR_CPUS], end = arch_clock_ns() + LIMIT_NS;

	note_passes(since);
	while (!all_passed(since, 1) && arch_clock_ns() < end)
		cpu_relax();
	ktap_ok(all_passed(since, 1));
}

static void stop_users(void)
{
	int cpu;

	__atomic_store_n(&enough, 1, __ATOMIC_RELAXED);
	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			smp_work_wait(cpu);
}

static bool alone(void)
{
	if (num_online_cpus() == 1)
		ktap_skip("one CPU");
	return num_online_cpus() == 1;
}

/* --- cases --- */

/* Each of the other CPUs was stopped @least times or more, all as often; and this one, which stops them, never. */
static u64 judge_stops(u64 least)
{
	u64 stops = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		u64 own = irq_count(SGI_STOP, cpu) - users[cpu].stops;

		if (cpu == smp_processor_id()) {
			ktap_ok(own == 0);
			continue;
		}
		ktap_ok(own >= least && (!stops || own == stops));
		stops = own;
	}
	return stops;
}

/* What all users saw. */
static void sum_up(struct user *sum)
{
	int cpu;

	*sum = (struct user){ 0 };
	for_each_online_cpu(cpu) {
		ktap_ok(users[cpu].lost == 0);
		ktap_ok(users[cpu].wrong == 0);
		sum->accesses += users[cpu].accesses;
		sum->lost += users[cpu].lost;
		sum->ticks += users[cpu].ticks;
	}
}

/* This CPU changes rights, the others use the block. Return: how often. */
static unsigned int change_while_used(void)
{
	u64 since[CONFIG_NR_CPUS], start = arch_clock_ns(), now = start;
	unsigned int changes = 0;

	note_passes(since);
	/* And until each has used the block often enough: on a busy host a CPU may hardly have run. */
	while (changes < CHANGES_MIN || now - start < CHANGES_NS ||
	       (!all_passed(since, PASSES_MIN) && now - start < LIMIT_NS)) {
		split_and_merge(changes++, BLOCK_SIZE);
		now = arch_clock_ns();
	}
	ktap_ok(all_passed(since, PASSES_MIN));
	return changes;
}

static void case_changes(void)
{
	unsigned int changes;
	struct user sum;
	u64 stops;

	if (alone() || !take_block(true))
		return;
	start_users();
	wait_for_pass();
	changes = change_while_used();
	stops = judge_stops(2ULL * changes);
	stop_users();
	sum_up(&sum);
	ktap_ok(sum.ticks > 0 || !timer_available());
	con_printf("  # split and merged %u times, %llu stops of each CPU, %llu accesses, %llu lost, %llu ticks\n",
		   changes, stops, sum.accesses, sum.lost, sum.ticks);
	give_block();
}

static u64 counted_by(int cpu)
{
	return READ_ONCE(users[cpu].accesses) + READ_ONCE(users[cpu].ticks);
}

/* Whether nothing is counted on other CPUs for STILL_NS. */
static bool all_still(void)
{
	u64 before[CONFIG_NR_CPUS], start = arch_clock_ns();
	bool still = true;
	int cpu;

	for_each_online_cpu(cpu)
		before[cpu] = counted_by(cpu);
	while (arch_clock_ns() - start < STILL_NS)
		cpu_relax();
	for_each_online_cpu(cpu)
		still = counted_by(cpu) == before[cpu] && still;
	return still;
}

static void case_still(void)
{
	struct user sum;

	if (alone() || !take_block(true))
		return;
	start_users();
	for (int i = 0; i < STOPS; i++) {
		wait_for_pass();
		mutex_lock(&pt_mutex);
		cpus_stop();
		ktap_ok(all_still());
		cpus_go();
		mutex_unlock(&pt_mutex);
	}
	wait_for_pass();
	ktap_ok(judge_stops(STOPS) == STOPS);
	stop_users();
	sum_up(&sum);
	give_block();
}

static void answer(void *arg)
{
	(void)arg;
	fetch_add32(&answers, 1);
}

/* Changes a page of its own, uses the others, and calls each CPU, any of which may be about to stop this one. */
static void change_use_call(void *arg)
{
	unsigned int page = (unsigned int)smp_processor_id();
	int cpu;

	for (unsigned int i = 0; i < CHANGES_EACH; i++) {
		unsigned long at = (unsigned long)used + (2 * page + 1) * PAGE_SIZE;

		ktap_ok(set_memory_ro(at, 1) == 0);
		ktap_ok(unit_size(at) == PAGE_SIZE);
		use_pages(&users[smp_processor_id()]);
		for_each_online_cpu(cpu)
			ktap_ok(smp_call_function_single(cpu, answer, arg) == 0);
		ktap_ok(set_memory_rw(at, 1) == 0);
	}
}

/* In a unit of the size that the machine has there, all of which is missing at times. */
static void case_all_at_once(void)
{
	u32 cpus = (u32)num_online_cpus();
	struct user sum;
	unsigned long whole;

	if (alone() || !take_block(false))
		return;
	whole = unit_size((unsigned long)used);
	memset(users, 0, sizeof(users));
	answers = 0;
	on_all_cpus(change_use_call, NULL);
	sum_up(&sum);
	ktap_ok(sum.accesses == (u64)cpus * CHANGES_EACH * USED_PAGES);
	ktap_ok(answers == cpus * cpus * CHANGES_EACH);
	ktap_ok(unit_size((unsigned long)used) == whole);
	con_printf("  # %u CPUs, each %u times, in a unit of %lu MiB\n", cpus, CHANGES_EACH, whole >> 20);
	give_block();
}

/* Start a CPU that never ran, with @record; nobody waits for it. Return: -1 when there is none. */
static int start_late_cpu(struct secondary_boot *record)
{
	for (u64 mpidr = 0; mpidr <= MPIDR_AFF0; mpidr++) {
		int cpu = smp_find_cpu(mpidr);

		if (cpu < 0 || cpu_online(cpu) || cpu_features_own(cpu))
			continue;
		*record = (struct secondary_boot){ STACK_INITIAL_SP((u64)cpu), (uintptr_t)percpu_base(cpu),
						   mpidr | SECONDARY_BOOT_VALID };
		dcache_clean_poc((uintptr_t)record, (uintptr_t)(record + 1));
		if (psci_cpu_on(mpidr, kimage_pa(secondary_entry), kimage_pa(record)) == PSCI_SUCCESS)
			return cpu;
	}
	return -1;
}

static bool has_run_by(int cpu, u64 end)
{
	while (!cpu_features_own(cpu) && arch_clock_ns() < end)
		cpu_relax();
	return cpu_features_own(cpu);
}

/* It comes while others stand still: nothing of the linear map may be used, and it uses nothing. */
static void case_late(void)
{
	static struct secondary_boot record;
	bool early = false;
	int cpu;

	mutex_lock(&pt_mutex);
	cpus_stop();
	cpu = start_late_cpu(&record);
	if (cpu >= 0)
		early = has_run_by(cpu, arch_clock_ns() + LATE_NS);
	cpus_go();
	mutex_unlock(&pt_mutex);
	if (cpu < 0) {
		ktap_skip("no CPU is off that PSCI starts");
		return;
	}
	ktap_ok(!early);
	ktap_ok(has_run_by(cpu, arch_clock_ns() + LIMIT_NS));
	ktap_ok(!cpu_online(cpu));
}

static const struct ktap_case cases[] = {
	{ "a block is split and merged while others use it", case_changes },
	{ "who is stopped does nothing", case_still },
	{ "all change, use and call at once", case_all_at_once },
	{ "a CPU that comes late waits, too", case_late },
};
KTAP_SUITE(stop, cases, memory_check);
