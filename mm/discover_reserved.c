// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery of what is taken already: the image, the tree, what UEFI keeps, /memreserve/, /reserved-memory, the initrd.
 *
 * 1. Ranges with an address are read first, in that order. Each goes into memblock.reserved; a no-map range is marked
 *    MEMBLOCK_NOMAP in memblock.memory instead, and leaves the linear map.
 *    Bytes at the ends of banks that are no whole page are kept from allocation too, and so is the page at address 0.
 * 2. Then nodes of /reserved-memory that have a `size` and no `reg` are placed: in their `alloc-ranges`, at their
 *    `alignment`, from the top down, wherever memory is free. What will be a CMA area is placed and sized in whole
 *    pageblocks. Then the area that the boot argument cma=SIZE[@BASE[-END]] asks for, as far down as the most limited
 *    master reaches.
 * 3. A range outside memory is kept as a claim, and takes no RAM; a range that overlaps an earlier one is entered too.
 *    Both are said in one line that names the parties: overlaps are common and harmless (a tree that reserves itself),
 *    or a sign of two owners. A no-map range holds over whatever lies in it, for the binding knows no exception: Linux
 *    leaves it mapped, for the sake of its image and its tree; ours are mapped apart from RAM.
 *    What lies within a range that UEFI's map keeps is not said: firmware has read the tree.
 * 4. reserved_conflict() answers, from the tree alone, whether a range of memory will be claimed by anything in 1. It
 *    is what keeps memblock's own allocations clear while 1 is going on, and it is dropped before 2.
 *
 * Source: Devicetree Specification 0.4, 3.5 and 5.3; binding reserved-memory.
 */
#include "discover.h"

#include <errno.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <mm/bootargs.h>
#include <mm/memblock.h>
#include <mm/mmzone.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <mm/reserved_mem.h>
#include <string.h>

#include "internal.h"

static const char initrd_start_name[] = "linux,initrd-start", initrd_end_name[] = "linux,initrd-end";
static const char elfcorehdr_name[] = "linux,elfcorehdr";

static const struct boot_info *watched;

static void emit(range_fn fn, void *arg, phys_addr_t base, phys_addr_t size, enum claim_kind kind, int node,
		 const char *name, int index)
{
	fn(&(struct mem_claim){ base, size, kind, node, NUMA_NO_NODE, name, index }, arg);
}

static void each_memreserve(const struct boot_info *boot, range_fn fn, void *arg)
{
	int n = fdt_num_mem_rsv(boot->fdt);

	for (int i = 0; i < n; i++) {
		uint64_t base, size;

		if (!fdt_get_mem_rsv(boot->fdt, i, &base, &size))
			emit(fn, arg, base, size, CLAIM_RESERVED, -1, "/memreserve/", i);
	}
}

static void each_static_node(const struct boot_info *boot, range_fn fn, void *arg)
{
	const void *fdt = boot->fdt;
	int parent = dt_reserved_memory(fdt), node;

	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent)
	{
		bool nomap = fdt_getprop(fdt, node, "no-map", NULL);
		phys_addr_t base, size;
		struct reg_reader reg;

		if (!dt_enabled(fdt, node) || reg_open_quiet(fdt, parent, node, "reg", &reg))
			continue;
		while (reg_next(&reg, &base, &size))
			emit(fn, arg, base, size, nomap ? CLAIM_NOMAP : CLAIM_RESERVED, node, NULL, -1);
	}
}

/* One or two cells of /chosen. Return: 0, -ENOENT or -EINVAL. */
static int chosen_address(const void *fdt, const char *name, u64 *value)
{
	int chosen = dt_chosen(fdt), len;
	const void *prop = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, name, &len);

	if (!prop)
		return -ENOENT;
	if (len != 4 && len != 8)
		return -EINVAL;
	*value = dt_cells(prop, len / 4);
	return 0;
}

int initrd_range(const void *fdt, phys_addr_t *base, phys_addr_t *size)
{
	u64 start, end;
	int err = chosen_address(fdt, initrd_start_name, &start), err_end = chosen_address(fdt, initrd_end_name, &end);

	if (err && err == err_end)
		return err;
	/* One without the other is as bad as one that cannot be read. */
	if (err || err_end)
		return -EINVAL;
	*base = start;
	*size = end > start ? end - start : 0;
	return 0;
}

static void each_initrd(const struct boot_info *boot, range_fn fn, void *arg)
{
	phys_addr_t base, size;

	if (!initrd_range(boot->fdt, &base, &size))
		emit(fn, arg, base, size, CLAIM_RESERVED, -1, "initrd", -1);
}

