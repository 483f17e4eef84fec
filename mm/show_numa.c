// SPDX-License-Identifier: BSD-2-Clause
/*
 * numa and numastat at the prompt: what the tools `numactl --hardware` and `numastat` print of a Linux machine.
 *
 * Sizes are in MiB, rounded down, of what the page allocator manages; `meminfo NODE` has them to the page. A node
 * without memory has size 0, and one without CPUs an empty list. numastat counts pages, of all zones of a node
 * (<mm/vmstat.h>); nothing here interleaves.
 */
#include <mm/numa.h>

#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

#include "show.h"

/*
 * Node @nid, or a run of nodes that ends with it, and begins a list or goes on with one. Return: the next node that is
 * possible.
 */
static int show_node_run(int nid, const char *separator)
{
	int last = nid;

	while (node_possible(last + 1))
		last++;
	if (last == nid)
		con_printf("%s%d", separator, nid);
	else
		con_printf("%s%d-%d", separator, nid, last);
	do
		last++;
	while (last < MAX_NUMNODES && !node_possible(last));
	return last;
}

static void show_available(void)
{
	const char *separator = "(";
	int nid = 0;

	con_printf("available: %d nodes ", nr_nodes_possible());
	while (!node_possible(nid))
		nid++;
	for (; nid < MAX_NUMNODES; separator = ",")
		nid = show_node_run(nid, separator);
	con_printf(")\n");
}

static void show_node(int nid)
{
	struct zone_sums sums;
	int cpu;

	con_printf("node %d cpus:", nid);
	for_each_online_cpu(cpu)
		if (((const struct mm_cpu *)percpu_base(cpu))->nid == nid)
			con_printf(" %d", cpu);
	sum_zones(nid, &sums);
	con_printf("\nnode %d size: %lu MB\nnode %d free: %lu MB\n", nid, PAGES_MIB(sums.managed), nid,
		   PAGES_MIB(sums.free));
}

static void show_distances(void)
{
	int nid, other;

	con_printf("node distances:\nnode ");
	for_each_node(nid)
		con_printf("% 3d ", nid);
	con_printf("\n");
	for_each_node(nid) {
		con_printf("% 3d: ", nid);
		for_each_node(other)
			con_printf("% 3d ", node_distance(nid, other));
		con_printf("\n");
	}
}

int show_numa(int argc, char **argv)
{
	int nid;

	(void)argc;
	(void)argv;
	show_available();
	for_each_node(nid)
		show_node(nid);
	show_distances();
	return 0;
}
MONITOR_CMD(numa, "", "nodes, their CPUs, memory and distances, as numactl --hardware", show_numa);

static u64 numa_field(int nid, size_t offset)
{
	struct numa_stat stat;

	sum_numa_stat(nid, &stat);
	return *(const u64 *)(const void *)((const char *)&stat + offset);
}

int show_numastat(int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
		{ "numa_hit", offsetof(struct numa_stat, hit) },
		{ "numa_miss", offsetof(struct numa_stat, miss) },
		{ "numa_foreign", offsetof(struct numa_stat, foreign) },
		{ "local_node", offsetof(struct numa_stat, local) },
		{ "other_node", offsetof(struct numa_stat, other) },
	};
	int nid;

	(void)argc;
	(void)argv;
	con_printf("%-16s", "");
	for_each_node(nid)
		con_printf("%*snode%d", nid < 10 ? 11 : 10, "", nid);
	con_printf("\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		con_printf("%-16s", rows[i].name);
		for_each_node(nid)
			con_printf("%16llu", numa_field(nid, rows[i].offset));
		con_printf("\n");
	}
	return 0;
}
MONITOR_CMD(numastat, "", "pages by the node that was asked for and the one that gave them, as numastat",
	    show_numastat);
