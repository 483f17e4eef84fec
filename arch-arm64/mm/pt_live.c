/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The moment in which live entries go through 0 (contract: <asm/pt_hw.h>).
 *
 * 1. A block of the linear map that is being split or merged maps nothing for some hundred instructions. In it may lie
 *    the per-CPU areas, the tables themselves, anybody's data. So nobody may use the linear map meanwhile, nor
 *    vmalloc's addresses.
 * 2. Every other CPU waits in the handler of an interrupt of its own (cpu/stop.c), with interrupts masked. What it
 *    touches there is the image, mapped apart from the linear map, and its stack, mapped apart, too. Walkers of tables,
 *    in hardware, use physical addresses: they need no mapping. One that is not on line, because it starts, waits
 *    before it uses the linear map for the first time.
 * 3. This CPU masks its interrupts and touches the image and its stack as well, and the table that changes: by an alias
 *    of the fixmap, whose own tables are part of the image. A table of the image needs none.
 * 4. A spinlock is held with interrupts masked, so when all CPUs stand still nobody holds one, and none is taken here.
 *
 * State: pt_mutex.
 */
#include <asm/irqflags.h>
#include <asm/page.h>
#include <asm/pt_hw.h>
#include <asm/smp.h>

static unsigned long flags;
static bool aliased;

u64 *pt_live_begin(u64 *slot)
{
	u64 va = (uintptr_t)slot;

	aliased = va < LINEAR_END;
	if (aliased)
		slot = fixmap_alias(ALIGN_DOWN(__pa(slot), PAGE_SIZE)) + va % PAGE_SIZE / sizeof(*slot);
	cpus_stop();
	flags = local_irq_save();
	return slot;
}

void pt_live_end(void)
{
	local_irq_restore(flags);
	cpus_go();
	if (aliased)
		fixmap_release_alias();
}
