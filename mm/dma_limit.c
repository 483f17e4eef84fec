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

/* Real trees have a few ways from a bus to memory; their number is exponential in the depth of a hostile one. */
#define MAX_STEPS 4096

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

/* Entry @i of @bus: @size bytes at @child on it are those at @parent on its parent. False for an empty one. */
static bool read_entry(const struct dma_bus *bus, int i, u64 *child, u64 *parent, u64 *size)
{
	const char *e = entry(bus, i);

	*child = low_cells(e, bus->ac);
	*parent = low_cells(e + bus->ac * 4, bus->pac);
	*size = dt_cells(e + (bus->ac + bus->pac) * 4, bus->sc);
	return *size;
}

/* The end of @size bytes at @first, inclusive; an entry beyond the last address ends there. */
static u64 last_of(u64 first, u64 size)
{
	return first + (size - 1) < first ? NO_LIMIT : first + (size - 1);
}

/* Addresses that a bus passes on to its parent chain[up], and which of that one's entries is looked at next. */
struct window {
	int up, next;
	u64 first, last;
};

/* Let the next entry of its bus pass what it can of @w to the bus above. Return: false when nothing passes. */
static bool pass_on(const struct dma_bus *chain, struct window *w, struct window *above)
{
	u64 child, parent, size, low, high;

	if (!read_entry(&chain[w->up], w->next++, &child, &parent, &size))
		return false;
	low = max(w->first, child);
	high = min(w->last, last_of(child, size));
	*above = (struct window){ w->up - 1, 0, parent + (low - child), parent + (high - child) };
	return low <= high;
}

/*
 * The last CPU address to which the buses chain[up], chain[up - 1], ... pass any of [first, last]; 0 when none. All
 * ways up are tried, depth first, MAX_STEPS at the most: the windows on the way lie on a stack, one for each bus.
 */
static u64 window_reach(const struct dma_bus *chain, int up, u64 first, u64 last)
{
	struct window stack[MAX_DEPTH + 1] = { { up, 0, first, last } };
	int depth = 1, steps = 0;
	u64 reach = 0;

	while (depth) {
		struct window *w = &stack[depth - 1];

		if (++steps > MAX_STEPS) {
			printk("dma: more than %d ways through dma-ranges of nested buses: the others are not looked at\n",
			       MAX_STEPS);
			break;
		}

		if (w->up < 0) {
			reach = max(reach, w->last);
			depth--;
		} else if (!chain[w->up].prop) {
			w->up--;
		} else if (w->next == chain[w->up].nr) {
			depth--;
		} else if (pass_on(chain, w, w + 1)) {
			depth++;
		}
	}
	return reach;
}

/* The last CPU address that masters on chain[depth - 1] reach; NO_LIMIT when the bus does not limit them. */
static u64 bus_reach(const struct dma_bus *chain, int depth)
{
	const struct dma_bus *bus = &chain[depth - 1];
	u64 reach = 0;

	for (int i = 0; i < bus->nr; i++) {
		u64 child, parent, size;

		if (read_entry(bus, i, &child, &parent, &size))
			reach = max(reach, window_reach(chain, depth - 2, parent, last_of(parent, size)));
	}
	return reach ? reach : NO_LIMIT;
}

/* What is not enabled has no masters, nor has anything below it: parents[1] to parents[@depth] all are. */
static bool enabled(const void *fdt, const int *parents, int depth)
{
	while (depth && dt_enabled(fdt, parents[depth]))
		depth--;
	return !depth;
}

void fdt_dma_each(const void *fdt, void (*fn)(const void *fdt, int node, phys_addr_t last, void *arg), void *arg)
{
	struct dma_bus chain[MAX_DEPTH];
	int parents[MAX_DEPTH + 1] = { 0 };
	int depth = 0, node;

	for (node = fdt_next_node(fdt, 0, &depth); node >= 0 && depth > 0; node = fdt_next_node(fdt, node, &depth)) {
		u64 last;

		if (depth > MAX_DEPTH)
			continue;
		parents[depth] = node;
		read_bus(fdt, parents[depth - 1], node, &chain[depth - 1]);
		last = chain[depth - 1].prop ? bus_reach(chain, depth) : NO_LIMIT;
		if (last != NO_LIMIT && enabled(fdt, parents, depth))
			fn(fdt, node, last, arg);
	}
}

static void note_lowest(const void *fdt, int node, phys_addr_t last, void *arg)
{
	u64 *lowest = arg;

	(void)fdt;
	(void)node;
	*lowest = min(*lowest, last);
}

phys_addr_t fdt_dma_limit(const void *fdt)
{
	u64 lowest = NO_LIMIT;

	fdt_dma_each(fdt, note_lowest, &lowest);
	return lowest == NO_LIMIT ? 0 : lowest + 1;
}

phys_addr_t fdt_dma_reach(const void *fdt, int node)
{
	struct dma_bus chain[MAX_DEPTH];
	int master_depth = fdt_node_depth(fdt, node), parent = 0, nearest = 0;
	u64 last;

	/* The ancestors from the root's child down; those without dma-ranges do not count as the nearest. */
	for (int depth = 1; depth < master_depth && depth <= MAX_DEPTH; depth++) {
		int bus = fdt_supernode_atdepth_offset(fdt, node, depth, NULL);

		if (bus < 0)
			return 0;
		read_bus(fdt, parent, bus, &chain[depth - 1]);
		if (chain[depth - 1].prop)
			nearest = depth;
		parent = bus;
	}
	last = nearest ? bus_reach(chain, nearest) : NO_LIMIT;
	return last == NO_LIMIT ? 0 : last + 1;
}
