// SPDX-License-Identifier: BSD-2-Clause
/*
 * ioremap(), memremap() and their kin (contract: <mm/io.h>).
 *
 * 1. Each mapping is an area of vmalloc's (vmap_phys()) and a struct memtype_range, which is held before the area is
 *    mapped and dropped after all TLBs have been told that it is not: two types for one page never work at the same
 *    time.
 * 2. Mappings are found by their address (vmap_notes.h). Who ends one first takes it out: of two CPUs that do so, one
 *    ends it and one is reported.
 * 3. RAM is what claims say (provenance.c): memory that is neither left out nor no-map, which is what the linear map
 *    has. It needs no mapping, so nothing is held for it; but who has it mapped with another type stands in the way.
 *
 * Locks: none here. On failure what was held and mapped is let go of.
 */
#include <lib/printk.h>
#include <mm/io.h>
#include <mm/mmzone.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <stdio.h>

#include "internal.h"
#include "ioremap.h"
#include "memtype_mapping.h"
#include "provenance.h"
#include "vmap.h"

#define MAX_REPORTS 20
#define NAME_MAX    128

static DEFINE_VMAP_NOTES(mappings);
static u32 refusals; /* reported; atomic */

static bool may_report(void)
{
	return fetch_add32(&refusals, 1) < MAX_REPORTS;
}

static void report_refusal(const struct memtype_range *range, const char *why)
{
	char caller[ARCH_SYMBOL_MAX];

	if (may_report())
		printk("%s: 0x%llx bytes at 0x%016llx, asked for by %s: %s: refused\n", range->name, range->size,
		       range->base, arch_symbol((unsigned long)range->caller, caller, sizeof(caller)), why);
}

/* --- is it RAM? --- */

/* How much of the pages of a range is RAM. */
enum ram_part { RAM_NONE, RAM_PART, RAM_ALL };

/* The whole pages that a range lies in. */
static phys_addr_t first_byte(const struct memtype_range *range)
{
	return ALIGN_DOWN(range->base, PAGE_SIZE);
}

static phys_addr_t end_byte(const struct memtype_range *range)
{
	return ALIGN(range->base + range->size, PAGE_SIZE);
}

/* @first: the first run of it, when there is any. */
static enum ram_part ram_part(const struct memtype_range *range, struct ram_run *first)
{
	phys_addr_t start = first_byte(range), end = end_byte(range), at = start;
	struct ram_run run = { .end = start };
	bool any = false;

	while (at < end && ram_run_next(&run) && run.base < end) {
		if (run.nomap)
			continue;
		if (!any)
			*first = run;
		any = true;
		if (run.base != at)
			break;
		at = run.end;
	}
	if (!any)
		return RAM_NONE;
	return at >= end ? RAM_ALL : RAM_PART;
}

/* "of node N, zone Z, " for the first page of @run; nothing while there are no zones. */
static const char *zone_text(const struct ram_run *run, char *buf, size_t size)
{
	unsigned long pfn = PFN_DOWN(run->base);
	int i, nid = run->bank->nid;
	struct zone *zone;

	buf[0] = '\0';
	for_each_populated_zone(i, zone)
		if (pfn >= zone->zone_start_pfn && pfn < zone_end_pfn(zone) &&
		    (nid == NUMA_NO_NODE || zone->node->node_id == nid))
			snprintf(buf, size, " of node %d, zone %s", zone->node->node_id, zone->name);
	return buf;
}

static void report_ram(const struct memtype_range *range, const struct ram_run *run)
{
	bool kept = run->owner && run->owner->kind != CLAIM_CMA;
	char caller[ARCH_SYMBOL_MAX], owner[NAME_MAX], zone[40];

	if (!may_report())
		return;
	printk("%s: [mem 0x%016llx-0x%016llx], asked for by %s: [mem 0x%016llx-0x%016llx] is RAM%s, %s%s: refused\n",
	       range->name, range->base, range->base + range->size - 1,
	       arch_symbol((unsigned long)range->caller, caller, sizeof(caller)), run->base,
	       min(run->end, end_byte(range)) - 1, zone_text(run, zone, sizeof(zone)),
	       kept ? "claimed by " : "the page allocator's", kept ? claim_name(run->owner, owner, sizeof(owner)) : "");
}

static bool out_of_reach(const struct memtype_range *range)
{
	const char *why = NULL;

	if (!range->size)
		why = "nothing to map";
	else if (range->base + range->size - 1 < range->base)
		why = "it ends beyond the address space";
	else if (!arch_pa_valid(range->base, range->size))
		why = "it ends beyond this CPU's physical addresses";
	if (why)
		report_refusal(range, why);
	return why;
}

