// SPDX-License-Identifier: BSD-2-Clause
/* Mappings that are held with their memory type (contract: memtype_mapping.h). Locks: none here. */
#include <mm/slab.h>

#include "memtype_mapping.h"

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
