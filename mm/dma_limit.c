// SPDX-License-Identifier: BSD-2-Clause
/*
 * How far bus masters reach: the dma-ranges of every bus.
 *
 * 1. A bus node with dma-ranges says which of its own (DMA) addresses reach which addresses of its parent. The reach of
 *    the masters below it is the highest parent address of all its entries, translated to a CPU address through the
 *    dma-ranges of the ancestors; an ancestor without the property, or with an empty one, does not translate.
 * 2. The limit of the machine is the lowest reach of any bus. A bus without dma-ranges, or with an empty one, limits
 *    nobody.
 *
 * Source: Devicetree Specification 0.4, 2.3.9.
 */
#include <libfdt.h>

#include <lib/dt.h>
#include <lib/printk.h>
#include <mm/discover.h>

#define NO_LIMIT  (~0ULL)
#define MAX_DEPTH 32

/**
 * struct dma_bus - the dma-ranges of one node
 * @prop: its entries, NULL when it does not translate
 * @nr: how many
 * @ac: cells of its own addresses
 * @pac: cells of its parent's
 * @sc: cells of a size
 */
struct dma_bus {
	const char *prop;
	int nr, ac, pac, sc;
};

static const char *entry(const struct dma_bus *bus, int i)
{
	return bus->prop + (size_t)i * (size_t)(bus->ac + bus->pac + bus->sc) * sizeof(fdt32_t);
}

/* PCI addresses have three cells, the first of which is no address. */
static u64 low_cells(const char *prop, int cells)
{
	return cells == 3 ? dt_cells(prop + sizeof(fdt32_t), 2) : dt_cells(prop, cells);
}

static void read_bus(const void *fdt, int parent, int node, struct dma_bus *bus)
{
	int len, size;

	*bus = (struct dma_bus){ 0 };
	bus->prop = fdt_getprop(fdt, node, "dma-ranges", &len);
	bus->ac = fdt_address_cells(fdt, node);
	bus->pac = fdt_address_cells(fdt, parent);
	bus->sc = fdt_size_cells(fdt, node);
	if (bus->ac < 1 || bus->ac > 3 || bus->pac < 1 || bus->pac > 3 || bus->sc < 1 || bus->sc > 2)
		bus->prop = NULL;
	if (!bus->prop)
		return;
	size = (bus->ac + bus->pac + bus->sc) * (int)sizeof(fdt32_t);
	bus->nr = len / size;
	if (!bus->nr)
		bus->prop = NULL;
}

/* An address of @bus as its parent sees it; NO_LIMIT when no entry holds it. */
static u64 to_parent(const struct dma_bus *bus, u64 addr)
{
	if (!bus->prop)
		return addr;
	for (int i = 0; i < bus->nr; i++) {
		const char *e = entry(bus, i);
		u64 child = low_cells(e, bus->ac);
		u64 parent = low_cells(e + bus->ac * 4, bus->pac);
		u64 size = dt_cells(e + (bus->ac + bus->pac) * 4, bus->sc);

		if (addr >= child && addr - child < size)
			return parent + (addr - child);
	}
	return NO_LIMIT;
}

/* The last CPU address that masters on chain[depth - 1] reach; NO_LIMIT when the bus does not limit them. */
static u64 bus_reach(const struct dma_bus *chain, int depth)
{
	const struct dma_bus *bus = &chain[depth - 1];
	u64 reach = 0;

	for (int i = 0; i < bus->nr; i++) {
		const char *e = entry(bus, i);
		u64 size = dt_cells(e + (bus->ac + bus->pac) * 4, bus->sc);
		u64 last = low_cells(e + bus->ac * 4, bus->pac) + size - 1;

		if (!size)
			continue;
		for (int up = depth - 2; up >= 0 && last != NO_LIMIT; up--)
			last = to_parent(&chain[up], last);
		reach = max(reach, last);
	}
	return bus->nr && reach ? reach : NO_LIMIT;
}

phys_addr_t fdt_dma_limit(const void *fdt)
{
	struct dma_bus chain[MAX_DEPTH];
	int parents[MAX_DEPTH + 1] = { 0 };
	u64 lowest = NO_LIMIT;
	int depth = 0, node = 0;

	for (node = fdt_next_node(fdt, 0, &depth); node >= 0 && depth > 0; node = fdt_next_node(fdt, node, &depth)) {
		if (depth > MAX_DEPTH)
			continue;
		parents[depth] = node;
		read_bus(fdt, parents[depth - 1], node, &chain[depth - 1]);
		if (chain[depth - 1].prop)
			lowest = min(lowest, bus_reach(chain, depth));
	}
	return lowest == NO_LIMIT ? 0 : lowest + 1;
}
