/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What the files of the benchmark in Linux share.
 *
 * 1. A figure is the virtual counter at the end less the counter at the start. Under QEMU's -icount shift=0 it counts
 *    nanoseconds, one for each instruction of the machine, so all CPUs but those measured must be idle.
 * 2. Rows have the names of test/bench/rows.toml and are said as memstage's image says them, "bench: ROW INSTRUCTIONS
 *    OPERATIONS". Sizes, counts and orders of freeing are the same on both sides.
 * 3. The order of rows is part of the measurement: what one leaves behind in caches and tuned sizes is what the next
 *    finds. A new row goes behind the others.
 */
#ifndef _MM_MMBENCH_H
#define _MM_MMBENCH_H

#include <linux/types.h>

static __always_inline u64 counter(void)
{
	u64 value;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

/** mmbench_report() - the line of a row that took @counts of the counter for @operations */
void mmbench_report(const char *row, u64 counts, u64 operations);

/** mmbench_report_half() - the same for the row "@row_@half" */
void mmbench_report_half(const char *row, const char *half, u64 counts, u64 operations);

/* Define @name(n): n times the statements, and what they took. */
/* clang-format off */
#define LOOP(name, ...)                                                     \
	static noinline u64 name(unsigned long n)                           \
	{                                                                   \
		u64 start = counter();                                      \
                                                                            \
		for (unsigned long i = 0; i < n; i++) { __VA_ARGS__ }       \
		return counter() - start;                                   \
	}
/* clang-format on */

/** mmbench_run() - warm up, run @loop three times with @n operations, report the least */
void mmbench_run(const char *row, u64 (*loop)(unsigned long n), unsigned long n);

/* Slots for what batches allocate. */
#define MMBENCH_SLOTS 131072UL
extern void **mmbench_slots;

/* The groups of rows, in the order in which they are measured. */
void mmbench_loops(void);
void mmbench_batches(void);
void mmbench_cpus(void);
void mmbench_slab_bytes(void);
void mmbench_cycle(void);
void mmbench_interrupts(void);
void mmbench_singles(void);

#endif
