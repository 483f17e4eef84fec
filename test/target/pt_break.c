// SPDX-License-Identifier: BSD-2-Clause
/*
 * `ptbreak HOW`: page-table entries that break a rule, made on purpose, to see that `ptdump` finds and names them.
 *
 * An area of PAGES pages is taken from vmalloc(), and the entries of the pages in the middle are changed where they
 * stand. The first and the last page stay as they are. `ptbreak undo` puts all back and frees the area.
 */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/port.h>
#include <mm/vmalloc.h>
#include <string.h>

#include "target.h"

#define PAGES 5

static const struct pt_change {
	const char *name;
	u64 set, clear;
} changes[] = {
	{ "wx", 0, PTE_PXN },	     { "user", PTE_USER, 0 },
	{ "user-exec", 0, PTE_UXN }, { "wx-user", PTE_USER, PTE_PXN },
	{ "no-access", 0, PTE_AF },  { "ro-exec-guarded", PTE_RDONLY | PTE_GP, PTE_PXN },
};

static char *area;
static const struct pt_change *applied;

/* Change what the pages in the middle may be used for, the CPUs being told. */
static void change(u64 set, u64 clear)
{
	u64 *pte = arch_vmap_table((uintptr_t)area) + pt_index((uintptr_t)area, PT_LAST_LEVEL);

	for (int i = 1; i < PAGES - 1; i++)
		WRITE_ONCE(pte[i], (pte[i] | set) & ~clear);
	arch_flush_tlb_kernel((uintptr_t)area, (uintptr_t)area + PAGES * PAGE_SIZE);
}

bool pt_break(const char *how)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes) && !area; i++) {
		if (strcmp(changes[i].name, how) != 0)
			continue;
		area = vmalloc(PAGES * PAGE_SIZE);
		if (!area)
			return false;
		applied = &changes[i];
		change(applied->set, applied->clear);
		return true;
	}
	return false;
}

void pt_mend(void)
{
	if (!area)
		return;
	change(applied->clear, applied->set);
	vfree(area);
	area = NULL;
}

static int cmd_ptbreak(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "undo") == 0) {
		pt_mend();
		return 0;
	}
	if (argc != 2 || !pt_break(argv[1])) {
		con_printf(
			"usage: ptbreak wx|user|user-exec|wx-user|no-access|ro-exec-guarded|undo, undo after each\n");
		return -EINVAL;
	}
	con_printf("ptbreak: 0x%llx-0x%llx\n", (u64)(uintptr_t)area + PAGE_SIZE,
		   (u64)(uintptr_t)area + (PAGES - 1) * PAGE_SIZE);
	return 0;
}
MONITOR_CMD(ptbreak, "HOW|undo", "break a rule of the page tables on purpose, for ptdump to find", cmd_ptbreak);
