// SPDX-License-Identifier: BSD-2-Clause
/*
 * ioremap() and memremap(): against a list of mappings, what is refused and why, wrong ends, early mappings, eight
 * CPUs.
 */
#include <lib/smp.h>
#include <mm/highmem.h>
#include <mm/io.h>
#include <mm/memtype.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <string.h>

#include "../../mm/vmap.h"
#include "../io_ways.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB   (1ULL << 20)
#define CPUS  8
#define DEV   0x10000000ULL /* no RAM is there */
#define PAGES 64

/*
 * Random mappings of PAGES pages of a device, of which each begins with its number:
 *
 *	DEV: |page 0  |page 1  |page 2  | . . .         a mapping: any bytes; the pages that they lie in count
 *	          [------------)  ioremap()
 *	              [----------------) ioremap_wc(): refused as long as pages 0 and 1 are mapped so
 */

#define LIVE 24

static struct {
	u8 *addr;
	const struct io_way *way;
	phys_addr_t base, size;
} live[LIVE];

static bool model_allows(phys_addr_t base, phys_addr_t size, enum memtype type)
{
	for (int i = 0; i < LIVE; i++)
		if (live[i].addr && live[i].way->type != type &&
		    PFN_DOWN(base) <= PFN_DOWN(live[i].base + live[i].size - 1) &&
		    PFN_DOWN(live[i].base) <= PFN_DOWN(base + size - 1))
			return false;
	return true;
}

static void stamp_device(void)
{
	u8 __iomem *device = ioremap(DEV, PAGES * PAGE_SIZE);

	CHECK(device);
	for (u64 i = 0; i < PAGES; i++) {
		writeq(i * 0x0101010101010101ULL, device + i * PAGE_SIZE);
		writeq(i, device + i * PAGE_SIZE + PAGE_SIZE - 8);
	}
	iounmap(device);
}

/* Page and offset of the mapping's first byte are right; so is the number in each page that it has the beginning of. */
static void check_mapping(int i)
{
	const u8 *page = live[i].addr - live[i].base % PAGE_SIZE;
	phys_addr_t first = ALIGN_DOWN(live[i].base, PAGE_SIZE), pa;

	CHECK(is_ioremap_addr(live[i].addr));
	CHECK_EQ((uintptr_t)live[i].addr % PAGE_SIZE, live[i].base % PAGE_SIZE);
	for (phys_addr_t at = first; at < live[i].base + live[i].size; at += PAGE_SIZE) {
		CHECK_EQ(readb(page + (at - first)), (at - DEV) / PAGE_SIZE);
		CHECK_EQ(readq_relaxed(page + (at - first) + PAGE_SIZE - 8), (at - DEV) / PAGE_SIZE);
	}
	CHECK(arch_vmap_lookup((uintptr_t)page, &pa) && pa == first);
	CHECK(!arch_vmap_lookup((uintptr_t)page + ALIGN(live[i].base % PAGE_SIZE + live[i].size, PAGE_SIZE), &pa));
}

static void make(int i)
{
	const struct io_way *way = &io_ways[tap_below(ARRAY_SIZE(io_ways))];
	phys_addr_t base = DEV + tap_below((PAGES - 4) * PAGE_SIZE), size = 1 + tap_below(4 * PAGE_SIZE);
	bool allowed = model_allows(base, size, way->type);

	live[i].addr = (way->map)(base, size);
	CHECK_EQ(live[i].addr != NULL, allowed);
	live[i].way = way;
	live[i].base = base;
	live[i].size = size;
}

