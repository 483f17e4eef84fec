// SPDX-License-Identifier: BSD-2-Clause
/* ioremap() and memremap(): against a list of mappings, what is refused and why, wrong ends, early mappings, eight CPUs. */
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

static unsigned long quiet_pages(void)
{
	CHECK_EQ(memtype_held(), 0);
	return host_quiet_pages();
}

static void test_random(void)
{
	unsigned long start;

	host_boot_simple(64 * MIB, 2);
	host_mute();
	stamp_device();
	start = quiet_pages();
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
	CHECK_EQ(quiet_pages(), start);
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
	struct page *page, *next;
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
	while ((page = alloc_page(GFP_KERNEL | __GFP_NOWARN)))
		list_add(&page->lru, &taken);
	host_log_clear();
	CHECK(!ioremap(DEV + PAGE_SIZE, 512 * MIB));
	CHECK_LOG("no memory, or no address space: refused");
	list_for_each_entry_safe(page, next, &taken, lru)
		__free_page(page);
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

static void load(void *arg)
{
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		const struct io_way *way = &io_ways[tap_below(ARRAY_SIZE(io_ways))];
		unsigned long first = tap_below(PAGES - 2), nr = 1 + tap_below(2);
		u8 *addr = (way->map)(DEV + first * PAGE_SIZE, nr * PAGE_SIZE);

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

static void on_all(smp_fn_t fn, void *arg)
{
	for (int cpu = 1; cpu < CPUS; cpu++)
		CHECK_EQ(smp_work_start(cpu, fn, arg), 0);
	fn(arg);
	for (int cpu = 1; cpu < CPUS; cpu++)
		smp_work_wait(cpu);
}

static void test_threads(void)
{
	unsigned long n = tap_ops(1000), start;

	host_boot_simple(128 * MIB, CPUS);
	host_mute();
	stamp_device();
	start = quiet_pages();
	host_cpus_start();
	on_all(load, &n);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		shared[i] = ioremap(DEV, PAGE_SIZE * (i % 16 ? 1 : 600));
		CHECK(shared[i]);
	}
	on_all(end_all, NULL);
	iounmap(ioremap_wc(DEV, 600 * PAGE_SIZE));
	CHECK(vmalloc_check());
	CHECK_EQ(quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("mappings at random", test_random),
	TAP_CASE("large mappings, by blocks where they can be", test_large),
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
