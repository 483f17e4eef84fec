// SPDX-License-Identifier: BSD-2-Clause
/*
 * `bench_boot`: what memblock and, in an image with CONFIG_BOOTMEM, bootmem take for an allocation.
 *
 * Both have retired by the time there is a prompt. A block of the page allocator's is the memory they give once more:
 * memblock on arrays of its own, in place of those of boot, which nobody may ask for meanwhile. So there is one CPU,
 * and interrupts are masked. Figures are instructions under QEMU's -icount shift=0,sleep=off.
 */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/page.h>
#include <mm/port.h>

#include "boot_allocators.h"

#define ARRAY_REGIONS 128

u64 bench_boot_each(phys_addr_t (*alloc)(phys_addr_t size, phys_addr_t align), unsigned int nr, phys_addr_t size,
		    phys_addr_t align)
{
	u64 start = get_cycles();

	for (unsigned int i = 0; i < nr; i++)
		BUG_ON(!alloc(size, align));
	return (get_cycles() - start) / nr;
}

static phys_addr_t alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_phys_alloc_try_nid(size, align, 0);
}

static void open(const struct boot_bench *bench)
{
	static struct memblock_region memory[ARRAY_REGIONS], reserved[ARRAY_REGIONS];

	memblock = (struct memblock){
		.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
		.memory = { .max = ARRAY_REGIONS, .regions = memory, .name = "memory" },
		.reserved = { .max = ARRAY_REGIONS, .regions = reserved, .name = "reserved" },
	};
	memblock_add_node(bench->base, bench->size, 0, MEMBLOCK_NONE);
	for (unsigned long i = 0; i < bench->nr_reserved; i++)
		memblock_reserve(bench->base + i * bench->stride, PAGE_SIZE);
}

void bench_boot_memblock(const struct boot_bench *bench)
{
	const struct memblock boot = memblock;
	u64 small, page;

	open(bench);
	small = bench_boot_each(alloc, 1000, 64, 64);
	open(bench);
	page = bench_boot_each(alloc, 500, PAGE_SIZE, PAGE_SIZE);
	memblock = boot;
	con_printf("memblock, %lu reserved pages: 64 B %llu, 4 KiB %llu\n", bench->nr_reserved, small, page);
}

static int cmd_bench_boot(int argc, char **argv)
{
	struct page *block = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER), *map = alloc_page(GFP_KERNEL);
	struct boot_bench bench = { .size = PAGEBLOCK_SIZE, .stride = PAGEBLOCK_SIZE / ARRAY_REGIONS };
	unsigned long flags = local_irq_save();

	(void)argc;
	(void)argv;
	if (block && map && num_online_cpus() == 1) {
		bench.base = page_to_phys(block);
		bench.map_pfn = page_to_pfn(map);
		for (; bench.nr_reserved <= 100; bench.nr_reserved += 100) {
			bench_boot_memblock(&bench);
			bench_bootmem(&bench);
		}
	} else {
		con_printf("bench_boot: wants one CPU, a block of 4 MiB and a page\n");
	}
	local_irq_restore(flags);
	if (map)
		__free_page(map);
	if (block)
		__free_pages(block, MAX_PAGE_ORDER);
	return bench.nr_reserved ? 0 : -EBUSY;
}
MONITOR_CMD(bench_boot, "", "instructions for an allocation of memblock's and bootmem's", cmd_bench_boot);
