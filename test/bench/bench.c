// SPDX-License-Identifier: BSD-2-Clause
/*
 * `bench [GROUP]` at the prompt: the rows of a group, or of all.
 *
 * 1. First it is made sure that what is counted are instructions: a loop whose length is known must take that many.
 *    Without QEMU's -icount shift=0 it does not, and nothing is measured.
 * 2. Slots for what is kept are one block of the page allocator, taken before the first group and given back after the
 *    last, so that all groups find the same memory.
 * 3. `bench_profile` is the same with few operations, and stops before and after those that would be counted, until a
 *    byte comes: whoever looks on from outside (test/bench/symbols.py) then sees these and no others.
 */
#include "bench.h"

#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/page.h>
#include <string.h>

#define REPETITIONS 3
#define FEW_LOOPS   32UL
#define CHECK_LOOPS 1000UL
#define CHECK_SLACK 100UL /* of the two reads of the counter */
#define SLOTS_ORDER 8

_Static_assert((PAGE_SIZE << SLOTS_ORDER) == BENCH_SLOTS * sizeof(void *), "the slots are one block");

static const struct bench_group {
	const char *name;
	void (*run)(void);
	bool profiled;
} groups[] = {
	{ "boot", bench_boot, false },
	{ "kmalloc", bench_kmalloc, true },
	{ "pages", bench_pages, true },
	{ "batches", bench_batches, true },
	{ "random", bench_random_mixes, true },
	{ "cpus", bench_cpus, true },
	{ "interrupt", bench_interrupt, false },
	{ "single", bench_single, false },
	{ "slab_bytes", bench_slab_bytes, false },
	{ "memblock", bench_memblock, true },
	{ "percpu", bench_percpu, true },
	{ "pgtable", bench_pgtable, true },
};

void **bench_slots;

static u64 random_state;
static unsigned int failures;
static bool profiling;

void bench_report(const char *row, u64 instructions, u64 operations)
{
	con_printf("bench: %s %llu %llu\n", row, instructions, operations);
}

void bench_report_figure(const char *row, u64 thousandths)
{
	bench_report(row, thousandths, 1000);
}

void bench_fail(const char *row, const char *why)
{
	con_printf("bench: %s failed: %s\n", row, why);
	failures++;
}

bool bench_has_pages(const char *row, unsigned long n)
{
	if (nr_free_pages() / 2 >= n)
		return true;
	bench_fail(row, "too little memory is free");
	return false;
}

unsigned long bench_count(unsigned long n, unsigned long few)
{
	return profiling ? min(n, few) : n;
}

int bench_reps(int reps)
{
	return profiling ? 1 : reps;
}

static void wait_to_be_watched(const char *row, const char *what)
{
	if (!profiling)
		return;
	con_printf("bench: profile %s %s\n", row, what);
	while (con_getc() < 0)
		cpu_relax();
}

void bench_begin(const char *row)
{
	wait_to_be_watched(row, "begins");
}

void bench_end(const char *row)
{
	wait_to_be_watched(row, "ends");
}

void bench_run(const struct bench_loop *loops, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct bench_loop *loop = &loops[i];
		unsigned long n = bench_count(loop->n, FEW_LOOPS);
		u64 least = ~0ULL;

		loop->run(loop->n / 8 + 64);
		bench_begin(loop->row);
		for (int rep = 0; rep < bench_reps(REPETITIONS); rep++)
			least = min(least, loop->run(n));
		bench_end(loop->row);
		bench_report(loop->row, least, n);
	}
}

u32 bench_random(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(random_state >> 33);
}

void bench_random_seed(u64 seed)
{
	random_state = seed;
}

void bench_wake_waiter(void)
{
	arch_wake_idle(0);
}

void bench_sleep_until(const u32 *value, u32 least)
{
	local_irq_disable();
	while (__atomic_load_n(value, __ATOMIC_ACQUIRE) < least) {
		cpu_wait_for_interrupt();
		local_irq_enable();
		local_irq_disable();
	}
	local_irq_enable();
}

struct work {
	void (*fn)(void *arg);
	void *arg;
	u32 done; /* atomic */
};

static void do_work(void *arg)
{
	struct work *work = arg;

	work->fn(work->arg);
	__atomic_store_n(&work->done, 1, __ATOMIC_RELEASE);
	bench_wake_waiter();
}

bool bench_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	struct work work = { fn, arg, 0 };

	if (cpu == smp_processor_id()) {
		fn(arg);
		return true;
	}
	if (smp_work_start(cpu, do_work, &work))
		return false;
	bench_sleep_until(&work.done, 1);
	smp_work_wait(cpu);
	return true;
}

/* Two instructions for each of @n. */
static __noinline u64 counted_loop(unsigned long n)
{
	u64 start = get_cycles();

	__asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(n) : : "cc");
	return get_cycles() - start;
}

bool bench_counts_instructions(void)
{
	u64 one = counted_loop(CHECK_LOOPS), two = counted_loop(2 * CHECK_LOOPS);

	return two > one && two - one >= 2 * CHECK_LOOPS && two - one <= 2 * CHECK_LOOPS + CHECK_SLACK;
}

static int run_groups(const char *name)
{
	struct page *block = alloc_pages(GFP_KERNEL, SLOTS_ORDER);

	if (!block) {
		con_printf("bench: no block of %lu KiB for its slots\n", (PAGE_SIZE << SLOTS_ORDER) >> 10);
		return -ENOMEM;
	}
	bench_slots = page_address(block);
	memset(bench_slots, 0, PAGE_SIZE << SLOTS_ORDER);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if ((!name || !strcmp(name, groups[i].name)) && (groups[i].profiled || !profiling))
			groups[i].run();
	bench_slots = NULL;
	__free_pages(block, SLOTS_ORDER);
	return 0;
}

static bool known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (!strcmp(name, groups[i].name))
			return true;
	return false;
}

static int bench(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	int err;

	if (argc > 2) {
		con_printf("bench: one group or none, not %d\n", argc - 1);
		return -EINVAL;
	}
	if (name && !known(name)) {
		con_printf("bench: %s is no group; these are:", name);
		for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
			con_printf(" %s", groups[i].name);
		con_printf("\n");
		return -EINVAL;
	}
	if (!bench_counts_instructions()) {
		con_printf(
			"bench: the cycle counter does not count instructions: run QEMU with -icount shift=0,sleep=off\n");
		return -ENODEV;
	}
	failures = 0;
	err = run_groups(name);
	if (!err)
		con_printf("bench: end, %u rows failed\n", failures);
	return err ? err : failures ? -EIO : 0;
}

static int cmd_bench(int argc, char **argv)
{
	profiling = false;
	return bench(argc, argv);
}
MONITOR_CMD(bench, "[GROUP]", "what operations cost, in instructions (QEMU with -icount)", cmd_bench);

static int cmd_bench_profile(int argc, char **argv)
{
	profiling = true;
	return bench(argc, argv);
}
MONITOR_CMD(bench_profile, "[GROUP]", "few of each, stopping before and after until a byte comes", cmd_bench_profile);
