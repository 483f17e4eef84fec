// SPDX-License-Identifier: BSD-2-Clause
/*
 * A machine for the table engine that finds fault with every step (interface: recorder.h).
 *
 * 1. A table is a page of host memory, and its address is its physical address. It is linked when an entry of a linked
 *    table points to it; boot_tables.pgd is linked from the start. What is written to a table that is not linked is
 *    nobody's business.
 * 2. The TLB is the worst that the architecture allows: it keeps every translation that was ever valid until it is
 *    told. When a valid entry is overwritten, its old value is put on the list of stale ones: (1) made, (2) written,
 *    when a barrier has followed the store, (3) begun, when its address has been invalidated after that, and off the
 *    list at the barrier behind.
 * 3. A valid entry may become another valid one in its rights only, and in no group. An entry may become valid only
 *    when no stale one overlaps what it maps, its whole group counted: this is break-before-make. One of a group may
 *    become valid only while each of the others is 0 or in line with it.
 * 4. Outside of pt_live_begin() and pt_live_end() only addresses of the range that the test has named may lose their
 *    mapping; within them tables must not be looked up, for the linear map is broken.
 * 5. A table is linked and unlinked while tables are held, or live; it is freed when it is not linked and not stale. So
 *    is an entry of a group changed.
 * 6. Stores and barriers are numbered. A table is linked when a barrier has followed the last store to it; and the last
 *    store that made an entry valid is followed by one before others go on, or the call returns.
 * 7. A table of vmalloc's addresses is retired, empty, if it was ever linked; any other is freed.
 * 8. A table that maps nothing of the addresses that a test has named is not looked up: it may be somebody else's, and
 *    gone.
 */
#include "recorder.h"

#include <lib/mutex.h>
#include <stdlib.h>
#include <string.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/pt_hw.h>

#include "../tap.h"

#define PAGES_MAX 8192
#define RIGHTS	  (PTE_RDONLY | PTE_PXN)
#define DEPTH_MAX 1024
#define check(cond, ...)                                           \
	do {                                                       \
		if (!(cond))                                       \
			tap_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

/* What is known of a table. */
struct table_page {
	u64 *table;
	bool linked;
	bool boot;
	bool own;
	int level;
	u64 va;
	unsigned long stored; /* number of the last store to it */
};

enum stale_state { MADE, WRITTEN, BEGUN };

/* What a TLB may hold and must forget. */
struct stale {
	u64 va, size;
	u64 entry;
	int level;
	enum stale_state state;
	bool live; /* made in a live moment */
};

struct boot_tables boot_tables;
DEFINE_MUTEX(pt_mutex);

static struct table_page pages[PAGES_MAX];
static unsigned int nr_pages;
static struct stale *stale;
static size_t nr_stale, max_stale;
static u64 allowed_start, allowed_end;
static bool live, held, boot = true;
static unsigned int fail_after = ~0U;
static long counted;
static unsigned long lives;
static unsigned long steps;	   /* stores to tables and barriers until now */
static unsigned long last_barrier; /* number of the last of them */
static unsigned long last_valid;   /* number of the last store that made an entry of a linked table valid */
static u64 reach_start, reach_end; /* tables that map nothing of that are not looked up; 0 and 0 for anything */

/* --- pages --- */

static struct table_page *page_of(const u64 *slot)
{
	const u64 *table = (const u64 *)((uintptr_t)slot & PAGE_MASK);

	for (unsigned int i = 0; i < nr_pages; i++)
		if (pages[i].table == table)
			return &pages[i];
	tap_fail(__FILE__, __LINE__, "%p lies in no table", (const void *)slot);
}

static void add_pgd(void)
{
	if (!nr_pages)
		pages[nr_pages++] = (struct table_page){ boot_tables.pgd, true, true, false, 0, LINEAR_START, 0 };
}

static phys_addr_t new_page(bool for_boot)
{
	void *table = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	add_pgd();
	check(table && nr_pages < PAGES_MAX, "the host has no page, or %u are in use", nr_pages);
	memset(table, 0xa5, PAGE_SIZE);
	pages[nr_pages++] = (struct table_page){ .table = table, .boot = for_boot };
	return (uintptr_t)table;
}

phys_addr_t recorder_boot_page(void)
{
	return new_page(true);
}

phys_addr_t pt_page_new(void)
{
	check(!live, "a page is asked for in a live moment");
	if (!fail_after)
		return 0;
	if (fail_after != ~0U)
		fail_after--;
	return new_page(false);
}

phys_addr_t pt_page_new_thread(void)
{
	check(!held, "a page is waited for while tables are held");
	return pt_page_new();
}

static void free_page(phys_addr_t pa)
{
	struct table_page *page = page_of((const u64 *)(uintptr_t)pa);

	check(!page->linked && !page->boot, "the table %#llx is freed and %s", pa,
	      page->boot ? "the boot's" : "linked");
	for (size_t i = 0; i < nr_stale; i++)
		check(!pt_is_table(stale[i].entry, stale[i].level) || pt_entry_pa(stale[i].entry) != pa,
		      "the table %#llx is freed and a TLB may know it, at %#llx", pa, stale[i].va);
	free(page->table);
	*page = pages[--nr_pages];
}

void pt_page_free(phys_addr_t pa)
{
	const struct table_page *page = page_of((const u64 *)(uintptr_t)pa);

	check(!page->va || page->va < VMALLOC_START || page->va >= VMALLOC_END,
	      "the table at %#llx, of vmalloc's addresses, is freed, and not retired", page->va);
	free_page(pa);
}

void pt_page_retire(phys_addr_t pa)
{
	const struct table_page *page = page_of((const u64 *)(uintptr_t)pa);

	check(page->va >= VMALLOC_START && page->va < VMALLOC_END, "the table at %#llx is retired, and not vmalloc's",
	      page->va);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		check(!page->table[i], "the table at %#llx is retired, and its entry %u is 0x%llx", page->va, i,
		      page->table[i]);
	free_page(pa);
}

static void check_reach(const struct table_page *page)
{
	u64 span = PT_ENTRIES * PT_SPAN(page->level);

	check(!page->linked || (page->va < reach_end && (page->va >= reach_start || reach_start - page->va < span)),
	      "the table of level %d at %#llx is looked up, and only [%#llx, %#llx) is the caller's", page->level,
	      page->va, reach_start, reach_end);
}

u64 *pt_table(phys_addr_t pa, int level)
{
	(void)level;
	check(!live, "the table %#llx is looked up in a live moment", pa);
	add_pgd();
	if (reach_end)
		check_reach(page_of((const u64 *)(uintptr_t)pa));
	return (u64 *)(uintptr_t)pa;
}

void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
	page_of(page)->stored = ++steps;
}

