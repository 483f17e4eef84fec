/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unmapping and protecting ranges, with the splitting and merging that takes (contract: <asm/pgtable.h>).
 *
 * 1. A change has five steps. It is checked as a whole. Pages for all tables that splitting may need, at most two for
 *    each end, are taken: from here on nothing fails. Units that reach over an end are split. Then each entry of the
 *    range is within it as a whole, and is rewritten. At last tables that are empty are freed, and what is uniform is
 *    merged.
 * 2. Splitting changes no translation: a group loses PTE_CONT, a block becomes a table of the next level, with groups
 *    but where the end lies, and so on down. The new tables are complete before one entry is made to point to them.
 * 3. Merging is the reverse, from level 3 upwards: a table of 512 leaves that are alike and lie behind one another
 *    becomes a block, sixteen entries become a group. So tables are always in the largest units that alignment allows,
 *    and who undoes a change finds them as they were. Only tables with PTE_OWN are freed; vmalloc's are left as vmalloc
 *    wrote them. A table of vmalloc's addresses is retired, with all entries 0, for who looks there for a table takes
 *    no lock (vmap.c).
 * 4. Break-before-make: an entry that is valid and becomes another block, table or group goes through 0, with the TLBs
 *    told in between. In that moment nobody may use the addresses, and in the linear map everybody does. So all other
 *    CPUs stand still, and this one touches nothing but the image's data, its stack, and the entries through an alias:
 *    pt_live_begin(). A change of rights alone needs none of that, except in a group, whose entries must always be
 *    alike.
 * 5. TLBs: what is rewritten is invalidated in one batch, behind the last store, one entry at a time, or everything
 *    when that would be more than PT_FLUSH_MAX; one barrier waits for all. A table is freed only when that is done.
 * 6. In vmalloc's addresses below VMAP_PHYS_START vmalloc links and unlinks tables without pt_mutex, at any moment.
 *    There only rights are changed, of what stays mapped: no table on the way to it is empty. So whether a table is
 *    empty is asked without holding tables. What is behind the range is not looked at, for its tables may go at any
 *    moment: of a unit that reaches over an end, one page is in the range.
 * 7. A group changes while tables are held, or while all other CPUs stand still: whoever holds tables sees all of it as
 *    it was, or as it is.
 * 8. pt_clear_range() takes no mutex: it writes no entries but those of its range, to which nobody else writes, for a
 *    unit is made of one mapping's entries, and reads tables that are not empty, which nobody frees. It uses nothing
 *    static.
 *
 * Locks: pt_mutex covers values[] and gone[], and all of this; tables are unlinked while they are held, or while all
 * other CPUs stand still.
 */
#include <errno.h>

#include <lib/printk.h>

#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/pt_hw.h>

#include "pt_change.h"

#define ENDS	     2
#define SPLITS_MAX   2 /* of one unit: 1 GiB to 2 MiB, 2 MiB to pages */
#define GONE_MAX     32
#define LAST_SLOT_VA (~0ULL << PT_SHIFT(0))

/* What is to become of an entry: (entry & ~clear) | set. */
struct change {
	u64 set;
	u64 clear;
};

static const struct change unmap = { .clear = ~0ULL };

/**
 * struct pool - pages for tables, taken ahead
 * @page: @nr of them
 */
struct pool {
	phys_addr_t page[ENDS * SPLITS_MAX];
	unsigned int nr;
};

/**
 * struct flush - translations that TLBs have to forget
 * @start, @end: where they lie; nothing when @end is 0
 * @stride: size of the smallest
 */
struct flush {
	u64 start, end;
	u64 stride;
};

/**
 * struct gone - a table that is unlinked and that TLBs may know
 * @pa: it
 * @va: an address that it mapped
 */
struct gone {
	phys_addr_t pa;
	u64 va;
};

static u64 values[PT_ENTRIES]; /* what replace() makes of entries */
static struct gone gone[GONE_MAX];
static unsigned int nr_gone;

static u64 apply(const struct change *change, u64 entry)
{
	return (entry & ~change->clear) | change->set;
}

/* --- invalidation --- */

