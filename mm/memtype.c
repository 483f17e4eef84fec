// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who has which physical addresses mapped with which memory type (contract: <mm/memtype.h>).
 *
 * 1. A list in the order of holding. There are tens of mappings of devices, made at set-up: a walk over all of them costs
 *    less than mapping one page does. Ranges of the same type may overlap, any number of times.
 * 2. A conflict is copied under the lock and told without it: the other mapping may end meanwhile.
 * 3. The list works without an allocator, for the console's UART is mapped before there is memory: who holds a range brings
 *    the memory for it.
 *
 * memtype_lock covers the list and (T).
 */
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/memtype.h>
#include <mm/port.h>

#include "internal.h"

#define MAX_REPORTS 20

static DEFINE_SPINLOCK(memtype_lock, LOCK_RANK_MEMTYPE);
static LIST_HEAD(held);
static u32 conflicts; /* reported; atomic */

static const struct {
	u64 prot;
	const char *name;
} types[NR_MEMTYPES] = {
	[MEMTYPE_DEVICE_NP] = { PAGE_DEVICE_NP, "device nGnRnE" },
	[MEMTYPE_DEVICE] = { PAGE_DEVICE, "device nGnRE" },
	[MEMTYPE_WC] = { PAGE_KERNEL_NC, "not cacheable" },
	[MEMTYPE_WT] = { PAGE_KERNEL_WT, "write-through" },
	[MEMTYPE_WB] = { PAGE_KERNEL, "write-back" },
};

u64 memtype_prot(enum memtype type)
{
	return types[type].prot;
}

const char *memtype_name(enum memtype type)
{
	return types[type].name;
}

static unsigned long first_frame(const struct memtype_range *range)
{
	return PFN_DOWN(range->base);
}

static unsigned long last_frame(const struct memtype_range *range)
{
	return PFN_DOWN(range->base + range->size - 1);
}

static void report_conflict(const struct memtype_range *range, const struct memtype_range *other)
{
	char asker[ARCH_SYMBOL_MAX], owner[ARCH_SYMBOL_MAX];

	if (fetch_add32(&conflicts, 1) >= MAX_REPORTS)
		return;
	printk("%s: [mem 0x%016llx-0x%016llx] as %s, asked for by %s: mapped already, [mem 0x%016llx-0x%016llx] as %s by %s, "
	       "asked for by %s: refused\n",
	       range->name, range->base, range->base + range->size - 1, types[range->type].name,
	       arch_symbol((unsigned long)range->caller, asker, sizeof(asker)), other->base,
	       other->base + other->size - 1, types[other->type].name, other->name,
	       arch_symbol((unsigned long)other->caller, owner, sizeof(owner)));
}

/* A range held that has a page of @range and another type; NULL when there is none. Under the lock. */
static const struct memtype_range *find_conflict(const struct memtype_range *range)
{
	const struct memtype_range *other;

	list_for_each_entry(other, &held, link)
		if (other->type != range->type && first_frame(other) <= last_frame(range) &&
		    first_frame(range) <= last_frame(other))
			return other;
	return NULL;
}

bool memtype_hold(struct memtype_range *range, bool quiet)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	const struct memtype_range *conflict = find_conflict(range);
	struct memtype_range other;

	if (conflict)
		other = *conflict;
	else
		list_add_tail(&range->link, &held);
	spin_unlock_irqrestore(&memtype_lock, flags);
	if (conflict && !quiet)
		report_conflict(range, &other);
	return !conflict;
}

void memtype_set_va(struct memtype_range *range, unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);

	range->va = va;
	spin_unlock_irqrestore(&memtype_lock, flags);
}

void memtype_drop(struct memtype_range *range)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);

	list_del(&range->link);
	spin_unlock_irqrestore(&memtype_lock, flags);
}

struct memtype_range *memtype_end(unsigned long va)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	struct memtype_range *range, *found = NULL;

	list_for_each_entry(range, &held, link)
		if (range->va == va && va && !range->ending && !range->device)
			found = range;
	if (found)
		found->ending = true;
	spin_unlock_irqrestore(&memtype_lock, flags);
	return found;
}

const struct memtype_range *memtype_next_device(const struct memtype_range *range)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	const struct list_head *at = range ? range->link.next : held.next;

	while (at != &held && !list_entry(at, struct memtype_range, link)->device)
		at = at->next;
	spin_unlock_irqrestore(&memtype_lock, flags);
	return at == &held ? NULL : list_entry(at, struct memtype_range, link);
}
