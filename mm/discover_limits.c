// SPDX-License-Identifier: BSD-2-Clause
/*
 * What /chosen and the boot arguments say of memory, between the banks and the reservations.
 *
 * 1. movable_node keeps boot allocations off hotpluggable memory. memmap=SIZE@ADDRESS is memory that the tree does not
 *    know: it is added.
 * 2. linux,usable-memory-range lists (address, size) pairs in the root's cells: a crash kernel may use only these. All
 *    other memory is left out.
 * 3. mem=SIZE keeps the first SIZE bytes of memory, by address, and the image and the initrd wherever they are; the
 *    rest is left out.
 * 4. What is left out is no memory to memblock, and is listed as a claim, so that the map explains it.
 * 5. Sizes are numbers as in C, with K, M, G or T behind. memmap= may stand several times, and list entries with
 *    commas. An entry that cannot be read is named and ignored, the others stand.
 *
 * Source: Devicetree chosen binding (linux,usable-memory-range).
 */
#include "discover.h"

#include <lib/dt.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <mm/bootargs.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <string.h>

#include "internal.h"

#define ENTRY_MAX 64

/* What mem= leaves in, whatever it says. */
struct mem_limit_keep {
	const char *name;
	phys_addr_t base, end;
};

static const char usable_name[] = "linux,usable-memory-range";

static void leave_out(phys_addr_t base, phys_addr_t end, const char *who)
{
	struct memblock_region *r;
	phys_addr_t bytes = 0;

	for_each_mem_region(r) {
		phys_addr_t from = max(base, r->base), to = min(end, r->base + r->size);

		if (from >= to)
			continue;
		claim_add(&(struct mem_claim){ from, to - from, CLAIM_LEFT_OUT, -1, NUMA_NO_NODE, who, -1 });
		bytes += to - from;
	}
	if (!bytes)
		return;
	printk("memory: %s leaves out 0x%llx bytes in [mem 0x%016llx-0x%016llx]\n", who, bytes, base, end - 1);
	if (memblock_remove(base, end - base))
		panic("memory: %s: the memory array is full: %lu of %lu regions", who, memblock.memory.cnt,
		      memblock.memory.max);
}

/* The lowest range of the property that ends above @pos. Return: false when there is none. */
static bool next_usable(const struct reg_reader *ranges, phys_addr_t pos, phys_addr_t *base, phys_addr_t *end)
{
	struct reg_reader reg = *ranges;
	phys_addr_t start, size;
	bool found = false;

	while (reg_next(&reg, &start, &size)) {
		phys_addr_t stop = start + memblock_cap_size(start, size);

		if (stop <= pos || (found && start >= *base))
			continue;
		*base = start;
		*end = stop;
		found = true;
	}
	return found;
}

phys_addr_t usable_conflict(const void *fdt, phys_addr_t base, phys_addr_t end)
{
	int chosen = dt_chosen(fdt);
	phys_addr_t start, size, below = 0;
	struct reg_reader reg;

	if (chosen < 0 || reg_open_quiet(fdt, 0, chosen, usable_name, &reg))
		return end;
	while (reg_next(&reg, &start, &size)) {
		phys_addr_t stop = start + memblock_cap_size(start, size);

		if (base >= start && end <= stop)
			return end;
		if (stop < end)
			below = max(below, stop);
	}
	return below;
}

static void apply_usable_ranges(const void *fdt)
{
	phys_addr_t pos = 0, base = 0, end = 0;
	struct reg_reader ranges;
	int chosen = dt_chosen(fdt);

	if (chosen < 0 || reg_open(fdt, 0, chosen, usable_name, &ranges))
		return;
	while (next_usable(&ranges, pos, &base, &end)) {
		if (base > pos)
			leave_out(pos, base, usable_name);
		pos = end;
	}
	leave_out(pos, MEMBLOCK_ALLOC_ANYWHERE, usable_name);
}

/* Where the first @limit bytes of memory end; the end of the address space when there is no more than that. */
static phys_addr_t end_of_first(phys_addr_t limit)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		if (r->size >= limit)
			return r->base + limit;
		limit -= r->size;
	}
	return MEMBLOCK_ALLOC_ANYWHERE;
}

