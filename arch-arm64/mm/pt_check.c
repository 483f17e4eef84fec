/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof that the page tables keep the rules of arch_pt_check() (<asm/mmu.h>): a look at every entry of every table.
 *
 * 1. Blocks and pages are looked at while other CPUs may map and unmap (pt_visit.c). Tables are counted under the lock
 *    in one go, so that the count is of one moment and can be compared with what the engine says that it has made.
 * 2. Neighbouring entries that break the same rule are one line: where, which part of the layout that is, how many
 *    entries, and the first of them as it stands in the table.
 */
#include <string.h>

#include <lib/printk.h>

#include <asm/const.h>
#include <asm/cpufeature.h>
#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/sections.h>
#include <asm/set_memory.h>

#define STATIC_TABLES (sizeof(struct boot_tables) / PAGE_SIZE)

/**
 * struct breach - neighbouring entries of one level that break one rule
 * @rule: what is wrong, in words; NULL before the first
 * @first: the first of them
 * @end: one past the last address
 * @count: entries
 */
struct breach {
	const char *rule;
	struct pt_leaf first;
	u64 end;
	unsigned long count;
};

struct check {
	struct pt_stats *stats;
	struct breach breach;
};

/* Whether an executable page at @va misses PTE_GP, where BTI exists, or has it where it does not. */
static bool lacks_guard(u64 va, u64 entry)
{
	bool pads = BRANCH_PROTECTED && va >= (uintptr_t)__guarded_text_start;
	bool guarded = pads && (cpu_features_own(0) >> CPU_BTI & 1);

	return !(entry & PTE_PXN) && !(entry & PTE_GP) == guarded;
}

static bool is_wx(u64 entry)
{
	return !(entry & (PTE_RDONLY | PTE_PXN));
}

static bool is_user(u64 entry)
{
	return (entry & PTE_USER) || !(entry & PTE_UXN);
}

/* Whether what is executable at an address of vmalloc's can be written at its linear one. */
static bool written_elsewhere(const struct pt_leaf *leaf)
{
	unsigned long linear = (unsigned long)__va(pt_leaf_pa(leaf)), end = linear + leaf->size;
	struct arch_mapping mapping;

	if ((leaf->entry & PTE_PXN) || leaf->va < VMALLOC_START || leaf->va >= VMALLOC_END)
		return false;
	for (; linear < end; linear = mapping.end) {
		arch_query_mapping(linear, &mapping);
		if (mapping.writable)
			return true;
	}
	return false;
}

/* What is wrong with a block or page, in words; NULL when nothing is. */
static const char *leaf_fault(const struct pt_leaf *leaf)
{
	if (is_wx(leaf->entry))
		return "writable and executable";
	if (is_user(leaf->entry))
		return "open to EL0";
	if (leaf->level == 0)
		return "block at level 0";
	if (((leaf->entry | PTE_VALID) & PTE_TYPE_MASK) != (leaf->level == PT_LAST_LEVEL ? PTE_PAGE : PTE_BLOCK))
		return "reserved entry";
	if ((leaf->entry & PTE_CONT) && !leaf->whole_group)
		return "not one of a group of sixteen that its contiguous hint names";
	if (leaf->entry & PTE_ADDR_MASK & (PT_SPAN(leaf->level) - 1))
		return "misaligned block";
	if (!(leaf->entry & PTE_AF))
		return "no access flag";
	if (lacks_guard(leaf->va, leaf->entry))
		return "guarded by BTI and should not be, or the other way round";
	if (written_elsewhere(leaf))
		return "executable, and writable in the linear map";
	return layout_part_at(leaf->va) ? NULL : "in no part of the layout";
}

static void print_breach(const struct breach *breach)
{
	const struct layout_part *part = layout_part_at(breach->first.va);

	if (breach->rule)
		printk("page tables: 0x%llx-0x%llx (%s): %s: %lu entries of level %d, the first 0x%llx\n",
		       breach->first.va, breach->end - 1, part ? part->name : "no part", breach->rule, breach->count,
		       breach->first.level, breach->first.entry);
}

static void add_breach(struct breach *breach, const struct pt_leaf *leaf, const char *rule)
{
	if (rule != breach->rule || leaf->va != breach->end || leaf->level != breach->first.level) {
		print_breach(breach);
		*breach = (struct breach){ .rule = rule, .first = *leaf };
	}
	breach->end = leaf->va + leaf->size;
	breach->count++;
}

static void check_leaf(const struct pt_leaf *leaf, void *arg)
{
	const char *rule = leaf_fault(leaf);
	struct check *check = arg;

	check->stats->leaves[leaf->level]++;
	if (!rule)
		return;
	check->stats->wx += is_wx(leaf->entry);
	check->stats->user += is_user(leaf->entry);
	check->stats->others += !is_wx(leaf->entry) && !is_user(leaf->entry);
	add_breach(&check->breach, leaf, rule);
}

static bool tables_accounted(struct pt_stats *stats)
{
	unsigned long allocated;

	stats->tables = pt_count_tables(&allocated);
	if (stats->tables == STATIC_TABLES + allocated)
		return true;
	printk("page tables: %lu found, but %lu in the image and %lu allocated\n", stats->tables, STATIC_TABLES,
	       allocated);
	return false;
}

bool arch_pt_check(struct pt_stats *stats)
{
	struct check check = { .stats = stats };

	memset(stats, 0, sizeof(*stats));
	pt_visit(check_leaf, &check);
	print_breach(&check.breach);
	return tables_accounted(stats) && !stats->wx && !stats->user && !stats->others;
}
