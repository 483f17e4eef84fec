// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of bus masters in the image: reach, memory types as the MMU sees them, what passes between the two mappings of
 * memory that is not cached, and all CPUs at once.
 *
 * The masters are some of the tree's: those with a memory-region, controllers of DMA, one on each bus with dma-ranges,
 * one that says that it sees caches, and the console's device. Each is tried as the tree has it, and as one that does
 * not see caches.
 */
#include <string.h>

#include <lib/dt.h>
#include <libfdt.h>
#include <mm/dma.h>
#include <mm/io.h>
#include <mm/memblock.h>
#include <mm/memtype.h>
#include <mm/page_exact.h>
#include <mm/vmalloc.h>

#include <asm/barrier.h>
#include <asm/cache.h>

#include "../../mm/dma.h"
#include "../../mm/internal.h"
#include "target.h"

#define MIB	    (1UL << 20)
#define MAX_MASTERS 8
#define LOAD_ROUNDS 300
#define SLOTS	    6

/* What MAIR says of Normal memory: outer and inner not cacheable; write-back, allocating. */
#define ATTR_NORMAL_NC 0x44
#define ATTR_NORMAL_WB 0xff

static const size_t sizes[] = { 1, 4096, 5000, 65536, 100000, MIB + 1, 9 * MIB };

static struct device *masters[MAX_MASTERS];
static bool coherent[MAX_MASTERS]; /* as the tree has it */
static int nr_masters;

static void add_master(int node)
{
	struct device *dev = nr_masters < MAX_MASTERS ? dma_device_get_node(node) : NULL;

	if (!dev)
		return;
	coherent[nr_masters] = dev->coherent;
	masters[nr_masters++] = dev;
}

static void find_masters(void)
{
	const void *fdt = claims_fdt();
	int last_bus = -1, len;
	bool seen = false;

	nr_masters = 0;
	add_master(max(dt_stdout(fdt), 0));
	for (int node = fdt_next_node(fdt, 0, NULL); node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		int bus = fdt_parent_offset(fdt, node);

		if (!dt_enabled(fdt, node) || bus < 0 || !dt_enabled(fdt, bus))
			continue;
		if (fdt_getprop(fdt, node, "memory-region", NULL) || fdt_getprop(fdt, node, "#dma-cells", NULL)) {
			add_master(node);
		} else if (bus != last_bus && fdt_getprop(fdt, bus, "dma-ranges", &len) && len) {
			last_bus = bus;
			add_master(node);
		} else if (!seen && fdt_getprop(fdt, node, "dma-coherent", NULL)) {
			seen = true;
			add_master(node);
		}
	}
}

/* Back to what the tree says; what is not the suite's then stays. */
static void put_masters(void)
{
	for (int i = 0; i < nr_masters; i++) {
		masters[i]->coherent = coherent[i];
		ktap_ok(dma_device_put(masters[i]) == 0);
	}
}

/* @fn for each master as it is, and as one that does not see caches. */
static void each_master(void (*fn)(struct device *dev))
{
	find_masters();
	ktap_ok(nr_masters > 0);
	for (int i = 0; i < nr_masters; i++) {
		fn(masters[i]);
		if (!masters[i]->coherent)
			continue;
		masters[i]->coherent = false;
		fn(masters[i]);
	}
	put_masters();
}

static bool all_zero(const u64 *words, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		if (words[i])
			return false;
	return true;
}

static void try_size(struct device *dev, size_t size)
{
	size_t align = PAGE_SIZE << get_order(size), bytes = ALIGN(size, PAGE_SIZE);
	dma_addr_t dma = 0;
	phys_addr_t pa;
	char *cpu = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL | __GFP_NOWARN);

	/* A region of its own may be full, or small. */
	if (!cpu) {
		ktap_ok(dev->region && dev->region->nr_pages - dev->region->used < 2 * align / PAGE_SIZE);
		return;
	}
	ktap_ok(dma_to_phys(dev, dma, bytes, &pa) && dma + (bytes - 1) <= dev->coherent_mask);
	ktap_ok(IS_ALIGNED(pa, align) && IS_ALIGNED((uintptr_t)cpu, min(align, VMAP_BLOCK_SIZE)));
	ktap_ok(is_vmalloc_addr(cpu) == (!dev->coherent || (dev->region && !dev->region->mapped)));
	ktap_ok(is_vmalloc_addr(cpu) ? PFN_PHYS(vmalloc_to_pfn(cpu + bytes - 1)) == pa + bytes - PAGE_SIZE :
				       __pa(cpu) == pa);
	ktap_ok(all_zero((u64 *)(void *)cpu, bytes));
	memset(cpu, 0xa5, bytes);
	dma_free_coherent(dev, size, cpu, dma);
}