bool ioremap_refused(const struct memtype_range *range)
{
	struct ram_run run;

	if (out_of_reach(range))
		return true;
	if (ram_part(range, &run) == RAM_NONE)
		return false;
	report_ram(range, &run);
	return true;
}

/* --- mapping --- */

/* Map what @wanted says, which is in reach and no RAM. NULL: refused, or no memory. */
static void *map_range(const struct memtype_range *wanted, bool quiet)
{
	unsigned long offset = wanted->base % PAGE_SIZE, nr = PFN_UP(offset + wanted->size);
	struct memtype_mapping *mapping = memtype_mapping_new(1);
	void *va = NULL;

	if (mapping) {
		mapping->ranges[0] = *wanted;
		if (!memtype_mapping_hold(mapping, quiet))
			return NULL;
		va = vmap_phys(wanted->base - offset, nr, memtype_prot(wanted->type), VMAP_IOREMAP, wanted->caller);
	}
	if (!va) {
		report_refusal(wanted, "no memory, or no address space");
		memtype_mapping_end(mapping);
		return NULL;
	}
	vmap_note_add(&mappings, &mapping->at, va, nr << PAGE_SHIFT);
	return (char *)va + offset;
}

static void *map_device(const char *name, phys_addr_t phys, size_t size, enum memtype type, const void *caller)
{
	struct memtype_range wanted = { .base = phys, .size = size, .type = (u8)type, .name = name, .caller = caller };

	return ioremap_refused(&wanted) ? NULL : map_range(&wanted, false);
}

void __iomem *ioremap(phys_addr_t phys, size_t size)
{
	return map_device("ioremap", phys, size, MEMTYPE_DEVICE, __builtin_return_address(0));
}

void __iomem *ioremap_np(phys_addr_t phys, size_t size)
{
	return map_device("ioremap_np", phys, size, MEMTYPE_DEVICE_NP, __builtin_return_address(0));
}

void __iomem *ioremap_wc(phys_addr_t phys, size_t size)
{
	return map_device("ioremap_wc", phys, size, MEMTYPE_WC, __builtin_return_address(0));
}

static void unmap(const char *name, const void *addr)
{
	void *page = (void *)ALIGN_DOWN((uintptr_t)addr, PAGE_SIZE);
	struct memtype_mapping *mapping = memtype_mapping_of(vmap_note_take(&mappings, page));

	if (!mapping) {
		vunmap_phys_report(name, addr);
		return;
	}
	vunmap_phys(name, page, VMAP_IOREMAP);
	memtype_mapping_end(mapping);
}

void iounmap(const volatile void __iomem *addr)
{
	if (addr)
		unmap("iounmap", (const void *)(uintptr_t)addr);
}

/* The linear address of a range that is all RAM, and nobody's with another type; what else is RAM is refused. */
static void *remap_ram(struct memtype_range *wanted, unsigned long flags, const struct ram_run *run, enum ram_part part)
{
	if (part != RAM_ALL || !(flags & MEMREMAP_WB)) {
		report_ram(wanted, run);
		return NULL;
	}
	wanted->type = MEMTYPE_WB;
	return memtype_refused(wanted, false) ? NULL : __va(wanted->base);
}

void *memremap(phys_addr_t phys, size_t size, unsigned long flags)
{
	static const struct {
		unsigned long flag;
		enum memtype type;
	} tries[] = { { MEMREMAP_WB, MEMTYPE_WB }, { MEMREMAP_WT, MEMTYPE_WT }, { MEMREMAP_WC, MEMTYPE_WC } };
	unsigned long left = flags & (MEMREMAP_WB | MEMREMAP_WT | MEMREMAP_WC);
	struct memtype_range wanted = {
		.base = phys, .size = size, .name = "memremap", .caller = __builtin_return_address(0)
	};
	struct ram_run run;
	enum ram_part part;
	void *addr = NULL;

	if (out_of_reach(&wanted))
		return NULL;
	if (!left || left != flags) {
		report_refusal(&wanted, "its flags name no type, or more than WB, WT and WC");
		return NULL;
	}
	part = ram_part(&wanted, &run);
	if (part != RAM_NONE)
		return remap_ram(&wanted, flags, &run, part);
	for (size_t i = 0; i < ARRAY_SIZE(tries) && !addr && left; i++) {
		wanted.type = (u8)tries[i].type;
		if (!(left & tries[i].flag))
			continue;
		left &= ~tries[i].flag;
		addr = map_range(&wanted, left);
	}
	return addr;
}

void memunmap(const void *addr)
{
	if (addr && !((uintptr_t)addr - (uintptr_t)__va(0) < PHYS_ADDR_LIMIT))
		unmap("memunmap", addr);
}