static void test_random(void)
{
	unsigned long start;

	host_boot_simple(64 * MIB, 2);
	host_mute();
	stamp_device();
	start = host_quiet_pages();
	for (unsigned long n = tap_ops(8000); n; n--) {
		int i = (int)tap_below(LIVE);

		if (!live[i].addr) {
			make(i);
			continue;
		}
		check_mapping(i);
		(live[i].way->unmap)(live[i].addr);
		live[i].addr = NULL;
		if (n % 256 == 0)
			CHECK(vmalloc_check());
	}
	for (int i = 0; i < LIVE; i++)
		if (live[i].addr)
			(live[i].way->unmap)(live[i].addr);
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

static void test_large(void)
{
	static const size_t sizes[] = { 511 * 4096, 512 * 4096, 6 * MIB, 2 * MIB + 4096 };
	phys_addr_t pa;

	host_boot_simple(32 * MIB, 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (phys_addr_t offset = 0; offset <= 4096; offset += 4096) {
			u8 *device = ioremap(DEV + offset, sizes[i]);

			CHECK(device);
			writel(0x12345678, device + sizes[i] - 4);
			CHECK_EQ(readl(device + sizes[i] - 4), 0x12345678);
			CHECK(arch_vmap_lookup((uintptr_t)device + sizes[i] - 1, &pa));
			CHECK_EQ(pa, DEV + offset + sizes[i] - 1);
			CHECK(!arch_vmap_lookup((uintptr_t)device + sizes[i], &pa));
			/* By a block where both sides are aligned to one and the area is no slot. */
			CHECK_EQ(!arch_vmap_table((uintptr_t)device), !offset && sizes[i] >= 512 * 4096);
			CHECK(vmalloc_check());
			iounmap(device);
			CHECK(!arch_vmap_lookup((uintptr_t)device, &pa));
			CHECK(vmalloc_check());
		}
	CHECK(readb(memremap(0x40000000, 1, MEMREMAP_WB)) == readb(__va(0x40000000)));
	host_check();
}

/* The pages at the ends of a large mapping, the middle, and the unmapped ones beside it. */
static void check_large(u8 *map, phys_addr_t phys, unsigned long size)
{
	const unsigned long places[] = { 0, size / 2, size - 1 };
	phys_addr_t pa;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CHECK(arch_vmap_lookup((uintptr_t)map + places[i], &pa));
		CHECK_EQ(pa, phys + places[i]);
		map[places[i]]++;
	}
	CHECK(!arch_vmap_lookup((uintptr_t)map + size, &pa) && !arch_vmap_lookup((uintptr_t)map - 1, &pa));
}

/*
 * Addresses are alike modulo the largest unit that there is a whole one of:
 *
 *	physical	    | 2 MiB | 2 MiB |  1 GiB  | 2 MiB |	(or 32 MiB in place of 1 GiB)
 *	virtual		        | 2 MiB | 2 MiB |  1 GiB  | 2 MiB | unmapped page |
 */
static void test_alike(void)
{
	static const struct {
		unsigned long offset, size, unit;
	} tries[] = {
		{ 0, 2 * MIB, 2 * MIB },
		{ 0x1000, 2 * MIB, 2 * MIB },
		{ 0x1000, 4 * MIB - 0x1000, 2 * MIB },
		{ 31 * MIB, 2 * MIB, 2 * MIB },
		{ 0, 32 * MIB, 32 * MIB },
		{ 30 * MIB + 0x3000, 34 * MIB, 32 * MIB },
		{ 30 * MIB + 0x3000, 34 * MIB - 0x4000, 2 * MIB },
		{ 0, 1024 * MIB, 1024 * MIB },
		{ 0x1000, 1024 * MIB, 32 * MIB },
		{ 1020 * MIB + 0x5000, 1100 * MIB, 1024 * MIB },
	};
	u8 *maps[ARRAY_SIZE(tries)];
	unsigned long start;

	host_boot_simple(64 * MIB, 1);
	start = host_quiet_pages();
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		phys_addr_t phys = 0x80000000 + tries[i].offset;

		maps[i] = ioremap(phys, tries[i].size);
		CHECK(maps[i] && (uintptr_t)maps[i] >= VMAP_PHYS_START);
		CHECK_EQ(((uintptr_t)maps[i] - phys) % tries[i].unit, 0);
		check_large(maps[i], phys, tries[i].size);
	}
	CHECK(vmalloc_check());
	host_log_clear();
	show_vmalloc_areas();
	CHECK_LOG("^0x[0-9a-f]{13}000-0x[0-9a-f]{16} 2101248 [^ ]+ phys=0x0000000080001000 ioremap$");
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		iounmap(maps[i] + 2 * MIB - PAGE_SIZE);
		CHECK_LOG("iounmap: .* lies in the area .*, ioremap\\(\\)'s, asked for by .*: nothing done");
		iounmap(maps[i]);
	}
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* Address space for large ranges runs out in the end; alike modulo a smaller unit is better than nothing. */
static void test_no_space(void)
{
	const unsigned long space = VMALLOC_END - VMAP_PHYS_START, gib = 1UL << 30;
	u8 *most, *rest;

	host_boot_simple(64 * MIB, 1);
	CHECK(!vmap_phys(0x80000000, space / PAGE_SIZE, PAGE_KERNEL, VMAP_DMA, test_no_space));
	most = vmap_phys(0x80000000 + 2 * MIB, (space - 2 * gib) / PAGE_SIZE, PAGE_KERNEL, VMAP_DMA, test_no_space);
	CHECK(most);
	rest = vmap_phys(0x80000000, gib / PAGE_SIZE, PAGE_KERNEL, VMAP_DMA, test_no_space);
	CHECK(rest && ((uintptr_t)rest - 0x80000000) % (32 * MIB) == 0);
	CHECK(!ioremap(0x80000000, gib));
	CHECK_LOG(
		"ioremap: 0x40000000 bytes at 0x0000000080000000, asked for by .*: no memory, or no address space: refused");
	/* Neither slots nor large areas of pages are in the way. */
	vfree(vmalloc(4 * MIB));
	CHECK(vmalloc_check());
	vunmap_phys("test", most, VMAP_DMA);
	vunmap_phys("test", rest, VMAP_DMA);
	CHECK(vmalloc_check());
	host_check();
}

