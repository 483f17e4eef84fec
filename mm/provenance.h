/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose each byte of RAM is: see provenance.c. */
#ifndef MM_PROVENANCE_H
#define MM_PROVENANCE_H

#include <mm/discover.h>

/**
 * struct ram_run - bytes of RAM that lie behind one another and have one bank and one owner
 * @base, @end: the first byte, and one past the last
 * @bank: the memory claim they belong to
 * @owner: who claimed them first; NULL, or a CLAIM_CMA: handed over to the page allocator
 * @nomap: whether some claim, the owner's or another, keeps them out of the linear map
 */
struct ram_run {
	phys_addr_t base, end;
	const struct mem_claim *bank;
	const struct mem_claim *owner;
	bool nomap;
};

/** ram_run_next() - the next run by address; begin with a zeroed @run. Return: false when there is none. */
bool ram_run_next(struct ram_run *run);

/**
 * struct ram_sums - the map, summed up in bytes
 * @discovered: all RAM
 * @reserved: owned by the tree, the loader, the image or firmware
 * @metadata: owned by our own boot allocations
 * @unclaimed: owned by nobody, or a CMA area's
 * @whole_pages: of these, in whole pages: what must have been handed over
 */
struct ram_sums {
	phys_addr_t discovered, reserved, metadata, unclaimed, whole_pages;
};

/** ram_sum() - sum the map up, and set the `owned` of each claim */
void ram_sum(struct ram_sums *sums);

#endif
