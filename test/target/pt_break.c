// SPDX-License-Identifier: BSD-2-Clause
/*
 * `ptbreak HOW`: page tables that break a rule, made on purpose, to see that `ptdump` finds and names it. `ptbreak
 * undo` puts all back. One rule is broken at a time, of memory that is taken for that and that nobody uses:
 *
 * 1. Three pages in the middle of an area of vmalloc()'s, the first and the last page stay as they are.
 * 2. A group of sixteen pages of the linear map, in a block of 2 MiB that is split: its first entry loses the
 *    contiguous hint, or gets other rights than the rest.
 * 3. A block of 2 MiB that vmalloc_huge() has mapped, whose address is made one that is no multiple of 2 MiB.
 * 4. Addresses that no part of the layout has, behind vmemmap: a page is mapped there, or a block at level 0.
 * 5. The count of tables.
 */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/mutex.h>
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <mm/vmalloc.h>
#include <string.h>

#include "target.h"

#define AREA_PAGES  5
#define BLOCK_ORDER 9
#define GROUP_PAGE  (2 * PT_CONT_ENTRIES) /* first page of the group, of those of the block */

/**
 * struct way - how a rule is broken
 * @name: what is typed
 * @make: take memory and break the rule. Return: false, with nothing changed, when that cannot be done.
 * @mend: put it back, and give the memory back
 * @set, @clear: what becomes of entries
 */
struct way {
	const char *name;
	bool (*make)(const struct way *way);
	void (*mend)(const struct way *way);
	u64 set, clear;
};

/* What is broken: @memory was taken for it, and a line of the check's names [@start, @end). No @way: nothing. */
static struct {
	const struct way *way;
	char *memory;
	u64 start, end;
} broken;

/* The entries of the @n units of @level from broken.start on. Nobody else changes them: their memory is ours. */
static void alter(int level, unsigned int n, u64 set, u64 clear)
{
	u64 next, *slot = pt_slot(broken.start, level, &next);

	for (unsigned int i = 0; i < n; i++)
		WRITE_ONCE(slot[i], (slot[i] | set) & ~clear);
	arch_flush_tlb_kernel(broken.start, broken.end);
}

static void set_range(char *memory, u64 offset, u64 size)
{
	broken.memory = memory;
	broken.start = (uintptr_t)memory + offset;
	broken.end = broken.start + size;
}

/* --- three pages of an area --- */

static bool make_pages(const struct way *way)
{
	char *area = vmalloc(AREA_PAGES * PAGE_SIZE);

	if (!area)
		return false;
	set_range(area, PAGE_SIZE, (AREA_PAGES - 2) * PAGE_SIZE);
	alter(PT_LAST_LEVEL, AREA_PAGES - 2, way->set, way->clear);
	return true;
}

static void mend_pages(const struct way *way)
{
	alter(PT_LAST_LEVEL, AREA_PAGES - 2, way->clear, way->set);
	vfree(broken.memory);
}

/* --- a group of pages --- */

static void free_split_block(char *block)
{
	set_memory_rw((unsigned long)block, 1);
	__free_pages(virt_to_page(block), BLOCK_ORDER);
}

static bool make_group(const struct way *way)
{
	struct page *pages = alloc_pages(GFP_KERNEL, BLOCK_ORDER);
	char *block = pages ? page_address(pages) : NULL;
	struct pt_unit unit;

	if (!block)
		return false;
	if (set_memory_ro((unsigned long)block, 1)) {
		__free_pages(pages, BLOCK_ORDER);
		return false;
	}
	set_range(block, GROUP_PAGE * PAGE_SIZE, PT_CONT_ENTRIES * PAGE_SIZE);
	pt_query(broken.start, &unit);
	if (!(unit.entry & PTE_CONT)) {
		free_split_block(block);
		return false;
	}
	alter(PT_LAST_LEVEL, 1, way->set, way->clear);
	return true;
}

static void mend_group(const struct way *way)
{
	alter(PT_LAST_LEVEL, 1, way->clear, way->set);
	free_split_block(broken.memory);
}

/* --- a block --- */

