// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who has which physical addresses mapped with which memory type (contract: <mm/memtype.h>).
 *
 * 1. A tree for each type, of ranges of page frames that may overlap any number of times (<mm/va_tree.h>). A range is
 *    in conflict when any of the other types' trees has one that overlaps it: so a hundred buffers of one type cost
 *    nothing to whom asks for more of it, and little to all others.
 * 2. Devices are in a list as well, in the order of holding. They stay.
 * 3. A conflict is copied under the lock and told without it: the other mapping may end meanwhile. So what a range
 *    points to must stay: names are constants, and a master, which may go, is named by its node.
 * 4. Nothing allocates, for the console's UART is mapped before there is memory: who holds a range brings the memory
 *    for it.
 *
 *	ranges held = sum over the types of ranges in the tree
 *
 * memtype_lock covers trees, list, counts and (T).
 */
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/memtype.h>
#include <mm/port.h>
#include <stdio.h>

#include "discover.h"
#include "internal.h"

#define MAX_REPORTS 20
#define PARTY_MAX   (DT_PATH_MAX + 8)

static DEFINE_SPINLOCK(memtype_lock, LOCK_RANK_MEMTYPE);
static struct va_tree held[NR_MEMTYPES];
static LIST_HEAD(devices);
static unsigned long nr_held, nr_ram;
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

enum memtype memtype_of(u64 prot)
{
	unsigned int type = 0;

	if (prot == PAGE_KERNEL_RO)
		return MEMTYPE_WB;
	while (type < NR_MEMTYPES && types[type].prot != prot)
		type++;
	return (enum memtype)type;
}

const char *memtype_name(enum memtype type)
{
	return types[type].name;
}

/* Who has or wants @range, in words. */
static const char *party(const struct memtype_range *range, char *buf, size_t size)
{
	char path[DT_PATH_MAX];

	if (range->name)
		return range->name;
	snprintf(buf, size, "master %s", dt_path(claims_fdt(), range->node, path));
	return buf;
}

static void report_conflict(const struct memtype_range *range, const struct memtype_range *other)
{
	char asker[ARCH_SYMBOL_MAX], owner[ARCH_SYMBOL_MAX], who[PARTY_MAX], whose[PARTY_MAX];

	if (fetch_add32(&conflicts, 1) >= MAX_REPORTS)
		return;
	printk("%s: [mem 0x%016llx-0x%016llx] as %s, asked for by %s: mapped already, [mem 0x%016llx-0x%016llx] as %s by %s, "
	       "asked for by %s: refused\n",
	       party(range, who, sizeof(who)), range->base, range->base + range->size - 1, types[range->type].name,
	       arch_symbol((unsigned long)range->caller, asker, sizeof(asker)), other->base,
	       other->base + other->size - 1, types[other->type].name, party(other, whose, sizeof(whose)),
	       arch_symbol((unsigned long)other->caller, owner, sizeof(owner)));
}

static struct memtype_range *range_of(struct va_extent *frames)
{
	return container_of(frames, struct memtype_range, frames);
}

/*
 * A range held that has a page frame of [@start, @end) and another type than @type; NULL when there is none. Under the
 * lock.
 */
static const struct memtype_range *find_conflict(unsigned int type, unsigned long start, unsigned long end)
{
	struct va_extent *other = NULL;

	for (unsigned int i = 0; i < NR_MEMTYPES && !other; i++)
		if (i != type)
			other = va_overlap(&held[i], start, end);
	return other ? range_of(other) : NULL;
}

/* The same of @range with @more bytes behind it, copied. Return: whether there is one. Under the lock. */
static bool copy_conflict(const struct memtype_range *range, u64 more, struct memtype_range *other)
{
	const struct memtype_range *found =
		find_conflict(range->type, PFN_DOWN(range->base), PFN_DOWN(range->base + range->size + more - 1) + 1);

	if (found)
		*other = *found;
	return found;
}

/* In the tree, with the frames that its bytes lie in. */
static void enter(struct memtype_range *range)
{
	range->frames.start = PFN_DOWN(range->base);
	range->frames.end = PFN_DOWN(range->base + range->size - 1) + 1;
	va_insert(&held[range->type], &range->frames);
}

bool memtype_hold(struct memtype_range *range, bool quiet)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	struct memtype_range other;
	bool conflict = copy_conflict(range, 0, &other);

	if (!conflict) {
		enter(range);
		ADD_ONCE(nr_held, 1);
		ADD_ONCE(nr_ram, range->ram);
		if (range->device)
			list_add_tail(&range->link, &devices);
	}
	spin_unlock_irqrestore(&memtype_lock, flags);
	if (conflict && !quiet)
		report_conflict(range, &other);
	return !conflict;
}

bool memtype_refused(const struct memtype_range *range, bool quiet)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	struct memtype_range other;
	bool conflict = copy_conflict(range, 0, &other);

	spin_unlock_irqrestore(&memtype_lock, flags);
	if (conflict && !quiet)
		report_conflict(range, &other);
	return conflict;
}

bool memtype_extend(struct memtype_range *range, u64 more)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	struct memtype_range other;
	bool conflict = copy_conflict(range, more, &other);

	if (!conflict) {
		va_remove(&held[range->type], &range->frames);
		range->size += more;
		enter(range);
	}
	spin_unlock_irqrestore(&memtype_lock, flags);
	return !conflict;
}

void memtype_drop(struct memtype_range *range)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);

	va_remove(&held[range->type], &range->frames);
	ADD_ONCE(nr_held, -1UL);
	ADD_ONCE(nr_ram, -(unsigned long)range->ram);
	if (range->device)
		list_del(&range->link);
	spin_unlock_irqrestore(&memtype_lock, flags);
}

const struct memtype_range *memtype_next_device(const struct memtype_range *range)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock);
	const struct list_head *next = range ? range->link.next : devices.next;

	spin_unlock_irqrestore(&memtype_lock, flags);
	return next == &devices ? NULL : list_entry(next, struct memtype_range, link);
}

unsigned long memtype_held(void)
{
	return READ_ONCE(nr_held);
}

unsigned long memtype_ram_held(void)
{
	return READ_ONCE(nr_ram);
}

/* Count the ranges of one tree. Return: whether none of them has a page of another type. Under the lock. */
static bool tree_whole(unsigned int type, unsigned long *nr, unsigned long *ram)
{
	struct va_extent *at = NULL;

	while ((at = va_next(&held[type], at))) {
		++*nr;
		*ram += range_of(at)->ram;
		if (range_of(at)->type != type || find_conflict(type, at->start, at->end))
			return false;
	}
	return true;
}

bool memtype_check(void)
{
	unsigned long flags = spin_lock_irqsave(&memtype_lock), nr = 0, ram = 0;
	bool apart = true, whole;

	for (unsigned int type = 0; type < NR_MEMTYPES && apart; type++)
		apart = tree_whole(type, &nr, &ram);
	whole = apart && nr == nr_held && ram == nr_ram;
	spin_unlock_irqrestore(&memtype_lock, flags);
	if (!whole)
		printk("memtype check: %lu ranges of %lu, %lu of RAM of %lu%s\n", nr, memtype_held(), ram,
		       memtype_ram_held(), apart ? "" : ", and one has a page of another type");
	return whole;
}
