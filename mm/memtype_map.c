// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mappings that are held with their memory type, by their address (contract: memtype_map.h).
 *
 * 1. A mapping is made in this order: its ranges are held, it is mapped, it is added. It ends in the opposite one: taken, unmapped,
 *    all TLBs told, dropped. So what is found by its address is mapped, and what is mapped is held.
 * 2. The address may be another mapping's as soon as it is unmapped. Nobody finds the first one there any more then, for it was
 *    taken before.
 *
 * map_lock covers (M): the trees of all kinds. It has the rank of memtype.c's lock: no one takes both.
 */
#include <lib/spinlock.h>
#include <mm/slab.h>

#include "internal.h"
#include "memtype_map.h"

static DEFINE_SPINLOCK(map_lock, LOCK_RANK_MEMTYPE);

struct memtype_mapping *memtype_mapping_new(unsigned int nr)
{
	struct memtype_mapping *mapping =
		kzalloc(sizeof(*mapping) + nr * sizeof(mapping->ranges[0]), GFP_KERNEL | __GFP_NOWARN);

	if (mapping)
		mapping->nr = nr;
	return mapping;
}

/* Drop the first @nr ranges, which are held. */
static void drop_all(struct memtype_mapping *mapping, unsigned int nr)
{
	while (nr)
		memtype_drop(&mapping->ranges[--nr]);
	kfree(mapping);
}

bool memtype_mapping_hold(struct memtype_mapping *mapping, bool quiet)
{
	for (unsigned int i = 0; i < mapping->nr; i++) {
		if (memtype_hold(&mapping->ranges[i], quiet))
			continue;
		drop_all(mapping, i);
		return false;
	}
	return true;
}

void memtype_mapping_end(struct memtype_mapping *mapping)
{
	if (mapping)
		drop_all(mapping, mapping->nr);
}

void memtype_map_add(struct memtype_map *map, struct memtype_mapping *mapping, const void *va, size_t bytes)
{
	unsigned long flags;

	mapping->at.start = (uintptr_t)va;
	mapping->at.len = bytes;
	flags = spin_lock_irqsave(&map_lock);
	va_insert(&map->tree, &mapping->at);
	ADD_ONCE(map->nr, 1);
	spin_unlock_irqrestore(&map_lock, flags);
}

struct memtype_mapping *memtype_map_take(struct memtype_map *map, const void *va)
{
	struct memtype_mapping *mapping = NULL;
	struct va_extent *at;
	unsigned long flags;

	if (!READ_ONCE(map->nr))
		return NULL;
	flags = spin_lock_irqsave(&map_lock);
	at = va_at_or_below(&map->tree, (uintptr_t)va);
	if (at && at->start == (uintptr_t)va) {
		mapping = container_of(at, struct memtype_mapping, at);
		va_remove(&map->tree, at);
		ADD_ONCE(map->nr, -1UL);
	}
	spin_unlock_irqrestore(&map_lock, flags);
	return mapping;
}
