// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of bus masters: reach against a flat model, allocation against a map of pages, pools against a list, misuse.
 *
 * The usual machine, 256 MiB at 1 GiB:
 *
 *	1 GiB            +64 MiB     +100  +108      +128 +132    +144 +148     +160 +176            +256
 *	|---- /soc --------|            |/odd|          |restricted| |no-map|     | reusable |          |
 *	  bus 0xc0000000                bus 0
 */
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/dma.h>
#include <mm/page_exact.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#include <asm/cache.h>

#include "../../mm/dma.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define RAM_SIZE  (256 * MIB)
#define SOC_BUS	  0xc0000000ULL
#define SOC_SIZE  (64 * MIB)
#define ODD_BASE  (GIB + 100 * MIB)
#define ODD_SIZE  (8 * MIB)
#define POOL_BASE (GIB + 128 * MIB)
#define POOL_SIZE (4 * MIB)
#define DARK_BASE (GIB + 144 * MIB)
#define DARK_SIZE (4 * MIB)
#define CMA_BASE  (GIB + 160 * MIB)
#define CMA_SIZE  (16 * MIB)

#define CPUS 4
#define LIVE 96

/* --- the tree --- */

static void ranges32(const char *name, u64 bus, u64 cpu, u64 size)
{
	const u32 cells[] = { (u32)(bus >> 32), (u32)bus, (u32)(cpu >> 32), (u32)cpu, (u32)(size >> 32), (u32)size };

	tree_cells(name, cells, ARRAY_SIZE(cells));
}

static void open_bus(const char *name)
{
	tree_open(name);
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
}

static void master(const char *name, u32 region, bool coherent)
{
	tree_open(name);
	if (region)
		tree_u32("memory-region", region);
	if (coherent)
		tree_flag("dma-coherent");
	tree_close();
}

static void region(const char *name, u64 base, u64 size, const char *compatible, const char *flag, u32 phandle)
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
	open_bus("reserved-memory");
	tree_flag("ranges");
	region("locked@48000000", POOL_BASE, POOL_SIZE, "restricted-dma-pool", NULL, 1);
	region("dark@49000000", DARK_BASE, DARK_SIZE, "shared-dma-pool", "no-map", 2);
	region("lent@4a000000", CMA_BASE, CMA_SIZE, "shared-dma-pool", "reusable", 3);
	region("hidden@4c000000", GIB + 192 * MIB, MIB, "restricted-dma-pool", "no-map", 4);
	region("plain@4d000000", GIB + 208 * MIB, MIB, "shared-dma-pool", NULL, 5);
	tree_close();
}

static void usual_nodes(void)
{
	regions();
	open_bus("soc");
	ranges32("dma-ranges", SOC_BUS, GIB, SOC_SIZE);
	master("eth", 0, false);
	master("usb", 0, true);
	tree_close();
	open_bus("odd");
	ranges32("dma-ranges", 0, ODD_BASE, ODD_SIZE);
	tree_flag("dma-coherent");
	master("cam", 0, false);
	tree_open("spy");
	tree_flag("dma-noncoherent");
	tree_close();
	tree_close();
	open_bus("free");
	master("disk", 0, true);
	master("gpu", 1, false);
	master("gpu2", 1, true);
	master("codec", 2, true);
	master("isp", 3, true);
	master("bad", 4, false);
	master("lost", 99, true);
	master("dsp", 5, false);
	tree_close();
}

static const struct host_bank bank = { GIB, RAM_SIZE, -1 };

static void boot_usual(int nr_cpus)
{
	host_boot(
		&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = nr_cpus, .add_nodes = usual_nodes });
}

static struct device *get(const char *path)
{
	struct device *dev = dma_device_get(path);

	CHECK(dev && !strcmp(dev_name(dev), path));
	return dev;
}

static unsigned long quiet_pages(void)
{
	vm_unmap_aliases();
	kmem_cache_shrink_all();
	drain_all_pages();
	return nr_free_pages();
}

/* --- reach, against a model that tries every way --- */

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

	open_bus("bus");
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
	master("dma", 0, false);
	tree_close();
	tree_open("emmc2bus");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", emmc2, ARRAY_SIZE(emmc2));
	master("mmc", 0, false);
	tree_close();
	tree_open("scb");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 1);
	tree_open("pcie");
	tree_u32("#address-cells", 3);
	tree_u32("#size-cells", 2);
	tree_cells("dma-ranges", pcie, ARRAY_SIZE(pcie));
	master("usb", 0, false);
	tree_close();
	tree_close();
	tree_open("torn");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", odd, ARRAY_SIZE(odd));
	master("x", 0, false);
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

/* --- masters --- */

