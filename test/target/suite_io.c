// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory types and device memory in the image: what ioremap() shows is what the drivers see, the hardware's own
 * translation has the right attributes, on every CPU; what is refused; and cache maintenance.
 *
 * Types of memory are tried at the top of physical addresses, where there is nothing: those mappings are never
 * accessed.
 */
#include <errno.h>
#include <lib/mutex.h>
#include <mm/contig.h>
#include <mm/io.h>
#include <mm/ioport.h>
#include <mm/memtype.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <string.h>

#include <asm/exception.h>
#include <asm/sysreg.h>

#include "../../mm/provenance.h"
#include "../../mm/vmap.h"
#include "../io_ways.h"
#include "target.h"

#define LOAD_ROUNDS 200
#define NOTHING(n)  ((1ULL << arch_pa_bits()) - ((n) + 1ULL) * PAGE_SIZE)
#define GIB	    (1UL << 30)
#define NO_GIB(n)   ((1ULL << arch_pa_bits()) - ((n) + 1ULL) * GIB) /* nothing either */
#define LARGE	    16
#define BLOCK_PAGES (PT_SPAN(2) / PAGE_SIZE)

/* Registers that keep their value, of each driver's device. */
static const struct device {
	const char *name;
	u16 registers[5];
	u32 nr;
} devices[] = {
	{ "GICD", { 0x004, 0x008 }, 2 },
	{ "GICC", { 0x004, 0x008 }, 2 },
	{ "pl011", { 0x030, 0xfe0, 0xfe4, 0xff0, 0xffc }, 5 },
	{ "mini UART", { 0x00c, 0x020 }, 2 },
};

/* A device of the drivers' and a mapping of our own. */
struct view {
	const struct device *device;
	const volatile char *theirs, *ours;
};

static const struct memtype_range *find_range(const char *name)
{
	const struct memtype_range *range = NULL;

	while ((range = memtype_next_device(range)))
		if (!strcmp(range->name, name) && range->va)
			return range;
	return NULL;
}

static void compare_registers(void *arg)
{
	const struct view *view = arg;

	for (u32 i = 0; i < view->device->nr; i++)
		ktap_ok(readl(view->ours + view->device->registers[i]) ==
			readl(view->theirs + view->device->registers[i]));
}

/* After iounmap(): this CPU, which has read there before, finds nothing any more. */
static void find_nothing(void *arg)
{
	const struct view *view = arg;
	u32 value;

	ktap_ok(!arch_probe_read32(view->ours + view->device->registers[0], &value));
}

static void case_registers(void)
{
	unsigned int tried = 0;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		const struct memtype_range *range = find_range(devices[i].name);
		struct view view = { .device = &devices[i] };
		void *ours;

		if (!range)
			continue;
		ours = ioremap(range->base, range->size);
		if (!ktap_ok(ours != NULL))
			continue;
		view.ours = ours;
		view.theirs = (const volatile char *)(range->va + range->base % PAGE_SIZE);
		ktap_ok(view.ours != view.theirs);
		on_all_cpus(compare_registers, &view);
		iounmap(ours);
		on_all_cpus(find_nothing, &view);
		tried++;
	}
	ktap_ok(tried > 0);
}

/* --- attributes --- */

#define PAR_FAULT	BIT(0)
#define PAR_PA_MASK	0x0000fffffffff000ULL
#define PAR_ATTR(value) ((u32)((value) >> 56))

struct translation {
	const volatile void *addr;
	u64 par;
};

/* What the hardware makes of an address, for a read at EL1. */
static void translate(void *arg)
{
	struct translation *t = arg;
	unsigned long flags = local_irq_save();

	__asm__ volatile("at s1e1r, %0" : : "r"(t->addr) : "memory");
	isb();
	t->par = read_sysreg(par_el1);
	local_irq_restore(flags);
}

