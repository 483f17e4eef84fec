// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several CPUs: objects that are freed on another CPU than they came from, and all CPUs at once; interrupt handlers.
 *
 * 1. From CPU 0 to CPU 1: while one of them works the other sleeps, so what is counted is its alone.
 * 2. All at once: each CPU waits for the start, then does the same loop; from the first start to the last end, the
 *    instructions of all are counted, and divided by the operations of all. Who is ready early sleeps.
 */
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/slab.h>
#include <stdio.h>

#include <asm/timer.h>

#include "bench.h"

#define CROSS_WARMUP  4
#define AT_ONCE_OPS   200000UL
#define HANDLER_PAIRS 1000UL
#define HANDLER_NS    10000000ULL /* much more than a handler takes */

struct cross {
	unsigned long n;
	u64 taken;
};

static void cross_kmalloc(void *arg)
{
	struct cross *cross = arg;
	u64 start = get_cycles();

	for (unsigned long i = 0; i < cross->n; i++)
		bench_slots[i] = kmalloc(64, GFP_KERNEL);
	cross->taken = get_cycles() - start;
}

static void cross_kfree(void *arg)
{
	struct cross *cross = arg;
	u64 start = get_cycles();

	for (unsigned long i = 0; i < cross->n; i++)
		kfree(bench_slots[i]);
	cross->taken = get_cycles() - start;
}

static void cross_alloc_page(void *arg)
{
	struct cross *cross = arg;
	u64 start = get_cycles();

	for (unsigned long i = 0; i < cross->n; i++)
		bench_slots[i] = alloc_page(GFP_KERNEL);
	cross->taken = get_cycles() - start;
}

static void cross_free_page(void *arg)
{
	struct cross *cross = arg;
	u64 start = get_cycles();

	for (unsigned long i = 0; i < cross->n; i++)
		__free_page(bench_slots[i]);
	cross->taken = get_cycles() - start;
}

static void cross_batch(const char *row, void (*alloc)(void *arg), void (*free)(void *arg), unsigned long count,
			int reps)
{
	const unsigned long n = bench_count(count, BENCH_FEW(count));
	struct cross cross = { n, 0 };
	u64 allocs = 0, frees = 0;
	char name[64];

	reps = bench_reps(reps);
	for (int rep = 0; rep < reps + CROSS_WARMUP; rep++) {
		bool measure = rep >= CROSS_WARMUP;

		if (rep == CROSS_WARMUP)
			bench_begin(row);
		alloc(&cross);
		allocs += measure ? cross.taken : 0;
		if (!bench_on_cpu(1, free, &cross)) {
			free(&cross);
			bench_fail(row, "CPU 1 does not take work");
			return;
		}
		frees += measure ? cross.taken : 0;
	}
	bench_end(row);
	snprintf(name, sizeof(name), "%s_alloc_cpu0", row);
	bench_report(name, allocs, n * (u64)reps);
	snprintf(name, sizeof(name), "%s_free_cpu1", row);
	bench_report(name, frees, n * (u64)reps);
	snprintf(name, sizeof(name), "%s_pair", row);
	bench_report(name, allocs + frees, n * (u64)reps);
}

/* clang-format off */
BENCH_LOOP(once_kmalloc, { kfree(kmalloc(64, GFP_KERNEL)); })
BENCH_LOOP(once_page, { __free_page(alloc_page(GFP_KERNEL)); })
BENCH_LOOP(once_page_5, { __free_pages(alloc_pages(GFP_KERNEL, 5), 5); })
/* clang-format on */

static struct at_once {
	u64 (*run)(unsigned long n);
	unsigned long n;
	u32 ready, go, finished; /* atomic */
	u64 start[CONFIG_NR_CPUS], end[CONFIG_NR_CPUS];
} at_once;