static void test_devices(void)
{
	struct device *eth, *again;
	struct dma_window w;
	dma_addr_t dma;
	void *p;

	boot_usual(1);
	eth = get("/soc/eth");
	again = get("/soc/eth");
	CHECK(eth == again && !dev_is_dma_coherent(eth) && dma_get_mask(eth) == DMA_BIT_MASK(32));
	CHECK(dma_device_window(eth, 0, &w) && w.bus == SOC_BUS && w.first == GIB && w.last == GIB + SOC_SIZE - 1);
	CHECK(!dma_device_window(eth, 1, &w));
	CHECK(dev_is_dma_coherent(get("/soc/usb")) && dev_is_dma_coherent(get("/odd/cam")));
	CHECK(!dev_is_dma_coherent(get("/odd/spy")));
	CHECK_EQ(phys_to_dma(eth, GIB + 5, 7), SOC_BUS + 5);
	CHECK_EQ(phys_to_dma(eth, GIB + SOC_SIZE - 1, 2), DMA_MAPPING_ERROR);
	CHECK(!dma_device_get("/soc/none"));
	CHECK_LOG("dma: /soc/none: FDT_ERR_NOTFOUND: no master");
	CHECK(!dma_device_get_node(3));
	p = dma_alloc_coherent(eth, 1, &dma, GFP_KERNEL);
	CHECK(p);
	CHECK_EQ(dma_device_put(again), 0);
	CHECK_EQ(dma_device_put(eth), -EBUSY);
	CHECK_LOG("dma: /soc/eth: dma_device_put: it has 1 allocations, 0 pools and 0 mapped buffers: it stays");
	dma_free_coherent(eth, 1, p, dma);
	CHECK_EQ(dma_device_put(eth), 0);
	CHECK(!dma_device_get("/free/bad"));
	CHECK_LOG("dma: /free/bad: its restricted pool /reserved-memory/hidden@4c000000 cannot be used: it is no-map");
	p = get("/free/lost");
}

static void test_masks(void)
{
	struct device *disk, *eth;
	dma_addr_t dma;
	void *p;

	boot_usual(1);
	disk = get("/free/disk");
	eth = get("/soc/eth");
	CHECK_EQ(dma_set_mask(disk, DMA_BIT_MASK(30)), -EIO);
	CHECK_LOG("dma: /free/disk: dma_set_mask of 0x3fffffff: no RAM would be in reach");
	CHECK_EQ(dma_get_mask(disk), DMA_BIT_MASK(32));
	CHECK_EQ(dma_set_mask_and_coherent(disk, DMA_BIT_MASK(64)), 0);
	CHECK_EQ(disk->zone, ZONE_NORMAL);
	CHECK_EQ(eth->zone, ZONE_DMA);
	CHECK_EQ(get("/odd/cam")->zone, -1);
	/* Half a window is left: no zone fits any more, and what comes lies there. */
	CHECK_EQ(dma_set_coherent_mask(eth, SOC_BUS + 32 * MIB - 1), 0);
	CHECK_EQ(eth->zone, -1);
	for (int i = 0; i < 8; i++) {
		p = dma_alloc_coherent(eth, 3 * MIB, &dma, GFP_KERNEL);
		CHECK(!p || (dma >= SOC_BUS && dma + 3 * MIB <= SOC_BUS + 32 * MIB));
		CHECK(p || i == 7);
	}
	CHECK_EQ(dma_set_coherent_mask(eth, SOC_BUS - 1), -EIO);
}

/* --- allocation, against a map of who has which page --- */

static u8 owner_of[RAM_SIZE / PAGE_SIZE];

static struct buffer {
	struct device *dev;
	char *cpu;
	dma_addr_t dma;
	size_t size;
} buffers[LIVE];

static phys_addr_t phys_of(const struct buffer *b)
{
	phys_addr_t pa;

	CHECK(dma_to_phys(b->dev, b->dma, b->size, &pa));
	return pa;
}

static void mark(const struct buffer *b, u8 was, u8 is)
{
	unsigned long first = PFN_DOWN(phys_of(b) - GIB);

	for (unsigned long i = first; i < first + DIV_ROUND_UP(b->size, PAGE_SIZE); i++) {
		CHECK_EQ(owner_of[i], was);
		owner_of[i] = is;
	}
}

static u64 stamp_of(const struct buffer *b, size_t at)
{
	return b->dma * 0x9e3779b97f4a7c15ULL + at;
}

static void check_new(const struct buffer *b)
{
	phys_addr_t pa = phys_of(b);
	size_t align = PAGE_SIZE << get_order(b->size);

	CHECK(IS_ALIGNED(pa, align) && IS_ALIGNED(b->dma, align));
	CHECK(IS_ALIGNED((uintptr_t)b->cpu, min(align, VMAP_BLOCK_SIZE)));
	for (size_t i = 0; i < ALIGN(b->size, PAGE_SIZE); i += 8)
		CHECK_EQ(*(u64 *)(void *)(b->cpu + i), 0);
	CHECK_EQ(is_vmalloc_addr(b->cpu), !b->dev->coherent || (b->dev->region && !b->dev->region->mapped));
	if (is_vmalloc_addr(b->cpu))
		CHECK_EQ(PFN_PHYS(vmalloc_to_pfn(b->cpu + b->size - 1)), ALIGN_DOWN(pa + b->size - 1, PAGE_SIZE));
	else
		CHECK_EQ(__pa(b->cpu), pa);
}