/* Whether on every CPU @addr is @phys with the attribute @attr of MAIR_EL1; with @phys 0, that it is not mapped. */
static bool all_translate(const volatile void *addr, phys_addr_t phys, u32 attr)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct translation t = { .addr = addr };

		ktap_ok(smp_call_function_single(cpu, translate, &t) == 0);
		if (!phys ? !(t.par & PAR_FAULT) :
			    (t.par & PAR_FAULT) || (t.par & PAR_PA_MASK) != ALIGN_DOWN(phys, PAGE_SIZE) ||
				    PAR_ATTR(t.par) != attr)
			return false;
	}
	return true;
}

static void check_mair(void *arg)
{
	(void)arg;
	ktap_ok(read_sysreg(mair_el1) == MAIR_VALUE);
}

/* What MAIR_EL1 says of each type. */
static const u32 attributes[NR_MEMTYPES] = {
	[MEMTYPE_DEVICE_NP] = MAIR_DEVICE_nGnRnE,
	[MEMTYPE_DEVICE] = MAIR_DEVICE_nGnRE,
	[MEMTYPE_WC] = MAIR_NORMAL_NC,
	[MEMTYPE_WT] = MAIR_NORMAL_WT,
	[MEMTYPE_WB] = MAIR_NORMAL_WB,
};

static void case_types(void)
{
	on_all_cpus(check_mair, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(io_ways); i++) {
		char *addr = (io_ways[i].map)(NOTHING(1) + 0x10, PAGE_SIZE);

		if (!ktap_ok(addr != NULL))
			continue;
		ktap_ok((uintptr_t)addr % PAGE_SIZE == 0x10);
		ktap_ok(all_translate(addr, NOTHING(1), attributes[io_ways[i].type]));
		ktap_ok(all_translate(addr + PAGE_SIZE, NOTHING(0), attributes[io_ways[i].type]));
		ktap_ok(all_translate(addr + 2 * PAGE_SIZE, 0, 0));
		ktap_ok(!arch_probe_exec(addr - 0x10));
		iounmap(addr);
		ktap_ok(all_translate(addr, 0, 0));
	}
}

/* --- large ranges --- */

static struct pt_stats tables_before;

static void note_tables(void)
{
	vm_unmap_aliases();
	ktap_ok(arch_pt_check(&tables_before));
}

static void tables_as_before(void)
{
	struct pt_stats now;

	vm_unmap_aliases();
	ktap_ok(arch_pt_check(&now) && now.tables == tables_before.tables);
	for (int level = 1; level <= PT_LAST_LEVEL; level++)
		ktap_ok(now.leaves[level] == tables_before.leaves[level]);
}

/* Whether the tables map @addr by a unit of @size, which begins there. */
static bool unit_at(const volatile void *addr, u64 size)
{
	unsigned long flags = pt_hold_tables();
	struct pt_unit unit;

	pt_query((uintptr_t)addr, &unit);
	pt_release_tables(flags);
	return unit.entry && unit.va == (uintptr_t)addr && unit.size == size;
}

/*
 * Each unit that there is, with each type, as the tables have it and as the hardware translates it:
 *
 *	| page | 64 KiB | 2 MiB | 32 MiB |  1 GiB  | page |
 */
static void case_large(void)
{
	static const u64 units[] = { PAGE_SIZE, PT_CONT_SPAN(3), PT_SPAN(2), PT_CONT_SPAN(2), PT_SPAN(1), PAGE_SIZE };
	phys_addr_t base = NO_GIB(4) - PT_CONT_SPAN(2) - PT_SPAN(2) - PT_CONT_SPAN(3) - PAGE_SIZE;

	note_tables();
	for (size_t i = 0; i < ARRAY_SIZE(io_ways); i++) {
		char *addr = (io_ways[i].map)(base, NO_GIB(3) + PAGE_SIZE - base);
		u32 attr = attributes[io_ways[i].type];
		u64 at = 0;

		if (!ktap_ok(addr != NULL))
			continue;
		for (size_t u = 0; u < ARRAY_SIZE(units); at += units[u++]) {
			ktap_ok(unit_at(addr + at, units[u]));
			ktap_ok(all_translate(addr + at, base + at, attr));
			ktap_ok(all_translate(addr + at + units[u] - 1, base + at + units[u] - 1, attr));
		}
		ktap_ok(all_translate(addr + at, 0, 0) && all_translate(addr - 1, 0, 0));
		ktap_ok(vmalloc_check());
		(io_ways[i].unmap)(addr);
		ktap_ok(all_translate(addr, 0, 0) && all_translate(addr + at - PAGE_SIZE - 1, 0, 0));
	}
	tables_as_before();
}