static void try_sizes(struct device *dev)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		try_size(dev, sizes[i]);
}

static void case_reach(void)
{
	unsigned long before;

	/* Page tables of the upper levels stay once they are made, and so do the bitmaps of masters' regions. */
	vfree(vmalloc(9 * MIB));
	find_masters();
	put_masters();
	before = quiet_free_pages();
	each_master(try_sizes);
	ktap_ok(quiet_free_pages() == before);
}

/* Half a reach and less: no zone lies in it, so ranges of pages serve. */
static void try_narrow(struct device *dev)
{
	u64 mask = dev->coherent_mask;
	struct zone *zone = NULL;
	dma_addr_t low, dma;
	void *cpu;
	int i;

	for_each_populated_zone(i, zone)
		break;
	low = phys_to_dma(dev, PFN_PHYS(zone->zone_start_pfn), PAGE_SIZE);
	/* Bus addresses of another window may be lower. */
	if (low == DMA_MAPPING_ERROR || dev->region || dev->nr_windows != 1 ||
	    dma_set_coherent_mask(dev, low + 100 * MIB - 1))
		return;
	/* A zone that is all RAM there is lies below it as well. */
	ktap_ok(dev->zone == -1 || memblock_end_of_DRAM() <= PFN_PHYS(zone->zone_start_pfn) + 100 * MIB);
	cpu = dma_alloc_coherent(dev, 3 * PAGE_SIZE, &dma, GFP_KERNEL | __GFP_NOWARN);
	if (ktap_ok(cpu != NULL)) {
		ktap_ok(dma >= low && dma + 3 * PAGE_SIZE <= low + 100 * MIB);
		dma_free_coherent(dev, 3 * PAGE_SIZE, cpu, dma);
	}
	ktap_ok(!dma_alloc_coherent(dev, 200 * MIB, &dma, GFP_KERNEL | __GFP_NOWARN));
	ktap_ok(dma_set_coherent_mask(dev, mask) == 0);
}

static void case_narrow(void)
{
	each_master(try_narrow);
}

/* What the MMU of this CPU makes of an address: PAR_EL1. */
struct view {
	const void *va;
	u64 par;
};

static void look(void *arg)
{
	struct view *view = arg;
	unsigned long flags = local_irq_save();

	__asm__ volatile("at s1e1r, %0" : : "r"(view->va) : "memory");
	isb();
	__asm__ volatile("mrs %0, par_el1" : "=r"(view->par));
	local_irq_restore(flags);
}

/* Whether on every CPU @va is the page at @pa, of the memory type @attr. */
static bool all_see(const void *va, phys_addr_t pa, u64 attr)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct view view = { va, 1 };

		ktap_ok(smp_call_function_single(cpu, look, &view) == 0);
		if ((view.par & 1) || (view.par >> 56) != attr || (view.par & 0x0000fffffffff000ULL) != pa)
			return false;
	}
	return true;
}

static void try_type(struct device *dev)
{
	dma_addr_t dma = 0;
	phys_addr_t pa;
	char *cpu = dma_alloc_coherent(dev, 2 * PAGE_SIZE, &dma, GFP_KERNEL);
	bool cached = dev->coherent && !(dev->region && !dev->region->mapped);

	if (!ktap_ok(cpu && dma_to_phys(dev, dma, 2 * PAGE_SIZE, &pa)))
		return;
	ktap_ok(all_see(cpu, pa, cached ? ATTR_NORMAL_WB : ATTR_NORMAL_NC));
	ktap_ok(all_see(cpu + PAGE_SIZE, pa + PAGE_SIZE, cached ? ATTR_NORMAL_WB : ATTR_NORMAL_NC));
	dma_free_coherent(dev, 2 * PAGE_SIZE, cpu, dma);
}

static void case_types(void)
{
	each_master(try_type);
}

/* The two mappings of a page: @linear is cached, @plain is not. */
struct twins {
	u64 *linear, *plain;
	bool right;
};