static void each_elfcorehdr(const struct boot_info *boot, range_fn fn, void *arg)
{
	int chosen = dt_chosen(boot->fdt);
	phys_addr_t base, size;
	struct reg_reader reg;

	if (chosen < 0 || reg_open_quiet(boot->fdt, 0, chosen, elfcorehdr_name, &reg))
		return;
	while (reg_next(&reg, &base, &size))
		emit(fn, arg, base, size, CLAIM_RESERVED, -1, elfcorehdr_name, -1);
}

struct memmap_arg {
	range_fn fn;
	void *arg;
};

static void emit_memmap(phys_addr_t base, phys_addr_t size, void *arg)
{
	const struct memmap_arg *m = arg;

	emit(m->fn, m->arg, base, size, CLAIM_RESERVED, -1, "memmap=", -1);
}

/* Every range with an address that is taken before we begin, in the order of the theory's point 1. */
static void each_reservation(const struct boot_info *b, range_fn fn, void *arg)
{
	emit(fn, arg, b->image_base, b->image_rodata - b->image_base, CLAIM_RESERVED, -1, "image text", -1);
	emit(fn, arg, b->image_rodata, b->image_data - b->image_rodata, CLAIM_RESERVED, -1, "image rodata", -1);
	emit(fn, arg, b->image_data, b->image_end - b->image_data, CLAIM_RESERVED, -1, "image data", -1);
	emit(fn, arg, b->fdt_pa, fdt_totalsize(b->fdt), CLAIM_RESERVED, -1, "device tree", -1);
	each_efi_reservation(b, fn, arg);
	each_memreserve(b, fn, arg);
	each_static_node(b, fn, arg);
	each_initrd(b, fn, arg);
	each_elfcorehdr(b, fn, arg);
	memmap_each(fdt_bootargs(b->fdt), '$', emit_memmap, &(struct memmap_arg){ fn, arg });
}

struct conflict {
	phys_addr_t base, end;
	phys_addr_t lowest;
};

static void note_conflict(const struct mem_claim *claim, void *arg)
{
	struct conflict *c = arg;
	phys_addr_t claim_end = claim->base + memblock_cap_size(claim->base, claim->size);

	if (claim->base < c->end && c->base < claim_end)
		c->lowest = min(c->lowest, claim->base);
}

static phys_addr_t reserved_conflict(phys_addr_t base, phys_addr_t end)
{
	struct conflict c = { base, end, end };

	each_reservation(watched, note_conflict, &c);
	/* What another kernel left behind is not ours to write to, even before it is left out. */
	return min(c.lowest, usable_conflict(watched->fdt, base, end));
}

void reserved_claims_watch(const struct boot_info *boot)
{
	watched = boot;
	memblock_set_claimed(reserved_conflict);
}

#define OWNERS (CLAIM_BIT(CLAIM_RESERVED) | CLAIM_BIT(CLAIM_NOMAP) | CLAIM_BIT(CLAIM_METADATA))

bool claim_said_twice(const struct mem_claim *claim, const struct mem_claim *other)
{
	return is_efi_claim(other) && !is_efi_claim(claim) && other->base <= claim->base &&
	       claim->base - other->base <= other->size - claim->size && claim->size <= other->size;
}

static void say_overlap(const struct mem_claim *claim, const char *name)
{
	const struct mem_claim *other;
	char other_name[DT_PATH_MAX];
	unsigned int i = 0;

	do
		other = claim_next(&i, claim->base, claim->size, OWNERS);
	while (other && claim_said_twice(claim, other));
	if (other)
		printk("reserved: %s [mem 0x%016llx-0x%016llx] overlaps %s [mem 0x%016llx-0x%016llx]: both kept\n",
		       name, claim->base, claim->base + claim->size - 1,
		       claim_name(other, other_name, sizeof(other_name)), other->base, other->base + other->size - 1);
}

phys_addr_t bytes_of_memory(phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = base + size, bytes = 0;
	unsigned long i = memblock_first_ending_after(&memblock.memory, base);

	for (; i < memblock.memory.cnt && memblock.memory.regions[i].base < end; i++) {
		const struct memblock_region *r = &memblock.memory.regions[i];

		bytes += min(end, r->base + r->size) - max(base, r->base);
	}
	return bytes;
}

static void say_outside(const struct mem_claim *claim, const char *name)
{
	phys_addr_t inside = bytes_of_memory(claim->base, claim->size);

	if (inside == claim->size)
		return;
	printk("reserved: %s [mem 0x%016llx-0x%016llx] lies %soutside RAM: kept, it takes 0x%llx bytes of it\n", name,
	       claim->base, claim->base + claim->size - 1, inside ? "partly " : "", inside);
}