/* The first whole GiB of RAM in one piece, which somebody may use; 0 when there is none. */
static phys_addr_t gib_of_ram(void)
{
	struct ram_run run = { .end = 0 };

	while (ram_run_next(&run))
		if (!run.nomap && run.end - ALIGN(run.base, GIB) >= GIB && ALIGN(run.base, GIB) < run.end)
			return ALIGN(run.base, GIB);
	return 0;
}

/* 2 MiB of a GiB of RAM at @base; what is in use there is passed by. */
static struct page *block_within(phys_addr_t base)
{
	for (unsigned long pfn = PFN_DOWN(base); pfn < PFN_DOWN(base + GIB); pfn += BLOCK_PAGES)
		if (!alloc_contig_range(pfn, pfn + BLOCK_PAGES, MIGRATE_MOVABLE, GFP_KERNEL))
			return pfn_to_page(pfn);
	return NULL;
}

/* What one CPU writes at one address all read at the other. */
struct two_ways {
	u64 *linear, *other;
};

static void read_and_write(void *arg)
{
	const struct two_ways *way = arg;
	u64 mine = 0x1000 + (u64)smp_processor_id();

	WRITE_ONCE(way->linear[mine], ~mine);
	ktap_ok(READ_ONCE(way->other[mine]) == ~mine);
	WRITE_ONCE(way->other[mine], mine);
	ktap_ok(READ_ONCE(way->linear[mine]) == mine);
}

static void cannot_write(void *arg)
{
	u64 value;

	ktap_ok(arch_probe_read(arg, &value) && !arch_probe_write(arg, 0));
}

static void find_unmapped(void *arg)
{
	u64 value;

	ktap_ok(!arch_probe_read(arg, &value));
}

static int protect(unsigned long at, u64 set, u64 clear)
{
	int err;

	mutex_lock(&pt_mutex);
	err = pt_protect_range(at, PAGE_SIZE, set, clear);
	mutex_unlock(&pt_mutex);
	return err;
}

/* A page at @at, of a GiB that is mapped at @map, is split off on all CPUs, and the GiB is one block again. */
static void change_page(const char *map, char *at)
{
	ktap_ok(set_memory_ro((unsigned long)at, 1) == -EINVAL);
	ktap_ok(protect((unsigned long)at, PTE_RDONLY, 0) == 0);
	ktap_ok(unit_at(at, PAGE_SIZE));
	on_all_cpus(cannot_write, at);
	ktap_ok(arch_probe_write(at - PAGE_SIZE, 1) && arch_probe_write(at + PAGE_SIZE, 1));
	ktap_ok(protect((unsigned long)at, 0, PTE_RDONLY) == 0);
	ktap_ok(unit_at(map, GIB) && arch_probe_write(at, 1));
}