/* --- the TLB --- */

static void add_stale(u64 va, u64 entry, int level)
{
	if (nr_stale == max_stale) {
		max_stale = max_stale ? 2 * max_stale : 1024;
		stale = realloc(stale, max_stale * sizeof(*stale));
		check(stale, "no memory for %zu stale entries", max_stale);
	}
	stale[nr_stale++] = (struct stale){ va, PT_SPAN(level), entry, level, MADE, live };
}

void pt_written(void)
{
	last_barrier = ++steps;
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].state == MADE)
			stale[i].state = WRITTEN;
}

void pt_invalidate(u64 va)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].state == WRITTEN && va - stale[i].va < stale[i].size)
			stale[i].state = BEGUN;
}

void pt_invalidate_all(void)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].state == WRITTEN)
			stale[i].state = BEGUN;
}

void pt_invalidated(void)
{
	size_t left = 0;

	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].state != BEGUN)
			stale[left++] = stale[i];
	nr_stale = left;
}

static void check_no_stale(u64 va, u64 size, u64 entry)
{
	for (size_t i = 0; i < nr_stale; i++)
		check(stale[i].va >= va + size || va >= stale[i].va + stale[i].size,
		      "%#llx becomes valid, 0x%llx, and a TLB may hold 0x%llx for %#llx", va, entry, stale[i].entry,
		      stale[i].va);
}

/* --- linking --- */

static bool is_live_leaf(u64 entry, int level)
{
	return (entry & PTE_VALID) && !pt_is_table(entry, level);
}

static void may_link(u64 va)
{
	check(boot || held || live, "a table at %#llx is linked or unlinked, and tables are not held", va);
}