static bool make_block(const struct way *way)
{
	char *area = vmalloc_huge(2 * VMAP_BLOCK_SIZE, GFP_KERNEL);

	if (!area)
		return false;
	if (arch_vmap_table((uintptr_t)area)) {
		vfree(area);
		return false;
	}
	set_range(area, 0, VMAP_BLOCK_SIZE);
	alter(2, 1, way->set, way->clear);
	return true;
}

static void mend_block(const struct way *way)
{
	alter(2, 1, way->clear, way->set);
	vfree(broken.memory);
}

/* --- where nothing may be mapped --- */

static bool make_stray_page(const struct way *way)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int err;

	if (!page)
		return false;
	mutex_lock(&pt_mutex);
	err = pt_map_range(VMEMMAP_END, page_to_phys(page), PAGE_SIZE, way->set);
	mutex_unlock(&pt_mutex);
	if (err) {
		__free_page(page);
		return false;
	}
	set_range((char *)VMEMMAP_END, 0, PAGE_SIZE);
	broken.memory = page_address(page);
	return true;
}

static void mend_stray_page(const struct way *way)
{
	(void)way;
	mutex_lock(&pt_mutex);
	pt_unmap_range(VMEMMAP_END, PAGE_SIZE);
	mutex_unlock(&pt_mutex);
	__free_page(virt_to_page(broken.memory));
}

static bool make_top_block(const struct way *way)
{
	set_range((char *)VMEMMAP_END, 0, PT_SPAN(0));
	alter(0, 1, way->set, way->clear);
	return true;
}

static void mend_top_block(const struct way *way)
{
	alter(0, 1, way->clear, way->set);
}

/* --- the count of tables --- */

static void count(long n)
{
	unsigned long flags = pt_hold_tables();

	pt_count(n);
	pt_release_tables(flags);
}

static bool make_count(const struct way *way)
{
	(void)way;
	set_range(NULL, 0, 0);
	count(1);
	return true;
}

static void mend_count(const struct way *way)
{
	(void)way;
	count(-1);
}

/* --- all of them --- */

static const struct way ways[] = {
	{ "wx", make_pages, mend_pages, 0, PTE_PXN },
	{ "user", make_pages, mend_pages, PTE_USER, 0 },
	{ "user-exec", make_pages, mend_pages, 0, PTE_UXN },
	{ "wx-user", make_pages, mend_pages, PTE_USER, PTE_PXN },
	{ "no-access", make_pages, mend_pages, 0, PTE_AF },
	{ "ro-exec", make_pages, mend_pages, PTE_RDONLY, PTE_PXN },
	{ "ro-exec-guarded", make_pages, mend_pages, PTE_RDONLY | PTE_GP, PTE_PXN },
	{ "reserved", make_pages, mend_pages, 0, PTE_PAGE & ~PTE_VALID },
	{ "hint", make_pages, mend_pages, PTE_CONT, 0 },
	{ "group-hint", make_group, mend_group, 0, PTE_CONT },
	{ "group-rights", make_group, mend_group, PTE_RDONLY, 0 },
	{ "misaligned", make_block, mend_block, PAGE_SIZE, 0 },
	{ "no-part", make_stray_page, mend_stray_page, PT_RW, 0 },
	{ "top-block", make_top_block, mend_top_block, PT_RW | PTE_BLOCK, 0 },
	{ "count", make_count, mend_count, 0, 0 },
};

bool pt_break(const char *how)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways) && !broken.way; i++) {
		if (strcmp(ways[i].name, how) != 0)
			continue;
		if (!(ways[i].make)(&ways[i]))
			return false;
		broken.way = &ways[i];
		return true;
	}
	return false;
}

void pt_mend(void)
{
	if (broken.way)
		(broken.way->mend)(broken.way);
	broken.way = NULL;
}

static int cmd_ptbreak(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "undo") == 0) {
		pt_mend();
		return 0;
	}
	if (argc != 2 || !pt_break(argv[1])) {
		con_printf("usage: ptbreak ");
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
			con_printf("%s|", ways[i].name);
		con_printf("undo, undo after each\n");
		return -EINVAL;
	}
	con_printf("ptbreak: 0x%llx-0x%llx\n", broken.start, broken.end);
	return 0;
}
MONITOR_CMD(ptbreak, "HOW|undo", "break a rule of the page tables on purpose, for ptdump to find", cmd_ptbreak);