/* A handler ends a large mapping: nothing is mapped any more, and a thread does the rest. */
static void test_end_masked(void)
{
	unsigned long start, flags;
	phys_addr_t pa;
	u8 *map, *next;

	host_boot_simple(64 * MIB, 1);
	start = host_quiet_pages();
	map = vmap_phys(DEV + 0x1000, 1000, PAGE_KERNEL, VMAP_DMA, test_end_masked);
	CHECK(map);
	flags = local_irq_save();
	CHECK(!vmap_phys(DEV, 1000, PAGE_KERNEL, VMAP_DMA, test_end_masked));
	CHECK_LOG(
		"vmalloc: \\[mem 0x0000000010000000-0x00000000103e7fff\\], more than 511 pages, with interrupts masked or from a handler: not mapped");
	vunmap_phys("test", map, VMAP_DMA);
	CHECK(!arch_vmap_lookup((uintptr_t)map, &pa) && !arch_vmap_lookup((uintptr_t)map + 999 * PAGE_SIZE, &pa));
	host_log_clear();
	vunmap_phys("test", map, VMAP_DMA);
	CHECK_LOG(
		"test: .*: the area 0x[0-9a-f]+-0x[0-9a-f]+, dma_alloc_coherent\\(\\)'s, asked for by .*, is free: nothing");
	local_irq_restore(flags);
	CHECK(vmalloc_check());
	next = vmap_phys(DEV + 0x1000, 1000, PAGE_KERNEL, VMAP_DMA, test_end_masked);
	CHECK(next == map);
	flags = local_irq_save();
	vunmap_phys("test", next, VMAP_DMA);
	local_irq_restore(flags);
	CHECK_EQ(host_quiet_pages(), start);
	CHECK(vmalloc_check());
	host_check();
}

/* A large area that has ended, by what it says of itself, and maps its pages all the same. */
static void test_check(void)
{
	struct vmap_claim claim;
	u64 state;
	u8 *map;

	host_boot_simple(32 * MIB, 1);
	for (phys_addr_t offset = 0; offset <= PAGE_SIZE; offset += PAGE_SIZE) {
		map = vmap_phys(DEV + offset, 1000, PAGE_KERNEL, VMAP_DMA, test_check);
		CHECK(map);
		CHECK(vmalloc_check());
		claim = vmap_large_claim((uintptr_t)map, VMAP_DMA, 0);
		CHECK(claim.area && claim.nr_pages == 1000);
		state = claim.area->state;
		host_log_clear();
		CHECK(!vmalloc_check());
		CHECK_LOG("vmalloc check: 0x[0-9a-f]+ is mapped, outside of the large area of 0 pages at 0x[0-9a-f]+");
		claim.area->state = state;
		claim.area->use = VMAP_DMA;
		claim.area->nr_pages = claim.nr_pages;
		vunmap_phys("test", map, VMAP_DMA);
		CHECK(vmalloc_check());
	}
	host_check();
}

