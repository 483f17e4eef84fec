// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the tree of resources holds from the start: RAM, whose its parts are, and the devices that are mapped.
 *
 * 1. "System RAM" is each bank, less what is left out or kept out of the linear map; in it are, busy, the parts that
 *    somebody claimed at boot: image, tree, firmware, our own metadata (provenance.c). The rest is the page
 *    allocator's.
 * 2. No-map ranges are at the root, reserved and not busy: a driver may request and map them, whose they are. So are,
 *    as they are not ours, ranges of RAM that were left out.
 * 3. Devices are the ranges held by our drivers (<mm/memtype.h>), busy. What lies in RAM, as a spin table does, is
 *    within that.
 * 4. What cannot be put in, for want of memory or for a conflict, is a line in the log.
 */
#include <lib/printk.h>
#include <mm/io.h>
#include <mm/ioport.h>
#include <mm/slab.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "ioremap.h"
#include "provenance.h"

#define KEPT (IORESOURCE_MEM | IORESOURCE_BUSY)

/* One of ours, with its name. */
struct boot_resource {
	struct resource res;
	char name[];
};

static void enter(phys_addr_t base, phys_addr_t end, const char *name, const char *note, unsigned long flags)
{
	size_t size = strlen(name) + strlen(note) + 1;
	struct boot_resource *boot = kzalloc(sizeof(*boot) + size, GFP_KERNEL | __GFP_NOWARN);

	if (!boot) {
		printk("iomem: no memory for [mem 0x%016llx-0x%016llx] of %s: not listed\n", base, end - 1, name);
		return;
	}
	snprintf(boot->name, size, "%s%s", name, note);
	boot->res = (struct resource){ .start = base, .end = end - 1, .name = boot->name, .flags = flags };
	if (insert_resource(&iomem_resource, &boot->res))
		kfree(boot);
}

static const char *kind_note(enum claim_kind kind)
{
	if (kind == CLAIM_NOMAP)
		return " (no-map)";
	if (kind == CLAIM_METADATA)
		return " (metadata)";
	return kind == CLAIM_CMA ? " (CMA, the page allocator's)" : "";
}

static void enter_owner(const struct ram_run *run)
{
	char name[RESOURCE_NAME_MAX];

	if (run->owner)
		enter(run->base, run->end, claim_name(run->owner, name, sizeof(name)), kind_note(run->owner->kind),
		      run->nomap ? IORESOURCE_MEM : KEPT);
}

/* Whether @run goes on where @bank ends: of the same bank, and in the linear map as it is. */
static bool goes_on(const struct ram_run *bank, const struct ram_run *run)
{
	return run->bank == bank->bank && run->base == bank->end && !run->nomap && !bank->nomap;
}

static void enter_bank(const struct ram_run *bank)
{
	if (bank->bank && !bank->nomap)
		enter(bank->base, bank->end, "System RAM", "", IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY);
}

/* A bank is put around what was claimed of it, when its end is known. */
static void enter_ram(void)
{
	struct ram_run run = { 0 }, bank = { 0 };

	while (ram_run_next(&run)) {
		enter_owner(&run);
		if (goes_on(&bank, &run)) {
			bank.end = run.end;
			continue;
		}
		enter_bank(&bank);
		bank = run;
	}
	enter_bank(&bank);
}

static void enter_left_out(void)
{
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *claim = claim_get(i);

		if (claim->kind == CLAIM_LEFT_OUT)
			enter(claim->base, claim->base + claim->size, "left out by ", claim->name, IORESOURCE_MEM);
	}
}

static void enter_devices(void)
{
	const struct memtype_range *device = NULL;

	while ((device = memtype_next_device(device)))
		enter(device->base, device->base + device->size, device->name, "", KEPT);
}

void iomem_init(void)
{
	enter_ram();
	enter_left_out();
	enter_devices();
	early_ioremap_end();
}