static void flush_add(struct flush *flush, u64 va, u64 size, u64 stride)
{
	flush->start = flush->end ? min(flush->start, va) : va;
	flush->stride = flush->end ? min(flush->stride, stride) : stride;
	flush->end = max(flush->end, va + size);
}

static void flush_done(const struct flush *flush)
{
	pt_written();
	if (!flush->end)
		return;
	pt_invalidate_range(flush->start, flush->end, flush->stride);
	pt_invalidated();
}

/* --- break before make --- */

/* Whether any of @n entries points to a table, below which TLBs know pages. */
static bool any_table(const u64 *slot, unsigned int n, int level)
{
	for (unsigned int i = 0; i < n; i++)
		if (pt_is_table(slot[i], level))
			return true;
	return false;
}

/* The @n entries from @slot on, the first for @va, become values[]; @tables more are linked then. */
static void replace(u64 *slot, unsigned int n, u64 va, int level, long tables)
{
	u64 size = (u64)n << PT_SHIFT(level), *alias;
	u64 stride = any_table(slot, n, level) ? PT_SPAN(PT_LAST_LEVEL) : PT_SPAN(level);

	alias = pt_live_begin(slot);
	for (unsigned int i = 0; i < n; i++)
		pt_write(&alias[i], 0);
	pt_written();
	pt_invalidate_range(va, va + size, stride);
	pt_invalidated();
	for (unsigned int i = 0; i < n; i++)
		pt_write(&alias[i], values[i]);
	pt_written();
	pt_count(tables);
	pt_live_end();
}

/* --- pages for tables --- */

/* Tables that splitting at @at takes, which the unit that has @page begins at, reaches to, or reaches over. */
static unsigned int tables_for(u64 page, u64 at)
{
	struct pt_unit unit;
	unsigned int nr = 0;

	pt_query(page, &unit);
	for (int level = unit.level; at & (PT_SPAN(level) - 1); level++)
		nr++;
	return nr;
}

static void pool_drain(struct pool *pool)
{
	while (pool->nr)
		pt_page_free(pool->page[--pool->nr]);
}

/*
 * Enough for a split at each end; one too many when both lie in one block. Return: false, with none, when there are too
 * few.
 */
static bool pool_fill(struct pool *pool, u64 start, u64 end)
{
	unsigned int need = tables_for(start, start) + tables_for(end - PAGE_SIZE, end);

	for (pool->nr = 0; pool->nr < need; pool->nr++) {
		pool->page[pool->nr] = pt_page_new_thread();
		if (pool->page[pool->nr])
			continue;
		pool_drain(pool);
		return false;
	}
	return true;
}

/* --- splitting --- */

/* An entry of the level below @level - 1 that maps what @entry maps first. */
static u64 as_level(u64 entry, int level)
{
	u64 type = entry & PTE_VALID;

	if (level == PT_LAST_LEVEL)
		type |= PTE_PAGE & ~PTE_VALID;
	return (entry & ~(PTE_TYPE_MASK | PTE_CONT)) | type;
}

/* Fill a table of @level with what the block @entry maps, in groups but where @at lies within one. */
static void fill_split(u64 *table, int level, u64 entry, u64 at)
{
	unsigned int cut = at & (PT_CONT_SPAN(level) - 1) ? pt_index(at, level) / PT_CONT_ENTRIES : PT_ENTRIES;
	u64 value = as_level(entry, level);

	for (unsigned int i = 0; i < PT_ENTRIES; i++, value += PT_SPAN(level))
		pt_write(&table[i], value | (i / PT_CONT_ENTRIES == cut ? 0 : PTE_CONT));
}

/* Tables for the block @entry of @level, split at @at. Return: the entry that points to them; *@tables counts them. */
static u64 split_block(u64 entry, int level, u64 at, struct pool *pool, long *tables)
{
	u64 top = 0, *slot = &top;

	while (at & (PT_SPAN(level) - 1)) {
		phys_addr_t pa;
		u64 *table;

		BUG_ON(!pool->nr);
		pa = pool->page[--pool->nr];
		table = pt_table(pa, ++level);
		fill_split(table, level, entry, at);
		*slot = pa | PTE_TABLE | PTE_OWN;
		slot = &table[pt_index(at, level)];
		entry = *slot;
		++*tables;
	}
	return top;
}