/* RAM a second time, of the linear map's type, ended in a thread, and where no mutex may be taken. */
static void case_large_ram(void)
{
	phys_addr_t base = gib_of_ram();
	struct page *block;

	if (!base) {
		ktap_skip("no whole GiB of RAM");
		return;
	}
	block = block_within(base);
	if (!ktap_ok(block != NULL))
		return;
	note_tables();
	for (int masked = 0; masked < 2; masked++) {
		char *map = vmap_phys(base, PFN_DOWN(GIB), PAGE_KERNEL, VMAP_DMA, case_large_ram);
		struct two_ways ways = { page_address(block), NULL };
		unsigned long flags = 0;

		if (!ktap_ok(map != NULL))
			break;
		ktap_ok(unit_at(map, GIB));
		ways.other = (u64 *)(void *)(map + (page_to_phys(block) - base));
		on_all_cpus(read_and_write, &ways);
		change_page(map, (char *)ways.other + 17 * PAGE_SIZE);
		if (masked)
			flags = local_irq_save();
		vunmap_phys("suite_io", map, VMAP_DMA);
		if (masked)
			local_irq_restore(flags);
		on_all_cpus(find_unmapped, ways.other);
		ktap_ok(vmalloc_check());
	}
	tables_as_before();
	free_contig_range(page_to_pfn(block), BLOCK_PAGES);
}

/* Each CPU's ranges lie side by side with the others', in tables that they share. */
static void large_load(void *arg)
{
	u64 random = 88172645463325252ULL + (u64)smp_processor_id();

	(void)arg;
	for (int i = 0; i < LARGE; i++) {
		phys_addr_t base = NO_GIB(8 + 2 * (u64)smp_processor_id()) + next_random(&random) % 3 * PAGE_SIZE;
		u64 nr = (next_random(&random) % 2 ? PT_SPAN(1) : PT_SPAN(2)) / PAGE_SIZE + next_random(&random) % 600;
		bool masked = next_random(&random) % 2;
		unsigned long flags = 0;
		struct translation t;

		t.addr = vmap_phys(base, nr, PAGE_KERNEL_NC, VMAP_DMA, large_load);
		if (!ktap_ok(t.addr != NULL))
			continue;
		ktap_ok(vmalloc_to_pfn((const void *)(uintptr_t)t.addr) == PFN_DOWN(base));
		translate(&t);
		ktap_ok(!(t.par & PAR_FAULT) && (t.par & PAR_PA_MASK) == base);
		if (masked)
			flags = local_irq_save();
		vunmap_phys("suite_io", (const void *)(uintptr_t)t.addr, VMAP_DMA);
		if (masked)
			local_irq_restore(flags);
		translate(&t);
		/* Another CPU may have the address by now, with memory of its own. */
		ktap_ok(t.par & PAR_FAULT || (t.par & PAR_PA_MASK) != base);
	}
}

static void case_large_load(void)
{
	note_tables();
	on_all_cpus(large_load, NULL);
	tables_as_before();
}

/* The linear map is what memremap() of RAM gives. */
static void case_ram(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	phys_addr_t phys;

	if (!ktap_ok(page != NULL))
		return;
	phys = page_to_phys(page);
	ktap_ok(memremap(phys + 8, 16, MEMREMAP_WB) == __va(phys + 8));
	ktap_ok(all_translate(__va(phys), phys, MAIR_NORMAL_WB));
	memunmap(__va(phys + 8));
	ktap_ok(ioremap(phys, PAGE_SIZE) == NULL);
	ktap_ok(memremap(phys, PAGE_SIZE, MEMREMAP_WT | MEMREMAP_WC) == NULL);
	__free_page(page);
}

static void case_refused(void)
{
	const struct memtype_range *range = memtype_next_device(NULL);
	char *wc = ioremap_wc(NOTHING(0), PAGE_SIZE);
	u32 bad;

	if (ktap_ok(range != NULL)) {
		ktap_ok(ioremap_wc(range->base, range->size) == NULL);
		ktap_ok(request_mem_region(range->base, 8, "suite_io") == NULL);
	}
	ktap_ok(wc != NULL && ioremap(NOTHING(0), 8) == NULL);
	iounmap(wc);
	ktap_ok(ioremap(NOTHING(0), 0) == NULL);
	ktap_ok(ioremap(NOTHING(0), PAGE_SIZE + 1) == NULL);
	ktap_ok(ioremap(NOTHING(0), 1UL << 63) == NULL);
	ktap_ok(early_ioremap(NOTHING(0), 8) == NULL);
	/* Neither at its begin, nor in its GiB, is it an area of vmalloc()'s. */
	wc = ioremap_wc(NO_GIB(2) - PAGE_SIZE, GIB + PAGE_SIZE);
	bad = vmalloc_bad_frees();
	vfree(wc);
	vfree(wc + PAGE_SIZE);
	ktap_ok(wc != NULL && vmalloc_bad_frees() == bad + 2);
	iounmap(wc);
}

