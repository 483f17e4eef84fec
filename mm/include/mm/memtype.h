/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory types, and who has which physical addresses mapped with which.
 *
 * One physical page must not be mapped with two memory types at once: what one mapping holds back in a cache or a write
 * buffer the other does not see (Arm ARM B2.8, mismatched memory attributes). So every mapping of physical addresses
 * outside of the linear map is held here, from before it works until no TLB knows it any more:
 *	- those of ioremap(), memremap() and early_ioremap(), and those that drivers have in the fixmap;
 *	- coherent memory of bus masters that is mapped apart from the linear map, in a master's name;
 *	- what vmap() maps otherwise than the linear map does: not cacheable, write-through or as a device; and pages
 *	  that are not the page allocator's (no-map memory has struct pages, too), with whatever type.
 * Of two that do not agree the later one is refused, and both are named.
 *
 * The linear map is nobody's: it stays, write-back, under all that is mapped of RAM. Who owns pages may have them
 * mapped with another type, and then nobody may have them by a write-back mapping of his own, a linear address that
 * memremap() gives included, as long as that lasts. It does not count the other way round: a linear address, and a
 * write-back vmap() of the page allocator's pages, are not held, and stand in nobody's way.
 *
 * Lock letters: (c) constant from memtype_hold() on; (T) memtype_lock; (o) its holder's.
 */
#ifndef MM_MEMTYPE_H
#define MM_MEMTYPE_H

#include <lib/list.h>
#include <mm/va_tree.h>

/* From the strictest to the most cached; <asm/vmap.h> has the protections, <asm/sysreg.h> what each is for on Arm. */
enum memtype { MEMTYPE_DEVICE_NP, MEMTYPE_DEVICE, MEMTYPE_WC, MEMTYPE_WT, MEMTYPE_WB, NR_MEMTYPES };

/**
 * struct memtype_range - a mapping of physical addresses
 * @frames: (T) its page frames, in the tree of its type
 * @link: (T) among devices
 * @base: (c) first byte asked for
 * @size: (c) bytes asked for; the whole pages that they lie in are held. memtype_extend() adds to it.
 * @va: (o) page-aligned address of the mapping, where somebody looks for it here; 0 else
 * @name: (c) who or what has it; NULL: the bus master at @node
 * @caller: (c) who asked for it
 * @node: (c) a node of the device tree
 * @type: (c)
 * @device: (c) registers of a driver of ours, for as long as the machine runs: iomem lists them
 * @ram: (c) the linear map has its pages as well
 */
struct memtype_range {
	struct va_extent frames;
	struct list_head link;
	phys_addr_t base, size;
	unsigned long va;
	const char *name;
	const void *caller;
	int node;
	u8 type;
	bool device;
	bool ram;
};

/** memtype_prot() - the protection that maps with @type */
u64 memtype_prot(enum memtype type);

/** memtype_of() - the type that @prot, one of <asm/vmap.h>, maps with. Return: NR_MEMTYPES when it is none of them. */
enum memtype memtype_of(u64 prot);

/** memtype_name() - @type in words */
const char *memtype_name(enum memtype type);

/**
 * memtype_hold() - hold @range, if no live mapping of any of its pages has another type
 * @range: its size is not 0, its end not beyond the address space; the caller's, and left alone, until memtype_drop()
 * @quiet: say nothing when it is refused
 *
 * Works from the first line of C on. Context: any. Cost: O(log ranges held), plus those that begin at one page. Return:
 * whether it is held; when not, a line names both parties, the first 20 times, and nothing has changed.
 */
bool memtype_hold(struct memtype_range *range, bool quiet);

/** memtype_refused() - whether memtype_hold() would not hold @range; its context, cost and line. Nothing changes. */
bool memtype_refused(const struct memtype_range *range, bool quiet);

/**
 * memtype_extend() - @more bytes behind @range, which is held, are its as well. Return: false when they cannot be, and
 * nothing has changed.
 */
bool memtype_extend(struct memtype_range *range, u64 more);

/** memtype_drop() - @range is mapped nowhere any more. Context: any. Cost: as memtype_hold(). */
void memtype_drop(struct memtype_range *range);

/** memtype_next_device() - the driver's range that was held after @range, first after NULL. Context: thread. */
const struct memtype_range *memtype_next_device(const struct memtype_range *range);

/** memtype_held() - how many ranges are held, a moment's figure. Context: any. */
unsigned long memtype_held(void);

/** memtype_ram_held() - how many of them are RAM of the linear map */
unsigned long memtype_ram_held(void);

/**
 * memtype_check() - prove that no page is held with two types, and that counts are those of the ranges
 *
 * Context: any; interrupts are masked meanwhile. Cost: O(n log n). Return: true, or false after a line.
 */
bool memtype_check(void);

#endif
