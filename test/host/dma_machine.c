// SPDX-License-Identifier: BSD-2-Clause
/* A machine with bus masters: dma_machine.h. */
#include "dma_machine.h"

#include <string.h>

#include "machine.h"
#include "tap.h"

static void ranges32(const char *name, u64 bus, u64 cpu, u64 size)
{
	const u32 cells[] = { (u32)(bus >> 32), (u32)bus, (u32)(cpu >> 32), (u32)cpu, (u32)(size >> 32), (u32)size };

	tree_cells(name, cells, ARRAY_SIZE(cells));
}

void dma_open_bus(const char *name)
{
	tree_open(name);
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
}

void dma_master(const char *name, u32 region, bool coherent)
{
	tree_open(name);
	if (region)
		tree_u32("memory-region", region);
	if (coherent)
		tree_flag("dma-coherent");
	tree_close();
}

void dma_region_node(const char *name, u64 base, u64 size, const char *compatible, const char *flag, u32 phandle)
{
	tree_open(name);
	tree_reg("reg", &(struct tree_range){ base, size }, 1);
	tree_string("compatible", compatible);
	if (flag)
		tree_flag(flag);
	tree_u32("phandle", phandle);
	tree_close();
}

static void regions(void)
{
	dma_open_bus("reserved-memory");
	tree_flag("ranges");
	dma_region_node("locked@48000000", POOL_BASE, POOL_SIZE, "restricted-dma-pool", NULL, 1);
	dma_region_node("dark@49000000", DARK_BASE, DARK_SIZE, "shared-dma-pool", "no-map", 2);
	dma_region_node("lent@4a000000", CMA_BASE, CMA_SIZE, "shared-dma-pool", "reusable", 3);
	dma_region_node("hidden@4c000000", GIB + 192 * MIB, MIB, "restricted-dma-pool", "no-map", 4);
	dma_region_node("plain@4d000000", GIB + 208 * MIB, MIB, "shared-dma-pool", NULL, 5);
	tree_close();
}

static void usual_nodes(void)
{
	regions();
	dma_open_bus("soc");
	ranges32("dma-ranges", SOC_BUS, GIB, SOC_SIZE);
	dma_master("eth", 0, false);
	dma_master("usb", 0, true);
	tree_close();
	dma_open_bus("odd");
	ranges32("dma-ranges", 0, ODD_BASE, ODD_SIZE);
	tree_flag("dma-coherent");
	dma_master("cam", 0, false);
	tree_open("spy");
	tree_flag("dma-noncoherent");
	tree_close();
	tree_close();
	dma_open_bus("free");
	dma_master("disk", 0, true);
	dma_master("gpu", 1, false);
	dma_master("gpu2", 1, true);
	dma_master("codec", 2, true);
	dma_master("isp", 3, true);
	dma_master("bad", 4, false);
	dma_master("lost", 99, true);
	dma_master("dsp", 5, false);
	tree_close();
}

static const struct host_bank bank = { GIB, RAM_SIZE, -1 };

void dma_boot(int nr_cpus)
{
	host_boot(
		&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = nr_cpus, .add_nodes = usual_nodes });
}

struct device *dma_master_get(const char *path)
{
	struct device *dev = dma_device_get(path);

	CHECK(dev && !strcmp(dev_name(dev), path));
	return dev;
}