static void make(struct buffer *b, struct device *dev, size_t size)
{
	*b = (struct buffer){ .dev = dev, .size = size };
	b->cpu = dma_alloc_coherent(dev, size, &b->dma, GFP_KERNEL | __GFP_NOWARN);
	if (!b->cpu)
		return;
	mark(b, 0, 1);
	check_new(b);
	for (size_t i = 0; i + 8 <= b->size; i += 1024)
		*(u64 *)(void *)(b->cpu + i) = stamp_of(b, i);
}

static void end(struct buffer *b)
{
	for (size_t i = 0; i + 8 <= b->size; i += 1024)
		CHECK_EQ(*(u64 *)(void *)(b->cpu + i), stamp_of(b, i));
	mark(b, 1, 0);
	dma_free_coherent(b->dev, b->size, b->cpu, b->dma);
	b->cpu = NULL;
}

static size_t random_size(void)
{
	switch (tap_below(8)) {
	case 0:
		return 1 + tap_below(6 * MIB);
	case 1:
	case 2:
		return 1 + tap_below(200 << 10);
	default:
		return 1 + tap_below(3 * PAGE_SIZE);
	}
}

static const char *const all_masters[] = { "/soc/eth",	"/soc/usb",    "/odd/cam",  "/odd/spy",	  "/free/disk",
					   "/free/gpu", "/free/codec", "/free/isp", "/free/gpu2", "/free/dsp" };

static void test_random(void)
{
	struct device *devs[ARRAY_SIZE(all_masters)];
	unsigned long start, served = 0, n = tap_ops(3000);

	boot_usual(2);
	for (size_t i = 0; i < ARRAY_SIZE(all_masters); i++)
		devs[i] = get(all_masters[i]);
	start = quiet_pages();
	for (unsigned long i = 0; i < n; i++) {
		struct buffer *b = &buffers[tap_below(LIVE)];

		if (b->cpu) {
			end(b);
			continue;
		}
		make(b, devs[tap_below(ARRAY_SIZE(devs))], random_size());
		served += b->cpu != NULL;
		if (i % 256 == 0)
			CHECK(dma_check() && vmalloc_check());
	}
	CHECK(served > n / 4);
	CHECK(dma_check());
	CHECK_EQ(show_dma(1, NULL), 0);
	for (int i = 0; i < LIVE; i++)
		if (buffers[i].cpu)
			end(&buffers[i]);
	CHECK(dma_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
}

static bool within(const struct buffer *b, u64 base, u64 size)
{
	phys_addr_t pa = phys_of(b);

	return pa >= base && pa + b->size <= base + size;
}

/* Each master's memory comes from where the tree says. */
static void test_sources(void)
{
	static const struct {
		const char *path;
		u64 base, size;
	} where[] = {
		{ "/soc/eth", GIB, SOC_SIZE },	       { "/odd/cam", ODD_BASE, ODD_SIZE },
		{ "/free/gpu", POOL_BASE, POOL_SIZE }, { "/free/codec", DARK_BASE, DARK_SIZE },
		{ "/free/isp", CMA_BASE, CMA_SIZE },   { "/free/dsp", GIB + 208 * MIB, MIB },
	};
	struct buffer b;

	boot_usual(1);
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		make(&b, get(where[i].path), 5000);
		CHECK(b.cpu && within(&b, where[i].base, where[i].size));
		end(&b);
	}
	/* What the area does not have any more, RAM has. */
	make(&buffers[0], get("/free/isp"), CMA_SIZE);
	make(&buffers[1], get("/free/isp"), PAGE_SIZE);
	CHECK(buffers[0].cpu && within(&buffers[0], CMA_BASE, CMA_SIZE));
	CHECK(buffers[1].cpu && !within(&buffers[1], CMA_BASE, CMA_SIZE));
	end(&buffers[0]);
	end(&buffers[1]);
	CHECK(get("/free/lost")->region == NULL);
	host_check();
}

/* All of a reach, a page at a time; then nothing, with a line; then all of it again. */
static void exhaust(const char *path, size_t size, unsigned long at_least, const char *regex)
{
	struct device *dev = get(path);
	unsigned long n[2] = { 0, 0 };
	struct list {
		struct list *next;
		dma_addr_t dma;
	} * list, *p;

	for (int round = 0; round < 2; round++) {
		host_log_clear();
		for (list = NULL;; list = p, n[round]++) {
			dma_addr_t dma;

			p = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL);
			if (!p)
				break;
			p->next = list;
			p->dma = dma;
		}
		CHECK_LOG(regex);
		CHECK(!dma_alloc_coherent(dev, size, &(dma_addr_t){ 0 }, GFP_KERNEL | __GFP_NOWARN));
		while ((p = list)) {
			list = p->next;
			dma_free_coherent(dev, size, p, p->dma);
		}
	}
	CHECK(n[0] >= at_least && n[1] == n[0]);
}