static void test_conflicts(void)
{
	u8 *device, *again;

	host_boot_simple(32 * MIB, 1);
	device = ioremap(DEV + 0x10, 0x1000);
	again = ioremap(DEV, 8);
	CHECK(device && again && device != again);
	CHECK(!ioremap_wc(DEV + 0x1ff8, 8));
	CHECK_LOG(
		"ioremap_wc: \\[mem 0x0000000010001ff8-0x0000000010001fff\\] as not cacheable, asked for by .*: mapped already, "
		"\\[mem 0x0000000010000010-0x000000001000100f\\] as device nGnRE by ioremap, asked for by .*: refused");
	CHECK(!ioremap_np(DEV, 8));
	CHECK_LOG("ioremap_np: .* as device nGnRnE, .* as device nGnRE by ioremap");
	CHECK(!memremap(DEV, 8, MEMREMAP_WB | MEMREMAP_WT));
	CHECK_LOG("memremap: .* as write-through, .* as device nGnRE by ioremap");
	CHECK_NO_LOG("as write-back");
	iounmap(again);
	CHECK(!ioremap_wc(DEV, 8));
	iounmap(device);
	device = ioremap_wc(DEV, 8);
	CHECK(device);
	/* The second choice of three will do. */
	host_log_clear();
	again = memremap(DEV, 8, MEMREMAP_WB | MEMREMAP_WT | MEMREMAP_WC);
	CHECK(again);
	CHECK_NO_LOG(".");
	memunmap(again);
	iounmap(device);
	host_check();
}

/* RAM is the allocator's or somebody's claim; what is not in the linear map is no RAM in this sense. */
static void test_ram(void)
{
	static const struct host_bank bank = { 0x40000000, 32 * MIB, -1 };
	u8 *firmware;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .add_nodes = host_add_firmware });
	CHECK(!ioremap(0x40800000, 0x1000));
	CHECK_LOG("ioremap: \\[mem 0x0000000040800000-0x0000000040800fff\\], asked for by .*: "
		  "\\[mem 0x[0-9a-f]*-0x[0-9a-f]*\\] is RAM of node 0, zone DMA, the page allocator's: refused");
	CHECK(!ioremap_wc(0x40020000, 8));
	CHECK_LOG("ioremap_wc: .* is RAM of node 0, zone DMA, claimed by device tree: refused");
	CHECK(!ioremap(0x3ffff000, 0x1001));
	CHECK_LOG("ioremap: \\[mem 0x000000003ffff000-0x0000000040000000\\], .* is RAM");
	CHECK(!memremap(0x40800000, 0x1000, MEMREMAP_WT | MEMREMAP_WC));
	CHECK_LOG("memremap: .* is RAM of node 0, zone DMA, the page allocator's: refused");
	CHECK(!memremap(0x41fff000, 0x2000, MEMREMAP_WB));
	CHECK(!memremap(0x40fff000, 0x2000, MEMREMAP_WB));
	CHECK(memremap(0x40800123, 0x100000, MEMREMAP_WB | MEMREMAP_WC) == __va(0x40800123));
	memunmap(__va(0x40800123));
	firmware = ioremap(0x41000000, 0x10000);
	CHECK(firmware);
	iounmap(firmware);
	firmware = memremap(0x41000000, 0x10000, MEMREMAP_WB);
	CHECK(is_ioremap_addr(firmware));
	memunmap(firmware);
	CHECK(!ioremap(0x4100f000, 0x1001));
	host_check();
}

