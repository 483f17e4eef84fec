// SPDX-License-Identifier: BSD-2-Clause
/*
 * early_ioremap(): mappings of registers before there is memory, through slots of the fixmap (contract: <mm/io.h>).
 *
 * 1. The port has EARLY_SLOTS ranges of EARLY_SLOT_PAGES addresses, whose tables are its own. A slot shows one mapping
 *    at a time; a slot is used again after all TLBs were told that it shows nothing.
 * 2. A mapping is held as those of ioremap() are (<mm/memtype.h>).
 * 3. The slots are for set-up. What still shows something when memory is handed over was forgotten: it is named, with
 *    who asked for it, and stays, for somebody may use it.
 *
 * Callers: the boot CPU, before hand-over is done; no lock.
 */
#include <lib/printk.h>
#include <mm/io.h>
#include <mm/port.h>

#include "ioremap.h"

static struct memtype_range slots[EARLY_SLOTS]; /* its size is 0 where the slot shows nothing */
static bool ended;

static void refuse(const struct memtype_range *range, const char *why)
{
	char caller[ARCH_SYMBOL_MAX];

	printk("%s: 0x%llx bytes at 0x%016llx, asked for by %s: %s: refused\n", range->name, range->size, range->base,
	       arch_symbol((unsigned long)range->caller, caller, sizeof(caller)), why);
}

static unsigned int find_slot(void)
{
	unsigned int slot = 0;

	while (slot < EARLY_SLOTS && slots[slot].size)
		slot++;
	return slot;
}

static unsigned long pages_of(const struct memtype_range *range)
{
	return PFN_UP(range->base % PAGE_SIZE + range->size);
}

void __iomem *early_ioremap(phys_addr_t phys, size_t size)
{
	struct memtype_range wanted = {
		.base = phys,
		.size = size,
		.type = MEMTYPE_DEVICE,
		.name = "early_ioremap",
		.caller = __builtin_return_address(0),
	};
	unsigned int slot = find_slot();
	void *va;

	if (ioremap_refused(&wanted))
		return NULL;
	if (ended || slot == EARLY_SLOTS || pages_of(&wanted) > EARLY_SLOT_PAGES) {
		refuse(&wanted, ended		    ? "too late, ioremap() works" :
				slot == EARLY_SLOTS ? "all slots are in use" :
						      "more than a slot has");
		return NULL;
	}
	slots[slot] = wanted;
	if (!memtype_hold(&slots[slot], false)) {
		slots[slot].size = 0;
		return NULL;
	}
	va = arch_early_map(slot, ALIGN_DOWN(phys, PAGE_SIZE), (unsigned int)pages_of(&wanted), PAGE_DEVICE);
	slots[slot].va = (unsigned long)va;
	return (char *)va + phys % PAGE_SIZE;
}

/* The slot that shows @addr; EARLY_SLOTS when none does. */
static unsigned int slot_of(unsigned long addr)
{
	unsigned int slot = 0;

	while (slot < EARLY_SLOTS && !(slots[slot].size && addr - slots[slot].va < pages_of(&slots[slot]) * PAGE_SIZE))
		slot++;
	return slot;
}

void early_iounmap(const volatile void __iomem *addr, size_t size)
{
	unsigned long at = (uintptr_t)addr;
	unsigned int slot = slot_of(at);
	struct memtype_range *range = &slots[slot];
	char caller[ARCH_SYMBOL_MAX];

	if (slot == EARLY_SLOTS) {
		printk("early_iounmap: 0x%lx is no early mapping: nothing done\n", at);
		arch_dump_stack();
		return;
	}
	if (at != range->va + range->base % PAGE_SIZE || size != range->size) {
		printk("early_iounmap: 0x%zx bytes at 0x%lx are not the early mapping of [mem 0x%016llx-0x%016llx], 0x%llx bytes at "
		       "0x%llx, asked for by %s: nothing done\n",
		       size, at, range->base, range->base + range->size - 1, range->size,
		       range->va + range->base % PAGE_SIZE,
		       arch_symbol((unsigned long)range->caller, caller, sizeof(caller)));
		arch_dump_stack();
		return;
	}
	arch_early_unmap(slot, (unsigned int)pages_of(range));
	memtype_drop(range);
	range->size = 0;
}

void early_ioremap_end(void)
{
	char caller[ARCH_SYMBOL_MAX];

	ended = true;
	for (unsigned int slot = 0; slot < EARLY_SLOTS; slot++)
		if (slots[slot].size)
			printk("early_ioremap: [mem 0x%016llx-0x%016llx], asked for by %s, was never unmapped: it stays\n",
			       slots[slot].base, slots[slot].base + slots[slot].size - 1,
			       arch_symbol((unsigned long)slots[slot].caller, caller, sizeof(caller)));
}
