/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking addresses up in the page tables (contract: <asm/pgtable.h>).
 *
 * A look-up goes down from the top until an entry points to no table. A unit is that entry, or the sixteen with
 * PTE_CONT that it belongs to; a gap is as large as what the entry of 0 stands for, so a walk over nothing takes a step
 * for each 512 GiB, 1 GiB or 2 MiB.
 */
#include <asm/pgtable.h>

u64 *pt_slot(u64 va, int level, u64 *next)
{
	u64 *table = boot_tables.pgd;
	int l = 0;

	for (; l < level; l++) {
		u64 entry = READ_ONCE(table[pt_index(va, l)]);

		if (!pt_is_table(entry, l))
			break;
		table = pt_table(pt_entry_pa(entry), l + 1);
	}
	*next = ALIGN_DOWN(va, PT_SPAN(l)) + PT_SPAN(l);
	return l == level ? &table[pt_index(va, level)] : NULL;
}

void pt_query(u64 va, struct pt_unit *unit)
{
	u64 *slot = boot_tables.pgd + pt_index(va, 0), entry = READ_ONCE(*slot), span;
	int level = 0;

	while (pt_is_table(entry, level)) {
		level++;
		slot = pt_table(pt_entry_pa(entry), level) + pt_index(va, level);
		entry = READ_ONCE(*slot);
	}
	span = PT_SPAN(level);
	if (entry & PTE_CONT) {
		slot -= pt_index(va, level) % PT_CONT_ENTRIES;
		entry = READ_ONCE(*slot);
		span = PT_CONT_SPAN(level);
	}
	*unit = (struct pt_unit){ ALIGN_DOWN(va, span), span, slot, entry, level };
}

u64 pt_next_mapped(u64 va, u64 end)
{
	struct pt_unit unit;

	while (va < end) {
		unsigned long flags = pt_hold_tables();

		pt_query(va, &unit);
		pt_release_tables(flags);
		if (unit.entry)
			return va;
		va = unit.va + unit.size;
	}
	return end;
}
