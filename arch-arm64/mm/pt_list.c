/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `mappings`: what is mapped where, and what may be done there.
 *
 * Neighbours are shown as one line when addresses, physical addresses and attributes go on from one to the next. The
 * size of blocks makes no difference to a program, so it is not told apart; the last line counts them.
 */
#include <lib/monitor.h>
#include <lib/printk.h>

#include <asm/mmu.h>
#include <asm/pgtable.h>

#define ATTR_MASK (~PTE_ADDR_MASK & ~PTE_TYPE_MASK & ~PTE_CONT)

/**
 * struct run - neighbouring mappings
 * @va: first address
 * @pa: what it is mapped to
 * @size: bytes; 0 before the first
 * @attr: attribute bits of every entry
 */
struct run {
	u64 va;
	phys_addr_t pa;
	u64 size;
	u64 attr;
};

static const char *memory_type(u64 attr)
{
	static const char *const names[8] = {
		[MAIR_IDX_DEVICE_nGnRnE] = "device nGnRnE", [MAIR_IDX_DEVICE_nGnRE] = "device nGnRE",
		[MAIR_IDX_NORMAL_NC] = "uncached",	    [MAIR_IDX_NORMAL_WT] = "write-through",
		[MAIR_IDX_NORMAL_WB] = "write-back",
	};
	const char *name = names[(attr >> 2) & 7];

	return name ? name : "unknown";
}

static void print_run(const struct run *run)
{
	if (run->size)
		con_printf("0x%016llx-0x%016llx -> 0x%012llx %9llu KiB r%c%c %s%s\n", run->va, run->va + run->size - 1,
			   run->pa, run->size / 1024, run->attr & PTE_RDONLY ? '-' : 'w',
			   run->attr & PTE_PXN ? '-' : 'x', memory_type(run->attr),
			   run->attr & PTE_GP ? ", guarded" : "");
}

static bool run_goes_on(const struct run *run, u64 va, phys_addr_t pa, u64 attr)
{
	return run->size && va == run->va + run->size && pa == run->pa + run->size && attr == run->attr;
}

static void list_runs(void)
{
	struct run run = { .size = 0 };
	struct pt_walk walk;

	pt_walk_start(&walk);
	while (pt_walk_next(&walk)) {
		phys_addr_t pa = walk.entry & PTE_ADDR_MASK;
		u64 attr = walk.entry & ATTR_MASK;

		if (pt_is_table(walk.entry, walk.level))
			continue;
		if (!run_goes_on(&run, walk.va, pa, attr)) {
			print_run(&run);
			run = (struct run){ .va = walk.va, .pa = pa, .attr = attr };
		}
		run.size += PT_SPAN(walk.level);
	}
	print_run(&run);
}

static int cmd_mappings(int argc, char **argv)
{
	struct pt_stats stats;
	bool good = arch_pt_check(&stats);

	(void)argc;
	(void)argv;
	list_runs();
	con_printf("%lu tables; mapped by %lu blocks of 1 GiB, %lu of 2 MiB, %lu pages; rules %s\n", stats.tables,
		   stats.leaves[1], stats.leaves[2], stats.leaves[3], good ? "kept" : "broken");
	return good ? 0 : -1;
}

MONITOR_CMD(mappings, "", "what is mapped where, and whether the page tables keep W^X", cmd_mappings);
