/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings that are held with their memory type (<mm/memtype.h>), by their address: for ioremap.c and vmap_type.c.
 *
 * Lock letters: (M) map_lock; (o) its owner's: who makes the mapping, and from memtype_map_take() on who ends it.
 */
#ifndef MM_MEMTYPE_MAP_H
#define MM_MEMTYPE_MAP_H

#include <mm/memtype.h>

/**
 * struct memtype_mapping - a mapping, and what it maps
 * @at: (M) its addresses, in the tree of its kind
 * @nr: (o) how many ranges
 * @ranges: (o) each held, from memtype_mapping_hold() to memtype_mapping_end()
 */
struct memtype_mapping {
	struct va_extent at;
	unsigned int nr;
	struct memtype_range ranges[];
};

/**
 * struct memtype_map - mappings of one kind
 * @tree: (M) by address
 * @nr: (M) how many
 */
struct memtype_map {
	struct va_tree tree;
	unsigned long nr;
};

/** memtype_mapping_new() - a mapping of @nr ranges, to be filled in and held; NULL when memory is short. Context: thread. */
struct memtype_mapping *memtype_mapping_new(unsigned int nr);

/** memtype_mapping_hold() - memtype_hold() all its ranges. Return: false, when one is refused; then @mapping is gone. */
bool memtype_mapping_hold(struct memtype_mapping *mapping, bool quiet);

/** memtype_mapping_end() - it is mapped nowhere any more: drop its ranges, and @mapping is gone. NULL does nothing. Context: any. */
void memtype_mapping_end(struct memtype_mapping *mapping);

/** memtype_map_add() - it is mapped at [@va, @va + @bytes), page aligned */
void memtype_map_add(struct memtype_map *map, struct memtype_mapping *mapping, const void *va, size_t bytes);

/**
 * memtype_map_take() - the mapping that begins at @va is about to end: nobody else finds it any more, but it stays held
 *
 * Context: any. Cost: O(log mappings); no lock where there are none. Return: NULL when there is none.
 */
struct memtype_mapping *memtype_map_take(struct memtype_map *map, const void *va);

#endif
