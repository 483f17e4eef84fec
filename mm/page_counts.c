// SPDX-License-Identifier: BSD-2-Clause
/* Sums over the zones of a node, or over all. Each is of no single moment, unless the CPUs are quiet. */
#include <mm/gfp.h>

#include "show.h"

unsigned long nr_free_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += READ_ONCE(zone->nr_free);
	return pages;
}

unsigned long totalram_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += zone->managed_pages;
	return pages;
}

static bool is_of(const struct zone *zone, int nid)
{
	return nid == NUMA_NO_NODE || zone->node->node_id == nid;
}

void sum_zones(int nid, struct zone_sums *sums)
{
	struct zone *zone;
	int i;

	*sums = (struct zone_sums){ 0 };
	for_each_populated_zone(i, zone) {
		if (!is_of(zone, nid))
			continue;
		sums->present += zone->present_pages;
		sums->reserved += zone->reserved_pages;
		sums->metadata += zone->metadata_pages;
		sums->managed += zone->managed_pages;
		sums->free += READ_ONCE(zone->nr_free);
		sums->deferred += zone_deferred(zone);
		sums->cma += zone->cma_pages;
		sums->free_cma += zone_free_cma(zone);
		sums->cached += zone_pcp_pages(zone);
		sums->reclaimable += zone_page_state_snapshot(zone, NR_SLAB_RECLAIMABLE);
		sums->unreclaimable += zone_page_state_snapshot(zone, NR_SLAB_UNRECLAIMABLE);
	}
}

void sum_numa_stat(int nid, struct numa_stat *stat)
{
	struct zone *zone;
	int i;

	*stat = (struct numa_stat){ 0 };
	for_each_populated_zone(i, zone)
		if (is_of(zone, nid))
			zone_numa_stat(zone, stat);
}
