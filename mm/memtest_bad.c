// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the memory test found: a sorted table of ranges of bad pages.
 *
 * 1. Each CPU has a table of its own, so recording needs no lock; the boot CPU merges them when all are done.
 * 2. The unit is the page, for that is what the page allocator gives out. Ranges that overlap or touch are one.
 * 3. A table has a fixed size, for memory that is broken cannot be asked for more. When it is full, a new range is
 *    joined with the nearest one, and the good pages between them are given up: nothing bad is ever forgotten.
 * 4. Of each range one wrong word is kept as an example: that of the first pattern, and of these the lowest, so what is
 *    reported does not depend on which CPU tested what.
 */
#include "memtest.h"

#include <mm/mmzone.h>
#include <string.h>

/* The first range that ends at or above @pa; nr when none does. */
static unsigned int first_ending_at(const struct bad_table *table, phys_addr_t pa)
{
	unsigned int low = 0, high = table->nr;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (table->range[middle].end < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool earlier(const struct bad_range *a, const struct bad_range *b)
{
	return a->pattern != b->pattern ? a->pattern < b->pattern : a->word < b->word;
}

/* @range becomes what covers both. */
static void join(struct bad_range *range, const struct bad_range *other)
{
	struct bad_range both = earlier(other, range) ? *other : *range;

	both.base = min(range->base, other->base);
	both.end = max(range->end, other->end);
	both.reads = range->reads + other->reads;
	*range = both;
}

static void open_slot(struct bad_table *table, unsigned int i)
{
	memmove(&table->range[i + 1], &table->range[i], (table->nr - i) * sizeof(table->range[0]));
	table->nr++;
}

static void close_slot(struct bad_table *table, unsigned int i)
{
	table->nr--;
	memmove(&table->range[i], &table->range[i + 1], (table->nr - i) * sizeof(table->range[0]));
}

/*
 * Of the ranges before and behind a new one, neither of which it touches, the nearest; the pages between are counted.
 */
static unsigned int nearest(struct bad_table *table, unsigned int behind, const struct bad_range *new)
{
	phys_addr_t below = behind ? new->base - table->range[behind - 1].end : ~(phys_addr_t)0;
	phys_addr_t above = behind < table->nr ? table->range[behind].base - new->end : ~(phys_addr_t)0;

	table->good_pages += min(below, above) >> PAGE_SHIFT;
	return below < above ? behind - 1 : behind;
}

void bad_insert(struct bad_table *table, const struct bad_range *new)
{
	unsigned int i = first_ending_at(table, new->base);
	bool touches = i < table->nr && table->range[i].base <= new->end;

	if (!touches && table->nr < BAD_RANGES) {
		open_slot(table, i);
		table->range[i] = *new;
		return;
	}
	if (!touches)
		i = nearest(table, i, new);
	join(&table->range[i], new);
	while (i + 1 < table->nr && table->range[i + 1].base <= table->range[i].end) {
		join(&table->range[i], &table->range[i + 1]);
		close_slot(table, i + 1);
	}
}

void bad_word(struct bad_table *table, phys_addr_t pa, unsigned int pattern, u64 expected, u64 seen)
{
	phys_addr_t page = ALIGN_DOWN(pa, PAGE_SIZE);

	bad_insert(table, &(struct bad_range){ .base = page,
					       .end = page + PAGE_SIZE,
					       .word = pa,
					       .expected = expected,
					       .seen = seen,
					       .reads = 1,
					       .pattern = pattern });
}

void bad_merge(struct bad_table *to, const struct bad_table *from)
{
	to->good_pages += from->good_pages;
	for (unsigned int i = 0; i < from->nr; i++)
		bad_insert(to, &from->range[i]);
}

phys_addr_t bad_lowest(const struct bad_table *table, phys_addr_t base, phys_addr_t end)
{
	/* A range that ends where this one begins does not overlap it. */
	unsigned int i = first_ending_at(table, base + 1);

	return i < table->nr && table->range[i].base < end ? table->range[i].base : end;
}