static void case_resources(void)
{
	struct resource *res = request_mem_region_exclusive(NOTHING(0), 0x100, "suite_io");

	if (!ktap_ok(res != NULL))
		return;
	ktap_ok(resource_size(res) == 0x100 && iomem_is_exclusive(NOTHING(0) + PAGE_SIZE - 1));
	ktap_ok(request_mem_region(NOTHING(0) + 0xff, 1, "suite_io again") == NULL);
	release_mem_region(NOTHING(0), 0x100);
	ktap_ok(!iomem_is_exclusive(NOTHING(0)) && lookup_resource(&iomem_resource, NOTHING(0)) == NULL);
}

/* --- all CPUs at once --- */

struct shared_device {
	phys_addr_t base;
	u32 value; /* of its first register in the table */
	u32 reg;
};

static void load(void *arg)
{
	const struct shared_device *device = arg;
	u64 random = 88172645463325252ULL + (u64)smp_processor_id();

	for (int i = 0; i < LOAD_ROUNDS; i++) {
		char *addr = ioremap(device->base, PAGE_SIZE);
		struct translation t = { .par = PAR_FAULT };

		if (ktap_ok(addr != NULL))
			ktap_ok(readl(addr + device->reg) == device->value);
		iounmap(addr);
		addr = (io_ways[2 + next_random(&random) % 4].map)(NOTHING(8 + 2 * (u64)smp_processor_id()), PAGE_SIZE);
		t.addr = addr;
		if (ktap_ok(addr != NULL))
			translate(&t);
		ktap_ok(!(t.par & PAR_FAULT));
		iounmap(addr);
		translate(&t);
		ktap_ok(t.par & PAR_FAULT);
	}
}

static void case_all_cpus(void)
{
	const struct memtype_range *range = NULL;
	struct shared_device device;

	for (size_t i = 0; i < ARRAY_SIZE(devices) && !range; i++) {
		range = find_range(devices[i].name);
		device.reg = devices[i].registers[0];
	}
	if (!ktap_ok(range != NULL))
		return;
	device.base = range->base;
	device.value = readl((const volatile char *)(range->va + range->base % PAGE_SIZE) + device.reg);
	on_all_cpus(load, &device);
}

/* --- caches --- */

/* Nothing of what was written beside a range is lost by maintenance of the range, whatever its ends. */
static void maintain(void *arg)
{
	static const u16 ends[][2] = { { 0, 256 },   { 1, 255 },  { 63, 64 }, { 64, 128 },
				       { 100, 100 }, { 65, 129 }, { 7, 9 } };
	u8 bytes[256] __aligned(64);
	uintptr_t at = (uintptr_t)bytes, nowhere = VMALLOC_END - 4;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		memset(bytes, (int)i + 1, sizeof(bytes));
		dcache_clean_poc(at + ends[i][0], at + ends[i][1]);
		dcache_clean_pou(at + ends[i][0], at + ends[i][1]);
		dcache_inval_poc(at + ends[i][0], at + ends[i][1]);
		memset(bytes, (int)i + 101, sizeof(bytes));
		dcache_clean_inval_poc(at + ends[i][0], at + ends[i][1]);
		dcache_inval_poc(at + ends[i][0], at + ends[i][1]);
		for (size_t b = 0; b < sizeof(bytes); b++)
			if (!ktap_ok(bytes[b] == i + 101))
				break;
	}
	caches_clean_inval_pou((uintptr_t)maintain, (uintptr_t)maintain + 256);
	caches_clean_inval_pou((uintptr_t)maintain + 4, (uintptr_t)maintain + 4);
	/* An empty range needs no mapping. */
	dcache_clean_poc(nowhere, nowhere);
	dcache_clean_pou(nowhere, nowhere);
	dcache_clean_inval_poc(nowhere, nowhere);
	dcache_inval_poc(nowhere, nowhere);
	caches_clean_inval_pou(nowhere, nowhere);
}

