/* SPDX-License-Identifier: BSD-2-Clause */
/* How fragmented a zone's free memory is: see fragindex.c. */
#ifndef MM_FRAGINDEX_H
#define MM_FRAGINDEX_H

#include <mm/mmzone.h>

/**
 * struct zone_blocks - the free blocks and the pageblocks of a zone, of one moment
 * @free: free blocks by migratetype and order; deferred pageblocks are blocks of the largest
 * @pageblocks: pageblocks by migratetype; those in which nothing was handed over do not count
 *
 * A deferred pageblock has no type before it is used, unless it is of a CMA area: it counts as MIGRATE_MOVABLE.
 */
struct zone_blocks {
	unsigned long free[MIGRATE_TYPES][NR_PAGE_ORDERS];
	unsigned long pageblocks[MIGRATE_TYPES];
};

/** count_blocks() - fill @blocks. Cost: O(free blocks + pageblocks), the zone's lock held. */
void count_blocks(struct zone *zone, struct zone_blocks *blocks);

/** free_blocks_of_order() - free blocks of @order in @zone, whatever their type; a moment's figure */
unsigned long free_blocks_of_order(const struct zone *zone, unsigned int order);

/**
 * fragmentation_index() - why a request of @order would fail in @zone: for lack of memory, or because it is in pieces
 *
 * Return: -1000 when there is a block that serves it; else 0 (no memory: reclaim helps) to 1000 (fragmentation:
 * compaction would help).
 */
int fragmentation_index(const struct zone *zone, unsigned int order);

/**
 * unusable_index() - which part of @zone's free memory is no use for a request of @order. Return: 0 to 1000; 1000
 * without free memory.
 */
int unusable_index(const struct zone *zone, unsigned int order);

#endif
