/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping ranges (contract and formats: <asm/pgtable.h>).
 *
 * 1. A range is cut into runs. A run lies in one table and consists of units of one kind, the largest that alignment
 *    and length allow: 1 GiB, 32 MiB (16 x 2 MiB with PTE_CONT), 2 MiB, 64 KiB (16 pages with PTE_CONT), a page. It is
 *    written in one loop. Where the next run is in another table, the walk starts at the top again.
 * 2. A new table is zeroed before the entry that points to it is written, with a barrier between, for the walker may
 *    read both at any moment. Entries only ever change from 0 to their value here, so no break-before-make and no TLB
 *    invalidation are needed: the architecture does not cache entries that map nothing.
 * 3. An entry that is not 0 is never overwritten: two owners of one address are a bug. One line names both mappings.
 *    Of a group all sixteen entries are looked at before one is written: a TLB may take a single valid entry with
 *    PTE_CONT for the whole of the group, and so for what its owner has mapped there.
 * 4. At boot there is nothing to be undone: tables come from memblock, and what fails ends the run. Later, what a
 *    failed pt_map_range() has mapped is unmapped again, and the tables that it made are freed; what was mapped
 *    completes units with its neighbours: they are merged (pt_change.c).
 * 5. pt_map_range() holds tables to link one and to write a run, and takes pages for tables while it does not: so they
 *    come from where a thread takes them, and not from what is kept for handlers.
 * 6. Who made a table says whose it is: one that the engine may free has PTE_OWN in the entry that points to it.
 *
 * Locks: none at boot. Later pt_mutex, and tables are linked while they are held (pt_hold_tables()).
 */
#include <errno.h>

#include <lib/printk.h>

#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/pt_hw.h>

#include "pt_change.h"

/**
 * struct pt_job - a range that is being mapped
 * @va, @pa, @size: what is left of it
 * @prot: attributes
 * @alloc: where tables come from
 * @own: tables down to this level get PTE_OWN
 * @hold: whether tables have to be held: not at boot, nor when the caller holds them
 * @table, @level, @table_va: the table that the last run was in, its level, an address in it; @level 0 before the first
 */
struct pt_job {
	u64 va;
	phys_addr_t pa;
	u64 size;
	u64 prot;
	pt_alloc_fn alloc;
	int own;
	bool hold;
	u64 *table;
	int level;
	u64 table_va;
};

/* An entry of @level that points to a new table; 0 when there is no memory for one. */
static u64 new_table(int level, const struct pt_job *job)
{
	phys_addr_t pa = job->alloc();

	if (!pa)
		return 0;
	clear_page(pt_table(pa, level + 1));
	pt_written();
	return pa | PTE_TABLE | (level < job->own ? PTE_OWN : 0);
}

static void link_table(u64 *slot, u64 entry, const struct pt_job *job)
{
	unsigned long flags = job->hold ? pt_hold_tables() : 0;

	pt_write(slot, entry);
	pt_count(1);
	if (job->hold)
		pt_release_tables(flags);
}

static void say_mapped(const struct pt_job *job, u64 va, u64 entry, int level)
{
	printk("page tables: 0x%llx is mapped to 0x%llx (level %d), and to be mapped to 0x%llx, with 0x%llx-0x%llx\n",
	       va, pt_entry_pa(entry), level, job->pa + (va - job->va), job->va, job->va + job->size - 1);
}

/* The table of @level that maps @job->va, made if need be. *@err is set when it is NULL. */
static u64 *find_table(const struct pt_job *job, int level, int *err)
{
	u64 *table = boot_tables.pgd;

	for (int l = 0; l < level; l++) {
		u64 *slot = &table[pt_index(job->va, l)];
		u64 entry = *slot;

		if (!entry) {
			entry = new_table(l, job);
			if (!entry) {
				*err = -ENOMEM;
				return NULL;
			}
			link_table(slot, entry, job);
		}
		if (!pt_is_table(entry, l)) {
			*err = -EEXIST;
			say_mapped(job, ALIGN_DOWN(job->va, PT_SPAN(l)), entry, l);
			return NULL;
		}
		table = pt_table(pt_entry_pa(entry), l + 1);
	}
	return table;
}

u64 *pt_find_table(u64 va, int level, pt_alloc_fn alloc)
{
	struct pt_job job = { .va = va, .alloc = alloc, .own = PT_LAST_LEVEL - 1 };
	int err;

	return find_table(&job, level, &err);
}

/* The largest unit that may begin the job: its level, and whether it is a group; *@span is set to its size. */
static int first_unit(const struct pt_job *job, u64 *span, u64 *cont)
{
	u64 bits = job->va | job->pa;
	int level = 1;

	for (; level <= PT_LAST_LEVEL; level++) {
		*cont = PTE_CONT;
		*span = PT_CONT_SPAN(level);
		if (level > 1 && !(bits & (*span - 1)) && job->size >= *span)
			return level;
		*cont = 0;
		*span = PT_SPAN(level);
		if (!(bits & (*span - 1)) && job->size >= *span)
			break;
	}
	return level;
}