static void once_loop(void)
{
	int cpu = smp_processor_id();

	at_once.start[cpu] = arch_clock_ns();
	at_once.run(at_once.n);
	at_once.end[cpu] = arch_clock_ns();
	__atomic_fetch_add(&at_once.finished, 1, __ATOMIC_RELEASE);
}

static void once_cpu(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&at_once.ready, 1, __ATOMIC_RELEASE);
	bench_wake_waiter();
	while (!__atomic_load_n(&at_once.go, __ATOMIC_ACQUIRE))
		cpu_relax();
	once_loop();
	bench_wake_waiter();
}

/* From the first start to the last end. */
static u64 once_span(int nr)
{
	u64 start = at_once.start[0], end = at_once.end[0];

	for (int cpu = 1; cpu < nr; cpu++) {
		start = min(start, at_once.start[cpu]);
		end = max(end, at_once.end[cpu]);
	}
	return end - start;
}

static void run_at_once(const char *row, u64 (*run)(unsigned long n), int nr)
{
	char name[64];

	at_once = (struct at_once){ .run = run, .n = bench_count(AT_ONCE_OPS, 256) };
	snprintf(name, sizeof(name), "%s_t%d", row, nr);
	for (int cpu = 1; cpu < nr; cpu++)
		if (smp_work_start(cpu, once_cpu, NULL)) {
			bench_fail(name, "a CPU does not take work");
			__atomic_store_n(&at_once.go, 1, __ATOMIC_RELEASE);
			while (--cpu)
				smp_work_wait(cpu);
			return;
		}
	bench_sleep_until(&at_once.ready, (u32)nr - 1);
	bench_begin(name);
	__atomic_store_n(&at_once.go, 1, __ATOMIC_RELEASE);
	once_loop();
	bench_sleep_until(&at_once.finished, (u32)nr);
	for (int cpu = 1; cpu < nr; cpu++)
		smp_work_wait(cpu);
	bench_end(name);
	bench_report(name, once_span(nr), at_once.n * (u64)nr);
}

void bench_cpus(void)
{
	if (num_online_cpus() > 1) {
		cross_batch("xcpu_kmalloc64_x1000", cross_kmalloc, cross_kfree, 1000, 50);
		cross_batch("xcpu_kmalloc64_x10000", cross_kmalloc, cross_kfree, 10000, 20);
		cross_batch("xcpu_page0_x1000", cross_alloc_page, cross_free_page, 1000, 50);
		cross_batch("xcpu_page0_x10000", cross_alloc_page, cross_free_page, 10000, 20);
	}
	for (int nr = 1; nr <= num_online_cpus() && nr <= 4; nr *= 2) {
		run_at_once("at_once_kmalloc64", once_kmalloc, nr);
		run_at_once("at_once_page0", once_page, nr);
		run_at_once("at_once_page5", once_page_5, nr);
	}
}

static u64 handler_kmalloc, handler_page;
static u32 handler_runs; /* atomic */

static void handler(void)
{
	u64 start = get_cycles();

	for (unsigned long i = 0; i < HANDLER_PAIRS; i++)
		kfree(kmalloc(64, GFP_ATOMIC));
	handler_kmalloc = get_cycles() - start;
	start = get_cycles();
	for (unsigned long i = 0; i < HANDLER_PAIRS; i++)
		__free_page(alloc_page(GFP_ATOMIC));
	handler_page = get_cycles() - start;
	__atomic_fetch_add(&handler_runs, 1, __ATOMIC_RELEASE);
}

/* In the timer's handler. The second run counts. */
void bench_interrupt(void)
{
	handler_runs = 0;
	if (timer_start_periodic(HANDLER_NS, handler)) {
		bench_fail("irq_kmalloc_64", "there is no timer interrupt");
		return;
	}
	bench_sleep_until(&handler_runs, 2);
	timer_stop();
	bench_report("irq_kmalloc_64", handler_kmalloc, HANDLER_PAIRS);
	bench_report("irq_page_0", handler_page, HANDLER_PAIRS);
}