static void test_exhaustion(void)
{
	unsigned long start;

	boot_usual(1);
	host_mute();
	for (size_t i = 0; i < ARRAY_SIZE(all_masters); i++)
		get(all_masters[i]);
	start = quiet_pages();
	exhaust("/odd/cam", PAGE_SIZE, ODD_SIZE / PAGE_SIZE,
		"dma: /odd/cam: dma_alloc_coherent of 4096 bytes: no memory in reach; it reaches bus 0x0-0x7fffff = .mem "
		"0x46400000-0x46bfffff., mask 0xffffffff; of RAM the largest free block in reach has 0 bytes");
	exhaust("/odd/spy", 64 << 10, ODD_SIZE / (64 << 10), "largest free block in reach has 0 bytes");
	exhaust("/free/gpu", 3 * PAGE_SIZE, POOL_SIZE / (4 * PAGE_SIZE),
		"of its pool /reserved-memory/locked@48000000 the largest free block in reach has 4096 bytes");
	exhaust("/free/codec", DARK_SIZE, 1, "its pool /reserved-memory/dark@49000000 the largest .* has 0 bytes");
	exhaust("/soc/eth", MIB, 8, "dma: /soc/eth: dma_alloc_coherent of 1048576 bytes: no memory in reach");
	CHECK(dma_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
}

/* --- what is refused --- */

static void test_refused(void)
{
	struct device *eth, *usb, *cam;
	dma_addr_t dma, other;
	char *p, *q;
	unsigned long start;

	boot_usual(1);
	eth = get("/soc/eth");
	usb = get("/soc/usb");
	cam = get("/odd/cam");
	start = quiet_pages();
	CHECK(!dma_alloc_coherent(eth, 0, &dma, GFP_KERNEL));
	CHECK_LOG(
		"dma: /soc/eth: dma_alloc_coherent of 0 bytes: nothing to allocate; it reaches bus 0xc0000000-0xc3ffffff");
	CHECK(!dma_alloc_coherent(eth, 1UL << 63, &dma, GFP_KERNEL));
	CHECK(!dma_alloc_coherent(eth, ~0UL, &dma, GFP_KERNEL));
	CHECK(!dma_alloc_coherent(eth, SOC_SIZE + 1, &dma, GFP_KERNEL));
	CHECK_LOG("dma: /soc/eth: dma_alloc_coherent of 67108865 bytes: no memory in reach");
	CHECK(!dma_alloc_coherent(cam, ODD_SIZE + 1, &dma, GFP_KERNEL));
	CHECK_LOG("of RAM the largest free block in reach has 8388608 bytes");
	p = dma_alloc_coherent(eth, 3 * PAGE_SIZE, &dma, GFP_KERNEL);
	q = dma_alloc_coherent(usb, PAGE_SIZE, &other, GFP_KERNEL);
	CHECK(p && q);
	dma_free_coherent(eth, 2 * PAGE_SIZE, p, dma);
	CHECK_LOG(
		"dma: /soc/eth: dma_free_coherent of 8192 bytes at .* has another size: 12288 bytes at .* that /soc/eth has, asked");
	dma_free_coherent(usb, 3 * PAGE_SIZE, p, dma);
	CHECK_LOG(
		"dma: /soc/usb: dma_free_coherent of .* is another master's: 12288 bytes at .* that /soc/eth has, asked for by");
	dma_free_coherent(eth, 3 * PAGE_SIZE, p, dma + PAGE_SIZE);
	CHECK_LOG("has another bus address: 12288 bytes");
	dma_free_coherent(eth, 3 * PAGE_SIZE, p + PAGE_SIZE, dma + PAGE_SIZE);
	CHECK_LOG("lies inside 12288 bytes at");
	dma_free_coherent(eth, PAGE_SIZE, &start, dma);
	CHECK_LOG("no master has memory there: nothing done");
	CHECK(dma_check());
	dma_free_coherent(eth, 3 * PAGE_SIZE, p, dma);
	dma_free_coherent(eth, 3 * PAGE_SIZE, p, dma);
	CHECK_LOG(
		"dma: /soc/eth: dma_free_coherent of 12288 bytes at .*: freed before, as 12288 bytes of /soc/eth, by .*: nothing done");
	dma_free_coherent(usb, PAGE_SIZE, q, other);
	dma_free_coherent(usb, PAGE_SIZE, NULL, other);
	CHECK(dma_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
}

/* In a handler a master that sees caches is served, another one is not. */
static void in_handler(void *arg)
{
	void **p = arg;
	dma_addr_t dma;

	p[0] = dma_alloc_coherent(p[2], PAGE_SIZE, &dma, GFP_ATOMIC);
	CHECK(p[0]);
	CHECK(!dma_alloc_coherent(p[3], PAGE_SIZE, &(dma_addr_t){ 0 }, GFP_ATOMIC));
	dma_free_coherent(p[2], PAGE_SIZE, p[0], dma);
	dma_free_coherent(p[3], PAGE_SIZE, p[1], phys_to_dma(p[3], PFN_PHYS(vmalloc_to_pfn(p[1])), PAGE_SIZE));
}

static void test_handler(void)
{
	dma_addr_t dma;
	void *p[4];

	boot_usual(2);
	p[2] = get("/soc/usb");
	p[3] = get("/soc/eth");
	p[1] = dma_alloc_coherent(p[3], PAGE_SIZE, &dma, GFP_KERNEL);
	CHECK(p[1]);
	host_cpus_start();
	host_interrupt(1, in_handler, p);
	CHECK_LOG("a master that does not see caches gets memory in a thread only");
	CHECK(dma_check());
	host_cpus_stop();
	host_check();
}

/* --- caches --- */

static struct {
	enum host_cache_op op;
	unsigned long start, end;
} seen[8];
static int nr_seen;

static void note_cache(enum host_cache_op op, unsigned long start, unsigned long last)
{
	CHECK(nr_seen < (int)ARRAY_SIZE(seen));
	seen[nr_seen].op = op;
	seen[nr_seen].start = start;
	seen[nr_seen++].end = last;
}

static void expect_cache(enum host_cache_op op, const void *va, size_t size)
{
	CHECK_EQ(nr_seen, 1);
	CHECK_EQ(seen[0].op, op);
	CHECK_EQ(seen[0].start, (uintptr_t)va);
	CHECK_EQ(seen[0].end, (uintptr_t)va + size);
	nr_seen = 0;
}

static void test_caches(void)
{
	struct device *eth, *usb;
	dma_addr_t dma;
	char *page;
	void *p;

	boot_usual(1);
	eth = get("/soc/eth");
	usb = get("/soc/usb");
	page = (char *)__get_free_page(GFP_DMA);
	CHECK(page);
	host_cache_watch(note_cache);
	p = dma_alloc_coherent(eth, 5000, &dma, GFP_KERNEL);
	expect_cache(HOST_CACHE_CLEAN_INVAL, __va(dma - SOC_BUS + GIB), 2 * PAGE_SIZE);
	/* Through either mapping it is the same memory. */
	*(u64 *)p = 0x1234;
	CHECK_EQ(*(u64 *)__va(dma - SOC_BUS + GIB), 0x1234);
	dma_free_coherent(eth, 5000, p, dma);
	dma = dma_map_single(eth, page + 64, 100, DMA_TO_DEVICE);
	CHECK_EQ(dma, SOC_BUS + __pa(page) + 64 - GIB);
	expect_cache(HOST_CACHE_CLEAN, page + 64, 100);
	dma_sync_single_for_cpu(eth, dma, 100, DMA_TO_DEVICE);
	dma_unmap_single(eth, dma, 100, DMA_TO_DEVICE);
	CHECK_EQ(nr_seen, 0);
	dma = dma_map_page(eth, virt_to_page(page), 128, 256, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_CLEAN, page + 128, 256);
	dma_sync_single_for_cpu(eth, dma + 64, 64, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_INVAL, page + 192, 64);
	dma_sync_single_for_device(eth, dma + 64, 64, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_CLEAN, page + 192, 64);
	dma_unmap_page(eth, dma, 256, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_INVAL, page + 128, 256);
	dma = dma_map_single(usb, page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	dma_sync_single_for_cpu(usb, dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	dma_unmap_single(usb, dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	p = dma_alloc_coherent(usb, PAGE_SIZE, &dma, GFP_KERNEL);
	dma_free_coherent(usb, PAGE_SIZE, p, dma);
	CHECK_EQ(nr_seen, 0);
	free_page((unsigned long)page);
	host_check();
}

/* --- buffers that are mapped --- */

static void test_map_refused(void)
{
	struct device *eth, *disk;
	char *high = NULL, *area;
	dma_addr_t dma;

	boot_usual(1);
	eth = get("/soc/eth");
	disk = get("/free/disk");
	high = (char *)__get_free_page(GFP_KERNEL);
	area = vmalloc(PAGE_SIZE);
	CHECK(high && area && __pa(high) >= GIB + SOC_SIZE);
	dma = dma_map_single(eth, high, 16, DMA_TO_DEVICE);
	CHECK_EQ(dma, DMA_MAPPING_ERROR);
	CHECK_EQ(dma_mapping_error(eth, dma), -ENOMEM);
	CHECK_LOG(
		"dma: /soc/eth: a buffer of 16 bytes at .* .mem 0x.*: it is beyond the master's reach: it reaches bus 0xc0000000");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, area, 16, DMA_TO_DEVICE)));
	CHECK_LOG("it is not RAM of the linear map");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, &dma, 16, DMA_TO_DEVICE)));
	CHECK(dma_mapping_error(disk, dma_map_single(disk, high, 0, DMA_TO_DEVICE)));
	CHECK_LOG("it has no bytes");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, high, 1, DMA_NONE)));
	CHECK_LOG("there is no such direction");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, high, 1UL << 60, DMA_TO_DEVICE)));
	dma = dma_map_single(disk, high, 16, DMA_TO_DEVICE);
	CHECK(!dma_mapping_error(disk, dma) && dma == __pa(high));
	dma_unmap_single(disk, dma, 16, DMA_TO_DEVICE);
	dma_unmap_single(disk, dma, 16, DMA_TO_DEVICE);
	CHECK_LOG(
		"dma: /free/disk: dma_unmap_single of 16 bytes at bus 0x.*: none of its buffers is mapped: nothing done");
	dma_sync_single_for_cpu(eth, 0x1000, 16, DMA_FROM_DEVICE);
	CHECK_LOG(
		"dma: /soc/eth: dma_sync_single_for_cpu of 16 bytes at bus 0x1000, direction 2: no buffer of it can be there");
	dma_sync_single_for_device(disk, 0x1000, 16, DMA_FROM_DEVICE);
	dma_unmap_single(disk, 0x1000, 16, DMA_FROM_DEVICE);
	vfree(area);
	free_page((unsigned long)high);
	host_check();
}