/* The unit that has @page, which is mapped, does not reach over @at any more. */
static void split_at(u64 page, u64 at, struct pool *pool)
{
	struct pt_unit unit;
	unsigned int n = 1;
	long tables = 0;
	u64 *within;

	pt_query(page, &unit);
	if (unit.va == at || unit.va + unit.size == at)
		return;
	if (unit.entry & PTE_CONT)
		n = PT_CONT_ENTRIES;
	for (unsigned int i = 0; i < n; i++)
		values[i] = unit.slot[i] & ~PTE_CONT;
	within = &values[(at - unit.va) >> PT_SHIFT(unit.level)];
	if (at & (PT_SPAN(unit.level) - 1))
		*within = split_block(*within, unit.level, at, pool, &tables);
	replace(unit.slot, n, unit.va, unit.level, tables);
}

/* --- rewriting --- */

/* How many entries from @slot on, the first for @va, are leaves below @end. */
static unsigned int leaf_run(const u64 *slot, u64 va, u64 end, int level)
{
	unsigned int room = PT_ENTRIES - pt_index(va, level), n = 0;

	while (n < room && va + ((u64)n << PT_SHIFT(level)) < end && slot[n] && !pt_is_table(slot[n], level))
		n++;
	return n;
}

/* Whether @change alters a live group among @n entries, and what is left is live. */
static bool changes_group(const u64 *slot, unsigned int n, const struct change *change)
{
	for (unsigned int i = 0; i < n; i++) {
		u64 after = apply(change, slot[i]);

		if ((slot[i] & PTE_CONT) && (slot[i] & after & PTE_VALID) && slot[i] != after)
			return true;
	}
	return false;
}

/* Where no group stays live: no break is needed. */
static void rewrite_each(u64 *slot, unsigned int n, u64 va, int level, const struct change *change, struct flush *flush)
{
	unsigned long flags = pt_hold_tables();

	for (unsigned int i = 0; i < n; i++) {
		u64 before = slot[i];

		pt_write(&slot[i], apply(change, before));
		if (before & PTE_VALID)
			flush_add(flush, va + ((u64)i << PT_SHIFT(level)), PT_SPAN(level), PT_SPAN(level));
	}
	pt_release_tables(flags);
}

static void rewrite_run(u64 *slot, unsigned int n, u64 va, int level, const struct change *change, struct flush *flush)
{
	if (!changes_group(slot, n, change)) {
		rewrite_each(slot, n, va, level, change, flush);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		values[i] = apply(change, slot[i]);
	replace(slot, n, va, level, 0);
}

/* The units of [@va, @end), none of which reaches over an end. */
static void rewrite(u64 va, u64 end, const struct change *change)
{
	struct flush flush = { 0 };

	while (va < end) {
		struct pt_unit unit;
		unsigned int n;

		pt_query(va, &unit);
		n = leaf_run(unit.slot, va, end, unit.level);
		if (!n) {
			va = unit.va + unit.size;
			continue;
		}
		rewrite_run(unit.slot, n, va, unit.level, change, &flush);
		va += (u64)n << PT_SHIFT(unit.level);
	}
	flush_done(&flush);
}

/* --- merging and freeing --- */

/* Begins where something is most likely to be: at entry number @at. */
static bool is_empty(const u64 *table, unsigned int at)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (table[(at + i) % PT_ENTRIES])
			return false;
	return true;
}

/*
 * Whether @n entries are leaves that are alike and lie behind one another, from an address that is a multiple of their
 * sum.
 */
static bool is_uniform(const u64 *entry, unsigned int n, int level)
{
	u64 value = entry[0] & ~PTE_CONT;

	if (!value || pt_is_table(value, level) || (pt_entry_pa(value) & (n * PT_SPAN(level) - 1)))
		return false;
	for (unsigned int i = 0; i < n; i++, value += PT_SPAN(level))
		if ((entry[i] & ~PTE_CONT) != value)
			return false;
	return true;
}