/* How many entries the first run has, units of @span in a table of @level. */
static u64 run_length(const struct pt_job *job, int level, u64 span)
{
	u64 whole = ALIGN_DOWN(job->size, span) >> PT_SHIFT(level);
	u64 room = PT_ENTRIES - pt_index(job->va, level);

	/* Single entries end where a group may begin. */
	if (level > 1 && span == PT_SPAN(level) && !((job->va ^ job->pa) & (PT_CONT_SPAN(level) - 1)))
		room = PT_CONT_ENTRIES - pt_index(job->va, level) % PT_CONT_ENTRIES;
	return min(whole, room);
}

/* Write @n entries. Return: how many could be written, up to one that is not 0. */
static u64 write_run(u64 *first, u64 n, u64 value, u64 span)
{
	u64 *entry = first, *end = first + n;

#pragma GCC unroll 8
	for (; entry < end; entry++, value += span) {
		if (unlikely(READ_ONCE(*entry)))
			break;
		pt_write(entry, value);
	}
	return (u64)(entry - first);
}

/* The first of @n entries that is not 0; @n when there is none. */
static u64 first_taken(const u64 *entry, u64 n)
{
	u64 i = 0;

	while (i < n && !READ_ONCE(entry[i]))
		i++;
	return i;
}

/* Write @n entries, whole groups. Return: how many could be written; *@taken is the first that is not 0, or @n. */
static u64 write_groups(u64 *first, u64 n, u64 value, u64 span, u64 *taken)
{
	u64 done = 0;

	for (; done < n; done += PT_CONT_ENTRIES, value += PT_CONT_ENTRIES * span) {
		u64 i = first_taken(first + done, PT_CONT_ENTRIES);

		*taken = done + i;
		if (i < PT_CONT_ENTRIES)
			break;
		write_run(first + done, PT_CONT_ENTRIES, value, span);
	}
	return done;
}

/* The table for the first run: that of the run before, or by a walk from the top. *@err is set when it is NULL. */
static u64 *run_table(struct pt_job *job, int level, int *err)
{
	if (level != job->level || (job->va ^ job->table_va) >> PT_SHIFT(level - 1)) {
		job->table = find_table(job, level, err);
		job->table_va = job->va;
		job->level = level;
	}
	return job->table;
}

/* Map the first run. Return: 0, or an error with what could be mapped of it taken off the job. */
static int map_run(struct pt_job *job)
{
	u64 span, cont, *entry, n, done, taken = 0, value;
	unsigned long flags = 0;
	int level = first_unit(job, &span, &cont), err = 0;

	entry = run_table(job, level, &err);
	if (!entry)
		return err;
	if (job->hold)
		flags = pt_hold_tables();
	entry += pt_index(job->va, level);
	n = run_length(job, level, span);
	value = job->pa | job->prot | cont | (level == PT_LAST_LEVEL ? PTE_PAGE : PTE_BLOCK);
	if (cont)
		done = write_groups(entry, n, value, PT_SPAN(level), &taken);
	else
		done = taken = write_run(entry, n, value, PT_SPAN(level));
	if (job->hold)
		pt_release_tables(flags);
	if (done < n) {
		err = -EEXIST;
		say_mapped(job, job->va + (taken << PT_SHIFT(level)), entry[taken], level);
	}
	done <<= PT_SHIFT(level);
	job->va += done;
	job->pa += done;
	job->size -= done;
	return err;
}

int pt_map(u64 va, phys_addr_t pa, u64 size, u64 prot, pt_alloc_fn alloc)
{
	struct pt_job job = { .va = va, .pa = pa, .size = size, .prot = prot, .alloc = alloc };
	int err = 0;

	BUG_ON((va | pa | size) & ~PAGE_MASK);
	while (job.size && !err)
		err = map_run(&job);
	pt_written();
	return err;
}

int pt_map_range(u64 va, phys_addr_t pa, u64 size, u64 prot)
{
	struct pt_job job = { va, pa, size, prot, .alloc = pt_page_new_thread, .own = PT_LAST_LEVEL, .hold = true };
	int err = pt_check_free_range("map", va, size);

	if (!err && !IS_ALIGNED(pa, PAGE_SIZE)) {
		printk("page tables: map 0x%llx-0x%llx: to 0x%llx, which is no page: nothing changed\n", va,
		       va + size - 1, pa);
		err = -EINVAL;
	}
	if (err)
		return err;
	while (job.size && !err)
		err = map_run(&job);
	if (err)
		pt_undo_map(va, job.va);
	else
		pt_merge_ends(va, va + size);
	return err;
}
