/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the memory test share: patterns (memtest_pattern.c), results (memtest_bad.c), simulated faults. */
#ifndef MM_MEMTEST_INTERNAL_H
#define MM_MEMTEST_INTERNAL_H

#include <lib/types.h>
#include <mm/port.h>

/* --- memtest_bad.c --- */

/**
 * struct bad_range - pages in which memory did not keep what was written
 * @base, @end: whole pages, bytes, @end behind the last
 * @word: address of the wrong word that @expected and @seen are of: the first by pattern, then by address
 * @expected: what was written there
 * @seen: what was read
 * @reads: wrong reads of words in this range, all patterns together
 * @pattern: number of the pattern
 */
struct bad_range {
	phys_addr_t base, end;
	phys_addr_t word;
	u64 expected, seen;
	u64 reads;
	unsigned int pattern;
};

#define BAD_RANGES 72

/**
 * struct bad_table - what one CPU found; in one page
 * @nr: ranges in use
 * @good_pages: at most so many good pages were taken with bad ones because the table was full
 * @chunks: chunks of memory that the CPU has been through, all passes together
 * @range: sorted by base; no two touch
 */
struct bad_table {
	unsigned int nr;
	u64 good_pages;
	u64 chunks;
	struct bad_range range[BAD_RANGES];
};

_Static_assert(sizeof(struct bad_table) <= PAGE_SIZE, "a page per CPU is set aside for it");

/** bad_word() - record one wrong word at @pa. Cost: O(log ranges), a new range O(ranges). Needs no lock. */
void bad_word(struct bad_table *table, phys_addr_t pa, unsigned int pattern, u64 expected, u64 seen);

/** bad_insert() - record a range: joined with those it overlaps or touches; in a full table, with the nearest one */
void bad_insert(struct bad_table *table, const struct bad_range *new);

/** bad_merge() - add all of @from to @to */
void bad_merge(struct bad_table *to, const struct bad_table *from);

/** bad_lowest() - the lowest base of a range that overlaps [@base, @end); @end when none does */
phys_addr_t bad_lowest(const struct bad_table *table, phys_addr_t base, phys_addr_t end);

/* --- memtest_pattern.c --- */

enum pattern_kind {
	PATTERN_LINEAR, /* each word is the one before plus a constant: own address, and constants */
	PATTERN_WALK,	/* each word is the one before, rotated by one bit */
	PATTERN_RANDOM, /* a hash of the word's number */
};

/**
 * struct memtest_pattern - what to write where
 * @kind: the rule
 * @number: which of memtest=N, from 0
 * @start: what the rule makes of word 0
 * @step: (linear) what is added per word; (random) what each word is exclusive-ored with
 * @name: for the log
 */
struct memtest_pattern {
	enum pattern_kind kind;
	unsigned int number;
	u64 start, step;
	const char *name;
};

/** memtest_pattern() - pattern @number, below MEMTEST_MAX_PATTERNS */
struct memtest_pattern memtest_pattern(unsigned int number, u64 seed);

/** memtest_word() - what @pattern puts at @pa, a multiple of 8 */
u64 memtest_word(const struct memtest_pattern *pattern, phys_addr_t pa);

/** memtest_fill() - write @pattern to @size bytes, a multiple of 64, of the linear map */
void memtest_fill(const struct memtest_pattern *pattern, u64 *words, size_t size);

/** memtest_verify() - read it back; each word that differs goes into @bad */
void memtest_verify(const struct memtest_pattern *pattern, const u64 *words, size_t size, struct bad_table *bad);

/* --- memtest_fault.c, with CONFIG_SELFTEST only --- */

/** memtest_fault_args() - simulate what each memtest_fault=ADDRESS,BIT[,0] in @args says: that bit stuck at 1, or 0 */
/** memtest_apply_faults() - what broken memory makes of what has just been written to [@base, @base + @size) */
#ifdef CONFIG_SELFTEST
void memtest_fault_args(const char *args);
void memtest_apply_faults(phys_addr_t base, phys_addr_t size);
#else
static inline void memtest_fault_args(const char *args)
{
	(void)args;
}

static inline void memtest_apply_faults(phys_addr_t base, phys_addr_t size)
{
	(void)base;
	(void)size;
}
#endif

#endif
