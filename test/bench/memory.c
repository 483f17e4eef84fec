// SPDX-License-Identifier: BSD-2-Clause
/* Memory, and the boot: bytes of slab for each object, RAM that is not managed, instructions to each stage's end. */
#include <lib/printk.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/numa.h>
#include <mm/slab.h>
#include <stdio.h>

#include "../../mm/slub.h"
#include "bench.h"

/* Bytes of the slabs behind @n objects of @size bytes, in thousandths of a byte for each. */
static u64 bytes_per_object(size_t size, unsigned long n)
{
	struct kmem_cache *cache = kmem_cache_create("bench bytes", size, 0, SLAB_PANIC, NULL);
	const struct page *last = NULL;
	u64 bytes = 0;

	for (unsigned long i = 0; i < n; i++) {
		bench_slots[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		if (slab_of(bench_slots[i]) == last)
			continue;
		last = slab_of(bench_slots[i]);
		bytes += PAGE_SIZE << cache->order;
	}
	for (unsigned long i = 0; i < n; i++)
		kmem_cache_free(cache, bench_slots[i]);
	kmem_cache_destroy(cache);
	return bytes * 1000 / n;
}

void bench_slab_bytes(void)
{
	char name[64];

	for (int i = 0; i < NR_KMALLOC_CACHES; i++) {
		size_t size = kmalloc_sizes[i];

		snprintf(name, sizeof(name), "slab_bytes_%zu", size);
		bench_report_figure(name, bytes_per_object(size, size <= 512 ? 100000 : 10000));
	}
}

/*
 * Stages in the order of the boot; arch_clock_ns() began at the entry. boot_mm is what Linux's figure is: memory
 * management up, without the reading of the tree, the start of the other CPUs and the memory test.
 */
void bench_boot(void)
{
	static const char *const rows[NR_MM_STAGES] = {
		[MM_STAGE_START] = "boot_to_mm",	  [MM_STAGE_DISCOVERY] = "boot_to_discovery",
		[MM_STAGE_LINEAR_MAP] = "boot_to_linear", [MM_STAGE_NODES] = "boot_to_nodes",
		[MM_STAGE_SPARSE] = "boot_to_sparse",	  [MM_STAGE_DMA] = "boot_to_dma_limit",
		[MM_STAGE_ZONES] = "boot_to_zones",	  [MM_STAGE_PERCPU] = "boot_to_percpu",
		[MM_STAGE_CPUS] = "boot_to_cpus",	  [MM_STAGE_MEMTEST] = "boot_to_memtest",
		[MM_STAGE_HANDOVER] = "boot_to_handover", [MM_STAGE_SLAB] = "boot_to_slub",
	};
	static const enum mm_stage aside[] = { MM_STAGE_DISCOVERY, MM_STAGE_NODES, MM_STAGE_DMA, MM_STAGE_CPUS,
					       MM_STAGE_MEMTEST };
	u64 total = memblock_phys_mem_size(), managed = (u64)totalram_pages() << PAGE_SHIFT;
	u64 mm = mm_stage_end(MM_STAGE_SLAB) - mm_stage_end(MM_STAGE_START);

	for (size_t i = 0; i < ARRAY_SIZE(aside); i++)
		mm -= mm_stage_end(aside[i]) - mm_stage_end(aside[i] - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		bench_report(rows[i], mm_stage_end((enum mm_stage)i), 1);
	bench_report("boot_mm", mm, 1);
	bench_report_figure("unmanaged_mib_per_gib", (total - managed) * 1000 / (total >> 10));
}