/* A table, and those below it, hang at @va now. */
static void link(u64 entry, int level, u64 va)
{
	struct table_page *todo[DEPTH_MAX];
	unsigned int n = 0;
	struct table_page *page = page_of((const u64 *)(uintptr_t)pt_entry_pa(entry));

	may_link(va);
	page->own = entry & PTE_OWN;
	page->level = level;
	page->va = va;
	todo[n++] = page;
	while (n) {
		page = todo[--n];
		check(!page->linked, "the table at %#llx is linked twice", page->va);
		check(page->stored < last_barrier,
		      "the table at %#llx is linked, and what it holds may be written later", page->va);
		page->linked = true;
		for (unsigned int i = 0; i < PT_ENTRIES; i++) {
			struct table_page *below;

			if (!pt_is_table(page->table[i], page->level))
				continue;
			below = page_of((const u64 *)(uintptr_t)pt_entry_pa(page->table[i]));
			below->own = page->table[i] & PTE_OWN;
			below->level = page->level + 1;
			below->va = page->va + i * PT_SPAN(page->level);
			todo[n++] = below;
		}
	}
}

/*
 * A table hangs nowhere any more; what it maps may be in TLBs. One that has tables itself is not unlinked by the
 * engine.
 */
static void unlink_page(u64 entry, int level)
{
	struct table_page *page = page_of((const u64 *)(uintptr_t)pt_entry_pa(entry));

	may_link(page->va);
	check(page->own, "the table at %#llx is unlinked and is not the engine's", page->va);
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		check(!pt_is_table(page->table[i], level), "the table at %#llx is unlinked and has tables", page->va);
		check(live || !is_live_leaf(page->table[i], level), "the table at %#llx is unlinked and maps %#llx",
		      page->va, page->va + i * PT_SPAN(level));
		if (page->table[i] & PTE_VALID)
			add_stale(page->va + i * PT_SPAN(level), page->table[i], level);
	}
	page->linked = false;
}

/* --- stores --- */

static void check_change(u64 va, u64 old, u64 entry, int level)
{
	bool leaves = is_live_leaf(old, level) && is_live_leaf(entry, level);

	check(leaves && !((old ^ entry) & ~RIGHTS), "%#llx, level %d, changes from 0x%llx to 0x%llx without a break",
	      va, level, old, entry);
	check(!(old & PTE_CONT), "%#llx, level %d, one of a group, changes its rights alone", va, level);
}

static void check_loss(u64 va, u64 old, int level)
{
	u64 end = va + PT_SPAN(level);

	if (is_live_leaf(old, level) && !live)
		check(va >= allowed_start && end <= allowed_end,
		      "%#llx-%#llx loses its mapping, and [%#llx, %#llx) may", va, end - 1, allowed_start, allowed_end);
}

/* A TLB may keep one of a group for all of it: the others map the same, or nothing. Some may be switched off still. */
static void check_group(const struct table_page *page, unsigned int i, u64 va, u64 entry)
{
	const unsigned int first = ALIGN_DOWN(i, PT_CONT_ENTRIES);

	for (unsigned int k = first; k < first + PT_CONT_ENTRIES; k++) {
		u64 line = entry + k * PT_SPAN(page->level) - i * PT_SPAN(page->level), other = page->table[k];

		check(!other || (other | PTE_VALID) == line,
		      "%#llx becomes valid, 0x%llx, one of a group, and %#llx has 0x%llx", va, entry,
		      page->va + k * PT_SPAN(page->level), other);
	}
}

static void check_written(const char *what)
{
	check(last_valid <= last_barrier, "%s, and a valid entry may be written later", what);
}

void pt_write(u64 *slot, u64 entry)
{
	struct table_page page = *page_of(slot);
	unsigned int i = (unsigned int)(slot - page.table);
	u64 va = page.va + i * PT_SPAN(page.level), old = *slot;
	u64 unit = entry & PTE_CONT ? PT_CONT_SPAN(page.level) : PT_SPAN(page.level);

	*slot = entry;
	page_of(slot)->stored = ++steps;
	if (!page.linked || entry == old)
		return;
	if (entry & PTE_VALID)
		last_valid = steps;
	check(boot || held || live || !((old | entry) & PTE_CONT),
	      "%#llx, level %d, one of a group, changes from 0x%llx to 0x%llx, and tables are not held", va, page.level,
	      old, entry);
	if (old & entry & PTE_VALID)
		check_change(va, old, entry, page.level);
	else if (entry & PTE_VALID)
		check_no_stale(ALIGN_DOWN(va, unit), unit, entry);
	if (old & PTE_VALID) {
		check_loss(va, old, page.level);
		add_stale(va, old, page.level);
		if (pt_is_table(old, page.level))
			unlink_page(old, page.level + 1);
	}
	if ((entry & PTE_CONT) && is_live_leaf(entry, page.level))
		check_group(&page, i, va, entry);
	if (pt_is_table(entry, page.level))
		link(entry, page.level + 1, va);
}