/* Only nodes are told: entries of /memreserve/ and the tree itself have any length they like. */
static void say_unaligned(const struct mem_claim *claim, const char *name)
{
	if (claim->node >= 0 && !IS_ALIGNED(claim->base | claim->size, (phys_addr_t)PAGE_SIZE))
		printk("reserved: %s [mem 0x%016llx-0x%016llx] is not whole pages: the rest of its first or last page is lost\n",
		       name, claim->base, claim->base + claim->size - 1);
}

static int enter(const struct mem_claim *claim)
{
	if (claim->kind == CLAIM_NOMAP)
		return memblock_mark_nomap(claim->base, claim->size);
	return memblock_reserve(claim->base, claim->size);
}

static void enter_reservation(const struct mem_claim *found, void *arg)
{
	struct mem_claim claim = *found;
	char name[DT_PATH_MAX];
	int err;

	(void)arg;
	claim_name(&claim, name, sizeof(name));
	if (!claim.size) {
		printk("reserved: %s at 0x%llx has size 0: skipped\n", name, claim.base);
		return;
	}
	cap_range(name, claim.base, &claim.size);
	say_outside(&claim, name);
	say_unaligned(&claim, name);
	say_overlap(&claim, name);
	err = enter(&claim);
	if (err)
		panic("reserved: %s [mem 0x%016llx-0x%016llx] cannot be recorded (%lu of %lu regions in use, error %d)",
		      name, claim.base, claim.base + claim.size - 1, memblock.reserved.cnt, memblock.reserved.max, err);
	claim_add(&claim);
}

/* Where a dynamic node may go: the next of its alloc-ranges, or all memory, once, when it has none. */
static phys_addr_t place_dynamic(const void *fdt, int parent, int node, u64 size, u64 align)
{
	phys_addr_t base, len, place = 0;
	struct reg_reader ranges;
	int err = reg_open(fdt, parent, node, "alloc-ranges", &ranges);

	if (err == -ENOENT)
		return memblock_phys_alloc(size, align);
	/* A constraint that cannot be read is not met anywhere. */
	if (err)
		return 0;
	/* An empty range allows nothing; at address 0 its end would mean "anywhere". */
	while (!place && reg_next(&ranges, &base, &len))
		if (len)
			place = memblock_phys_alloc_range(size, align, base, base + memblock_cap_size(base, len));
	return place;
}

/* A property of one number in the parent's #size-cells. Return: whether it is there and has the right length. */
static bool size_property(const void *fdt, int parent, int node, const char *name, u64 *value)
{
	int len, cells = fdt_size_cells(fdt, parent);
	const void *prop = fdt_getprop(fdt, node, name, &len);

	if (!prop || cells < 1 || cells > 3 || len != cells * 4)
		return false;
	*value = read_cells(prop, cells);
	return true;
}

static void enter_dynamic(const void *fdt, int parent, int node)
{
	bool nomap = fdt_getprop(fdt, node, "no-map", NULL);
	u64 size, align = PAGE_SIZE, unit;
	char path[DT_PATH_MAX];
	phys_addr_t place;

	dt_path(fdt, node, path);
	if (!size_property(fdt, parent, node, "size", &size) || !size) {
		printk("reserved: %s has neither a usable reg nor a usable size: ignored\n", path);
		return;
	}
	if (size_property(fdt, parent, node, "alignment", &align) && (!align || (align & (align - 1)))) {
		printk("reserved: %s: alignment 0x%llx is no power of two: a page is used\n", path, align);
		align = PAGE_SIZE;
	}
	unit = reserved_mem_is_cma(fdt, node) ? PAGEBLOCK_SIZE : PAGE_SIZE;
	align = max(align, unit);
	size = ALIGN(min(size, ~0ULL - unit), unit);
	place = place_dynamic(fdt, parent, node, size, align);
	if (!place) {
		printk("reserved: %s: no free 0x%llx bytes aligned to 0x%llx in its alloc-ranges: not reserved\n", path,
		       size, align);
		return;
	}
	/*
	 * memblock took it as an allocation of ours; it is the tree's. It stays reserved until it is marked, lest an
	 * array that doubles in between settles there.
	 */
	if (nomap && memblock_mark_nomap(place, size))
		panic("reserved: %s: cannot be marked no-map", path);
	memblock_phys_free(place, size);
	enter_reservation(&(struct mem_claim){ place, size, nomap ? CLAIM_NOMAP : CLAIM_RESERVED, node, NUMA_NO_NODE,
					       NULL, -1 },
			  NULL);
}

static void enter_dynamic_nodes(const void *fdt)
{
	int parent = dt_reserved_memory(fdt), node;

	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent) if (dt_enabled(fdt, node) && !fdt_getprop(fdt, node, "reg", NULL))
		enter_dynamic(fdt, parent, node);
}

static const char cma_argument[] = "cma=";