static void pass_contents(void *arg)
{
	struct twins *t = arg;
	u64 mark = 0x1000 * ((u64)smp_processor_id() + 1);
	unsigned long start = (unsigned long)t->linear, end = start + PAGE_SIZE;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		t->plain[i] = mark + i;
	dcache_inval_poc(start, end);
	for (size_t i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		t->right &= t->linear[i] == mark + i;
	for (size_t i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		t->linear[i] = ~(mark + i);
	dcache_clean_poc(start, end);
	for (size_t i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		t->right &= t->plain[i] == ~(mark + i);
	/* Nothing of it is to be written back over what comes next. */
	dcache_clean_inval_poc(start, end);
}

static void try_contents(struct device *dev)
{
	struct twins twins = { .right = true };
	dma_addr_t dma = 0;
	phys_addr_t pa;
	void *cpu = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL);
	int on;

	if (!ktap_ok(cpu && dma_to_phys(dev, dma, PAGE_SIZE, &pa)))
		return;
	twins.plain = cpu;
	twins.linear = __va(pa);
	for_each_online_cpu(on) {
		if (is_vmalloc_addr(cpu) && !(dev->region && !dev->region->mapped))
			ktap_ok(smp_call_function_single(on, pass_contents, &twins) == 0 && twins.right);
	}
	dma_free_coherent(dev, PAGE_SIZE, cpu, dma);
}

static void case_contents(void)
{
	each_master(try_contents);
}

/* --- others who want the same memory --- */

static unsigned int hidden; /* regions tried */

/* A region that the linear map has not: memremap() comes second, and then first. */
static void try_hidden(struct device *dev)
{
	dma_addr_t dma = 0;
	phys_addr_t pa;
	void *cpu, *map;

	if (!dev->region || dev->region->mapped)
		return;
	hidden++;
	cpu = dma_alloc_coherent(dev, 2 * PAGE_SIZE, &dma, GFP_KERNEL);
	if (!ktap_ok(cpu && dma_to_phys(dev, dma, 2 * PAGE_SIZE, &pa)))
		return;
	ktap_ok(memremap(pa + PAGE_SIZE, 8, MEMREMAP_WB) == NULL);
	ktap_ok(ioremap(pa + PAGE_SIZE, 8) == NULL);
	map = memremap(pa, 8, MEMREMAP_WB | MEMREMAP_WC);
	ktap_ok(map != NULL);
	memunmap(map);
	dma_free_coherent(dev, 2 * PAGE_SIZE, cpu, dma);
	ktap_ok(only_devices_held());
	map = memremap(pa + PAGE_SIZE, 8, MEMREMAP_WB);
	ktap_ok(map != NULL && dma_alloc_coherent(dev, 2 * PAGE_SIZE, &dma, GFP_KERNEL) == NULL);
	memunmap(map);
	ktap_ok(only_devices_held() && !dev->region->used);
	cpu = dma_alloc_coherent(dev, 2 * PAGE_SIZE, &dma, GFP_KERNEL);
	ktap_ok(cpu != NULL);
	dma_free_coherent(dev, 2 * PAGE_SIZE, cpu, dma);
}

static void case_hidden(void)
{
	hidden = 0;
	each_master(try_hidden);
	if (!hidden)
		ktap_skip("no master has a region that the linear map has not");
}

/* RAM: a linear address is nobody's while the master has it not cacheable, and is one again after. */
static void try_ram(struct device *dev)
{
	dma_addr_t dma = 0;
	phys_addr_t pa;
	char *cpu = dma_alloc_coherent(dev, 2 * PAGE_SIZE, &dma, GFP_KERNEL);
	bool apart = is_vmalloc_addr(cpu);
	struct page *page;

	if (!ktap_ok(cpu && dma_to_phys(dev, dma, 2 * PAGE_SIZE, &pa)))
		return;
	if (!dev->region || dev->region->mapped) {
		page = pfn_to_page(PFN_DOWN(pa));
		ktap_ok((memremap(pa + PAGE_SIZE, 8, MEMREMAP_WB) == NULL) == apart);
		ktap_ok(!apart || (!vmap(&page, 1, VM_MAP, PAGE_KERNEL) && !vm_map_ram(&page, 1, -1)));
	}
	ktap_ok(only_devices_held() == !apart);
	dma_free_coherent(dev, 2 * PAGE_SIZE, cpu, dma);
	ktap_ok(only_devices_held());
	if (!dev->region || dev->region->mapped)
		ktap_ok(memremap(pa, 2 * PAGE_SIZE, MEMREMAP_WB) == __va(pa));
}

static void case_ram(void)
{
	each_master(try_ram);
}

/* What is at bus address @dma, as CPUs find it. */
static char *at_bus(const struct device *dev, dma_addr_t dma)
{
	phys_addr_t pa = 0;

	ktap_ok(dma_to_phys(dev, dma, 1, &pa));
	return __va(pa);
}

static void try_mapping(struct device *dev)
{
	char *page = (char *)get_zeroed_page(GFP_KERNEL | GFP_DMA);
	dma_addr_t dma;

	if (!ktap_ok(page != NULL))
		return;
	if (dma_reaches(dev, __pa(page), PAGE_SIZE, dev->dma_mask) == DMA_MAPPING_ERROR && !dev->region) {
		free_page((unsigned long)page);
		return;
	}
	page[70] = 1;
	dma = dma_map_single(dev, page + 64, 256, DMA_BIDIRECTIONAL);
	if (ktap_ok(!dma_mapping_error(dev, dma))) {
		ktap_ok(at_bus(dev, dma)[6] == 1);
		at_bus(dev, dma)[7] = 2;
		dcache_clean_poc((unsigned long)at_bus(dev, dma), (unsigned long)at_bus(dev, dma) + 256);
		dma_sync_single_for_cpu(dev, dma, 256, DMA_BIDIRECTIONAL);
		ktap_ok(page[71] == 2 && page[70] == 1);
		page[72] = 3;
		dma_sync_single_for_device(dev, dma, 256, DMA_BIDIRECTIONAL);
		ktap_ok(at_bus(dev, dma)[8] == 3);
		dma_unmap_single(dev, dma, 256, DMA_BIDIRECTIONAL);
		ktap_ok(page[71] == 2 && page[72] == 3);
	}
	free_page((unsigned long)page);
}

static void case_mapping(void)
{
	each_master(try_mapping);
}

/* --- all CPUs --- */

static struct dma_pool *pool;

struct slot {
	struct device *dev;
	u64 *cpu;
	dma_addr_t dma;
	size_t size;
};

static void fill(struct slot *slot, u64 *random)
{
	slot->dev = masters[next_random(random) % (u64)nr_masters];
	slot->size = 8 + next_random(random) % (next_random(random) % 16 ? 20000 : MIB);
	slot->cpu = dma_alloc_coherent(slot->dev, slot->size, &slot->dma, GFP_KERNEL | __GFP_NOWARN);
	if (ktap_ok(slot->cpu != NULL || slot->dev->region)) {
		if (slot->cpu)
			*slot->cpu = slot->dma ^ (uintptr_t)slot->cpu;
	}
}

static void drain(struct slot *slot)
{
	phys_addr_t pa;

	if (!slot->cpu)
		return;
	if (is_vmalloc_addr(slot->cpu))
		ktap_ok(dma_to_phys(slot->dev, slot->dma, 1, &pa) && memremap(pa, 1, MEMREMAP_WB) == NULL);
	ktap_ok(*slot->cpu == (slot->dma ^ (uintptr_t)slot->cpu));
	dma_free_coherent(slot->dev, slot->size, slot->cpu, slot->dma);
	slot->cpu = NULL;
}

static void use_pool(void)
{
	dma_addr_t dma[4];
	u64 *block[4];

	for (int i = 0; i < 4; i++) {
		block[i] = dma_pool_alloc(pool, GFP_KERNEL, &dma[i]);
		if (ktap_ok(block[i] != NULL))
			block[i][2] = dma[i];
	}
	for (int i = 0; i < 4; i++) {
		if (!block[i])
			continue;
		ktap_ok(block[i][2] == dma[i]);
		dma_pool_free(pool, block[i], dma[i]);
	}
}

static void load(void *arg)
{
	u64 random = 0x2545f4914f6cdd1dULL + (u64)smp_processor_id();
	struct slot slots[SLOTS] = { 0 };

	(void)arg;
	for (int i = 0; i < LOAD_ROUNDS; i++) {
		struct slot *slot = &slots[next_random(&random) % SLOTS];

		use_pool();
		if (slot->cpu)
			drain(slot);
		else
			fill(slot, &random);
	}
	for (int i = 0; i < SLOTS; i++)
		drain(&slots[i]);
}

/* Every other master does not see caches. */
static void case_all_cpus(void)
{
	unsigned long before = quiet_free_pages();

	find_masters();
	for (int i = 0; i < nr_masters; i += 2)
		masters[i]->coherent = false;
	pool = dma_pool_create("suite", masters[0], 48, 16, 1024);
	if (ktap_ok(pool != NULL)) {
		on_all_cpus(load, NULL);
		dma_pool_destroy(pool);
	}
	ktap_ok(dma_check());
	put_masters();
	vm_unmap_aliases();
	ktap_ok(vmalloc_check());
	ktap_ok(quiet_free_pages() == before);
}

static bool check(void)
{
	return memory_check() && only_devices_held();
}

static const struct ktap_case cases[] = {
	{ "memory in reach, aligned, zeroed, of each size", case_reach },
	{ "memory below a narrow mask", case_narrow },
	{ "memory types, on all CPUs", case_types },
	{ "what passes between two mappings, on all CPUs", case_contents },
	{ "a region that somebody else has mapped, or wants to", case_hidden },
	{ "RAM that somebody else wants", case_ram },
	{ "buffers that are mapped", case_mapping },
	{ "all CPUs at once", case_all_cpus },
};

KTAP_SUITE(dma, cases, check);