static void case_caches(void)
{
	on_all_cpus(maintain, NULL);
}

/* --- vmap() --- */

static void touch(void *arg)
{
	u32 value;

	ktap_ok(arch_probe_read32(arg, &value));
}

/* After vunmap(): no TLB knows it any more. */
static void find_gone(void *arg)
{
	u32 value;

	ktap_ok(!arch_probe_read32(arg, &value));
}

/* Map two pages with @type; no CPU gets them with another one until that is over, and nothing is left then. */
static void try_vmap(struct page *page, enum memtype type)
{
	struct page *pages[2] = { page, page + 1 };
	unsigned long held = memtype_held(), linear = (unsigned long)page_address(page);
	phys_addr_t phys = page_to_phys(page);
	bool other = type != MEMTYPE_WB;
	char *map;

	dcache_clean_inval_poc(linear, linear + 2 * PAGE_SIZE);
	map = vmap(pages, 2, VM_MAP, memtype_prot(type));
	if (!ktap_ok(map != NULL))
		return;
	ktap_ok(memtype_held() == held + other);
	ktap_ok(all_translate(map, phys, attributes[type]) &&
		all_translate(map + PAGE_SIZE, phys + PAGE_SIZE, attributes[type]));
	on_all_cpus(touch, map + PAGE_SIZE);
	ktap_ok((memremap(phys + PAGE_SIZE, 8, MEMREMAP_WB) == NULL) == other);
	if (other) {
		ktap_ok(vmap(&pages[1], 1, VM_MAP, PAGE_KERNEL) == NULL && vm_map_ram(&pages[1], 1, -1) == NULL);
		ktap_ok(vmap(&pages[1], 1, VM_MAP, type == MEMTYPE_WT ? PAGE_KERNEL_NC : PAGE_KERNEL_WT) == NULL);
		vunmap(vmap(&pages[1], 1, VM_MAP, memtype_prot(type)));
	}
	vunmap(map);
	ktap_ok(memtype_held() == held);
	if (other)
		on_all_cpus(find_gone, map + PAGE_SIZE);
	ktap_ok(memremap(phys, 2 * PAGE_SIZE, MEMREMAP_WB) == page_address(page));
}

static void case_vmap(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	if (!ktap_ok(page != NULL))
		return;
	for (unsigned int type = 0; type < NR_MEMTYPES; type++)
		try_vmap(page, (enum memtype)type);
	__free_pages(page, 1);
}

static bool check(void)
{
	return memory_check() && iomem_check() && only_devices_held();
}

static const struct ktap_case cases[] = {
	{ "registers are what the drivers see, on all CPUs", case_registers },
	{ "MAIR_EL1, and each type as the hardware translates it, on all CPUs", case_types },
	{ "large ranges by each unit, with each type, on all CPUs", case_large },
	{ "a GiB of RAM a second time, on all CPUs", case_large_ram },
	{ "all CPUs map and unmap large ranges at once", case_large_load },
	{ "RAM", case_ram },
	{ "what is refused", case_refused },
	{ "vmap() with each type, on all CPUs", case_vmap },
	{ "resources", case_resources },
	{ "all CPUs at once", case_all_cpus },
	{ "cache maintenance, on all CPUs", case_caches },
};
KTAP_SUITE(io, cases, check);
