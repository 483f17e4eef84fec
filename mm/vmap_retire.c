// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables and blocks of vmalloc's that have been taken out, until they can be freed.
 *
 * 1. vfree() finds its area without a lock: down the page tables to the block, and to the slot in it
 *    (vmap_slot_claim()). With an address that is somebody's, all of that stays. With one that was freed before,
 *    perhaps by another CPU at this moment, it may walk over what is just given up: a table of any level, or a struct
 *    vmap_block.
 * 2. So none of these is freed when it is taken out. It is retired: what such a walk reads in it stays, and leads
 *    nowhere else: a table maps nothing, a slot has no pages.
 * 3. Such a walk runs with interrupts masked. When every CPU has taken a cross call after the end of a table, no walk
 *    that could have found it is on its way, and it is freed: vmap_reap() takes the lists first, then calls all CPUs,
 *    then frees. Several may do so at once, each with what it has taken.
 * 4. One cross call serves many: who makes tables, has given some up, or has changed rights, by which blocks are split
 *    and merged, reaps when RETIRED_MANY wait and it may make cross calls. Handlers, and who has interrupts masked,
 *    only retire. Tables are made by threads, so what waits is bounded by RETIRED_MANY, by what one call gives up, and
 *    by what was in use since a thread made the last.
 * 5. Retired tables are pages that are allocated, linked nowhere: they are no part of arch_table_pages(). vmap_purge()
 *    leaves none that was retired before.
 *
 * Locks: retired.lock covers the lists (R). It is taken under that of the tables.
 */
#include <lib/smp.h>
#include <lib/spinlock.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "internal.h"
#include "vmap.h"

#define RETIRED_MANY 16

/**
 * struct retired - what waits
 * @tables: (R) pages, by their lru
 * @blocks: (R) blocks of slots, by their list
 * @nr_tables: (R) in the first; read at any time
 */
static struct retired {
	spinlock_t lock;
	struct list_head tables, blocks;
	unsigned long nr_tables;
} retired;

void vmap_retire_init(void)
{
	spin_lock_init(&retired.lock, "vmap retired", LOCK_RANK_VMAP_RETIRED);
	INIT_LIST_HEAD(&retired.tables);
	INIT_LIST_HEAD(&retired.blocks);
}

void vmap_retire_table(struct page *table)
{
	unsigned long flags = spin_lock_irqsave(&retired.lock);

	list_add(&table->lru, &retired.tables);
	ADD_ONCE(retired.nr_tables, 1);
	spin_unlock_irqrestore(&retired.lock, flags);
}

void vmap_retire_block(struct vmap_block *block)
{
	unsigned long flags = spin_lock_irqsave(&retired.lock);

	list_add(&block->list, &retired.blocks);
	spin_unlock_irqrestore(&retired.lock, flags);
}

unsigned long vmap_retired_tables(void)
{
	return READ_ONCE(retired.nr_tables);
}

static bool maps_nothing(struct page *table)
{
	const u64 *entry = page_address(table);

	for (unsigned long i = 0; i < VMAP_BLOCK_PAGES; i++)
		if (READ_ONCE(entry[i]))
			return false;
	return true;
}

bool vmap_retired_whole(void)
{
	unsigned long flags = spin_lock_irqsave(&retired.lock), n = 0;
	struct page *page;
	bool empty = true;

	list_for_each_entry(page, &retired.tables, lru) {
		empty &= maps_nothing(page);
		n++;
	}
	empty &= n == retired.nr_tables;
	spin_unlock_irqrestore(&retired.lock, flags);
	return empty;
}

static void take_all(struct list_head *from, struct list_head *to)
{
	while (!list_empty(from))
		list_move(from->next, to);
}

static void free_tables(struct list_head *tables)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, tables, lru) {
		page->mapping = NULL;
		__free_page(page);
	}
}

static void free_blocks(struct list_head *blocks)
{
	struct vmap_block *block, *next;

	list_for_each_entry_safe(block, next, blocks, list)
		kfree(block);
}

void vmap_reap(void)
{
	unsigned long flags;
	LIST_HEAD(tables);
	LIST_HEAD(blocks);

	flags = spin_lock_irqsave(&retired.lock);
	take_all(&retired.tables, &tables);
	take_all(&retired.blocks, &blocks);
	WRITE_ONCE(retired.nr_tables, 0);
	spin_unlock_irqrestore(&retired.lock, flags);
	if (list_empty(&tables) && list_empty(&blocks))
		return;
	kick_all_cpus_sync();
	free_tables(&tables);
	free_blocks(&blocks);
}

void vmap_reap_many(void)
{
	if (vmap_retired_tables() >= RETIRED_MANY && arch_cross_call_ok())
		vmap_reap();
}