/* mem= leaves out [@base, the end), but for @keep[]: ranges by address, that may touch or overlap. */
static void leave_out_but(phys_addr_t base, const struct mem_limit_keep *keep, int n)
{
	for (int i = 0; i < n; i++) {
		phys_addr_t start = ALIGN_DOWN(keep[i].base, (phys_addr_t)PAGE_SIZE);
		phys_addr_t end = ALIGN(keep[i].end, (phys_addr_t)PAGE_SIZE);

		if (end <= base)
			continue;
		if (start > base)
			leave_out(base, start, "mem=");
		start = max(start, base);
		if (memblock_overlaps_region(&memblock.memory, start, end - start))
			printk("memory: mem= keeps [mem 0x%016llx-0x%016llx] for %s\n", start, end - 1, keep[i].name);
		base = end;
	}
	leave_out(base, MEMBLOCK_ALLOC_ANYWHERE, "mem=");
}

static void apply_mem(const struct boot_info *boot, const char *args)
{
	struct mem_limit_keep keep[2] = { { "the image", boot->image_base, boot->image_end } };
	char value[ENTRY_MAX];
	const char *rest;
	phys_addr_t limit, base, size;
	int n = 1;

	if (!bootarg_value(args, "mem", value, sizeof(value)))
		return;
	limit = parse_size(value, &rest);
	if (*rest || !limit) {
		printk("bootargs: mem=%s is no size: ignored\n", value);
		return;
	}
	if (!initrd_range(boot->fdt, &base, &size) && size && base + size - 1 <= boot->phys_limit - PAGE_SIZE) {
		int place = base < boot->image_base ? 0 : 1;

		keep[1 - place] = keep[0];
		keep[place] = (struct mem_limit_keep){ "the initrd", base, base + size };
		n = 2;
	}
	leave_out_but(end_of_first(limit), keep, n);
}

/* One entry, "SIZE@ADDRESS" or "SIZE$ADDRESS". Return: the character in between, 0 when it cannot be read. */
static char parse_memmap(const char *entry, phys_addr_t *base, phys_addr_t *size)
{
	const char *rest, *end;
	char kind;

	*size = parse_size(entry, &rest);
	kind = *rest;
	if (rest == entry || !*size || (kind != '@' && kind != '$'))
		return 0;
	*base = parse_size(rest + 1, &end);
	return end == rest + 1 || *end ? 0 : kind;
}

void memmap_each(const char *args, char kind, void (*fn)(phys_addr_t base, phys_addr_t size, void *arg), void *arg)
{
	char list[16 * ENTRY_MAX], *entry, *rest;

	while ((args = bootarg_value(args, "memmap", list, sizeof(list)))) {
		if (strlen(list) == sizeof(list) - 1) {
			if (kind == '@')
				printk("bootargs: memmap= of more than %zu bytes: ignored\n", sizeof(list) - 1);
			continue;
		}
		for (entry = strtok_r(list, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest)) {
			phys_addr_t base = 0, size = 0;
			char found = parse_memmap(entry, &base, &size);

			if (found == kind)
				fn(base, size, arg);
			else if (!found && kind == '@')
				printk("bootargs: memmap=%s is neither SIZE@ADDRESS nor SIZE$ADDRESS: ignored\n",
				       entry);
		}
	}
}

static void add_memmap(phys_addr_t base, phys_addr_t size, void *arg)
{
	const struct boot_info *boot = arg;

	if (base >= boot->phys_limit) {
		printk("memory: memmap=: 0x%llx lies past the physical address limit 0x%llx: left out\n", base,
		       boot->phys_limit);
		return;
	}
	size = min(size, boot->phys_limit - base);
	if (memblock_add(base, size))
		panic("memory: memmap=: the memory array is full: %lu of %lu regions", memblock.memory.cnt,
		      memblock.memory.max);
	claim_add(&(struct mem_claim){ base, size, CLAIM_MEMORY, -1, NUMA_NO_NODE, "memmap=", -1 });
}

void discover_limits(const struct boot_info *boot)
{
	const char *args = fdt_bootargs(boot->fdt);

	memblock_set_movable_node(bootarg_flag(args, "movable_node"));
	memmap_each(args, '@', add_memmap, (void *)(uintptr_t)boot);
	apply_usable_ranges(boot->fdt);
	apply_mem(boot, args);
}
