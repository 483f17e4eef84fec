// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's last act: the memory of its own arrays goes to the page allocator.
 *
 * 1. An array that never grew is part of the image and stays. One that grew lies in whole pages that hand-over counted
 *    as metadata; they become managed pages of their zones, so the zones' equations hold before and after.
 * 2. An array that lies in memory which a limit has dropped since is nobody's: it is left where it is.
 * 3. `memory` goes last: a pageblock in which nothing was free before gets its struct pages now, from that array.
 *    Nothing writes into pages that are only freed, so reading it until the end is right.
 * 4. Sums stay (total_size): the account asks for them for ever.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>

static unsigned long discard(struct memblock_type *type)
{
	const struct memblock_region *home;
	phys_addr_t place, size;

	if (!memblock_array_grown(type, &place, &size))
		return 0;
	home = memblock_search(&memblock.memory, place);
	if (!home || home->base + home->size < place + size)
		return 0;
	printk("memblock: %s: array at [mem 0x%016llx-0x%016llx] goes to the page allocator\n", type->name, place,
	       place + size - 1);
	hand_over_metadata(home->nid, PFN_DOWN(place), PFN_DOWN(place + size));
	return PFN_DOWN(size);
}

unsigned long memblock_discard_arrays(void)
{
	struct memblock_type *const types[] = { &physmem, &memblock.reserved, &memblock.memory };
	unsigned long pages = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		pages += discard(types[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
		memblock_retire_array(types[i]);
	return pages;
}
