// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery of memory on a machine that UEFI started: its memory map instead of the tree's /memory nodes.
 *
 * 1. The map (<mm/efi_map.h>) tells more than /memory does, and firmware keeps the tree's nodes for systems that were
 *    not started by it. So where there is a map, /memory nodes are not believed: they only say which node a range
 *    belongs to and whether it is hotpluggable, which the map does not know. RAM that they list and the map does not is
 *    named.
 * 2. What a descriptor means to us:
 *
 *	conventional, loader code and data,		RAM, free. Boot services have ended; what of it holds the
 *	boot services code and data			image and the tree is reserved as theirs.
 *	runtime services code and data, ACPI reclaim,	RAM, reserved: firmware, or a reader of its tables, may come
 *	special purpose (by attribute)			back to it
 *	reserved, unusable, ACPI NVS, PAL code,		RAM that is not ours to touch, through a mapping least of
 *	persistent, unaccepted, types unknown		all: no-map
 *	memory mapped I/O; all of the above that	no RAM: not entered
 *	cannot be mapped write-back
 *
 *    Each range keeps the name of its type in the map with its sources.
 * 3. Descriptors may come in any order, touch and overlap. Memory is their union; what one of them keeps from us is
 *    kept, be it as RAM of firmware's or as no RAM. Each overlap is said.
 * 4. A map that cannot be read is an error, and the tree's /memory does not stand in for it: nobody would know then
 *    what firmware still uses.
 *
 * Cost: O(descriptors * memory nodes). Source: UEFI Specification 2.10, 7.2.3.
 */
#include "discover.h"

#include <errno.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <mm/efi_map.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <string.h>

#include "internal.h"

/* All names of this file begin so. */
static const char name_mark[] = "UEFI ";

/* What a type's RAM is to us, beside RAM. */
enum efi_use { EFI_USE_FREE, EFI_USE_RESERVED, EFI_USE_NOMAP, EFI_USE_NO_RAM };

static const struct {
	const char *name;
	enum efi_use use;
} efi_types[] = {
	[EFI_RESERVED_MEMORY] = { "UEFI reserved", EFI_USE_NOMAP },
	[EFI_LOADER_CODE] = { "UEFI loader code", EFI_USE_FREE },
	[EFI_LOADER_DATA] = { "UEFI loader data", EFI_USE_FREE },
	[EFI_BOOT_SERVICES_CODE] = { "UEFI boot services code", EFI_USE_FREE },
	[EFI_BOOT_SERVICES_DATA] = { "UEFI boot services data", EFI_USE_FREE },
	[EFI_RUNTIME_SERVICES_CODE] = { "UEFI runtime services code", EFI_USE_RESERVED },
	[EFI_RUNTIME_SERVICES_DATA] = { "UEFI runtime services data", EFI_USE_RESERVED },
	[EFI_CONVENTIONAL_MEMORY] = { "UEFI conventional memory", EFI_USE_FREE },
	[EFI_UNUSABLE_MEMORY] = { "UEFI unusable memory", EFI_USE_NOMAP },
	[EFI_ACPI_RECLAIM_MEMORY] = { "UEFI ACPI reclaim memory", EFI_USE_RESERVED },
	[EFI_ACPI_MEMORY_NVS] = { "UEFI ACPI NVS", EFI_USE_NOMAP },
	[EFI_MEMORY_MAPPED_IO] = { "UEFI memory mapped I/O", EFI_USE_NO_RAM },
	[EFI_MEMORY_MAPPED_IO_PORT] = { "UEFI memory mapped I/O ports", EFI_USE_NO_RAM },
	[EFI_PAL_CODE] = { "UEFI PAL code", EFI_USE_NOMAP },
	[EFI_PERSISTENT_MEMORY] = { "UEFI persistent memory", EFI_USE_NOMAP },
	[EFI_UNACCEPTED_MEMORY] = { "UEFI unaccepted memory", EFI_USE_NOMAP },
};

