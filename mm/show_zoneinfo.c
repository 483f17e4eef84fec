// SPDX-License-Identifier: BSD-2-Clause
/*
 * zoneinfo and vmstat at the prompt, in the formats of Linux's /proc/zoneinfo and /proc/vmstat.
 *
 * 1. Names are Linux's where the meaning is: nr_free_pages, nr_slab_unreclaimable, numa_*, pgalloc_*, pgfree,
 *    allocstall_*. What these count is told in <mm/vmstat.h>: pages that move between zones and CPUs' caches. The
 *    others are ours: nr_deferred_pages, nr_pcp_pages, pcp_refill, pcp_drain, pagetype_fallback.
 * 2. zoneinfo shows a zone that a node does not have, too, as far as "protection", as Linux does. boost and promo are
 *    left out: there are no such watermarks. high_min and high_max too. Pages of slabs are counted by zone, where Linux
 *    has them by node.
 */
#include <mm/vmstat.h>

#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>

#include "pcp.h"
#include "show.h"

static const char *const zone_suffixes[MAX_NR_ZONES] = { "dma", "dma32", "normal", "movable" };

static void show_pageset(const struct zone *zone, int cpu)
{
	const struct per_cpu_pages *pcp = per_cpu_ptr(zone->pcp, cpu);
	struct pcp_sums sums = pcp_sum(pcp);

	con_printf("    cpu: %d\n", cpu);
	con_printf("              count:    %lu\n", sums.count);
	con_printf("              high:     %lu\n", sums.high);
	con_printf("              batch:    %lu\n", sums.batch);
	con_printf("              refills:  %lu\n", READ_ONCE(pcp->refills));
	con_printf("              drains:   %lu\n", READ_ONCE(pcp->drains));
	con_printf("  vm stats threshold: %d\n", zone->stat_threshold);
}

static void show_counter(const char *name, u64 value)
{
	con_printf("      %-12s %llu\n", name, value);
}

static void show_numa_counters(const struct numa_stat *stat, void (*show)(const char *name, u64 value))
{
	show("numa_hit", stat->hit);
	show("numa_miss", stat->miss);
	show("numa_foreign", stat->foreign);
	show("numa_interleave", 0);
	show("numa_local", stat->local);
	show("numa_other", stat->other);
}

static void show_zone_head(const struct zone *zone)
{
	con_printf("Node %d, zone %8s\n", zone->node->node_id, zone->name);
	con_printf("  pages free     %lu\n", READ_ONCE(zone->nr_free));
	con_printf("        min      %lu\n", zone->watermark[WMARK_MIN]);
	con_printf("        low      %lu\n", zone->watermark[WMARK_LOW]);
	con_printf("        high     %lu\n", zone->watermark[WMARK_HIGH]);
	con_printf("        spanned  %lu\n", zone->spanned_pages);
	con_printf("        present  %lu\n", zone->present_pages);
	con_printf("        managed  %lu\n", zone->managed_pages);
	con_printf("        reserved %lu\n", zone->reserved_pages);
	con_printf("        metadata %lu\n", zone->metadata_pages);
	con_printf("        cma      %lu\n", zone->cma_pages);
	con_printf("        deferred %lu\n", zone_deferred(zone));
	con_printf("        bad      %lu\n", READ_ONCE(zone->nr_bad));
	con_printf("        protection: (%lu, %lu, %lu, %lu)\n", zone->lowmem_reserve[ZONE_DMA],
		   zone->lowmem_reserve[ZONE_DMA32], zone->lowmem_reserve[ZONE_NORMAL],
		   zone->lowmem_reserve[ZONE_MOVABLE]);
}

static void show_zone(const struct zone *zone)
{
	struct numa_stat stat = { 0 };

	show_zone_head(zone);
	if (!populated_zone(zone))
		return;
	zone_numa_stat(zone, &stat);
	show_counter("nr_free_pages", READ_ONCE(zone->nr_free));
	show_counter("nr_free_cma", zone_free_cma(zone));
	show_counter("nr_slab_reclaimable", zone_page_state_snapshot(zone, NR_SLAB_RECLAIMABLE));
	show_counter("nr_slab_unreclaimable", zone_page_state_snapshot(zone, NR_SLAB_UNRECLAIMABLE));
	show_numa_counters(&stat, show_counter);
	show_counter("pgalloc", zone_event_sum(zone, PGALLOC));
	show_counter("pgalloc_away", zone_event_sum(zone, PGALLOC_AWAY));
	show_counter("pgfree", zone_event_sum(zone, PGFREE));
	show_counter("nr_allocs", READ_ONCE(zone->nr_allocs));
	show_counter("nr_fallbacks", READ_ONCE(zone->nr_fallbacks));
	con_printf("  pagesets\n");
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		show_pageset(zone, cpu);
	con_printf("  start_pfn:           %lu\n", zone->zone_start_pfn);
}

int show_zoneinfo(int argc, char **argv)
{
	pg_data_t *pgdat;
	int nid;

	(void)argc;
	(void)argv;
	for_each_online_pgdat(nid, pgdat)
		for (int idx = 0; idx < MAX_NR_ZONES; idx++)
			show_zone(&pgdat->node_zones[idx]);
	return 0;
}
MONITOR_CMD(zoneinfo, "", "each zone, as /proc/zoneinfo", show_zoneinfo);

static void show_item(const char *name, u64 value)
{
	con_printf("%s %llu\n", name, value);
}

static void show_by_zone(const char *name, enum zone_event event)
{
	for (int idx = 0; idx < MAX_NR_ZONES; idx++)
		con_printf("%s_%s %llu\n", name, zone_suffixes[idx], global_event_sum((enum zone_type)idx, event));
}

/* What the zones and their caches count for themselves. */
static void show_counts(void)
{
	u64 refills = 0, drains = 0, fallbacks = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		fallbacks += READ_ONCE(zone->nr_fallbacks);
		for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
			refills += READ_ONCE(per_cpu_ptr(zone->pcp, cpu)->refills);
			drains += READ_ONCE(per_cpu_ptr(zone->pcp, cpu)->drains);
		}
	}
	show_item("pcp_refill", refills);
	show_item("pcp_drain", drains);
	show_item("pagetype_fallback", fallbacks);
}

int show_vmstat(int argc, char **argv)
{
	struct zone_sums sums;
	struct numa_stat stat;

	(void)argc;
	(void)argv;
	sum_zones(NUMA_NO_NODE, &sums);
	sum_numa_stat(NUMA_NO_NODE, &stat);
	show_item("nr_free_pages", sums.free);
	show_numa_counters(&stat, show_item);
	show_item("nr_free_cma", sums.free_cma);
	show_item("nr_slab_reclaimable", sums.reclaimable);
	show_item("nr_slab_unreclaimable", sums.unreclaimable);
	show_item("nr_deferred_pages", sums.deferred);
	show_item("nr_pcp_pages", sums.cached);
	show_by_zone("pgalloc", PGALLOC);
	show_by_zone("allocstall", ALLOCSTALL);
	show_item("pgfree", global_event_sum(MAX_NR_ZONES, PGFREE));
	show_counts();
	return 0;
}
MONITOR_CMD(vmstat, "", "what the page allocator counts, as /proc/vmstat", show_vmstat);
