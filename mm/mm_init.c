// SPDX-License-Identifier: BSD-2-Clause
/*
 * The journey of a byte of RAM, in one screen of calls.
 *
 * Each stage builds on the one before: the tree fills memblock; memblock gives the linear map its tables, the sections
 * their memmap, the nodes their zones and each CPU its area; the hand-over gives what is left to the buddy allocator,
 * on which page caches, SLUB and all later memory rest.
 *
 * Boot CPU only, alone. What fails here ends the run with a line that says what and where: without memory there is
 * nothing to go on with.
 */
#include "internal.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <libfdt.h>
#include <mm/bootargs.h>
#include <mm/cma.h>
#include <mm/memblock.h>
#include <mm/memtest.h>
#include <mm/numa.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/reserved_mem.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>
#include <mm/vmstat.h>
#include <stdio.h>

#include "boot_allocator.h"
#include "deferred.h"
#include "ioremap.h"
#include "page_owner.h"
#include "pcp.h"
#include "slub_args.h"

static u64 stage_end[NR_MM_STAGES];

u64 mm_stage_end(enum mm_stage stage)
{
	return stage_end[stage];
}

static void stage_done(enum mm_stage stage)
{
	stage_end[stage] = arch_clock_ns();
}

static void discover(const struct boot_info *boot)
{
	int err = discover_memory(boot);

	if (err)
		panic("no memory to manage: the device tree at 0x%llx gives none (error %d)", boot->fdt_pa, err);
	printk("Physical memory as found:\n");
	claims_print(false);
	reserved_mem_report(boot->fdt);
}

/* All memory but no-map ranges, in whole pages. */
static void map_linear(void)
{
	phys_addr_t start, end;
	u64 i;

	for_each_mem_range(i, &start, &end)
		if (PFN_UP(start) < PFN_DOWN(end))
			arch_map_linear(PFN_PHYS(PFN_UP(start)), PFN_PHYS(PFN_DOWN(end)));
	arch_linear_map_done();
}

/* Say how far a bus's masters reach, and keep the lowest reach in *@lowest_end, one past it. */
static void note_reach(const void *fdt, int node, phys_addr_t last, void *lowest_end)
{
	phys_addr_t *end = lowest_end;
	char path[128];

	if (fdt_get_path(fdt, node, path, sizeof(path)))
		snprintf(path, sizeof(path), "the node at offset %d", node);
	printk("dma: masters on %s reach [mem 0x%016llx-0x%016llx]\n", path, 0ULL, last);
	if (!*end || last + 1 < *end)
		*end = last + 1;
}

/* fdt_dma_limit(), with a line for each bus on the way. */
static phys_addr_t find_dma_limit(const void *fdt)
{
	phys_addr_t end = 0;

	fdt_dma_each(fdt, note_reach, &end);
	return end;
}

/* A node may have CPUs and no memory. */
static void add_cpu_nodes(int (*cpu_node)(int cpu))
{
	for (int cpu = 0; cpu_node && cpu < nr_cpu_ids; cpu++)
		if (cpu_node(cpu) != NUMA_NO_NODE)
			node_set_possible(cpu_node(cpu));
}

/*
 * How long each stage took, its printing on the console included; the start of the other CPUs and the memory test are
 * not in the sum.
 */
static void print_stages(void)
{
	static const char *const names[NR_MM_STAGES] = {
		[MM_STAGE_DISCOVERY] = "discovery", [MM_STAGE_LINEAR_MAP] = "linear map",
		[MM_STAGE_NODES] = "nodes",	    [MM_STAGE_SPARSE] = "sparse",
		[MM_STAGE_DMA] = "DMA reach",	    [MM_STAGE_ZONES] = "zones",
		[MM_STAGE_PERCPU] = "per-CPU",	    [MM_STAGE_CPUS] = "other CPUs",
		[MM_STAGE_MEMTEST] = "memory test", [MM_STAGE_HANDOVER] = "hand-over",
		[MM_STAGE_SLAB] = "SLUB",
	};
	u64 others = stage_end[MM_STAGE_MEMTEST] - stage_end[MM_STAGE_PERCPU];

	printk("Memory management up after %llu us:",
	       (stage_end[MM_STAGE_SLAB] - stage_end[MM_STAGE_START] - others) / 1000);
	for (int stage = MM_STAGE_START + 1; stage < NR_MM_STAGES; stage++)
		printk(" %s %llu", names[stage], (stage_end[stage] - stage_end[stage - 1]) / 1000);
	printk("\n");
}

static void free_memory(void)
{
	unsigned long pages;

	claims_add_arrays();
	printk("Boot allocations:\n");
	claims_print(true);
	pages = boot_free_all();
	pages += cma_hand_over();
	pages += memblock_discard();
	setup_per_zone_wmarks();
	set_node_fallbacks();
	vmstat_init();
	pcp_init();
	printk("Memory: %luK/%lluK available (%lluK reserved or metadata)\n", pages << (PAGE_SHIFT - 10),
	       memblock_phys_mem_size() >> 10, (memblock_phys_mem_size() >> 10) - (pages << (PAGE_SHIFT - 10)));
}

void mm_init(const struct boot_info *boot, int (*cpu_node)(int cpu))
{
	phys_addr_t dma_limit;

	stage_done(MM_STAGE_START);
	show_fdt_set(boot);
	discover(boot);
	stage_done(MM_STAGE_DISCOVERY);
	map_linear();
	stage_done(MM_STAGE_LINEAR_MAP);
	add_cpu_nodes(cpu_node);
	numa_init(boot->fdt);
	boot_alloc_open();
	stage_done(MM_STAGE_NODES);
	sparse_init();
	page_owner_init(fdt_bootargs(boot->fdt));
	stage_done(MM_STAGE_SPARSE);
	memtest_setup(fdt_bootargs(boot->fdt));
	deferred_setup(fdt_bootargs(boot->fdt));
	slub_setup_args(fdt_bootargs(boot->fdt));
	set_movablecore(bootarg_size(fdt_bootargs(boot->fdt), "movablecore"));
	dma_limit = find_dma_limit(boot->fdt);
	stage_done(MM_STAGE_DMA);
	bootmem_init(dma_limit);
	cma_init(boot->fdt);
	stage_done(MM_STAGE_ZONES);
	setup_per_cpu_areas(cpu_node);
	pcp_setup();
	boot_alloc_close();
	stage_done(MM_STAGE_PERCPU);
}

void mm_hand_over(void)
{
	stage_done(MM_STAGE_CPUS);
	/* Only boot allocations keep off hotpluggable memory; it is tested, and the page allocator gets all of it. */
	memblock_set_movable_node(false);
	memtest_run();
	stage_done(MM_STAGE_MEMTEST);
	free_memory();
	stage_done(MM_STAGE_HANDOVER);
	kmem_cache_init();
	vmalloc_init();
	percpu_may_grow();
	deferred_init();
	iomem_init();
	stage_done(MM_STAGE_SLAB);
	print_stages();
}
