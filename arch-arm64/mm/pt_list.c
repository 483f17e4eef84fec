/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `ptdump`: what the page tables map and what may be done there, in the manner of Linux's
 * kernel_page_tables.
 *
 * 1. A line is a run of neighbouring entries of one level with equal attributes: first address, one past the last,
 *    size, level (PUD 1 GiB, PMD 2 MiB, PTE 4 KiB), attributes in the order and with the names that Linux gives them.
 *    With -p a run ends where the physical addresses do not go on as well, and the first one is shown.
 * 2. Above the runs of each part of the layout stands its name, parts that map nothing included; a run ends with its
 *    part.
 * 3. The last line is the check's (pt_check.c): how many entries are writable and executable, how many EL0 can reach,
 *    how many break other rules. With -x nothing else is shown but what breaks a rule, which is in the log.
 *    The dump is right on a machine that maps and unmaps meanwhile, as far as there is such a thing: see pt_visit.c.
 *    Dump and check are two walks.
 */
#include <errno.h>
#include <string.h>

#include <lib/monitor.h>
#include <lib/printk.h>

#include <asm/mmu.h>
#include <asm/pgtable.h>

#define ATTR_MASK      (~PTE_ADDR_MASK & (~PTE_TYPE_MASK | PTE_VALID))
#define ATTR_MAIR      (7ULL << 2)
#define PTE_SHARED     (3ULL << 8)
#define PTE_NG	       (1ULL << 11)
#define ATTR_NAMES_MAX 80

/**
 * struct run - neighbouring mappings
 * @va: first address
 * @pa: what it is mapped to
 * @end: one past the last address; 0 before the first run
 * @attr: attribute bits of every entry
 * @level: of every entry
 */
struct run {
	u64 va;
	phys_addr_t pa;
	u64 end;
	u64 attr;
	int level;
};

/**
 * struct dump - where a dump is
 * @run: what the next line is about
 * @next_part: number of the first part whose name is not shown yet
 * @physical: whether physical addresses are shown
 */
struct dump {
	struct run run;
	unsigned int next_part;
	bool physical;
};

/* An attribute's names by the bits that @mask covers: @set when they are @value, else @clear. */
static const struct attr_name {
	u64 mask, value;
	const char *set, *clear;
} attr_names[] = {
	{ PTE_VALID, PTE_VALID, " ", "F" },
	{ PTE_USER, PTE_USER, "USR", "   " },
	{ PTE_RDONLY, PTE_RDONLY, "ro", "RW" },
	{ PTE_PXN, PTE_PXN, "NX", "x " },
	{ PTE_SHARED, PTE_SHARED, "SHD", "   " },
	{ PTE_AF, PTE_AF, "AF", "  " },
	{ PTE_NG, PTE_NG, "NG", "  " },
	{ PTE_CONT, PTE_CONT, "CON", "   " },
	{ PTE_UXN, PTE_UXN, "UXN", "   " },
	{ PTE_GP, PTE_GP, "GP", "  " },
	{ ATTR_MAIR, PTE_MAIR(MAIR_IDX_DEVICE_nGnRnE), "DEVICE/nGnRnE", NULL },
	{ ATTR_MAIR, PTE_MAIR(MAIR_IDX_DEVICE_nGnRE), "DEVICE/nGnRE", NULL },
	{ ATTR_MAIR, PTE_MAIR(MAIR_IDX_NORMAL_NC), "MEM/NORMAL-NC", NULL },
	{ ATTR_MAIR, PTE_MAIR(MAIR_IDX_NORMAL_WT), "MEM/NORMAL-WT", NULL },
	{ ATTR_MAIR, PTE_MAIR(MAIR_IDX_NORMAL_WB), "MEM/NORMAL", NULL },
	{ PTE_VALID, 0, "F", NULL }, /* switched off */
};

static void name_attributes(u64 attr, char names[ATTR_NAMES_MAX])
{
	names[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(attr_names); i++) {
		const struct attr_name *one = &attr_names[i];
		const char *name = (attr & one->mask) == one->value ? one->set : one->clear;

		if (!name)
			continue;
		strlcat(names, " ", ATTR_NAMES_MAX);
		strlcat(names, name, ATTR_NAMES_MAX);
	}
}

static void print_run(const struct dump *dump)
{
	static const char level_names[4][4] = { "PGD", "PUD", "PMD", "PTE" };
	const struct run *run = &dump->run;
	char names[ATTR_NAMES_MAX], unit[] = "KMGTPE";
	u64 size = (run->end - run->va) / 1024;
	unsigned int i = 0;

	if (!run->end)
		return;
	for (; size % 1024 == 0 && unit[i + 1]; i++)
		size /= 1024;
	name_attributes(run->attr, names);
	con_printf("0x%016llx-0x%016llx   ", run->va, run->end);
	if (dump->physical)
		con_printf("0x%012llx ", run->pa);
	con_printf("%9llu%c %s%s\n", size, unit[i], level_names[run->level], names);
}

/* The names of the parts that begin at @va or before, those not shown yet. */
static void print_parts(struct dump *dump, u64 va)
{
	const struct layout_part *part = layout_part(dump->next_part);

	for (; part && part->start <= va; part = layout_part(++dump->next_part))
		con_printf("---[ %s ]---\n", part->name);
}

static bool run_goes_on(const struct dump *dump, const struct pt_leaf *leaf)
{
	const struct layout_part *next = layout_part(dump->next_part);
	const struct run *run = &dump->run;

	return leaf->va == run->end && leaf->level == run->level && (leaf->entry & ATTR_MASK) == run->attr &&
	       (!next || leaf->va < next->start) &&
	       (!dump->physical || pt_leaf_pa(leaf) == run->pa + (run->end - run->va));
}

static void add_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct dump *dump = arg;

	if (!run_goes_on(dump, leaf)) {
		print_run(dump);
		print_parts(dump, leaf->va);
		dump->run = (struct run){
			.va = leaf->va, .pa = pt_leaf_pa(leaf), .attr = leaf->entry & ATTR_MASK, .level = leaf->level
		};
	}
	dump->run.end = leaf->va + leaf->size;
}

static void dump_all(bool physical)
{
	struct dump dump = { .physical = physical };

	pt_visit(add_leaf, &dump);
	print_run(&dump);
	print_parts(&dump, ~0ULL);
}

static int cmd_ptdump(int argc, char **argv)
{
	bool physical = argc == 2 && strcmp(argv[1], "-p") == 0;
	bool only_check = argc == 2 && strcmp(argv[1], "-x") == 0;
	struct pt_stats stats;
	bool good;

	if (argc > 2 || (argc == 2 && !physical && !only_check)) {
		con_printf(
			"usage: ptdump [-p|-x]: all mappings, -p with physical addresses, -x only what breaks a rule\n");
		return -EINVAL;
	}
	if (!only_check)
		dump_all(physical);
	good = arch_pt_check(&stats);
	con_printf(
		"%lu tables; %lu blocks of 1 GiB, %lu of 2 MiB, %lu pages; %lu W+X, %lu open to EL0, %lu other breaches: %s\n",
		stats.tables, stats.leaves[1], stats.leaves[2], stats.leaves[3], stats.wx, stats.user, stats.others,
		good ? "passed" : "FAILED");
	return good ? 0 : -EIO;
}
MONITOR_CMD(ptdump, "[-p|-x]", "what is mapped where, and whether the page tables keep W^X; -x only the check",
	    cmd_ptdump);