/* Where cma=SIZE[@BASE[-END]] is to lie. Return: whether @text is that. */
static bool parse_cma(const char *text, phys_addr_t *size, phys_addr_t *base, phys_addr_t *end)
{
	const char *rest;

	*size = parse_size(text, &rest);
	if (rest == text || (*rest && *rest != '@'))
		return false;
	if (*rest == '@') {
		text = rest + 1;
		*base = parse_size(text, &rest);
		*end = *base + memblock_cap_size(*base, *size);
		if (rest == text || (*rest && *rest != '-'))
			return false;
	}
	if (*rest == '-') {
		text = rest + 1;
		*end = parse_size(text, &rest);
	}
	return rest != text && !*rest;
}

static void enter_cma_argument(const void *fdt)
{
	phys_addr_t size, base = 0, end, place;
	char value[64];

	if (!bootarg_value(fdt_bootargs(fdt), "cma", value, sizeof(value)))
		return;
	end = fdt_dma_limit(fdt);
	if (!end)
		end = PHYS_ADDR_MAX;
	if (!parse_cma(value, &size, &base, &end)) {
		printk("bootargs: cma=%s is not SIZE[@BASE[-END]]: ignored\n", value);
		return;
	}
	size = ALIGN(min(size, ~0ULL - PAGEBLOCK_SIZE), (phys_addr_t)PAGEBLOCK_SIZE);
	if (!size)
		return;
	place = memblock_phys_alloc_range(size, PAGEBLOCK_SIZE, base, end);
	if (!place) {
		printk("reserved: cma=%s: no free 0x%llx bytes aligned to 0x%lx there: not reserved\n", value, size,
		       PAGEBLOCK_SIZE);
		return;
	}
	memblock_phys_free(place, size);
	enter_reservation(&(struct mem_claim){ place, size, CLAIM_RESERVED, -1, NUMA_NO_NODE, cma_argument, -1 }, NULL);
}

const struct mem_claim *cma_argument_claim(void)
{
	for (unsigned int i = 0; i < claim_count(); i++)
		if (claim_get(i)->name == cma_argument)
			return claim_get(i);
	return NULL;
}

static void reserve_fragment(phys_addr_t base, phys_addr_t end)
{
	if (base < end)
		enter_reservation(&(struct mem_claim){ base, end - base, CLAIM_RESERVED, -1, NUMA_NO_NODE,
						       "partial page", -1 },
				  NULL);
}

/* What is no whole page at the ends of a bank is memory, but is not mapped: nobody is to allocate it. */
static void reserve_fragments(void)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		phys_addr_t end = r->base + r->size, first = ALIGN(r->base, (phys_addr_t)PAGE_SIZE);
		phys_addr_t last = ALIGN_DOWN(end, (phys_addr_t)PAGE_SIZE);

		if (r->flags & MEMBLOCK_NOMAP)
			continue;
		reserve_fragment(r->base, min(first, end));
		if (last >= first)
			reserve_fragment(last, end);
	}
}

/*
 * The page at address 0 is given to nobody: 0 is what an allocation that failed returns, and where RAM begins at 0
 * firmware tends to have its vectors and spin tables there, reserved or not. One reserved byte keeps a page.
 */
static void reserve_first_page(void)
{
	if (memblock_is_memory(0) && !claim_find(0, PAGE_SIZE, OWNERS))
		enter_reservation(
			&(struct mem_claim){ 0, PAGE_SIZE, CLAIM_RESERVED, -1, NUMA_NO_NODE, "first page", -1 }, NULL);
}

static void say_unreadable_nodes(const void *fdt)
{
	int parent = dt_reserved_memory(fdt), node;
	struct reg_reader reg;

	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent)
	{
		if (dt_enabled(fdt, node))
			(void)reg_open(fdt, parent, node, "reg", &reg);
	}
}

static void say_unreadable_chosen(const void *fdt)
{
	int chosen = dt_chosen(fdt);
	phys_addr_t base, size;
	struct reg_reader reg;

	if (chosen >= 0)
		(void)reg_open(fdt, 0, chosen, elfcorehdr_name, &reg);
	if (initrd_range(fdt, &base, &size) == -EINVAL)
		printk("device tree: /chosen: %s and %s are not one or two cells each: ignored\n", initrd_start_name,
		       initrd_end_name);
}

void discover_reserved(const struct boot_info *boot)
{
	/* each_reservation() is walked time and again, in silence: here is said, once, what it cannot read. */
	say_unreadable_nodes(boot->fdt);
	say_unreadable_chosen(boot->fdt);
	each_reservation(boot, enter_reservation, NULL);
	reserve_fragments();
	reserve_first_page();
	memblock_set_claimed(NULL);
	enter_dynamic_nodes(boot->fdt);
	enter_cma_argument(boot->fdt);
}
