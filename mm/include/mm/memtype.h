/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory types, and who has which physical addresses mapped with which.
 *
 * One physical page must not be mapped with two memory types at once: what one mapping holds back in a cache or a write
 * buffer the other does not see (Arm ARM B2.8, mismatched memory attributes). So every mapping of physical addresses outside
 * of the linear map is held here, from before it works until no TLB knows it any more: those of ioremap(), memremap() and
 * early_ioremap(), and those that drivers have in the fixmap. The linear map itself needs no holder: RAM that it has is refused
 * to all of them. Mappings of pages that their owner has (vmap()) are the owner's affair.
 *
 * Lock letters: (c) constant from memtype_hold() on; (T) memtype_lock.
 */
#ifndef MM_MEMTYPE_H
#define MM_MEMTYPE_H

#include <lib/list.h>

/* From the strictest to the most cached; <asm/vmap.h> has the protections, <asm/sysreg.h> what each is for on Arm. */
enum memtype { MEMTYPE_DEVICE_NP, MEMTYPE_DEVICE, MEMTYPE_WC, MEMTYPE_WT, MEMTYPE_WB, NR_MEMTYPES };

/**
 * struct memtype_range - a mapping of physical addresses
 * @link: (T) among those held
 * @base: (c) first byte asked for
 * @size: (c) bytes asked for; the whole pages that they lie in are held
 * @va: (T) page-aligned address of the mapping; 0 until it is known
 * @name: (c) who or what has it
 * @caller: (c) who asked for it
 * @type: (c)
 * @ending: (T) somebody is about to end it
 * @device: (c) registers of a driver of ours, for as long as the machine runs: iomem lists them
 */
struct memtype_range {
	struct list_head link;
	phys_addr_t base, size;
	unsigned long va;
	const char *name;
	const void *caller;
	u8 type;
	bool ending;
	bool device;
};

/** memtype_prot() - the protection that maps with @type */
u64 memtype_prot(enum memtype type);

/** memtype_name() - @type in words */
const char *memtype_name(enum memtype type);

/**
 * memtype_hold() - hold @range, if no live mapping of any of its pages has another type
 * @range: its size is not 0, its end not beyond the address space; the caller's, and left alone, until memtype_drop()
 * @quiet: say nothing when it is refused
 *
 * Works from the first line of C on. Context: any. Cost: O(ranges held). Return: whether it is held; when not, a line names both
 * parties.
 */
bool memtype_hold(struct memtype_range *range, bool quiet);

/** memtype_set_va() - where the mapping of @range, which is held, is; memtype_end() finds it by that */
void memtype_set_va(struct memtype_range *range, unsigned long va);

/** memtype_drop() - @range is mapped nowhere any more. Context: any. */
void memtype_drop(struct memtype_range *range);

/**
 * memtype_end() - the mapping at @va, page aligned, is about to end: nobody else finds it any more, but it stays held
 *
 * Context: any. Cost: O(ranges held). Return: NULL when there is none.
 */
struct memtype_range *memtype_end(unsigned long va);

/** memtype_next_device() - the driver's range that was held after @range, first after NULL. Context: thread. */
const struct memtype_range *memtype_next_device(const struct memtype_range *range);

#endif
