// SPDX-License-Identifier: BSD-2-Clause
/* What bus masters reach: windows of nested buses, against a model that tries every way for single addresses. */
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "../../mm/dma.h"
#include "dma_machine.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define LEVELS	4
#define ENTRIES 3
#define UNIT	(64 * MIB)
#define UNITS	64

static struct {
	int nr; /* -1: no property */
	struct {
		u64 child, parent, size;
	} e[ENTRIES];
} buses[LEVELS]; /* 0: the one next to the root */

static void random_bus(int level)
{
	buses[level].nr = (int)tap_below(ENTRIES + 2) - 1;
	for (int i = 0; i < buses[level].nr; i++) {
		buses[level].e[i].child = tap_below(UNITS) * UNIT;
		buses[level].e[i].parent = tap_below(UNITS) * UNIT;
		buses[level].e[i].size = tap_below(UNITS / 2) * UNIT;
	}
}

static void add_bus(int level)
{
	u32 cells[ENTRIES * 6], *c = cells;

	dma_open_bus("bus");
	for (int i = 0; i < buses[level].nr; i++) {
		const u64 numbers[] = { buses[level].e[i].child, buses[level].e[i].parent, buses[level].e[i].size };

		for (int n = 0; n < 3; n++) {
			*c++ = (u32)(numbers[n] >> 32);
			*c++ = (u32)numbers[n];
		}
	}
	if (buses[level].nr >= 0)
		tree_cells("dma-ranges", cells, (int)(c - cells));
}

static const void *bus_tree(int levels)
{
	tree_start();
	tree_root(2, 2);
	for (int level = 0; level < levels; level++)
		add_bus(level);
	tree_open("master");
	tree_close();
	for (int level = 0; level < levels; level++)
		tree_close();
	return tree_finish();
}

/* Entry number @way % ENTRIES of the lowest bus, and so on up. Return: whether it leads @addr to the root. */
static bool model_way(int levels, unsigned int way, u64 *addr)
{
	unsigned int weight = 1;

	for (int level = 1; level < levels; level++)
		weight *= ENTRIES;
	for (int level = levels - 1; level >= 0; level--, weight /= ENTRIES) {
		unsigned int i = way / weight % ENTRIES;

		if (buses[level].nr <= 0) {
			if (i)
				return false;
			continue;
		}
		if ((int)i >= buses[level].nr || *addr < buses[level].e[i].child ||
		    *addr - buses[level].e[i].child >= buses[level].e[i].size)
			return false;
		*addr = buses[level].e[i].parent + (*addr - buses[level].e[i].child);
	}
	return true;
}

static bool model_reach(int levels, u64 bus, u64 *cpu)
{
	unsigned int ways = 1;

	for (int level = 0; level < levels; level++)
		ways *= ENTRIES;
	for (unsigned int way = 0; way < ways; way++) {
		*cpu = bus;
		if (model_way(levels, way, cpu))
			return true;
	}
	return false;
}

static void check_windows(const void *fdt, int levels)
{
	static struct device dev;
	struct dma_window windows[256];
	int node = fdt_path_offset(fdt, levels == 1 ? "/bus/master" :
					levels == 2 ? "/bus/bus/master" :
					levels == 3 ? "/bus/bus/bus/master" :
						      "/bus/bus/bus/bus/master");
	int nr = fdt_dma_windows(fdt, node, windows, ARRAY_SIZE(windows));

	CHECK(node > 0 && nr >= 0);
	dev.nr_windows = min(nr, DMA_MAX_WINDOWS);
	memcpy(dev.windows, windows, sizeof(dev.windows));
	for (u64 at = 0; at < 3 * UNITS; at++) {
		u64 bus = at * UNIT + tap_below(UNIT), cpu, found = 0;
		bool reached = false;

		for (int i = 0; i < nr; i++) {
			if (bus < windows[i].bus || bus - windows[i].bus > windows[i].last - windows[i].first)
				continue;
			CHECK(!reached);
			reached = true;
			found = windows[i].first + (bus - windows[i].bus);
		}
		CHECK_EQ(reached, model_reach(levels, bus, &cpu));
		CHECK(!reached || found == cpu);
		if (nr > DMA_MAX_WINDOWS)
			continue;
		CHECK_EQ(dma_to_phys(&dev, bus, 1, &cpu), reached);
		CHECK(!reached ||
		      (cpu == found && dma_to_phys(&dev, phys_to_dma(&dev, cpu, 1), 1, &cpu) && cpu == found));
	}
}

static void test_windows(void)
{
	host_boot_cpu(1);
	for (unsigned long n = tap_ops(2000); n; n--) {
		int levels = 1 + (int)tap_below(LEVELS);
		const void *fdt;

		for (int level = 0; level < levels; level++)
			random_bus(level);
		fdt = bus_tree(levels);
		check_windows(fdt, levels);
		free((void *)fdt);
	}
}

