/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over the page tables in the order of addresses, one entry at a time (contract: <asm/pgtable.h>).
 *
 * The walk keeps, for each level, the table it is in and the entry to look at next: a stack four deep, so nothing
 * recurses. It is the base of the check and of the list of mappings, and shares nothing but the formats with the code
 * that builds tables.
 */
#include <asm/pgtable.h>

void pt_walk_start(struct pt_walk *walk)
{
	*walk = (struct pt_walk){ .table = { boot_tables.pgd }, .base = { LINEAR_START } };
}

static void descend(struct pt_walk *walk)
{
	int level = walk->depth + 1;

	walk->table[level] = pt_table(walk->entry & PTE_ADDR_MASK, level);
	walk->base[level] = walk->va;
	walk->next[level] = 0;
	walk->depth = level;
}

bool pt_walk_next(struct pt_walk *walk)
{
	while (walk->depth >= 0) {
		int level = walk->depth;
		unsigned int i = walk->next[level]++;

		if (i == PT_ENTRIES) {
			walk->depth--;
			continue;
		}
		walk->entry = READ_ONCE(walk->table[level][i]);
		if (!walk->entry)
			continue;
		walk->va = walk->base[level] + i * PT_SPAN(level);
		walk->size = PT_SPAN(level);
		walk->level = level;
		if (pt_is_table(walk->entry, level))
			descend(walk);
		return true;
	}
	return false;
}
