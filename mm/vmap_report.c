// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is said of vmalloc's areas: whose one is, what a wrong end of one was meant for, and which ended there lately.
 *
 * 1. A free slot knows who asked for it last, and its range. A large area, and a block of slots, are gone when they
 *    end: what they were is kept in a ring, a large one when it ends, slots that were ever used when their block is
 *    given back. So nothing is paid for it where a small area is made or ended.
 * 2. What a report says comes from a copy (vmap_area_at()): what lies there may be another CPU's, and on its way out.
 *    Of the ring the youngest that the address lies in counts.
 *
 * ended_lock covers the ring.
 */
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/port.h>
#include <stdio.h>

#include "internal.h"
#include "vmap.h"

#define MAX_REPORTS 20
#define ENDED_KEPT  256
#define DESCRIPTION 160

/*
 * What ended lately: its range, who had asked for it, and what for; VMAP_FREE when only the range of its slot is known.
 */
struct ended {
	unsigned long start, last;
	const void *caller;
	u8 use;
};

static DEFINE_SPINLOCK(ended_lock, LOCK_RANK_VMALLOC);
static struct ended ended[ENDED_KEPT];
static unsigned int ended_next;
static u32 bad_frees; /* of calls; atomic */

static const char *const use_names[] = {
	[VMAP_FREE] = "free",
	[VMAP_VMALLOC] = "vmalloc()'s",
	[VMAP_CHANGED] = "vmalloc()'s, with rights changed",
	[VMAP_ENDED] = "vmalloc()'s, freed by a handler or late",
	[VMAP_VMAP] = "vmap()'s",
	[VMAP_RAM] = "vm_map_ram()'s",
	[VMAP_IOREMAP] = "ioremap()'s",
	[VMAP_DMA] = "dma_alloc_coherent()'s",
};

static unsigned long last_byte(const struct vmap_area *area)
{
	return area->addr + ((unsigned long)area->nr_pages << PAGE_SHIFT) - 1;
}

/* The last byte that an area in the slot of @area could have. */
static unsigned long slot_last(const struct vmap_area *area)
{
	return area->addr + (PAGE_SIZE << area->order) - PAGE_SIZE - 1;
}

static void note(const struct ended *one)
{
	unsigned long flags = spin_lock_irqsave(&ended_lock);

	ended[ended_next] = *one;
	ended_next = (ended_next + 1) % ENDED_KEPT;
	spin_unlock_irqrestore(&ended_lock, flags);
}

void vmap_note_large(const struct vmap_area *area, unsigned long nr_pages)
{
	note(&(struct ended){ area->addr, area->addr + (nr_pages << PAGE_SHIFT) - 1, area->caller, area->use });
}

void vmap_note_block(const struct vmap_block *block)
{
	for (u32 i = 0; i < block->nr_slots; i++) {
		const struct vmap_area *area = &block->area[i];

		if (READ_ONCE(area->caller))
			note(&(struct ended){ area->addr, slot_last(area), READ_ONCE(area->caller), VMAP_FREE });
	}
}

/* The youngest of the ring that @addr lies in. Return: false when there is none. */
static bool ended_at(unsigned long addr, struct ended *found)
{
	unsigned long flags = spin_lock_irqsave(&ended_lock);

	found->caller = NULL;
	for (unsigned int i = 1; i <= ENDED_KEPT && !found->caller; i++) {
		const struct ended *one = &ended[(ended_next + ENDED_KEPT - i) % ENDED_KEPT];

		if (addr >= one->start && addr <= one->last)
			*found = *one;
	}
	spin_unlock_irqrestore(&ended_lock, flags);
	return found->caller;
}

/* Of an area that has ended. */
static void describe_ended(const struct ended *one, char *buf, size_t size)
{
	char caller[ARCH_SYMBOL_MAX];

	arch_symbol((unsigned long)one->caller, caller, sizeof(caller));
	if (one->use == VMAP_FREE)
		snprintf(buf, size, ": the area there, within 0x%lx-0x%lx, is free, last asked for by %s", one->start,
			 one->last, caller);
	else
		snprintf(buf, size, ": the area 0x%lx-0x%lx, %s, asked for by %s, is free", one->start, one->last,
			 use_names[one->use], caller);
}

static void describe_used(const struct vmap_area *area, char *buf, size_t size)
{
	char caller[ARCH_SYMBOL_MAX];

	snprintf(buf, size, "the area 0x%lx-0x%lx, %s, asked for by %s", area->addr, last_byte(area),
		 use_names[area->use], arch_symbol((unsigned long)area->caller, caller, sizeof(caller)));
}

void vmap_describe(unsigned long addr, char *buf, size_t size)
{
	struct vmap_area area;

	if (!vmap_area_at(addr, &area) || !area.nr_pages)
		snprintf(buf, size, "no area");
	else
		describe_used(&area, buf, size);
}

/* What an address is that no area in use lies at. */
static void describe_free(unsigned long addr, const struct vmap_area *slot, char *buf, size_t size)
{
	struct ended one = { .caller = NULL };

	if (slot && slot->caller && slot->order)
		one = (struct ended){ slot->addr, slot_last(slot), slot->caller, VMAP_FREE };
	if (one.caller || ended_at(addr, &one))
		describe_ended(&one, buf, size);
	else
		snprintf(buf, size, " lies in no area");
}

void vmap_report_bad(const char *caller, const void *addr, u32 count)
{
	unsigned long at = (uintptr_t)addr;
	char text[DESCRIPTION + ARCH_SYMBOL_MAX], asked[24] = "";
	struct vmap_area area;
	bool known;

	if (fetch_add32(&bad_frees, 1) >= MAX_REPORTS)
		return;
	if (count)
		snprintf(asked, sizeof(asked), ", %u pages,", count);
	known = is_vmalloc_addr(addr) && vmap_area_at(at, &area);
	if (!known || !area.nr_pages) {
		describe_free(at, known ? &area : NULL, text, sizeof(text));
		printk("%s: %p%s%s: nothing done\n", caller, addr, asked, text);
	} else {
		describe_used(&area, text, sizeof(text));
		printk("%s: %p%s lies in %s, %u pages: nothing done\n", caller, addr, asked, text, area.nr_pages);
	}
	arch_dump_stack();
}

u32 vmalloc_bad_frees(void)
{
	return READ_ONCE(bad_frees);
}