static void test_bad_ranges(void)
{
	LIST_HEAD(taken);

	host_boot_simple(32 * MIB, 1);
	CHECK(!ioremap(DEV, 0));
	CHECK_LOG("ioremap: 0x0 bytes at 0x0000000010000000, asked for by .*: nothing to map: refused");
	CHECK(!ioremap_np(DEV, 1UL << 63));
	CHECK_LOG(
		"ioremap_np: 0x8000000000000000 bytes at 0x0000000010000000, .*: it ends beyond this CPU's physical addresses");
	CHECK(!ioremap_wc(DEV, ~0UL));
	CHECK_LOG("ioremap_wc: 0xffffffffffffffff bytes at .*: it ends beyond the address space: refused");
	CHECK(!memremap(PHYS_ADDR_LIMIT - 1, 2, MEMREMAP_WB));
	CHECK_LOG("memremap: 0x2 bytes at 0x0000003fffffffff, .*: it ends beyond this CPU's physical addresses");
	CHECK(!memremap(DEV, 8, 0));
	CHECK_LOG("memremap: 0x8 bytes .* its flags name no type");
	CHECK(!memremap(DEV, 8, MEMREMAP_WB | 8));
	/* More than there is address space for, and then memory. */
	CHECK(!ioremap(0x80000000, VMALLOC_END - VMALLOC_START));
	CHECK_LOG("ioremap: .* no memory, or no address space: refused");
	/* What is kept for handlers, too: the host's tables are made of that. */
	take_blocks(NUMA_NO_NODE, GFP_ATOMIC, 0, &taken);
	host_log_clear();
	CHECK(!ioremap(DEV + PAGE_SIZE, 512 * MIB));
	CHECK_LOG("no memory, or no address space: refused");
	give_blocks(&taken);
	CHECK(vmalloc_check());
	/* Nothing of it is held any more. */
	CHECK_EQ(memtype_held(), 0);
	iounmap(ioremap_wc(DEV, 3 * MIB));
	host_check();
}

static void test_bad_ends(void)
{
	u8 *device, *large, *memory;

	host_boot_simple(32 * MIB, 1);
	device = ioremap(DEV + 8, 0x2000);
	large = ioremap(DEV, 4 * MIB);
	memory = vmalloc(PAGE_SIZE);
	CHECK(device && large && memory);
	iounmap(NULL);
	memunmap(NULL);
	iounmap(device + 0x1000);
	CHECK_LOG(
		"iounmap: .* lies in the area 0x[0-9a-f]*-0x[0-9a-f]*, ioremap\\(\\)'s, asked for by .*: nothing done");
	iounmap(large + 3 * MIB);
	vfree(device - 8);
	CHECK_LOG("vfree: .* lies in the area .*, ioremap\\(\\)'s");
	vfree(large);
	iounmap(memory);
	CHECK_LOG("iounmap: .* lies in the area .*, vmalloc\\(\\)'s");
	memunmap(memory);
	CHECK_LOG("memunmap: .* lies in the area .*, vmalloc\\(\\)'s");
	iounmap(__va(0x40800000));
	CHECK_LOG("iounmap: .* lies in no area: nothing done");
	CHECK_EQ(readb(device) + readb(large), 0);
	iounmap(device);
	host_log_clear();
	iounmap(device);
	CHECK_LOG("iounmap: .*: the area there, within 0x.*, is free, last asked for by .*: nothing done");
	iounmap(large);
	host_log_clear();
	iounmap(large);
	CHECK_LOG(
		"iounmap: .*: the area 0x[0-9a-f]+000-0x[0-9a-f]+fff, ioremap.*, asked for by .*, is free: nothing done");
	vfree(memory);
	CHECK(vmalloc_check());
	host_check();
}

static void test_listing(void)
{
	u8 *device;

	host_boot_simple(32 * MIB, 1);
	device = ioremap(DEV + 0x123, 0x1000);
	CHECK(device);
	host_log_clear();
	show_vmalloc_areas();
	CHECK_LOG("^0x[0-9a-f]{16}-0x[0-9a-f]{16}   12288 [^ ]+ phys=0x0000000010000000 ioremap$");
	iounmap(device);
	host_log_clear();
	show_vmalloc_areas();
	CHECK_NO_LOG("ioremap");
}

