/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the benchmarks in the image share.
 *
 * 1. A figure is get_cycles() at the end less get_cycles() at the start. Under -icount shift=0,sleep=off that is the
 *    guest instructions of the whole machine in between, so no CPU may run but those that are measured: a CPU that
 *    waits sleeps (bench_sleep_until()), idle CPUs write no struct pages ahead (memmap_ahead=0), and no timer runs.
 * 2. A row is said in one line, "bench: ROW INSTRUCTIONS OPERATIONS", for test/bench/bench.py to read; it knows what
 *    Linux takes for the row and what the budget is.
 * 3. Rows are measured as Linux's were: the same sizes, counts and orders of freeing, a warm-up of n/8 + 64 operations
 *    before three repetitions of which the least counts, and the three instructions of the loop included.
 */
#ifndef TEST_BENCH_H
#define TEST_BENCH_H

#include <lib/types.h>
#include <mm/port.h>

/**
 * struct bench_loop - one operation, repeated
 * @row: name of the row
 * @run: do it @n times; returns the instructions
 * @n: operations in a repetition
 */
struct bench_loop {
	const char *row;
	u64 (*run)(unsigned long n);
	unsigned long n;
};

/* Define @name(n): n times the statements, and what they took. */
#define BENCH_LOOP(name, ...)                         \
	static __noinline u64 name(unsigned long n)   \
	{                                             \
		u64 start = get_cycles();             \
                                                      \
		for (unsigned long i = 0; i < n; i++) \
			__VA_ARGS__                   \
		return get_cycles() - start;          \
	}

/** bench_run() - warm up, repeat and report each of @nr loops */
void bench_run(const struct bench_loop *loops, unsigned int nr);

/** bench_report() - the line of a row */
void bench_report(const char *row, u64 instructions, u64 operations);

/** bench_report_figure() - a row that is no count: @thousandths of whatever the row's unit is */
void bench_report_figure(const char *row, u64 thousandths);

/** bench_fail() - a row that could not be measured, and why; the run goes on and ends with a failing status */
void bench_fail(const char *row, const char *why);

/**
 * bench_has_pages() - whether a row may take @n pages, which is half of what is free at the most; else it has failed
 */
bool bench_has_pages(const char *row, unsigned long n);

/** bench_count() - how many operations a row does: @n, or @few when they are profiled */
unsigned long bench_count(unsigned long n, unsigned long few);

/* Few of a batch: those of a large one run stacks and lists full and empty, too. */
#define BENCH_FEW(n) min(1024UL, max(256UL, (n) / 32))

/** bench_reps() - how many repetitions: @reps, or one when they are profiled */
int bench_reps(int reps);

/**
 * bench_begin() - what follows, to bench_end(), is the row; a batch's two halves are one
 *
 * Both stop until somebody has begun to look on, when the row is profiled, and do nothing else.
 */
void bench_begin(const char *row);
void bench_end(const char *row);

/** bench_counts_instructions() - whether get_cycles() does: QEMU runs with -icount shift=0 */
bool bench_counts_instructions(void);

/* Slots for what is allocated and kept, enough for the largest batch. NULL while no group runs. */
#define BENCH_SLOTS 131072UL
extern void **bench_slots;

/** bench_random() - the generator of Linux's rows: 31 random bits */
u32 bench_random(void);
void bench_random_seed(u64 seed);

/**
 * bench_on_cpu() - run @fn(@arg) in thread context on CPU @cpu, this CPU asleep meanwhile unless it is @cpu
 *
 * Return: whether it ran.
 */
bool bench_on_cpu(int cpu, void (*fn)(void *arg), void *arg);

/** bench_wake_waiter() - on any CPU: let CPU 0, asleep in bench_sleep_until(), look again */
void bench_wake_waiter(void);

/** bench_sleep_until() - CPU 0: sleep until *@value is at least @least */
void bench_sleep_until(const u32 *value, u32 least);

/* The groups, a file each. */
void bench_kmalloc(void);
void bench_pages(void);
void bench_batches(void);
void bench_random_mixes(void);
void bench_cpus(void);
void bench_interrupt(void);
void bench_single(void);
void bench_slab_bytes(void);
void bench_boot(void);
void bench_memblock(void);
void bench_percpu(void);
void bench_pgtable(void);

#endif