/* What the master sees of a buffer of the restricted pool. */
static char *device_view(const struct device *dev, dma_addr_t dma)
{
	phys_addr_t pa;

	CHECK(dma_to_phys(dev, dma, 1, &pa) && pa >= POOL_BASE && pa < POOL_BASE + POOL_SIZE);
	return __va(pa);
}

static void test_bounce(void)
{
	struct device *gpu;
	char *buffer, *copy;
	dma_addr_t dma, second;
	unsigned long start;

	boot_usual(1);
	gpu = get("/free/gpu");
	start = quiet_pages();
	buffer = kmalloc(6000, GFP_KERNEL);
	CHECK(buffer);
	memset(buffer, 'a', 6000);
	dma = dma_map_single(gpu, buffer, 6000, DMA_BIDIRECTIONAL);
	CHECK(!dma_mapping_error(gpu, dma));
	copy = device_view(gpu, dma);
	CHECK(copy[0] == 'a' && copy[5999] == 'a' && !copy[6000] && !copy[2 * PAGE_SIZE - 1]);
	copy[10] = 'd';
	buffer[20] = 'c';
	dma_sync_single_for_cpu(gpu, dma + 8, 8, DMA_BIDIRECTIONAL);
	CHECK(buffer[10] == 'd' && buffer[20] == 'c');
	dma_sync_single_for_device(gpu, dma + 16, 8, DMA_BIDIRECTIONAL);
	CHECK(copy[20] == 'c');
	copy[5999] = 'z';
	dma_sync_single_for_cpu(gpu, dma + 5000, 2000, DMA_BIDIRECTIONAL);
	CHECK_LOG(
		"dma: /free/gpu: dma_sync_single_for_cpu of 2000 bytes at bus 0x.*: no buffer of it is mapped there in its pool");
	dma_unmap_single(gpu, dma, 5999, DMA_BIDIRECTIONAL);
	CHECK_LOG("dma: /free/gpu: dma_unmap_single of 5999 bytes at .* has another size: 6000 bytes");
	dma_free_coherent(gpu, 6000, copy, dma);
	CHECK_LOG("is a mapped buffer, not coherent memory: 6000 bytes");
	CHECK_EQ(dma_device_put(gpu), -EBUSY);
	CHECK(buffer[5999] == 'a');
	dma_unmap_single(gpu, dma, 6000, DMA_BIDIRECTIONAL);
	CHECK(buffer[5999] == 'z');
	dma_unmap_single(gpu, dma, 6000, DMA_BIDIRECTIONAL);
	CHECK_LOG("dma_unmap_single of 6000 bytes at .*: freed before, as 6000 bytes of /free/gpu");
	/* What the master is only to read does not come back. */
	dma = dma_map_single(gpu, buffer, 100, DMA_TO_DEVICE);
	second = dma_map_single(gpu, buffer, 100, DMA_FROM_DEVICE);
	CHECK(dma != second);
	memset(device_view(gpu, dma), 'x', 100);
	dma_unmap_single(gpu, dma, 100, DMA_TO_DEVICE);
	CHECK(buffer[0] == 'a');
	memset(device_view(gpu, second), 'y', 50);
	dma_unmap_single(gpu, second, 100, DMA_FROM_DEVICE);
	CHECK(buffer[0] == 'y' && buffer[49] == 'y' && buffer[50] == 'a');
	kfree(buffer);
	buffer = (char *)__get_free_pages(GFP_KERNEL, 10);
	dma = dma_map_single(gpu, buffer, POOL_SIZE, DMA_TO_DEVICE);
	CHECK(!dma_mapping_error(gpu, dma));
	CHECK(dma_mapping_error(gpu, dma_map_single(gpu, buffer, 1, DMA_TO_DEVICE)));
	CHECK_LOG(
		"does not fit into its pool /reserved-memory/locked@48000000: 1024 of 1024 pages used, the largest free block has 0 bytes");
	dma_unmap_single(gpu, dma, POOL_SIZE, DMA_TO_DEVICE);
	free_pages((unsigned long)buffer, 10);
	CHECK(dma_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
}

/* --- pools of blocks --- */

static void test_pool_refused(void)
{
	struct device *eth;
	struct dma_pool *pool;
	dma_addr_t dma, second;
	char *p, *q;

	boot_usual(1);
	eth = get("/soc/eth");
	CHECK(!dma_pool_create("none", eth, 0, 0, 0));
	CHECK_LOG(
		"dma: /soc/eth: dma_pool_create none, blocks of 0 bytes, .*: the size is 0, or more than 2 GiB: no pool");
	CHECK(!dma_pool_create("odd", eth, 8, 24, 0));
	CHECK_LOG("the alignment is no power of two");
	CHECK(!dma_pool_create("odd", eth, 8, 8, 24));
	CHECK_LOG("the boundary is no power of two");
	CHECK(!dma_pool_create("odd", eth, 96, 8, 64));
	CHECK_LOG("the boundary is less than a block");
	pool = dma_pool_create("ring", eth, 96, 32, 1024);
	CHECK(pool);
	p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);
	q = dma_pool_alloc(pool, GFP_KERNEL, &second);
	CHECK(p && q && !p[0] && !p[95]);
	dma_pool_free(pool, p + 32, dma + 32);
	CHECK_LOG(
		"dma: /soc/eth: dma_pool_free of .* to pool ring, blocks of 96 bytes, created by .*: no block begins there: nothing");
	dma_pool_free(pool, p, second);
	CHECK_LOG("its bus address is another one");
	dma_pool_free(pool, &dma, dma);
	CHECK_LOG("it lies in none of the pool's chunks");
	dma_pool_free(pool, p, dma);
	dma_pool_free(pool, p, dma);
	CHECK_LOG("the block is free already");
	CHECK_EQ(dma_device_put(eth), -EBUSY);
	dma_pool_destroy(pool);
	CHECK_LOG(
		"dma: /soc/eth: dma_pool_destroy: 1 blocks of pool ring, of 96 bytes, created by .*, are still allocated: the pool stays");
	CHECK_LOG("  block of ring at 0x.* \\(bus 0xc.*\\)");
	CHECK_EQ(show_dma(1, NULL), 0);
	CHECK_LOG("pool ring of /soc/eth: blocks of 96 bytes, boundary 1024: 1 used of 40, 4096 bytes");
	dma_pool_free(pool, q, second);
	dma_pool_destroy(pool);
	dma_pool_destroy(NULL);
	CHECK(dma_check());
	host_check();
}

