/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test of RAM before it is used: `memtest=N` or `memtest=N,SEED` in the boot arguments.
 *
 * N patterns go over all memory that is free at hand-over, with all CPUs; a page that did not give back what was
 * written is reserved ("bad RAM" in iomem) and never given out. What is in use by then (image, tree, page tables,
 * memmap) is not tested.
 */
#ifndef MM_MEMTEST_H
#define MM_MEMTEST_H

#include <lib/types.h>

/* As many patterns as there are different ones: see mm/memtest_pattern.c. */
#define MEMTEST_MAX_PATTERNS 262

/**
 * memtest_setup() - read memtest= from the boot arguments @args
 *
 * N is 0 (no test) to MEMTEST_MAX_PATTERNS; SEED, any number, chooses the random patterns, by default the clock does. A
 * value that is neither is said in one line, and there is no test. Context: boot CPU, before memtest_run().
 */
void memtest_setup(const char *args);

/**
 * memtest_run() - test all free memory of memblock, reserve what is bad
 *
 * Does nothing unless memtest_setup() was told to. What was in free memory is lost. Every bad range is one line with
 * its pages, its first wrong word, what was written there and what was read (the first MEMTEST_MAX_LINES ranges). Takes
 * one page per CPU for the results, listed as metadata.
 * Context: the boot CPU, thread, after mm_init() and before hand-over, all CPUs on line idle; interrupts may be masked.
 * Panics when memblock cannot record a bad range. Cost: N + 1 passes over free memory, 6 (own address,
 * constants, walks) to 13 (random) instructions per 8 bytes and pattern, shared by all CPUs.
 */
void memtest_run(void);

/* Bad ranges that get a line of their own. */
#define MEMTEST_MAX_LINES 32

/**
 * struct memtest_fault - simulated broken memory
 * @base, @size: the words in [@base, @base + @size), multiples of 8
 * @stride: distance of one broken word to the next in bytes, a multiple of 8; 8 for all
 * @zeros, @ones: bits that always read 0, or 1
 * @alias: if not 0, these words are the same cells as those from here on, @alias >= @base + @size
 */
struct memtest_fault {
	phys_addr_t base, size, stride;
	u64 zeros, ones;
	phys_addr_t alias;
};

/**
 * memtest_fault_add() - from here on memory seems to be broken to memtest_run(), and to nobody else
 *
 * Exists with CONFIG_SELFTEST only. Context: boot CPU. Return: 0; -ENOSPC when there are 16 already; -EINVAL when a
 * field is not as it should be.
 */
int memtest_fault_add(const struct memtest_fault *fault);

#endif
