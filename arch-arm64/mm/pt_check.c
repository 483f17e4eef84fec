/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof that the page tables keep the rules of arch_pt_check() (<asm/mmu.h>): a look at every entry of every table.
 */
#include <string.h>

#include <lib/printk.h>

#include <asm/const.h>
#include <asm/cpufeature.h>
#include <asm/mmu.h>
#include <asm/pgtable.h>
#include <asm/sections.h>

#define STATIC_TABLES (sizeof(struct boot_tables) / PAGE_SIZE)

/* Whether an executable page at @va misses PTE_GP, where BTI exists, or has it where it does not. */
static bool lacks_guard(u64 va, u64 entry)
{
	bool pads = BRANCH_PROTECTED && va >= (uintptr_t)__guarded_text_start;
	bool guarded = pads && (cpu_features_own(0) >> CPU_BTI & 1);

	return !(entry & PTE_PXN) && !(entry & PTE_GP) == guarded;
}

/* What is wrong with a block or page, in words; NULL when nothing is. */
static const char *leaf_fault(u64 va, u64 entry, int level)
{
	if (level == 0)
		return "block at level 0";
	if (((entry | PTE_VALID) & PTE_TYPE_MASK) != (level == PT_LAST_LEVEL ? PTE_PAGE : PTE_BLOCK))
		return "reserved entry";
	if (level == 1 && (entry & PTE_CONT))
		return "contiguous, which blocks of 1 GiB are not";
	if (entry & PTE_ADDR_MASK & (PT_SPAN(level) - 1))
		return "misaligned block";
	if (!(entry & PTE_RDONLY) && !(entry & PTE_PXN))
		return "writable and executable";
	if ((entry & PTE_USER) || !(entry & PTE_UXN))
		return "open to EL0";
	if (!(entry & PTE_AF))
		return "no access flag";
	if (lacks_guard(va, entry))
		return "guarded by BTI and should not be, or the other way round";
	return NULL;
}

/* Whether an entry with PTE_CONT is what the first of its group makes of it. */
static bool fits_group(const struct pt_walk *walk)
{
	unsigned int i = pt_index(walk->va, walk->level), first = ALIGN_DOWN(i, PT_CONT_ENTRIES);

	return walk->entry == READ_ONCE(walk->table[walk->level][first]) + (i - first) * PT_SPAN(walk->level);
}

static bool check_leaf(const struct pt_walk *walk)
{
	const char *fault = leaf_fault(walk->va, walk->entry, walk->level);

	if (!fault && (walk->entry & PTE_CONT) && !fits_group(walk))
		fault = "not like the first of its contiguous group";

	if (fault)
		printk("page tables: 0x%llx, level %d entry 0x%llx: %s\n", walk->va, walk->level, walk->entry, fault);
	return !fault;
}

bool arch_pt_check(struct pt_stats *stats)
{
	struct pt_walk walk;
	bool good = true;

	memset(stats, 0, sizeof(*stats));
	stats->tables = 1;
	pt_walk_start(&walk);
	while (pt_walk_next(&walk)) {
		if (pt_is_table(walk.entry, walk.level)) {
			stats->tables++;
		} else {
			stats->leaves[walk.level]++;
			good &= check_leaf(&walk);
		}
	}
	if (stats->tables != STATIC_TABLES + arch_table_pages()) {
		printk("page tables: %lu found, but %lu in the image and %lu allocated\n", stats->tables, STATIC_TABLES,
		       arch_table_pages());
		good = false;
	}
	return good;
}