/* Free a table that nothing points to any more, and no TLB knows. */
static void free_table(const struct gone *table)
{
	if (table->va < VMALLOC_START || table->va >= VMALLOC_END) {
		pt_page_free(table->pa);
		return;
	}
	clear_page(pt_table(table->pa, PT_LAST_LEVEL));
	pt_page_retire(table->pa);
}

static void free_gone(struct flush *flush)
{
	flush_done(flush);
	while (nr_gone)
		free_table(&gone[--nr_gone]);
	*flush = (struct flush){ 0 };
}

static void unlink_table(u64 *parent, u64 va, struct flush *flush)
{
	unsigned long flags = pt_hold_tables();

	gone[nr_gone++] = (struct gone){ pt_entry_pa(*parent), va };
	pt_write(parent, 0);
	pt_count(-1);
	pt_release_tables(flags);
	/* Any address below it will do. */
	flush_add(flush, va, PT_SPAN(PT_LAST_LEVEL), PT_SPAN(PT_LAST_LEVEL));
	if (nr_gone == GONE_MAX)
		free_gone(flush);
}

/* The table of @level that *@parent points to becomes a block. */
static void merge_table(u64 *parent, u64 va, int level, const u64 *table)
{
	const struct gone merged = { pt_entry_pa(*parent), va };

	values[0] = as_level(table[0], level - 1);
	replace(parent, 1, va, level - 1, -1);
	free_table(&merged);
}

static bool can_group(const u64 *group, int level)
{
	return !(group[0] & PTE_CONT) && is_uniform(group, PT_CONT_ENTRIES, level);
}

/* Make groups of the entries from number @i to @last of a table for @base. */
static void make_groups(u64 *table, u64 base, int level, unsigned int i, unsigned int last)
{
	while (i <= last) {
		unsigned int n = 0;

		for (; i + n <= last && can_group(&table[i + n], level); n += PT_CONT_ENTRIES)
			for (unsigned int k = n; k < n + PT_CONT_ENTRIES; k++)
				values[k] = table[i + k] | PTE_CONT;
		if (n)
			replace(&table[i], n, base + ((u64)i << PT_SHIFT(level)), level, 0);
		i += n + PT_CONT_ENTRIES;
	}
}

_Static_assert(!(VMALLOC_START % PT_SPAN(0)) && !(VMAP_PHYS_START % PT_SPAN(0)) && !(VMALLOC_END % PT_SPAN(0)),
	       "vmalloc, and the engine in its addresses, share no table but the first");

/* Where vmalloc maps, its own tables keep the form that it gave them. */
static bool may_merge(u64 va, int level, u64 parent)
{
	return va < VMALLOC_START || va >= VMAP_PHYS_START || (level == PT_LAST_LEVEL && (parent & PTE_OWN));
}

/* The table of @level that *@parent points to, the part of it in [@start, @end) just rewritten. */
static void tidy_table(u64 *parent, int level, u64 start, u64 end, struct flush *flush)
{
	u64 base = ALIGN_DOWN(start, PT_SPAN(level - 1)), *table = pt_table(pt_entry_pa(*parent), level);
	bool own = *parent & PTE_OWN;

	if (own && is_empty(table, pt_index(start, level)))
		unlink_table(parent, base, flush);
	else if (level == 1 || !may_merge(base, level, *parent))
		return;
	else if (own && is_uniform(table, PT_ENTRIES, level))
		merge_table(parent, base, level, table);
	else
		make_groups(table, base, level, ALIGN_DOWN(pt_index(start, level), PT_CONT_ENTRIES),
			    pt_index(end - 1, level));
}

/* Free and merge what can be, in all tables that map part of [@start, @end). */
static void tidy(u64 start, u64 end)
{
	struct flush flush = { 0 };
	u64 next;

	for (int level = PT_LAST_LEVEL; level > 0; level--) {
		for (u64 va = start; va < end; va = next) {
			u64 *parent = pt_slot(va, level - 1, &next);

			if (parent && pt_is_table(*parent, level - 1))
				tidy_table(parent, level, va, min(end, next), &flush);
		}
	}
	free_gone(&flush);
}