struct block {
	char *cpu;
	dma_addr_t dma;
};

static void check_block(const struct block *b, const struct block *others, int nr, size_t size, size_t align,
			size_t boundary)
{
	CHECK(IS_ALIGNED(b->dma, align) && IS_ALIGNED((uintptr_t)b->cpu, align));
	CHECK(!boundary || b->dma / boundary == (b->dma + size - 1) / boundary);
	for (int i = 0; i < nr; i++)
		CHECK(&others[i] == b || !others[i].cpu || others[i].dma + size <= b->dma ||
		      b->dma + size <= others[i].dma);
}

static void pool_at_random(struct device *dev)
{
	size_t align = 1UL << tap_below(8), size = 1 + tap_below(tap_below(4) ? 300 : 9000);
	size_t boundary = tap_below(2) ? 0 : (PAGE_SIZE << get_order(ALIGN(size, align))) >> tap_below(3);
	struct block blocks[64] = { { NULL, 0 } };
	struct dma_pool *pool;

	if (boundary && boundary < ALIGN(size, align))
		boundary = 0;
	pool = dma_pool_create("random", dev, size, align, boundary);
	CHECK(pool);
	for (unsigned long n = 300; n; n--) {
		struct block *b = &blocks[tap_below(ARRAY_SIZE(blocks))];

		if (b->cpu) {
			CHECK(b->cpu[0] == (char)(b - blocks) && b->cpu[size - 1] == (char)(b - blocks));
			dma_pool_free(pool, b->cpu, b->dma);
			b->cpu = NULL;
			continue;
		}
		b->cpu = dma_pool_alloc(pool, GFP_KERNEL, &b->dma);
		CHECK(b->cpu);
		check_block(b, blocks, ARRAY_SIZE(blocks), size, align, boundary);
		memset(b->cpu, (int)(b - blocks), size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (blocks[i].cpu)
			dma_pool_free(pool, blocks[i].cpu, blocks[i].dma);
	dma_pool_destroy(pool);
}

static void test_pools(void)
{
	struct device *devs[3];
	unsigned long start;

	boot_usual(1);
	devs[0] = get("/soc/eth");
	devs[1] = get("/soc/usb");
	devs[2] = get("/free/codec");
	start = quiet_pages();
	for (unsigned long n = tap_ops(120); n; n--)
		pool_at_random(devs[n % 3]);
	CHECK(dma_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
}

/* --- all CPUs at once, and handlers --- */

static struct device *shared[4];
static struct dma_pool *shared_pool;

static void free_one(void *arg)
{
	struct buffer *b = arg;

	dma_free_coherent(b->dev, b->size, b->cpu, b->dma);
}

static void use_blocks(void)
{
	struct block blocks[8];

	for (int i = 0; i < 8; i++) {
		blocks[i].cpu = dma_pool_alloc(shared_pool, GFP_KERNEL, &blocks[i].dma);
		CHECK(blocks[i].cpu);
		memset(blocks[i].cpu, smp_processor_id(), 200);
	}
	for (int i = 0; i < 8; i++) {
		CHECK(blocks[i].cpu[199] == smp_processor_id());
		dma_pool_free(shared_pool, blocks[i].cpu, blocks[i].dma);
	}
}

static void use_mapping(struct device *dev)
{
	char *buffer = kmalloc(300, GFP_DMA);
	dma_addr_t dma;

	CHECK(buffer);
	memset(buffer, smp_processor_id(), 300);
	dma = dma_map_single(dev, buffer, 300, DMA_BIDIRECTIONAL);
	CHECK(!dma_mapping_error(dev, dma));
	dma_sync_single_for_device(dev, dma, 300, DMA_BIDIRECTIONAL);
	dma_unmap_single(dev, dma, 300, DMA_BIDIRECTIONAL);
	CHECK(buffer[299] == smp_processor_id());
	kfree(buffer);
}

static void load(void *arg)
{
	struct buffer mine[8] = { { NULL, NULL, 0, 0 } };

	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		struct buffer *b = &mine[tap_below(ARRAY_SIZE(mine))];

		use_mapping(shared[tap_below(3)]);
		use_blocks();
		if (b->cpu) {
			CHECK_EQ(*(u64 *)(void *)b->cpu, stamp_of(b, 0));
			if (n % 8)
				free_one(b);
			else
				host_interrupt((int)tap_below(CPUS), free_one, b);
			b->cpu = NULL;
			continue;
		}
		b->dev = shared[tap_below(4)];
		b->size = 8 + tap_below(60000);
		b->cpu = dma_alloc_coherent(b->dev, b->size, &b->dma, GFP_KERNEL | __GFP_NOWARN);
		if (b->cpu)
			*(u64 *)(void *)b->cpu = stamp_of(b, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
		if (mine[i].cpu)
			free_one(&mine[i]);
}

static void test_threads(void)
{
	unsigned long n = tap_ops(400), start;

	boot_usual(CPUS);
	shared[0] = get("/soc/eth");
	shared[1] = get("/soc/usb");
	shared[2] = get("/free/gpu");
	shared[3] = get("/odd/spy");
	/* A cache of memory of a zone is made when it is asked for, and stays. */
	kfree(kmalloc(300, GFP_DMA));
	start = quiet_pages();
	shared_pool = dma_pool_create("shared", shared[0], 200, 64, 0);
	CHECK(shared_pool);
	host_cpus_start();
	for (int cpu = 1; cpu < CPUS; cpu++)
		CHECK_EQ(smp_work_start(cpu, load, &n), 0);
	load(&n);
	for (int cpu = 1; cpu < CPUS; cpu++)
		smp_work_wait(cpu);
	dma_pool_destroy(shared_pool);
	CHECK(dma_check() && vmalloc_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("windows of nested buses", test_windows),
	TAP_CASE("windows of a board", test_board),
	TAP_CASE("masters", test_devices),
	TAP_CASE("masks", test_masks),
	TAP_CASE("where memory comes from", test_sources),
	TAP_CASE("memory at random", test_random),
	TAP_CASE("all memory in reach, twice", test_exhaustion),
	TAP_CASE("what cannot be is refused, and nothing is left", test_refused),
	TAP_CASE("in a handler", test_handler),
	TAP_CASE("caches of masters that do not see them", test_caches),
	TAP_CASE("buffers that cannot be mapped", test_map_refused),
	TAP_CASE("buffers of a master with a restricted pool", test_bounce),
	TAP_CASE("wrong uses of a pool", test_pool_refused),
	TAP_CASE("pools at random", test_pools),
	TAP_CASE("4 CPUs and interrupts", test_threads),
};
TAP_MAIN(cases)
