// SPDX-License-Identifier: BSD-2-Clause
/*
 * meminfo, buddyinfo and account at the prompt; the first two in the formats of Linux's /proc.
 *
 * 1. A table is a moment's picture: counters are read without locks, and agree with each other, to the page, when the
 *    CPUs are quiet. Free pages are those of the zones: pages in CPUs' caches are in none of the tables' free figures,
 *    as on Linux; PerCpuPages has them.
 * 2. A pageblock whose struct pages are not written yet is a free block of the largest order, so the blocks of
 *    buddyinfo make up MemFree.
 * 3. meminfo has the fields of /proc/meminfo that this machine has a meaning for, in Linux's order, then its own: what
 *    there is of page cache, swap and the like is left out rather than shown as 0; tools that read it (free, numastat
 *    -m) take what is missing for 0. KernelStack and PageTables were allocated at boot and are no part of MemTotal, nor
 *    is Percpu but for chunks added since; the boot CPU's first stack is the image's.
 * 4. Memmap is the RAM that holds struct pages, part of Metadata; MemmapTouched what of it has been written: struct
 *    pages are written when their pageblock is first needed.
 * 5. SReclaimable is what slabs of caches with SLAB_RECLAIM_ACCOUNT take, kmalloc-rcl-* among them, SUnreclaim what all
 *    others do, and each kmalloc() that is too large for a slab; nothing but slabs is in KReclaimable. MemAvailable
 *    leaves them out, for nothing here makes them give up anything.
 * 6. With a node's number, meminfo is /sys/devices/system/node/nodeN/meminfo.
 */
#include "internal.h"

#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/page_offline.h>
#include <mm/percpu.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>
#include <stdlib.h>

#include "show.h"

/*
 * What requests of all kinds could get, without what zones keep from GFP_KERNEL. Free pages of CMA areas and of
 * ZONE_MOVABLE, which movable requests only may have, count, as on Linux.
 */
static unsigned long available_pages(const struct zone_sums *sums)
{
	unsigned long kept = 0, have = sums->free + sums->cached;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		kept += zone->watermark[WMARK_MIN] + zone->lowmem_reserve[ZONE_NORMAL];
	return have > kept ? have - kept : 0;
}

static void show_kib(const char *name, unsigned long kib)
{
	con_printf("%-16s%8lu kB\n", name, kib);
}

static void show_node_kib(int nid, const char *name, unsigned long kib)
{
	con_printf("Node %d %-15s %8lu kB\n", nid, name, kib);
}

static void show_node_meminfo(int nid)
{
	struct zone_sums sums;

	sum_zones(nid, &sums);
	show_node_kib(nid, "MemTotal:", PAGES_KIB(sums.managed));
	show_node_kib(nid, "MemFree:", PAGES_KIB(sums.free));
	show_node_kib(nid, "MemUsed:", PAGES_KIB(sums.managed - sums.free));
	show_node_kib(nid, "KReclaimable:", PAGES_KIB(sums.reclaimable));
	show_node_kib(nid, "Slab:", PAGES_KIB(sums.reclaimable + sums.unreclaimable));
	show_node_kib(nid, "SReclaimable:", PAGES_KIB(sums.reclaimable));
	show_node_kib(nid, "SUnreclaim:", PAGES_KIB(sums.unreclaimable));
	show_node_kib(nid, "PerCpuPages:", PAGES_KIB(sums.cached));
	show_node_kib(nid, "Reserved:", PAGES_KIB(sums.reserved));
	show_node_kib(nid, "Metadata:", PAGES_KIB(sums.metadata));
}

static void show_all_meminfo(void)
{
	struct zone_sums sums;

	sum_zones(NUMA_NO_NODE, &sums);
	show_kib("MemTotal:", PAGES_KIB(sums.managed));
	show_kib("MemFree:", PAGES_KIB(sums.free));
	show_kib("MemAvailable:", PAGES_KIB(available_pages(&sums)));
	show_kib("KReclaimable:", PAGES_KIB(sums.reclaimable));
	show_kib("Slab:", PAGES_KIB(sums.reclaimable + sums.unreclaimable));
	show_kib("SReclaimable:", PAGES_KIB(sums.reclaimable));
	show_kib("SUnreclaim:", PAGES_KIB(sums.unreclaimable));
	show_kib("KernelStack:", claim_metadata_bytes("stacks") >> 10);
	show_kib("PageTables:", claim_metadata_bytes("page tables") >> 10);
	show_kib("VmallocTotal:", (VMALLOC_END - VMALLOC_START) >> 10);
	show_kib("VmallocUsed:", PAGES_KIB(vmalloc_nr_pages()));
	show_kib("VmallocChunk:", 0);
	show_kib("Percpu:", (claim_metadata_bytes("per-CPU areas") >> 10) + PAGES_KIB(percpu_chunk_pages()));
	con_printf("HardwareCorrupted: %5lu kB\n", PAGES_KIB(num_poisoned_pages()));
	show_kib("CmaTotal:", PAGES_KIB(sums.cma));
	show_kib("CmaFree:", PAGES_KIB(sums.free_cma));
	show_kib("PerCpuPages:", PAGES_KIB(sums.cached));
	show_kib("Reserved:", PAGES_KIB(sums.reserved));
	show_kib("Metadata:", PAGES_KIB(sums.metadata));
	show_kib("Memmap:", memmap_reserved_bytes() >> 10);
	show_kib("MemmapTouched:", memmap_touched_bytes() >> 10);
}

int show_meminfo(int argc, char **argv)
{
	char *end = NULL;
	long nid = argc == 2 ? strtol(argv[1], &end, 10) : NUMA_NO_NODE;

	if (argc > 2 || (argc == 2 && (*end || nid < 0 || nid >= MAX_NUMNODES || !node_data[nid]))) {
		con_printf("usage: meminfo [NODE], one that has memory\n");
		return -EINVAL;
	}
	if (argc == 2)
		show_node_meminfo((int)nid);
	else
		show_all_meminfo();
	return 0;
}
MONITOR_CMD(meminfo, "[NODE]", "memory in all, as /proc/meminfo; of a node, as its meminfo in /sys", show_meminfo);

int show_buddyinfo(int argc, char **argv)
{
	struct zone *zone;
	int i;

	(void)argc;
	(void)argv;
	for_each_populated_zone(i, zone) {
		con_printf("Node %d, zone %8s ", zone->node->node_id, zone->name);
		for (int order = 0; order < NR_PAGE_ORDERS; order++) {
			unsigned long blocks = READ_ONCE(zone->free_area[order].nr_free);

			if (order == MAX_PAGE_ORDER)
				blocks += zone_deferred(zone) >> PAGEBLOCK_ORDER;
			con_printf("%6lu ", blocks);
		}
		con_printf("\n");
	}
	return 0;
}
MONITOR_CMD(buddyinfo, "", "free blocks by order, as /proc/buddyinfo", show_buddyinfo);

static int show_account(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return account_print() && kmem_cache_check() ? 0 : -1;
}
MONITOR_CMD(account, "", "where every page is, proved by walking the memmap", show_account);
