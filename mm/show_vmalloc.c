// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command `vmallocinfo`: vmalloc's areas in the format of /proc/vmallocinfo, each with who asked for it; and, as
 * there, the addresses of per-CPU chunks, by their size only.
 */
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/port.h>

#include "percpu_chunk.h"
#include "vmap.h"

static const char *const kinds[] = {
	[VMAP_VMALLOC] = "vmalloc", [VMAP_CHANGED] = "vmalloc", [VMAP_ENDED] = "vmalloc",    [VMAP_VMAP] = "vmap",
	[VMAP_RAM] = "vm_map_ram",  [VMAP_IOREMAP] = "ioremap", [VMAP_DMA] = "dma-coherent",
};

/* What is mapped need not be RAM of ours: memory that the tree keeps has no memmap that was written. */
static void show_nodes(const struct vmap_area *area)
{
	unsigned long count[MAX_NUMNODES] = { 0 };

	for (u32 i = 0; i < area->nr_pages; i++) {
		const struct page *page = vmap_page_at(area->addr + ((unsigned long)i << PAGE_SHIFT));

		/* The area may have other pages by now, or none. */
		if (page && page_initialised(page_to_pfn(page)))
			count[page_to_nid(page)]++;
	}
	for (int nid = 0; nid < MAX_NUMNODES; nid++)
		if (count[nid])
			con_printf(" N%d=%lu", nid, count[nid]);
}

/* The size counts the unmapped page at the end, as Linux's does. */
static void show_area(const struct vmap_area *area)
{
	unsigned long size = ((unsigned long)area->nr_pages + 1) << PAGE_SHIFT;
	char caller[ARCH_SYMBOL_MAX];
	phys_addr_t phys = 0;

	con_printf("0x%016lx-0x%016lx %7lu %s", area->addr, area->addr + size, size,
		   arch_symbol((unsigned long)area->caller, caller, sizeof(caller)));
	if (area->use == VMAP_IOREMAP) {
		arch_vmap_lookup(area->addr, &phys);
		con_printf(" phys=0x%016llx %s\n", phys, kinds[area->use]);
		return;
	}
	con_printf(" pages=%u %s", area->nr_pages, kinds[area->use]);
	show_nodes(area);
	con_printf("\n");
}

static void show_areas_in(const struct va_extent *extent)
{
	struct vmap_area area = { .addr = extent->start - PAGE_SIZE };

	while (vmap_area_next(area.addr + PAGE_SIZE, &area) && area.addr - extent->start < extent->len)
		show_area(&area);
}

/* Addresses without an owner are those of a chunk, which has no unmapped page of its own. */
static void show_chunk(const struct va_extent *extent)
{
	char maker[ARCH_SYMBOL_MAX];

	con_printf("0x%016lx-0x%016lx %7lu %s %s\n", extent->start, extent->start + extent->len, extent->len,
		   arch_symbol((unsigned long)percpu_chunk_create, maker, sizeof(maker)), kinds[VMAP_VMALLOC]);
}

void show_vmalloc_areas(void)
{
	struct va_extent extent = { .start = 0 };

	while (vmap_extent_next(extent.start + extent.len, &extent)) {
		if (extent.owner)
			show_areas_in(&extent);
		else
			show_chunk(&extent);
	}
}

static int show_vmallocinfo(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	show_vmalloc_areas();
	return 0;
}
MONITOR_CMD(vmallocinfo, "", "vmalloc's areas, as /proc/vmallocinfo", show_vmallocinfo);