/* --- others --- */

u64 *pt_live_begin(u64 *slot)
{
	check(!live && !held, "a live moment within another, or with tables held");
	live = true;
	lives++;
	return slot;
}

void pt_live_end(void)
{
	check_written("a live moment ends");
	for (size_t i = 0; i < nr_stale; i++)
		check(!stale[i].live, "a live moment ends, and a TLB may hold 0x%llx for %#llx", stale[i].entry,
		      stale[i].va);
	live = false;
}

unsigned long pt_hold_tables(void)
{
	check(!held && !live, "tables are held twice, or in a live moment");
	held = true;
	return 0;
}

void pt_release_tables(unsigned long flags)
{
	(void)flags;
	held = false;
}

void pt_count(long n)
{
	counted += n;
}

unsigned long arch_table_pages(void)
{
	return (unsigned long)counted;
}

/* --- the interface --- */

void recorder_begin(u64 start, u64 end)
{
	add_pgd();
	boot = false;
	allowed_start = start;
	allowed_end = end;
}

void recorder_reach(u64 start, u64 end)
{
	reach_start = start;
	reach_end = end;
}

void recorder_end(void)
{
	recorder_reach(0, 0);
	check_written("it is the end");
	check(!nr_stale, "%zu stale entries are left, the first at %#llx", nr_stale, stale[0].va);
	check(!held && !live, "tables are held still, or it is a live moment");
	for (unsigned int i = 0; i < nr_pages; i++)
		check(pages[i].linked, "the page %p is linked nowhere, and not freed", (void *)pages[i].table);
	check(counted == (long)nr_pages - 1, "%ld tables are counted, %u are linked", counted, nr_pages - 1);
}

void recorder_fail_after(unsigned int n)
{
	fail_after = n;
}

unsigned long recorder_pages(void)
{
	add_pgd();
	return nr_pages - 1;
}

unsigned long recorder_lives(void)
{
	return lives;
}

/* Whether @n entries follow one another, from an address that is a multiple of @n of them. */
static bool in_line(const u64 *entry, unsigned int n, int level)
{
	bool same = entry[0] && !pt_is_table(entry[0], level) && pt_entry_pa(entry[0]) % (n * PT_SPAN(level)) == 0;

	for (unsigned int i = 1; same && i < n; i++)
		same = (entry[i] | PTE_CONT) == (entry[0] | PTE_CONT) + i * PT_SPAN(level);
	return same;
}

/*
 * Bit 1 tells tables and pages from blocks: at level 3 it is set, above it is so in tables alone, and level 0 has
 * nothing else.
 */
static void check_types(const struct table_page *page)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 entry = page->table[i];
		bool wide = page->level == PT_LAST_LEVEL || page->level == 0 || pt_is_table(entry, page->level);

		check(!entry || !(entry & PTE_TYPE_MASK & ~PTE_VALID) == !wide,
		      "%#llx, level %d, is of no type: 0x%llx", page->va + i * PT_SPAN(page->level), page->level,
		      entry);
	}
}

static void check_groups(const struct table_page *page)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i += PT_CONT_ENTRIES) {
		const u64 *group = &page->table[i];
		unsigned int marked = 0;

		for (unsigned int k = 0; k < PT_CONT_ENTRIES; k++)
			marked += group[k] & PTE_CONT ? 1 : 0;
		check(marked == (in_line(group, PT_CONT_ENTRIES, page->level) ? PT_CONT_ENTRIES : 0),
		      "%u entries from %#llx, level %d, are marked as a group", marked,
		      page->va + i * PT_SPAN(page->level), page->level);
	}
}

void recorder_check_shape(void)
{
	for (unsigned int i = 0; i < nr_pages; i++) {
		const struct table_page *page = &pages[i];
		bool empty = true;

		check_types(page);
		for (unsigned int k = 0; k < PT_ENTRIES && empty; k++)
			empty = !page->table[k];
		check(!empty || !page->own, "the table of level %d at %#llx is empty", page->level, page->va);
		if (page->level < 2)
			continue;
		check(!page->own || !in_line(page->table, PT_ENTRIES, page->level),
		      "the table of level %d at %#llx could be a block", page->level, page->va);
		check_groups(page);
	}
}
