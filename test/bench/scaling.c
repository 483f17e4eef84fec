// SPDX-License-Identifier: BSD-2-Clause
/*
 * `bench_scaling` at the prompt: how throughput grows with CPUs. Not under -icount: there CPUs take turns.
 *
 * 1. A measurement lets 1, 2 or 4 CPUs do one operation for WINDOW_NS, each counting how often, and adds up what each
 *    did in a second. Who is done sooner does not wait for the others: each CPU's rate is over its own time.
 * 2. In a round all operations have their turn at each number of CPUs, the empty loop among them, so that all see the
 *    same host; the median of ROUNDS counts. A ratio is that of several CPUs over that of one.
 * 3. What the host lets this machine have at the moment is the empty loop's ratio, the ceiling: two cores of the host
 *    do not give four CPUs four times one, and less when others want them. So each line has the share of it that was
 *    reached.
 * 4. "scaling: ROW CPUS RATIO SHARE", both in thousandths, for test/bench/scaling.py to read, and a line for each
 *    round.
 */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/slab.h>
#include <stdlib.h>

#include "bench.h"

#define ROUNDS	  31
#define WINDOW_NS 8000000ULL
#define CHUNK_NS  200000ULL /* a CPU looks at the clock about that often */
#define BATCH	  256UL
#define MAX_CPUS  4
#define NR_COUNTS 3 /* 1, 2 and 4 CPUs */
#define ONE	  1000ULL
#define PER_SEC	  1000000000ULL

/* clang-format off */
BENCH_LOOP(do_nothing, { __asm__ volatile("" : : : "memory"); })
BENCH_LOOP(kmalloc_pair, { kfree(kmalloc(64, GFP_KERNEL)); })
BENCH_LOOP(page_pair, { __free_page(alloc_page(GFP_KERNEL)); })
BENCH_LOOP(order_5_pair, { __free_pages(alloc_pages(GFP_KERNEL, 5), 5); })
/* clang-format on */

/* @n objects, BATCH at a time. */
static u64 kmalloc_batches(unsigned long n)
{
	void *object[BATCH];

	for (unsigned long done = 0; done < n; done += BATCH) {
		for (unsigned long i = 0; i < BATCH; i++)
			object[i] = kmalloc(64, GFP_KERNEL);
		for (unsigned long i = 0; i < BATCH; i++)
			kfree(object[i]);
	}
	return 0;
}

static u64 page_batches(unsigned long n)
{
	struct page *page[BATCH];

	for (unsigned long done = 0; done < n; done += BATCH) {
		for (unsigned long i = 0; i < BATCH; i++)
			page[i] = alloc_page(GFP_KERNEL);
		for (unsigned long i = 0; i < BATCH; i++)
			if (page[i])
				__free_page(page[i]);
	}
	return 0;
}

static const struct operation {
	const char *row;
	u64 (*run)(unsigned long n);
} operations[] = {
	{ "empty_loop", do_nothing },
	{ "kmalloc_64", kmalloc_pair },
	{ "page_0", page_pair },
	{ "page_5", order_5_pair },
	{ "batch_kmalloc64_x256", kmalloc_batches },
	{ "batch_page0_x256", page_batches },
};

#define NR_OPERATIONS ARRAY_SIZE(operations)

static u64 rates[NR_OPERATIONS][NR_COUNTS][ROUNDS]; /* operations in a second */

/**
 * struct window - one measurement
 * @run, @chunk: the operation, and how often between two looks at the clock: a multiple of BATCH
 * @waiting: (a) CPUs that still have to arrive
 * @rate: operations in a second, of each CPU
 */
static struct window {
	u64 (*run)(unsigned long n);
	unsigned long chunk;
	u32 waiting;
	u64 rate[MAX_CPUS];
} window;

static u64 rate_in(unsigned long chunk, u64 ns)
{
	u64 start = arch_clock_ns(), now, n = 0;

	do {
		window.run(chunk);
		n += chunk;
		now = arch_clock_ns();
	} while (now - start < ns);
	return n * PER_SEC / (now - start);
}

static void take_part(void *unused)
{
	(void)unused;
	__atomic_fetch_sub(&window.waiting, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&window.waiting, __ATOMIC_ACQUIRE))
		cpu_relax();
	window.rate[smp_processor_id()] = rate_in(window.chunk, WINDOW_NS);
}

/* Operations in a second of CPUs 0 to @nr - 1; 0 after a line when one of them takes no work. */
static u64 throughput(int nr)
{
	u64 sum = 0;

	window.waiting = (u32)nr;
	for (int cpu = 1; cpu < nr; cpu++)
		if (smp_work_start(cpu, take_part, NULL)) {
			con_printf("bench_scaling: CPU %d does not take work\n", cpu);
			__atomic_fetch_sub(&window.waiting, (u32)(nr - cpu + 1), __ATOMIC_ACQ_REL);
			while (--cpu)
				smp_work_wait(cpu);
			return 0;
		}
	take_part(NULL);
	for (int cpu = 1; cpu < nr; cpu++)
		smp_work_wait(cpu);
	for (int cpu = 0; cpu < nr; cpu++)
		sum += window.rate[cpu];
	return sum;
}

/* As many as take CHUNK_NS, at the rate of one CPU. */
static unsigned long chunk_of(void)
{
	u64 n = rate_in(BATCH, 10 * CHUNK_NS) / (PER_SEC / CHUNK_NS);

	return (unsigned long)(DIV_ROUND_UP(n, BATCH) * BATCH);
}

static bool measure(int round, size_t op, int counts)
{
	window.run = operations[op].run;
	window.chunk = chunk_of();
	for (int i = 0; i < counts; i++) {
		rates[op][i][round] = throughput(1 << i);
		if (!rates[op][i][round])
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static u64 median(u64 *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static void report(int counts)
{
	u64 ceiling[NR_COUNTS];

	for (size_t op = 0; op < NR_OPERATIONS; op++) {
		u64 one = median(rates[op][0]);

		for (int i = 0; i < counts; i++) {
			u64 ratio = median(rates[op][i]) * ONE / one;

			if (!op)
				ceiling[i] = ratio;
			con_printf("scaling: %s %d %llu %llu\n", operations[op].row, 1 << i, ratio,
				   ratio * ONE / ceiling[i]);
		}
	}
}

static int cmd_bench_scaling(int argc, char **argv)
{
	int counts = 0;

	(void)argv;
	if (argc > 1) {
		con_printf("bench_scaling takes no argument\n");
		return -EINVAL;
	}
	if (bench_counts_instructions()) {
		con_printf("bench_scaling: under -icount CPUs take turns: run QEMU without it\n");
		return -ENODEV;
	}
	while (counts < NR_COUNTS && 1 << counts <= num_online_cpus())
		counts++;
	for (int round = 0; round < ROUNDS; round++) {
		con_printf("scaling: round %d of %d\n", round + 1, ROUNDS);
		for (size_t op = 0; op < NR_OPERATIONS; op++)
			if (!measure(round, op, counts))
				return -EIO;
	}
	report(counts);
	con_printf("scaling: end\n");
	return 0;
}
MONITOR_CMD(bench_scaling, "", "throughput at 1, 2 and 4 CPUs, as ratios (QEMU without -icount)", cmd_bench_scaling);