_Static_assert(ARRAY_SIZE(efi_types) == NR_EFI_MEMORY_TYPES, "every type has a name and a use");

/**
 * struct efi_map - the map in the tree
 * @pos: the first descriptor, of any alignment
 * @nr: whole descriptors
 * @step: bytes from one to the next
 * @rest: bytes behind the last whole one
 */
struct efi_map {
	const char *pos;
	u32 nr, step, rest;
};

/* Return: 0, -ENOENT when the tree has no map, -EINVAL when its descriptors cannot be told apart. */
static int open_map(const void *fdt, struct efi_map *map)
{
	int chosen = dt_chosen(fdt), len;
	u32 step = 0;

	map->pos = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, EFI_MMAP_PROP, &len);
	if (!map->pos)
		return -ENOENT;
	(void)dt_u32(fdt, chosen, EFI_MMAP_STEP_PROP, &step);
	map->step = step;
	if (step < sizeof(struct efi_memory_desc))
		return -EINVAL;
	map->nr = (u32)len / step;
	map->rest = (u32)len % step;
	return 0;
}

/* Descriptor @i as a claim: its range, and what it is to us. */
static enum efi_use describe(const struct efi_map *map, u32 i, struct mem_claim *claim)
{
	static const char unknown[] = "UEFI memory of unknown type", special[] = "UEFI special purpose memory";
	struct efi_memory_desc desc;
	bool known;

	memcpy(&desc, map->pos + (size_t)i * map->step, sizeof(desc));
	known = desc.type < NR_EFI_MEMORY_TYPES;
	*claim = (struct mem_claim){
		.base = desc.physical_start,
		.size = min(desc.nr_pages, ~0ULL >> EFI_PAGE_SHIFT) << EFI_PAGE_SHIFT,
		.node = -1,
		.nid = NUMA_NO_NODE,
		.name = known ? efi_types[desc.type].name : unknown,
		.index = -1,
	};
	if (!(desc.attribute & EFI_MEMORY_WB))
		return EFI_USE_NO_RAM;
	if (!known)
		return EFI_USE_NOMAP;
	if (efi_types[desc.type].use != EFI_USE_FREE || !(desc.attribute & EFI_MEMORY_SP))
		return efi_types[desc.type].use;
	claim->name = special;
	return EFI_USE_RESERVED;
}

/**
 * struct placement - what the tree says of RAM at an address
 * @nid: its node, NUMA_NO_NODE when it says nothing
 * @flags: MEMBLOCK_HOTPLUG or none
 * @end: up to here, at most, the same holds
 */
struct placement {
	int nid;
	enum memblock_flags flags;
	phys_addr_t end;
};

static void place_by_node(const void *fdt, int node, phys_addr_t at, struct placement *place)
{
	phys_addr_t base, size;
	struct reg_reader reg;
	u32 id;

	if (reg_open_quiet(fdt, 0, node, "reg", &reg))
		return;
	while (reg_next(&reg, &base, &size)) {
		phys_addr_t end = base + memblock_cap_size(base, size);

		if (base > at)
			place->end = min(place->end, base);
		if (base > at || end <= at)
			continue;
		place->end = min(place->end, end);
		if (!dt_u32(fdt, node, "numa-node-id", &id) && id < MAX_NUMNODES)
			place->nid = (int)id;
		if (fdt_getprop(fdt, node, "hotpluggable", NULL))
			place->flags = MEMBLOCK_HOTPLUG;
	}
}

/* What the tree says of RAM from @at to @end, as far as it says the same. */
static struct placement place_in_tree(const void *fdt, phys_addr_t at, phys_addr_t end)
{
	struct placement place = { NUMA_NO_NODE, MEMBLOCK_NONE, end };
	int node;

	fdt_for_each_subnode(node, fdt, 0)
	{
		if (is_memory_node(fdt, node) && dt_enabled(fdt, node))
			place_by_node(fdt, node, at, &place);
	}
	return place;
}

