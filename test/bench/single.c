// SPDX-License-Identifier: BSD-2-Clause
/*
 * The worst single operation, and the 99.9th percentile, of 100,000: what a loop's mean hides.
 *
 * Each operation is counted on its own; what the two reads of the counter take by themselves is taken off. Objects are
 * allocated one after the other and freed in the same order, so stacks run empty and full, and slabs and blocks come
 * and go.
 */
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/page.h>
#include <mm/slab.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define OPERATIONS  100000UL
#define COUNT_ORDER 7
#define PERMILLE    999

_Static_assert((PAGE_SIZE << COUNT_ORDER) >= OPERATIONS * sizeof(u32), "a block holds a count for each operation");

static u32 *counts;

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

static void report(const char *what, const char *half)
{
	char name[64];

	qsort(counts, OPERATIONS, sizeof(*counts), compare);
	snprintf(name, sizeof(name), "worst_%s_%s", what, half);
	bench_report(name, counts[OPERATIONS - 1], 1);
	snprintf(name, sizeof(name), "p999_%s_%s", what, half);
	bench_report(name, counts[OPERATIONS / 1000 * PERMILLE], 1);
}

/* What reading the counter twice takes. */
static u32 overhead(void)
{
	u64 least = ~0ULL;

	for (int i = 0; i < 16; i++) {
		u64 start = get_cycles();

		least = min(least, get_cycles() - start);
	}
	return (u32)least;
}

/* clang-format off */
#define EACH(name, statement)                                                  \
	static __noinline void name(u32 less)                                    \
	{                                                                      \
		for (unsigned long i = 0; i < OPERATIONS; i++) {               \
			u64 start = get_cycles();                              \
                                                                               \
			statement;                                             \
			counts[i] = (u32)(get_cycles() - start) - less;        \
		}                                                              \
	}
EACH(each_kmalloc, bench_slots[i] = kmalloc(64, GFP_KERNEL))
EACH(each_kfree, kfree(bench_slots[i]))
EACH(each_alloc_page, bench_slots[i] = alloc_page(GFP_KERNEL))
EACH(each_free_page, __free_page(bench_slots[i]))
/* clang-format on */

void bench_single(void)
{
	struct page *block = alloc_pages(GFP_KERNEL, COUNT_ORDER);
	u32 less = overhead();

	if (!block) {
		bench_fail("single", "no memory for the counts");
		return;
	}
	counts = page_address(block);
	each_kmalloc(less);
	report("kmalloc64", "alloc");
	each_kfree(less);
	report("kmalloc64", "free");
	if (!bench_has_pages("worst_page0", OPERATIONS))
		goto free_counts;
	each_alloc_page(less);
	report("page0", "alloc");
	each_free_page(less);
	report("page0", "free");
free_counts:
	__free_pages(block, COUNT_ORDER);
}