/* Before there is memory, and until hand-over is done. */

static u8 *forgotten;

static void use_early(void)
{
	u8 *slots[EARLY_SLOTS + 1];

	for (int i = 0; i <= EARLY_SLOTS; i++)
		slots[i] = early_ioremap(DEV + (u64)i * PAGE_SIZE + 4, 8);
	CHECK(slots[EARLY_SLOTS - 1] && !slots[EARLY_SLOTS]);
	CHECK_LOG("early_ioremap: 0x8 bytes at 0x0000000010007004, asked for by .*: all slots are in use: refused");
	writel(7, slots[3]);
	early_iounmap(slots[3], 4);
	CHECK_LOG(
		"early_iounmap: 0x4 bytes at .* are not the early mapping of \\[mem 0x0000000010003004-0x000000001000300b\\], 0x8 ");
	early_iounmap(slots[3] - 4, 8);
	early_iounmap(slots[3], 8);
	host_log_clear();
	early_iounmap(slots[3], 8);
	CHECK_LOG("early_iounmap: 0x[0-9a-f]* is no early mapping: nothing done");
	CHECK(!early_ioremap(DEV, EARLY_SLOT_PAGES * PAGE_SIZE + 1));
	CHECK_LOG("more than a slot has");
	CHECK(!early_ioremap(DEV, 0));
	CHECK(!early_ioremap(0x40800000, 8));
	CHECK_LOG("early_ioremap: .* is RAM of node 0, zone DMA, the page allocator's|is RAM");
	slots[3] = early_ioremap(DEV, EARLY_SLOT_PAGES * PAGE_SIZE);
	CHECK(slots[3]);
	CHECK_EQ(readl(slots[3] + 3 * PAGE_SIZE + 4), 7);
	early_iounmap(slots[3], EARLY_SLOT_PAGES * PAGE_SIZE);
	for (int i = 0; i < EARLY_SLOTS; i++)
		if (i != 3 && i != 5)
			early_iounmap(slots[i], 8);
	forgotten = slots[5];
}

static void test_early(void)
{
	static const struct host_bank bank = { 0x40000000, 32 * MIB, -1 };

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .before_hand_over = use_early });
	CHECK_LOG(
		"early_ioremap: \\[mem 0x0000000010005004-0x000000001000500b\\], asked for by .*, was never unmapped: it stays");
	CHECK_EQ(readl(forgotten), 0);
	CHECK(!early_ioremap(DEV, 8));
	CHECK_LOG("early_ioremap: .*: too late, ioremap\\(\\) works: refused");
	/* It is a mapping like any other. */
	CHECK(!ioremap_wc(DEV + 5 * PAGE_SIZE, 8));
	CHECK_LOG("ioremap_wc: .* as device nGnRE by early_ioremap");
	/* But who ends it must say so. */
	iounmap(forgotten);
	CHECK_LOG("iounmap: .* lies in no area: nothing done");
	memunmap(forgotten);
	CHECK_LOG("memunmap: .* lies in no area: nothing done");
	CHECK(!ioremap_wc(DEV + 5 * PAGE_SIZE, 8));
	CHECK_EQ(readl(forgotten), 0);
	early_iounmap(forgotten, 8);
	iounmap(ioremap_wc(DEV + 5 * PAGE_SIZE, 8));
}

