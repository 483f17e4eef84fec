// SPDX-License-Identifier: BSD-2-Clause
/*
 * Large physical ranges: what ioremap(), memremap() and DMA map that is too long for a slot (vmap_slot.c).
 *
 * 1. The port maps such a range as a whole, in the largest units that both sides are aligned to (arch_vmap_phys()). So
 *    the address is chosen by the physical one: alike modulo the largest unit that the range has a whole of, if there
 *    is room for that, else modulo the next one; modulo 2 MiB at the least. On arm64 1 GiB takes one entry and no table
 *    of its own:
 *
 *	physical	    | 2 MiB | 2 MiB |     1 GiB     | 2 MiB |		from 1020 MiB to 2050 MiB
 *	virtual		|  free | 2 MiB | 2 MiB |     1 GiB     | 2 MiB | guard |
 *
 * 2. The port maps nothing else there, from VMAP_PHYS_START on, and vmalloc() nothing: so tables there are one owner's,
 *    who may split and merge. An extent that is taken is looked at as a whole before (vmap_extent.c).
 * 3. Tables come and go under a mutex. Whoever ends a mapping may be a handler (dma_free_coherent()): then nothing is
 *    mapped on return and all TLBs were told, but the tables, and with them the addresses, wait for the next thread
 *    that makes a large area or a block of slots, or calls vm_unmap_aliases().
 *
 * Bound: what fits a slot, up to 511 pages, is faster there: a store for each page, and tables that are there already.
 * A pair of ioremap_wc() and iounmap() takes 5,700 instructions for 511 pages, 13,500 for a block of 2 MiB, 9,100 for
 * one of 1 GiB.
 *
 * Locks: left_lock covers the areas that wait (L).
 */
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "internal.h"
#include "vmap.h"

static const unsigned long units[] = { VMAP_UNITS };

/* What the search for a place counts on: with others it would find none, or one that is not as long as it has to be. */
#define POWER_OF_TWO(n) (!((n) & ((n)-1)))
#define UNITS_FIT(first, second, last)                                                              \
	(POWER_OF_TWO(first) && POWER_OF_TWO(second) && POWER_OF_TWO(last) && (first) > (second) && \
	 (second) > (last) && (last) == VMAP_BLOCK_SIZE)
#define ALL_FIT(...) UNITS_FIT(__VA_ARGS__)
_Static_assert(ALL_FIT(VMAP_UNITS), "units are powers of two, largest first, and the last one is a block");

#define MAX_REPORTS 20

static DEFINE_SPINLOCK(left_lock, LOCK_RANK_VMALLOC);
static LIST_HEAD(left);	      /* (L) by their list */
static unsigned long nr_left; /* (L) read at any time */
static u32 refusals;	      /* atomic */

/* Whether [@phys, @phys + @size) has a whole unit of @unit bytes. */
static bool has_whole(phys_addr_t phys, unsigned long size, unsigned long unit)
{
	phys_addr_t before = ALIGN(phys, unit) - phys;

	return before <= size && size - before >= unit;
}

/* Address space of @large for @size bytes from @phys on, and an unmapped page. */
static struct va_extent *place(struct large_area *large, phys_addr_t phys, unsigned long size)
{
	unsigned long len = ALIGN(large->offset + size + PAGE_SIZE, VMAP_BLOCK_SIZE);
	struct va_extent *extent = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(units) && !extent; i++)
		if (i == ARRAY_SIZE(units) - 1 || has_whole(phys, size, units[i]))
			extent = vmap_extent_get_phys(len, units[i], phys - large->offset, large);
	return extent;
}

/* Whether this may map: the port takes a mutex. */
static bool may_map(phys_addr_t phys, unsigned long size)
{
	if (arch_cross_call_ok())
		return true;
	if (fetch_add32(&refusals, 1) < MAX_REPORTS)
		printk("vmalloc: [mem 0x%016llx-0x%016llx], more than %u pages, with interrupts masked or from a handler: not mapped\n",
		       phys, phys + size - 1, SLOT_PAGES_MAX);
	return false;
}

bool vmap_phys_map(struct large_area *large, phys_addr_t phys, unsigned long nr, u64 prot)
{
	unsigned long size = nr << PAGE_SHIFT;

	if (size >= VMALLOC_END - VMAP_PHYS_START || !may_map(phys, size))
		return false;
	large->offset = phys % VMAP_BLOCK_SIZE;
	large->extent = place(large, phys, size);
	if (!large->extent)
		return false;
	large->area.addr = large->extent->start + large->offset;
	if (!arch_vmap_phys(large->area.addr, phys, size, prot))
		return true;
	vmap_extent_put(large->extent);
	return false;
}

static void leave(struct large_area *large)
{
	unsigned long flags = spin_lock_irqsave(&left_lock);

	list_add(&large->list, &left);
	ADD_ONCE(nr_left, 1);
	spin_unlock_irqrestore(&left_lock, flags);
}

static struct large_area *take_left(void)
{
	unsigned long flags = spin_lock_irqsave(&left_lock);
	struct large_area *large = NULL;

	if (!list_empty(&left)) {
		large = list_first_entry(&left, struct large_area, list);
		list_del(&large->list);
		ADD_ONCE(nr_left, -1UL);
	}
	spin_unlock_irqrestore(&left_lock, flags);
	return large;
}

bool vmap_phys_unmap(struct large_area *large, unsigned long nr)
{
	if (arch_vunmap_phys(large->area.addr, nr << PAGE_SHIFT))
		return true;
	leave(large);
	return false;
}

void vmap_phys_reap(void)
{
	struct large_area *large;

	if (!READ_ONCE(nr_left) || !arch_cross_call_ok())
		return;
	while ((large = take_left())) {
		arch_vmap_phys_tidy(large->extent->start, large->extent->len);
		vmap_extent_put(large->extent);
		kfree(large);
	}
}
