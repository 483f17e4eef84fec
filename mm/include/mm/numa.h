/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes: which exist, and how far apart they are.
 *
 * A node id is a numa-node-id of the tree, 0 to MAX_NUMNODES - 1; ids need not be dense. Without CONFIG_NUMA, or when
 * the tree names no ids, everything belongs to node 0.
 *
 * Source: Devicetree binding "NUMA" (numa-node-id, /distance-map, numa-distance-map-v1).
 */
#ifndef MM_NUMA_H
#define MM_NUMA_H

#include <lib/types.h>

#define MAX_NUMNODES (1 << CONFIG_NODES_SHIFT)
#define NUMA_NO_NODE (-1)

/** numa_valid_node() - whether @nid can be a node's number */
static inline bool numa_valid_node(int nid)
{
	return nid >= 0 && nid < MAX_NUMNODES;
}

#define LOCAL_DISTANCE	10
#define REMOTE_DISTANCE 20

/** node_possible() - whether the tree gave @nid any memory or CPU */
bool node_possible(int nid);

/** node_set_possible() - by discovery: @nid exists. Ids out of range are the caller's to refuse. */
void node_set_possible(int nid);

/** nr_nodes_possible() - how many nodes exist, at least 1 after numa_init() */
int nr_nodes_possible(void);

/** node_distance() - relative cost of reaching @to's memory from @from; 10 is local, as in the ACPI SLIT */
int node_distance(int from, int to);

/** node_set_distance() - record one entry of the distance table. Return: 0 or -EINVAL (nodes, or 10 iff local). */
int node_set_distance(int from, int to, int distance);

/**
 * numa_init() - read numa-node-id and /distance-map, settle every region's node
 * @fdt: the tree; its memory must be in memblock already
 *
 * Memory whose node the tree does not name joins the lowest node there is, with a line that says so; a distance map
 * that is malformed is refused as a whole, with a line, and default distances (10, 20) hold. Context: boot only.
 */
void numa_init(const void *fdt);

#define for_each_node(nid)                             \
	for ((nid) = 0; (nid) < MAX_NUMNODES; (nid)++) \
		if (!node_possible(nid)) {             \
		} else

#endif