unsigned int pt_unlink_empty(u64 va, phys_addr_t empty[PT_LAST_LEVEL])
{
	unsigned int n = 0;
	u64 next;

	for (int level = PT_LAST_LEVEL; level > 0; level--) {
		u64 *parent = pt_slot(va, level - 1, &next);

		if (!parent || !pt_is_table(*parent, level - 1))
			continue;
		if (!(*parent & PTE_OWN) || !is_empty(pt_table(pt_entry_pa(*parent), level), pt_index(va, level)))
			break;
		empty[n++] = pt_entry_pa(*parent);
		pt_write(parent, 0);
		pt_count(-1);
	}
	return n;
}

/* --- the interface --- */

int pt_check_range(const char *what, u64 va, u64 size)
{
	const char *why = NULL;

	if (!size)
		why = "nothing";
	else if ((va | size) & ~PAGE_MASK)
		why = "no whole pages";
	else if (va < LINEAR_START || va >= LAST_SLOT_VA || size > LAST_SLOT_VA - va)
		why = "not all of it addresses that the engine changes";
	if (why)
		printk("page tables: %s 0x%llx, 0x%llx bytes: %s: nothing changed\n", what, va, size, why);
	return why ? -EINVAL : 0;
}

int pt_check_free_range(const char *what, u64 va, u64 size)
{
	int err = pt_check_range(what, va, size);

	if (err || va >= VMAP_PHYS_START || va + size <= VMALLOC_START)
		return err;
	printk("page tables: %s 0x%llx-0x%llx: vmalloc has 0x%llx-0x%llx, and it alone maps and unmaps there: nothing changed\n",
	       what, va, va + size - 1, (u64)VMALLOC_START, (u64)VMAP_PHYS_START - 1);
	return -EINVAL;
}

static int check_mapped(const char *what, u64 va, u64 end)
{
	struct pt_unit unit;

	for (u64 at = va; at < end; at = unit.va + unit.size) {
		pt_query(at, &unit);
		if (unit.entry)
			continue;
		printk("page tables: %s 0x%llx-0x%llx: 0x%llx-0x%llx is not mapped: nothing changed\n", what, va,
		       end - 1, max(at, unit.va), min(end, unit.va + unit.size) - 1);
		return -ENOENT;
	}
	return 0;
}

static bool alters(u64 va, u64 end, const struct change *change)
{
	struct pt_unit unit;

	for (; va < end; va = unit.va + unit.size) {
		pt_query(va, &unit);
		if (apply(change, unit.entry) != unit.entry)
			return true;
	}
	return false;
}

static int change_range(const char *what, u64 va, u64 size, const struct change *change)
{
	struct pool pool;
	int err = pt_check_range(what, va, size);

	if (!err)
		err = check_mapped(what, va, va + size);
	if (err || !alters(va, va + size, change))
		return err;
	if (!pool_fill(&pool, va, va + size))
		return -ENOMEM;
	split_at(va, va, &pool);
	split_at(va + size - PAGE_SIZE, va + size, &pool);
	rewrite(va, va + size, change);
	tidy(va, va + size);
	pool_drain(&pool);
	return 0;
}

int pt_unmap_range(u64 va, u64 size)
{
	int err = pt_check_free_range("unmap", va, size);

	if (!err)
		err = change_range("unmap", va, size, &unmap);
	if (err == -ENOMEM)
		printk("page tables: unmap 0x%llx-0x%llx: no page for a table: nothing changed\n", va, va + size - 1);
	return err;
}

void pt_clear_range(u64 va, u64 size)
{
	rewrite(va, va + size, &unmap);
}

void pt_tidy_range(u64 va, u64 size)
{
	tidy(va, va + size);
}

int pt_protect_range(u64 va, u64 size, u64 set, u64 clear)
{
	struct change change = { set, clear };

	return change_range("protect", va, size, &change);
}

void pt_undo_map(u64 va, u64 end)
{
	if (va < end)
		rewrite(va, end, &unmap);
	/* And what was made on the way to the page at @end. */
	tidy(va, end + PAGE_SIZE);
}

void pt_merge_ends(u64 va, u64 end)
{
	tidy(va, va + PAGE_SIZE);
	tidy(end - PAGE_SIZE, end);
}
