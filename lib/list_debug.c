// SPDX-License-Identifier: BSD-2-Clause
/*
 * The check of list links. Each report names the entry and the neighbours whose links disagree. It ends the run: who
 * changed a list that is broken would break more of it.
 */
#include <lib/list.h>
#include <lib/printk.h>

/* No address of either half of the address space, nor near NULL: whoever follows it faults. */
#define LIST_POISON ((struct list_head *)0xdead000000000100UL)

void list_debug_add(const struct list_head *entry, const struct list_head *prev, const struct list_head *next)
{
	if (prev->next != next || next->prev != prev)
		panic("list: %p is added between %p and %p, but their links are to %p and %p", (const void *)entry,
		      (const void *)prev, (const void *)next, (void *)prev->next, (void *)next->prev);
	if (entry == prev || entry == next)
		panic("list: %p is added between %p and %p, so it is in the list already", (const void *)entry,
		      (const void *)prev, (const void *)next);
}

void list_debug_del(const struct list_head *entry)
{
	if (entry->next == LIST_POISON || entry->prev == LIST_POISON)
		panic("list: %p is taken out, but it was taken out before", (const void *)entry);
	if (entry->prev->next != entry || entry->next->prev != entry)
		panic("list: %p is taken out from between %p and %p, but their links are to %p and %p",
		      (const void *)entry, (void *)entry->prev, (void *)entry->next, (void *)entry->prev->next,
		      (void *)entry->next->prev);
}

void list_debug_poison(struct list_head *entry)
{
	entry->next = LIST_POISON;
	entry->prev = LIST_POISON;
}
