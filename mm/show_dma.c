// SPDX-License-Identifier: BSD-2-Clause
/*
 * The prompt's `dma`: the masters of the tree, what each reaches, where its memory comes from, and what it has.
 *
 * 1. A tree does not say which nodes are masters. Listed is each enabled node that somebody asked for as a master, or
 *    that has a property which only masters have, or buses of masters; what is on a bus has the reach of that bus.
 * 2. `dma PATH` shows any one node as a master.
 * 3. The table is a moment's; memory that is allocated while it is printed may be missing.
 */
#include <errno.h>
#include <libfdt.h>

#include <lib/dt.h>
#include <lib/monitor.h>

#include "dma.h"
#include "internal.h"

static const char *const master_properties[] = { "dma-coherent",  "dma-noncoherent", "dma-ranges",
						 "memory-region", "#dma-cells",	     "iommus" };

static bool is_known(int node)
{
	const struct device *dev;
	bool known = false;

	mutex_lock(&dma_mutex);
	list_for_each_entry(dev, &dma_devices, list)
		known = known || dev->node == node;
	mutex_unlock(&dma_mutex);
	return known;
}

static bool is_master(const void *fdt, int node)
{
	for (size_t i = 0; i < ARRAY_SIZE(master_properties); i++)
		if (fdt_getprop(fdt, node, master_properties[i], NULL))
			return true;
	return is_known(node);
}

/* Whether the node is a bus, whose masters lie below it: then its own dma-ranges count for them. */
static bool is_bus(const void *fdt, int node)
{
	int len;

	return !node || (fdt_getprop(fdt, node, "dma-ranges", &len) && len > 0);
}

static void show_windows(const struct dma_window *windows, int nr)
{
	if (nr < 0)
		con_printf("    its reach cannot be read\n");
	if (!nr)
		con_printf("    reaches nothing\n");
	for (int i = 0; i < nr; i++)
		con_printf("    bus 0x%012llx-0x%012llx  mem 0x%012llx-0x%012llx\n", windows[i].bus,
			   windows[i].bus + (windows[i].last - windows[i].first), windows[i].first, windows[i].last);
}

/* What the node's memory-region names. */
static void show_regions(const void *fdt, int node)
{
	char path[DMA_NAME_MAX];
	int len;
	const char *phandles = fdt_getprop(fdt, node, "memory-region", &len);

	for (int i = 0; phandles && i + 4 <= len; i += 4) {
		int region = fdt_node_offset_by_phandle(fdt, (u32)dt_cells(phandles + i, 1));
		const char *kind = region < 0 ? NULL : fdt_stringlist_get(fdt, region, "compatible", 0, NULL);

		if (region >= 0 && !fdt_get_path(fdt, region, path, sizeof(path)))
			con_printf("    region %s, %s\n", path, kind ? kind : "no compatible");
	}
}

static void show_known(int node)
{
	const struct device *dev;

	mutex_lock(&dma_mutex);
	list_for_each_entry(dev, &dma_devices, list)
		if (dev->node == node)
			con_printf(
				"    in use: masks 0x%llx and 0x%llx (coherent memory), memory from %s%s%s%s; %lu allocations, %lu pages, %u buffers mapped\n",
				dev->dma_mask, dev->coherent_mask, dev->region ? dev->region->name : "RAM",
				dev->region && dev->region->restricted ? ", restricted" : "",
				dev->cma ? ", first " : "", dev->cma ? cma_get_name(dev->cma) : "",
				READ_ONCE(dev->nr_live), READ_ONCE(dev->live_pages), READ_ONCE(dev->nr_mapped));
	mutex_unlock(&dma_mutex);
}

static void show_master(const void *fdt, int node)
{
	struct dma_window windows[DMA_MAX_WINDOWS];
	bool bus = is_bus(fdt, node);
	char path[DMA_NAME_MAX];
	/* A master on the bus: for the reach is that of what lies below it, its first child will do. */
	int below = bus ? fdt_first_subnode(fdt, node) : node;

	if (fdt_get_path(fdt, node, path, sizeof(path)))
		return;
	con_printf("%s%s: %s\n", path, bus ? " (bus)" : "", dma_coherent_node(fdt, node) ? "coherent" : "not coherent");
	if (below >= 0)
		show_windows(windows, fdt_dma_windows(fdt, below, windows, DMA_MAX_WINDOWS));
	else
		con_printf("    nothing is on it\n");
	show_regions(fdt, node);
	show_known(node);
}

static void show_live(void)
{
	struct dma_record rec = { .at.start = 0 };
	char symbol[ARCH_SYMBOL_MAX];
	static const char *const sources[] = {
		[DMA_PAGES] = "zone",
		[DMA_RANGE] = "range",
		[DMA_CMA] = "CMA",
		[DMA_REGION] = "region",
	};

	while (dma_live_next(rec.at.start + 1, &rec))
		con_printf("0x%016lx %8zu bytes bus 0x%012llx mem 0x%012llx %-6s %s %s by %s\n", rec.at.start, rec.size,
			   rec.dma, rec.phys, sources[rec.source],
			   rec.original ? "buffer" :
			   rec.uncached ? "uncached" :
					  "cached",
			   rec.dev->name, arch_symbol((unsigned long)rec.caller, symbol, sizeof(symbol)));
}

static int show_all(const void *fdt)
{
	for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
		if (is_master(fdt, node) && dt_enabled(fdt, node))
			show_master(fdt, node);
	dma_pools_show();
	mutex_lock(&dma_mutex);
	show_live();
	mutex_unlock(&dma_mutex);
	return 0;
}

int show_dma(int argc, char **argv)
{
	const void *fdt = claims_fdt();
	int node;

	if (argc == 1)
		return show_all(fdt);
	node = argc == 2 ? fdt_path_offset(fdt, argv[1]) : -FDT_ERR_BADPATH;
	if (node < 0) {
		con_printf("usage: dma [PATH]: %s\n", fdt_strerror(node));
		return -EINVAL;
	}
	show_master(fdt, node);
	return 0;
}
MONITOR_CMD(dma, "[PATH]", "bus masters, their reach and pools, and the memory they have", show_dma);
