// SPDX-License-Identifier: BSD-2-Clause
/*
 * How far bus masters reach: the dma-ranges of every bus.
 *
 * 1. A bus node with dma-ranges says which of its own (DMA) addresses reach which addresses of its parent. The reach of
 *    the masters below it is the highest parent address of all its entries, translated to a CPU address through the
 *    dma-ranges of the ancestors; an ancestor without the property, or with an empty one, does not translate.
 * 2. The limit of the machine is the lowest reach of any bus. A bus without dma-ranges, or with an empty one, limits
 *    nobody.
 * 3. What one master reaches is a list of windows: bus addresses, as it sees them, and the CPU addresses behind them.
 *    Every way through the entries of its buses up to the root makes one, in the order of the tree. A bus address that
 *    two ways take belongs to the first; windows that lie behind one another on both sides are one.
 *
 * Source: Devicetree Specification 0.4, 2.3.9.
 */
#include <errno.h>
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
 * @bad: it has entries, and they cannot be read as a whole
 */
struct dma_bus {
	const char *prop;
	int nr, ac, pac, sc;
	bool bad;
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
	if (bus->ac < 1 || bus->ac > 3 || bus->pac < 1 || bus->pac > 3 || bus->sc < 1 || bus->sc > 2) {
		bus->bad = bus->prop && len;
		bus->prop = NULL;
	}
	if (!bus->prop)
		return;
	size = (bus->ac + bus->pac + bus->sc) * (int)sizeof(fdt32_t);
	bus->nr = len / size;
	bus->bad = len % size;
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
	u64 bus; /* the address on the lowest bus that becomes first */
};

/* What is called with each way up to the root: w->bus and what lies behind it are first to last there. */
typedef void (*way_fn)(const struct window *w, void *arg);

/* Let the next entry of its bus pass what it can of @w to the bus above. Return: false when nothing passes. */
static bool pass_on(const struct dma_bus *chain, struct window *w, struct window *above)
{
	u64 child, parent, size, low, high;

	if (!read_entry(&chain[w->up], w->next++, &child, &parent, &size))
		return false;
	/* What would end beyond the last address of the parent ends there. */
	size = min(size - 1, NO_LIMIT - parent) + 1;
	low = max(w->first, child);
	high = min(w->last, last_of(child, size));
	*above = (struct window){ w->up - 1, 0, parent + (low - child), parent + (high - child),
				  w->bus + (low - w->first) };
	return low <= high;
}

/* All ways up through chain[up], chain[up - 1], ..., depth first, MAX_STEPS at the most: the windows lie on a stack. */
static void each_way(const struct dma_bus *chain, int up, way_fn fn, void *arg)
{
	struct window stack[MAX_DEPTH + 1] = { { up, 0, 0, NO_LIMIT, 0 } };
	int depth = 1, steps = 0;

	while (depth) {
		struct window *w = &stack[depth - 1];

		if (++steps > MAX_STEPS) {
			printk("dma: more than %d ways through dma-ranges of nested buses: the others are not looked at\n",
			       MAX_STEPS);
			break;
		}

		if (w->up < 0) {
			fn(w, arg);
			depth--;
		} else if (!chain[w->up].prop) {
			w->up--;
		} else if (w->next == chain[w->up].nr) {
			depth--;
		} else if (pass_on(chain, w, w + 1)) {
			depth++;
		}
	}
}

static void note_highest(const struct window *w, void *arg)
{
	u64 *reach = arg;

	*reach = max(*reach, w->last);
}

/* The last CPU address that masters on chain[depth - 1] reach; NO_LIMIT when the bus does not limit them. */
static u64 bus_reach(const struct dma_bus *chain, int depth)
{
	u64 reach = 0;

	each_way(chain, depth - 1, note_highest, &reach);
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

/* The buses above @node, from the root's child down. Return: how many, or a negative error of libfdt's, or -E2BIG. */
static int read_chain(const void *fdt, int node, struct dma_bus *chain)
{
	int master_depth = fdt_node_depth(fdt, node), parent = 0;

	if (master_depth > MAX_DEPTH)
		return -E2BIG;
	for (int depth = 1; depth < master_depth; depth++) {
		int bus = fdt_supernode_atdepth_offset(fdt, node, depth, NULL);

		if (bus < 0)
			return bus;
		read_bus(fdt, parent, bus, &chain[depth - 1]);
		parent = bus;
	}
	return max(master_depth - 1, 0);
}

phys_addr_t fdt_dma_reach(const void *fdt, int node)
{
	struct dma_bus chain[MAX_DEPTH] = { 0 };
	int depth = read_chain(fdt, node, chain);
	u64 last;

	/* The nearest that translates. */
	while (depth > 0 && !chain[depth - 1].prop)
		depth--;
	last = depth > 0 ? bus_reach(chain, depth) : NO_LIMIT;
	return last == NO_LIMIT ? 0 : last + 1;
}

/* What add_way() has found so far. */
struct window_list {
	struct dma_window *windows;
	int nr, max;
	bool full;
};

/* The first address at or behind @bus that an earlier window has; *@end: the last one that it has from there on. */
static bool next_taken(const struct window_list *list, u64 bus, u64 *start, u64 *end)
{
	bool found = false;

	for (int i = 0; i < list->nr; i++) {
		const struct dma_window *w = &list->windows[i];
		u64 last = w->bus + (w->last - w->first), first = max(w->bus, bus);

		if (last < bus || (found && first >= *start))
			continue;
		*start = first;
		*end = last;
		found = true;
	}
	return found;
}

static void add_window(struct window_list *list, u64 bus, u64 first, u64 last)
{
	struct dma_window *before = list->nr ? &list->windows[list->nr - 1] : NULL;

	if (before && first && bus && before->last == first - 1 &&
	    before->bus + (before->last - before->first) == bus - 1) {
		before->last = last;
	} else if (list->nr == list->max) {
		/* Whatever comes later may be an address of this one. */
		list->full = true;
		printk("dma: more than %d windows: that of [mem 0x%016llx-0x%016llx] and those behind it are not used\n",
		       list->max, first, last);
	} else {
		list->windows[list->nr++] = (struct dma_window){ bus, first, last };
	}
}

/* Of a way, what no earlier one has. */
static void add_way(const struct window *w, void *arg)
{
	struct window_list *list = arg;
	u64 bus = w->bus, last = w->bus + (w->last - w->first), start = 0, end = 0;

	if (list->full)
		return;
	while (next_taken(list, bus, &start, &end) && start <= last) {
		if (start > bus)
			add_window(list, bus, w->first + (bus - w->bus), w->first + (start - 1 - w->bus));
		if (end >= last || list->full)
			return;
		bus = end + 1;
	}
	if (!list->full)
		add_window(list, bus, w->first + (bus - w->bus), w->last);
}

int fdt_dma_windows(const void *fdt, int node, struct dma_window *windows, int max_windows)
{
	struct window_list list = { windows, 0, max_windows, false };
	struct dma_bus chain[MAX_DEPTH] = { { 0 } };
	int depth = read_chain(fdt, node, chain);

	if (depth < 0)
		return depth == -E2BIG ? -E2BIG : -EINVAL;
	for (int i = 0; i < depth; i++)
		if (chain[i].bad)
			return -EINVAL;
	each_way(chain, depth - 1, add_way, &list);
	return list.nr;
}
