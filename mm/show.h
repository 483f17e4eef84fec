/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables of the prompt (mm/show_*.c) are made from: the sums of a node's zones, or of all. */
#ifndef MM_SHOW_H
#define MM_SHOW_H

#include <mm/vmstat.h>

/* Pages as the tables of /proc give them. */
#define PAGES_KIB(pages) ((unsigned long)(pages) << (PAGE_SHIFT - 10))
#define PAGES_MIB(pages) ((unsigned long)(pages) >> (20 - PAGE_SHIFT))

/**
 * struct zone_sums - pages of some zones
 * @present, @reserved, @metadata, @managed, @free, @deferred: the sums of struct zone's fields
 * @cma, @free_cma: of CMA areas, and the free ones of these
 * @cached: in CPUs' page caches
 * @reclaimable, @unreclaimable: in slabs, by what their cache's SLAB_RECLAIM_ACCOUNT says
 */
struct zone_sums {
	unsigned long present, reserved, metadata, managed, free, deferred, cma, free_cma, cached;
	unsigned long reclaimable, unreclaimable;
};

/**
 * sum_zones() - the sums over the zones of node @nid, NUMA_NO_NODE for all; a moment's figures. Cost: O(zones * CPUs).
 */
void sum_zones(int nid, struct zone_sums *sums);

/** sum_numa_stat() - the same of zone_numa_stat() */
void sum_numa_stat(int nid, struct numa_stat *stat);

/**
 * show_meminfo(), ... - the commands of the prompt: their table on the console
 *
 * Context: thread. Return: 0, or -EINVAL after saying how the command is used.
 */
int show_meminfo(int argc, char **argv);
int show_buddyinfo(int argc, char **argv);
int show_zoneinfo(int argc, char **argv);
int show_vmstat(int argc, char **argv);
int show_numa(int argc, char **argv);
int show_numastat(int argc, char **argv);
int show_percpu(int argc, char **argv);

#endif
