/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings that are held with their memory type (<mm/memtype.h>): for ioremap.c and vmap_type.c, each of which has
 * notes of its own.
 *
 * A mapping is made in this order: its ranges are held, it is mapped, it is noted. It ends in the opposite one: its
 * note taken, unmapped, all TLBs told, dropped. So what is found by its address is mapped, and what is mapped is held.
 *
 * Lock letters: (N) vmap_notes.lock; (o) its owner's: who makes the mapping, and from vmap_note_take() on who ends it.
 */
#ifndef MM_MEMTYPE_MAPPING_H
#define MM_MEMTYPE_MAPPING_H

#include <mm/memtype.h>

#include "vmap_notes.h"

/**
 * struct memtype_mapping - a mapping, and what it maps
 * @at: (N) its note
 * @nr: (o) how many ranges
 * @ranges: (o) each held, from memtype_mapping_hold() to memtype_mapping_end()
 */
struct memtype_mapping {
	struct va_extent at;
	unsigned int nr;
	struct memtype_range ranges[];
};

/** memtype_mapping_of() - the mapping whose note is @at; NULL for NULL */
static inline struct memtype_mapping *memtype_mapping_of(struct va_extent *at)
{
	return at ? container_of(at, struct memtype_mapping, at) : NULL;
}

/**
 * memtype_mapping_new() - a mapping of @nr ranges, to be filled in and held; NULL when memory is short. Context:
 * thread.
 */
struct memtype_mapping *memtype_mapping_new(unsigned int nr);

/**
 * memtype_mapping_hold() - memtype_hold() all its ranges. Return: false, when one is refused; then @mapping is gone.
 */
bool memtype_mapping_hold(struct memtype_mapping *mapping, bool quiet);

/**
 * memtype_mapping_end() - it is mapped nowhere any more: drop its ranges, and @mapping is gone. NULL does nothing.
 * Context: any.
 */
void memtype_mapping_end(struct memtype_mapping *mapping);

#endif