/* A Raspberry Pi 4's buses; and one of PCI, whose addresses have three cells. */
static void test_board(void)
{
	static const u32 soc[] = { 0xc0000000, 0, 0, 0x40000000 };
	static const u32 emmc2[] = { 0, 0xc0000000, 0, 0, 0x40000000 };
	static const u32 pcie[] = { 0x02000000, 0, 0, 0, 0, 0, 0xc0000000 };
	static const u32 odd[] = { 1, 2, 3 };
	struct dma_window w[4];
	const void *fdt;

	host_boot_cpu(1);
	tree_start();
	tree_root(2, 1);
	tree_open("soc");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", soc, ARRAY_SIZE(soc));
	dma_master("dma", 0, false);
	tree_close();
	tree_open("emmc2bus");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", emmc2, ARRAY_SIZE(emmc2));
	dma_master("mmc", 0, false);
	tree_close();
	tree_open("scb");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 1);
	tree_open("pcie");
	tree_u32("#address-cells", 3);
	tree_u32("#size-cells", 2);
	tree_cells("dma-ranges", pcie, ARRAY_SIZE(pcie));
	dma_master("usb", 0, false);
	tree_close();
	tree_close();
	tree_open("torn");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", odd, ARRAY_SIZE(odd));
	dma_master("x", 0, false);
	tree_close();
	fdt = tree_finish();
	CHECK_EQ(fdt_dma_windows(fdt, fdt_path_offset(fdt, "/soc/dma"), w, 4), 1);
	CHECK(w[0].bus == 0xc0000000 && !w[0].first && w[0].last == GIB - 1);
	CHECK_EQ(fdt_dma_windows(fdt, fdt_path_offset(fdt, "/emmc2bus/mmc"), w, 4), 1);
	CHECK(w[0].bus == 0xc0000000 && !w[0].first && w[0].last == GIB - 1);
	CHECK_EQ(fdt_dma_windows(fdt, fdt_path_offset(fdt, "/scb/pcie/usb"), w, 4), 1);
	CHECK(!w[0].bus && !w[0].first && w[0].last == 3 * GIB - 1);
	CHECK_EQ(fdt_dma_windows(fdt, fdt_path_offset(fdt, "/scb/pcie"), w, 4), 1);
	CHECK(!w[0].bus && !w[0].first && w[0].last == ~0ULL);
	CHECK_EQ(fdt_dma_windows(fdt, fdt_path_offset(fdt, "/torn/x"), w, 4), -EINVAL);
}

/*
 * No-map regions outside RAM: one is a master's alone, two overlap, one lies beyond the CPU's addresses, one ends
 * there.
 */
static void far_nodes(void)
{
	static const char pool[] = "shared-dma-pool";

	dma_open_bus("reserved-memory");
	tree_flag("ranges");
	dma_region_node("alone@70000000", 0x70000000, MIB, pool, "no-map", 1);
	dma_region_node("twin@71000000", 0x71000000, MIB, pool, "no-map", 2);
	dma_region_node("twin@71080000", 0x71080000, MIB, pool, "no-map", 3);
	dma_region_node("beyond@4000000000", PHYS_ADDR_LIMIT, MIB, pool, "no-map", 4);
	dma_region_node("last@3ffff00000", PHYS_ADDR_LIMIT - MIB, 2 * MIB, pool, "no-map", 5);
	tree_close();
	for (u32 i = 1; i <= 5; i++)
		dma_master((const char *[]){ "m1", "m2", "m3", "m4", "m5" }[i - 1], i, true);
}

static void test_far_regions(void)
{
	static const struct host_bank bank = { GIB, RAM_SIZE, -1 };
	struct device *dev;
	dma_addr_t dma;
	char *p;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .add_nodes = far_nodes });
	dev = dma_master_get("/m1");
	p = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL);
	CHECK(dev->region && p && dma == 0x70000000 && !p[0]);
	dma_free_coherent(dev, PAGE_SIZE, p, dma);
	CHECK(!dma_master_get("/m2")->region && !dma_master_get("/m3")->region);
	CHECK_LOG("dma: /m2: its pool /reserved-memory/twin@71000000 cannot be used: another reservation overlaps it");
	CHECK_LOG("dma: /m3: its pool /reserved-memory/twin@71080000 cannot be used: another reservation overlaps it");
	CHECK(!dma_master_get("/m4")->region && !dma_master_get("/m5")->region);
	CHECK_LOG("dma: /m4: its pool .*: it ends beyond this CPU's physical addresses: ordinary memory serves");
	CHECK_LOG("dma: /m5: its pool .*: it ends beyond this CPU's physical addresses: ordinary memory serves");
	CHECK(dma_check());
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("windows of nested buses", test_windows),
	TAP_CASE("windows of a board", test_board),
	TAP_CASE("regions outside RAM", test_far_regions),
};
TAP_MAIN(cases)
