// SPDX-License-Identifier: BSD-2-Clause
/* bench_boot's bootmem: node 0's bitmap, which retired at hand-over, is set up anew and dropped again. */
#include <lib/printk.h>
#include <mm/bootmem.h>

#include "boot_allocators.h"

static phys_addr_t alloc(phys_addr_t size, phys_addr_t align)
{
	return bootmem_phys_alloc(size, align, BOOTMEM_LOW_LIMIT, 0, 0);
}

static void open(const struct boot_bench *bench)
{
	bootmem_init_nid(0, bench->map_pfn, PFN_DOWN(bench->base), PFN_DOWN(bench->base + bench->size));
	bootmem_free_nid(0, bench->base, bench->size);
	for (unsigned long i = 0; i < bench->nr_reserved; i++)
		bootmem_reserve_nid(0, bench->base + i * bench->stride, PAGE_SIZE, BOOTMEM_EXCLUSIVE);
}

static void close(void)
{
	list_del(&bootmem_node_data[0].list);
	bootmem_node_data[0] = (struct bootmem_data){ 0 };
}

void bench_bootmem(const struct boot_bench *bench)
{
	u64 small, page;

	open(bench);
	small = bench_boot_each(alloc, 1000, 64, 64);
	close();
	open(bench);
	page = bench_boot_each(alloc, 500, PAGE_SIZE, PAGE_SIZE);
	close();
	con_printf("bootmem, %lu reserved pages: 64 B %llu, 4 KiB %llu\n", bench->nr_reserved, small, page);
}
