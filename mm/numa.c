// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nodes and their distances.
 *
 * 1. A node exists when memory or a CPU names it. Memory that names none joins the lowest node there is, node 0 when
 *    there is none, so that after numa_init() every memory region has a node.
 * 2. The distance table is the tree's /distance-map (numa-distance-map-v1): triplets (from, to, distance). A pair given
 *    one way counts both ways unless the other way is given as well. What is not given is 10 to itself and 20 to
 *    others.
 * 3. A map that is malformed anywhere is dropped whole: half a table would order the fallbacks by accident.
 * 4. Written on the boot CPU before other CPUs run, constant afterwards.
 */
#include <mm/numa.h>

#include <errno.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <mm/memblock.h>
#include <string.h>

static u64 possible;				 /* bit per node */
static u8 distances[MAX_NUMNODES][MAX_NUMNODES]; /* 0 where nothing was given */

_Static_assert(MAX_NUMNODES <= 64, "possible has a bit for each node");

bool node_possible(int nid)
{
	return nid >= 0 && nid < MAX_NUMNODES && (possible >> nid & 1);
}

void node_set_possible(int nid)
{
	possible |= 1ULL << nid;
}

int nr_nodes_possible(void)
{
	return __builtin_popcountll(possible);
}

int node_distance(int from, int to)
{
	int given = distances[from][to];

	if (given)
		return given;
	return from == to ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

int node_set_distance(int from, int to, int distance)
{
	if (from < 0 || from >= MAX_NUMNODES || to < 0 || to >= MAX_NUMNODES || distance > 255)
		return -EINVAL;
	if (from == to ? distance != LOCAL_DISTANCE : distance <= LOCAL_DISTANCE)
		return -EINVAL;
	distances[from][to] = (u8)distance;
	return 0;
}

/* Why entry @i of the matrix is wrong, NULL when it was taken. */
static const char *take_entry(const char *matrix, int i)
{
	u64 from = dt_cells(matrix + i * 12, 1), to = dt_cells(matrix + i * 12 + 4, 1);
	u64 distance = dt_cells(matrix + i * 12 + 8, 1);

	if (from >= MAX_NUMNODES || to >= MAX_NUMNODES)
		return "names a node that is out of range";
	if (distance > 255 || node_set_distance((int)from, (int)to, (int)distance))
		return "has a distance that is not 10 to itself, 11 to 255 to others";
	return NULL;
}

static void mirror_distances(void)
{
	for (int from = 0; from < MAX_NUMNODES; from++)
		for (int to = 0; to < MAX_NUMNODES; to++)
			if (!distances[from][to])
				distances[from][to] = distances[to][from];
}

static void read_distance_map(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "numa-distance-map-v1"), len;
	const char *matrix = node < 0 ? NULL : fdt_getprop(fdt, node, "distance-matrix", &len);

	if (!matrix || MAX_NUMNODES == 1)
		return;
	if (len % 12) {
		printk("numa: /distance-map: distance-matrix has %d bytes, no multiple of 12: default distances\n",
		       len);
		return;
	}
	for (int i = 0; i < len / 12; i++) {
		const char *fault = take_entry(matrix, i);

		if (fault) {
			printk("numa: /distance-map: entry %d of distance-matrix %s: default distances\n", i, fault);
			memset(distances, 0, sizeof(distances));
			return;
		}
	}
	mirror_distances();
}

/* Regions without a node join @nid. */
static void settle_regions(int nid)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		if (r->nid != NUMA_NO_NODE)
			continue;
		if (nr_nodes_possible() > 1)
			printk("numa: [mem 0x%016llx-0x%016llx] has no numa-node-id: joins node %d\n", r->base,
			       r->base + r->size - 1, nid);
		if (memblock_set_node(r->base, r->size, &memblock.memory, nid))
			panic("numa: [mem 0x%016llx-0x%016llx] cannot join node %d: %lu of %lu regions in use", r->base,
			      r->base + r->size - 1, nid, memblock.memory.cnt, memblock.memory.max);
		/* It may have merged with a neighbour: begin again. */
		r = memblock.memory.regions - 1;
	}
}

void numa_init(const void *fdt)
{
	struct memblock_region *r;

	for_each_mem_region(r)
		if (r->nid != NUMA_NO_NODE)
			node_set_possible(r->nid);
	if (!possible)
		node_set_possible(0);
	settle_regions(__builtin_ctzll(possible));
	read_distance_map(fdt);
}
