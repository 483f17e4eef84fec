// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables of physical memory at the prompt: meminfo, buddyinfo, zoneinfo, in the formats of Linux's /proc; account and
 * node distances.
 *
 * A table is a moment's picture: counters are read without locks, and agree with each other when the CPUs are quiet.
 */
#include "internal.h"

#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

#include "buddy.h"
#include "pcp.h"
#include "slub.h"

#define KIB(pages) ((unsigned long)(pages) << (PAGE_SHIFT - 10))

static unsigned long cached_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += zone_pcp_pages(zone);
	return pages;
}

static unsigned long slab_pages(void)
{
	struct kmem_cache *cache;
	unsigned long pages = 0;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list) {
		struct slab_sums sums;

		slab_sum(cache, &sums);
		pages += sums.slabs << cache->order;
	}
	mutex_unlock(&slab_mutex);
	return pages;
}

static void zone_totals(unsigned long *reserved, unsigned long *metadata)
{
	struct zone *zone;
	int i;

	*reserved = *metadata = 0;
	for_each_populated_zone(i, zone) {
		*reserved += zone->reserved_pages;
		*metadata += zone->metadata_pages;
	}
}

/* What a GFP_KERNEL request could get, without the zones' reserves. */
static unsigned long available_pages(void)
{
	unsigned long kept = 0, have = nr_free_pages() + cached_pages();
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		kept += zone->watermark[WMARK_MIN] + zone->lowmem_reserve[ZONE_NORMAL];
	return have > kept ? have - kept : 0;
}

static int show_meminfo(int argc, char **argv)
{
	unsigned long reserved, metadata;

	(void)argc;
	(void)argv;
	zone_totals(&reserved, &metadata);
	con_printf("MemTotal:       %8lu kB\n", KIB(totalram_pages()));
	con_printf("MemFree:        %8lu kB\n", KIB(nr_free_pages()));
	con_printf("MemAvailable:   %8lu kB\n", KIB(available_pages()));
	con_printf("PerCpuPages:    %8lu kB\n", KIB(cached_pages()));
	con_printf("Slab:           %8lu kB\n", KIB(slab_pages()));
	con_printf("Reserved:       %8lu kB\n", KIB(reserved));
	con_printf("Metadata:       %8lu kB\n", KIB(metadata));
	return 0;
}
MONITOR_CMD(meminfo, "", "memory in all, as /proc/meminfo", show_meminfo);

static int show_buddyinfo(int argc, char **argv)
{
	struct zone *zone;
	int i;

	(void)argc;
	(void)argv;
	for_each_populated_zone(i, zone) {
		con_printf("Node %d, zone %8s ", zone->node->node_id, zone->name);
		for (int order = 0; order < NR_PAGE_ORDERS; order++) {
			unsigned long blocks = zone->free_area[order].nr_free;

			/* A pageblock whose struct pages are not written yet is a free block of the largest order. */
			if (order == MAX_PAGE_ORDER)
				blocks += zone_deferred(zone) >> PAGEBLOCK_ORDER;
			con_printf("%6lu ", blocks);
		}
		con_printf("\n");
	}
	return 0;
}
MONITOR_CMD(buddyinfo, "", "free blocks by order, as /proc/buddyinfo", show_buddyinfo);

static void show_pagesets(struct zone *zone)
{
	con_printf("  pagesets\n");
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		const struct per_cpu_pages *pcp = per_cpu_ptr(zone->pcp, cpu);
		struct pcp_sums sums = pcp_sum(pcp);

		con_printf(
			"    cpu: %d\n              count: %lu\n              high:  %lu\n              batch: %lu\n",
			cpu, sums.count, sums.high, sums.batch);
		con_printf("              refills: %lu\n              drains:  %lu\n", pcp->refills, pcp->drains);
	}
}

static void show_zone(struct zone *zone)
{
	con_printf("Node %d, zone %8s\n", zone->node->node_id, zone->name);
	con_printf("  pages free     %lu\n", zone->nr_free);
	con_printf("        min      %lu\n        low      %lu\n        high     %lu\n", zone->watermark[WMARK_MIN],
		   zone->watermark[WMARK_LOW], zone->watermark[WMARK_HIGH]);
	con_printf("        spanned  %lu\n        present  %lu\n        managed  %lu\n", zone->spanned_pages,
		   zone->present_pages, zone->managed_pages);
	con_printf("        reserved %lu\n        metadata %lu\n        deferred %lu\n", zone->reserved_pages,
		   zone->metadata_pages, zone_deferred(zone));
	con_printf("        protection: (%lu, %lu, %lu, %lu)\n", zone->lowmem_reserve[0], zone->lowmem_reserve[1],
		   zone->lowmem_reserve[2], zone->lowmem_reserve[3]);
	con_printf("      nr_allocs    %lu\n      nr_fallbacks %lu\n", zone->nr_allocs, zone->nr_fallbacks);
	show_pagesets(zone);
	con_printf("  start_pfn:           %lu\n", zone->zone_start_pfn);
}

static int show_zoneinfo(int argc, char **argv)
{
	struct zone *zone;
	int i;

	(void)argc;
	(void)argv;
	for_each_populated_zone(i, zone)
		show_zone(zone);
	return 0;
}
MONITOR_CMD(zoneinfo, "", "each zone, as /proc/zoneinfo", show_zoneinfo);

static int show_account(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return account_print() && kmem_cache_check() ? 0 : -1;
}
MONITOR_CMD(account, "", "where every page is, proved by walking the memmap", show_account);