static void add_ram(const struct boot_info *boot, const struct mem_claim *ram)
{
	struct mem_claim piece = *ram;
	phys_addr_t end;

	piece.kind = CLAIM_MEMORY;
	if (!ram->size) {
		add_bank(boot, ram->name, &piece, MEMBLOCK_NONE);
		return;
	}
	cap_range(ram->name, ram->base, &piece.size);
	end = ram->base + piece.size;
	while (piece.base < end) {
		struct placement place = place_in_tree(boot->fdt, piece.base, end);

		piece.size = place.end - piece.base;
		piece.nid = place.nid;
		add_bank(boot, ram->name, &piece, place.flags);
		piece.base = place.end;
	}
}

/* RAM of a /memory node that the map does not have. */
static void say_missing(const void *fdt, int node)
{
	phys_addr_t base, size;
	char path[DT_PATH_MAX];
	struct reg_reader reg;

	if (reg_open_quiet(fdt, 0, node, "reg", &reg))
		return;
	while (reg_next(&reg, &base, &size)) {
		phys_addr_t missing;

		size = memblock_cap_size(base, size);
		missing = size - bytes_of_memory(base, size);
		if (missing)
			printk("memory: %s: 0x%llx bytes of [mem 0x%016llx-0x%016llx] are not in UEFI's map: not used\n",
			       dt_path(fdt, node, path), missing, base, base + size - 1);
	}
}

int discover_efi(const struct boot_info *boot)
{
	struct efi_map map;
	int err = open_map(boot->fdt, &map), node;

	if (err == -ENOENT)
		return err;
	if (err) {
		printk("memory: /chosen/%s: descriptors of %u bytes, less than %zu: UEFI's map cannot be read\n",
		       EFI_MMAP_PROP, map.step, sizeof(struct efi_memory_desc));
		return err;
	}
	printk("memory: %u descriptors of UEFI's map say what is RAM; /memory nodes only which node it belongs to\n",
	       map.nr);
	if (map.rest)
		printk("memory: /chosen/%s: %u bytes behind descriptor %u are no whole one: ignored\n", EFI_MMAP_PROP,
		       map.rest, map.nr);
	for (u32 i = 0; i < map.nr; i++) {
		struct mem_claim claim;

		if (describe(&map, i, &claim) != EFI_USE_NO_RAM)
			add_ram(boot, &claim);
	}
	if (!memblock.memory.cnt) {
		printk("memory: UEFI's map has no RAM: no descriptor is one that can be mapped write-back, but I/O\n");
		return -EINVAL;
	}
	fdt_for_each_subnode(node, boot->fdt, 0)
	{
		if (is_memory_node(boot->fdt, node) && dt_enabled(boot->fdt, node))
			say_missing(boot->fdt, node);
	}
	return 0;
}

/* Whether a descriptor keeps its range from us. What is no RAM does where another says that it is. */
static bool keeps(enum efi_use use, const struct mem_claim *claim)
{
	if (!claim->size || use == EFI_USE_FREE)
		return false;
	return use != EFI_USE_NO_RAM || bytes_of_memory(claim->base, memblock_cap_size(claim->base, claim->size));
}

bool is_efi_claim(const struct mem_claim *claim)
{
	return claim->node < 0 && !strncmp(claim->name, name_mark, sizeof(name_mark) - 1);
}

void each_efi_reservation(const struct boot_info *boot, range_fn fn, void *arg)
{
	struct efi_map map;

	if (open_map(boot->fdt, &map))
		return;
	for (u32 i = 0; i < map.nr; i++) {
		struct mem_claim claim;
		enum efi_use use = describe(&map, i, &claim);

		claim.kind = use == EFI_USE_RESERVED ? CLAIM_RESERVED : CLAIM_NOMAP;
		if (keeps(use, &claim))
			fn(&claim, arg);
	}
}
