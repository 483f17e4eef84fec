// SPDX-License-Identifier: BSD-2-Clause
/*
 * The physical map with its sources: at boot in the manner of dmesg, at the prompt as `iomem` and `memblock`.
 *
 * 1. The boot log lists the claims in the order they were made: what the tree and the loader said, then what our own
 *    boot allocations took.
 * 2. iomem shows the tree of resources (<mm/ioport.h>) in the format of /proc/iomem. What of System RAM is nobody's
 *    there is the page allocator's.
 */
#include "internal.h"

#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/ioport.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <stdio.h>

#define NAME_MAX 128

static const char *const kind_names[] = {
	[CLAIM_MEMORY] = "memory",     [CLAIM_RESERVED] = "reserved", [CLAIM_NOMAP] = "no-map",
	[CLAIM_LEFT_OUT] = "left out", [CLAIM_METADATA] = "metadata", [CLAIM_CMA] = "CMA",
};

static const char *claim_preposition(const struct mem_claim *claim)
{
	if (claim->kind == CLAIM_METADATA)
		return "for";
	return claim->kind == CLAIM_LEFT_OUT ? "by" : "from";
}

static void print_claim(const struct mem_claim *claim)
{
	char name[NAME_MAX], node[16] = "";

	if (claim->nid != NUMA_NO_NODE)
		snprintf(node, sizeof(node), " node %d", claim->nid);
	printk("  %-8s [mem 0x%016llx-0x%016llx]%s %s %s\n", kind_names[claim->kind], claim->base,
	       claim->base + claim->size - 1, node, claim_preposition(claim), claim_name(claim, name, sizeof(name)));
}

void claims_print(bool metadata)
{
	for (unsigned int i = 0; i < claim_count(); i++)
		if ((claim_get(i)->kind == CLAIM_METADATA) == metadata)
			print_claim(claim_get(i));
}

static int show_iomem(int argc, char **argv)
{
	char name[RESOURCE_NAME_MAX];
	struct resource res = { 0 };
	int depth = -1;

	(void)argc;
	(void)argv;
	while (iomem_next(&res, name, &depth))
		con_printf("%*s%08llx-%08llx : %s\n", 2 * depth, "", res.start, res.end, name);
	return iomem_check() ? 0 : -1;
}
MONITOR_CMD(iomem, "", "RAM, who claimed parts of it, and devices, as /proc/iomem", show_iomem);

static int show_memblock(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	memblock_dump_all();
	return memblock_check() ? 0 : -1;
}
MONITOR_CMD(memblock, "", "memblock's arrays as they were at hand-over", show_memblock);
