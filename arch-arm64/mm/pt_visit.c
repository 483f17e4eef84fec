/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over what is mapped on a machine that goes on mapping and unmapping (contract: pt_visit(), <asm/pgtable.h>).
 *
 * 1. What protects the walk is the lock under which tables come and go, pt_hold_tables(). While it is held, a table
 *    that the walk has found stays a table: nobody frees its page or gives it to another owner. The entries of a table
 *    of level 3 change without the lock, by who owns their addresses; each is read once, as a whole, and is either 0 or
 *    a mapping that was there at that moment.
 *    Blocks are split and merged while all other CPUs stand still (pt_live.c): one that holds the tables has interrupts
 *    masked, so it is waited for.
 * 2. The lock is held for a bounded time, BATCH steps of the walk, with interrupts masked; what was found is copied and
 *    handed on when it has been released. So whoever prints or sums up takes as long as it likes.
 * 3. Between two holds any table may go. pt_walk_refresh() finds the tables of the walk again from the top, by the
 *    indexes that the walk keeps: a pointer to a table is never used that was read before the lock was taken. Where a
 *    table is gone, the walk goes on behind the address space that it mapped. Where it has been merged into a block,
 *    the walk has seen what the block begins with: the rest of it is handed on as one leaf.
 * 4. So each mapping that is there from beginning to end is seen exactly once; one that comes or goes meanwhile may be
 *    seen or not. Addresses rise.
 *
 * 5. A group of entries with PTE_CONT is looked at as a whole, for each of them, in one hold: it changes while tables
 *    are held, or while all CPUs stand still (pt_change.c).
 *
 * Cost: about 30 instructions for each entry that maps something, 100 for one of a group, 4 for each that does not.
 */
#include <asm/mmu.h>
#include <asm/pgtable.h>

/* Steps in one hold. A step looks at what is left of four tables at most: so 32,768 entries. */
#define BATCH 16

/* A leaf stands at @level where the walk had a table. Return: whether the walk has not seen all that it maps. */
static bool rest_of_block(struct pt_walk *walk, int level, u64 entry)
{
	u64 at = walk->base[walk->depth] + walk->next[walk->depth] * PT_SPAN(walk->depth);
	u64 end = walk->base[level] + walk->next[level] * PT_SPAN(level);

	walk->depth = level;
	walk->va = at;
	walk->size = end - at;
	walk->entry = entry;
	walk->level = level;
	return entry && at != end;
}

bool pt_walk_refresh(struct pt_walk *walk)
{
	for (int level = 0; level < walk->depth; level++) {
		u64 entry = READ_ONCE(walk->table[level][walk->next[level] - 1]);

		if (!pt_is_table(entry, level))
			return rest_of_block(walk, level, entry);
		walk->table[level + 1] = pt_table(entry & PTE_ADDR_MASK, level + 1);
	}
	return false;
}

/**
 * struct batch - what one hold of the lock has found
 * @leaf, @count: the mappings, what is left of a block before those of the steps
 * @more: whether the walk has not ended
 */
struct batch {
	struct pt_leaf leaf[BATCH + 1];
	unsigned int count;
	bool more;
};

/* Whether the sixteen entries that the walk's is one of make a unit. */
static bool in_whole_group(const struct pt_walk *walk)
{
	unsigned int first = ALIGN_DOWN(walk->next[walk->level] - 1, PT_CONT_ENTRIES);
	const u64 *group = &walk->table[walk->level][first];
	u64 value = READ_ONCE(group[0]);

	if (walk->level < 2 || pt_entry_pa(value) & (PT_CONT_SPAN(walk->level) - 1))
		return false;
	for (unsigned int i = 0; i < PT_CONT_ENTRIES; i++, value += PT_SPAN(walk->level))
		if (READ_ONCE(group[i]) != value || !(value & PTE_CONT))
			return false;
	return true;
}

static void add_leaf(struct batch *batch, const struct pt_walk *walk)
{
	bool whole = (walk->entry & PTE_CONT) && in_whole_group(walk);

	batch->leaf[batch->count++] = (struct pt_leaf){ walk->va, walk->size, walk->entry, walk->level, whole };
}

static void look(struct pt_walk *walk, struct batch *batch)
{
	unsigned long flags = pt_hold_tables();

	batch->count = 0;
	batch->more = true;
	if (pt_walk_refresh(walk))
		add_leaf(batch, walk);
	for (int i = 0; i < BATCH && batch->more; i++) {
		batch->more = pt_walk_next(walk);
		if (batch->more && !pt_is_table(walk->entry, walk->level))
			add_leaf(batch, walk);
	}
	pt_release_tables(flags);
}

void pt_visit(void (*fn)(const struct pt_leaf *leaf, void *arg), void *arg)
{
	struct pt_walk walk;
	struct batch batch;

	pt_walk_start(&walk);
	do {
		look(&walk, &batch);
		for (unsigned int i = 0; i < batch.count; i++)
			(fn)(&batch.leaf[i], arg);
	} while (batch.more);
}

unsigned long pt_count_tables(unsigned long *accounted)
{
	unsigned long flags = pt_hold_tables(), count = 1;
	struct pt_walk walk;

	pt_walk_start(&walk);
	while (pt_walk_next(&walk)) {
		if (!pt_is_table(walk.entry, walk.level))
			continue;
		count++;
		if (walk.level == PT_LAST_LEVEL - 1)
			pt_walk_skip(&walk);
	}
	*accounted = arch_table_pages();
	pt_release_tables(flags);
	return count;
}