/* kmap and its kin are the linear address. */
static void test_kmap(void)
{
	struct page *page, *other;
	char text[6];

	host_boot_simple(32 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	other = alloc_page(GFP_KERNEL | __GFP_ZERO);
	CHECK(page && other && !PageHighMem(page));
	CHECK(kmap(page) == page_address(page) && kmap_local_page(page) == __va(page_to_phys(page)));
	CHECK(kmap_atomic(page) == kmap(page) && kmap_local_pfn(page_to_pfn(page)) == kmap(page));
	CHECK(kmap_to_page(kmap(page)) == page);
	clear_highpage(page);
	memcpy_to_page(page, 100, "hello", 6);
	copy_highpage(other, page);
	memcpy_from_page(text, other, 100, 6);
	CHECK(!strcmp(text, "hello"));
	kunmap_atomic(kmap(page));
	kunmap_local(kmap(page));
	kunmap(page);
	__free_page(page);
	__free_page(other);
	host_check();
}

/* Eight CPUs map and unmap the same pages with all types: at no moment are there two types for one page. */

static u32 users[PAGES][NR_MEMTYPES]; /* atomic */

static void count(unsigned long page, enum memtype type, u32 by)
{
	__atomic_fetch_add(&users[page][type], by, __ATOMIC_SEQ_CST);
	for (int other = 0; by == 1 && other < NR_MEMTYPES; other++)
		CHECK(other == (int)type || !__atomic_load_n(&users[page][other], __ATOMIC_SEQ_CST));
}

/* Large ones meanwhile, each CPU's at a place of its own, half of them ended by what may take no mutex. */
static void load_large(void)
{
	phys_addr_t phys = 0x80000000 + (phys_addr_t)smp_processor_id() * 64 * MIB + tap_below(3) * PAGE_SIZE;
	unsigned long nr = 512 + tap_below(1024), flags = 0;
	u8 *map = vmap_phys(phys, nr, PAGE_KERNEL, VMAP_DMA, load_large);
	bool masked = tap_below(2);

	CHECK(map);
	check_large(map, phys, nr * PAGE_SIZE);
	if (masked)
		flags = local_irq_save();
	vunmap_phys("test", map, VMAP_DMA);
	if (masked)
		local_irq_restore(flags);
}

static void load(void *arg)
{
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		const struct io_way *way = &io_ways[tap_below(ARRAY_SIZE(io_ways))];
		unsigned long first = tap_below(PAGES - 2), nr = 1 + tap_below(2);
		u8 *addr = (way->map)(DEV + first * PAGE_SIZE, nr * PAGE_SIZE);

		if (n % 16 == 0)
			load_large();
		if (!addr)
			continue;
		for (unsigned long i = 0; i < nr; i++) {
			count(first + i, way->type, 1);
			CHECK_EQ(readb(addr + i * PAGE_SIZE), first + i);
		}
		for (unsigned long i = 0; i < nr; i++)
			count(first + i, way->type, -1U);
		(way->unmap)(addr);
	}
}

/* Two CPUs end the same mappings: each is ended once. */
static u8 *shared[CPUS * 32];

static void end_all(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		iounmap(shared[i]);
}

static void test_threads(void)
{
	unsigned long n = tap_ops(1000), start;

	host_boot_simple(128 * MIB, CPUS);
	host_mute();
	stamp_device();
	start = host_quiet_pages();
	host_cpus_start();
	host_on_all_cpus(load, &n);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		shared[i] = ioremap(DEV, PAGE_SIZE * (i % 16 ? 1 : 600));
		CHECK(shared[i]);
	}
	host_on_all_cpus(end_all, NULL);
	iounmap(ioremap_wc(DEV, 600 * PAGE_SIZE));
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("mappings at random", test_random),
	TAP_CASE("large mappings, by blocks where they can be", test_large),
	TAP_CASE("large mappings have addresses that allow the largest units", test_alike),
	TAP_CASE("no address space for large mappings", test_no_space),
	TAP_CASE("a large mapping is ended where no mutex may be taken", test_end_masked),
	TAP_CASE("a large area that has ended and is mapped is found", test_check),
	TAP_CASE("two types for one page are refused, and both mappings are named", test_conflicts),
	TAP_CASE("RAM is refused, with whose it is; memremap() gives its linear address", test_ram),
	TAP_CASE("ranges that cannot be, and no memory", test_bad_ranges),
	TAP_CASE("wrong ends are reported, with what is there", test_bad_ends),
	TAP_CASE("vmallocinfo", test_listing),
	TAP_CASE("early mappings, and one that is forgotten", test_early),
	TAP_CASE("kmap and its kin", test_kmap),
	TAP_CASE("8 CPUs", test_threads),
};
TAP_MAIN(cases)
