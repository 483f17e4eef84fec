/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mm's files share with each other and with nobody else.
 *
 * Lock order, lowest first: a CPU that holds a lock takes only locks further down the table. Interrupts are masked
 * while any of them is held. In front of all stand slab_mutex (mm/slub.h) and contig_mutex (contig.c), which are taken
 * with interrupts unmasked, so with none of them held, and kept across cross calls; nobody takes both. Behind
 * slab_mutex comes grow_mutex (percpu_alloc.c), of the same kind. dma_mutex (mm/dma.h) is of that kind, too, and comes
 * before all of them. pt_mutex (arch-arm64/mm/pgtable.c) is the last of the kind: who holds it takes no other. Just
 * before it comes rights_mutex (vmap_rights.c).
 *
 *	3   dma pool		blocks of one pool of small blocks
 *	4   dma live		memory that bus masters have
 *	5   iomem		the tree of resources, iomem.c
 *	7   dma region		the bitmap of one region that is its masters' alone
 *	8   memory types	who has what mapped outside of the linear map, memtype.c
 *	10  vmalloc		free and used address space; slots of one size
 *	11  percpu_lock		which bytes of per-CPU chunks are in use
 *	12  vmap_lock		tables of vmalloc's address space, arch-arm64/mm/vmap.c
 *	13  vmap retired	tables and blocks taken out of it, which are to be freed (vmap_retire.c)
 *	20  kmem_cache node	partial slabs of one cache on one node; all of a guarded cache
 *	25  cma			the bitmap of one CMA area
 *	30  zone->lock		free lists and pageblock states of one zone
 *	32  bad notes		notes of pages to be taken out that are not in use (page_pending.c)
 *	33  percpu counter	the sum of one struct percpu_counter
 *	35  page owners		clearing records (CONFIG_PAGE_OWNER)
 *	200 log			lib/printk.c: anything may be held when a line is printed
 *
 * A CPU's own page and object stacks have no lock: they are touched by that CPU only, in restartable sequences or with
 * interrupts masked.
 */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>

enum mm_lock_rank {
	LOCK_RANK_DMA_POOL = 3,
	LOCK_RANK_DMA_LIVE = 4,
	LOCK_RANK_IOMEM = 5,
	LOCK_RANK_DMA_REGION = 7,
	LOCK_RANK_MEMTYPE = 8,
	LOCK_RANK_VMALLOC = 10,
	LOCK_RANK_PERCPU = 11,
	LOCK_RANK_VMAP_TABLES = 12,
	LOCK_RANK_VMAP_RETIRED = 13,
	LOCK_RANK_CACHE_NODE = 20,
	LOCK_RANK_CMA = 25,
	LOCK_RANK_ZONE = 30,
	LOCK_RANK_BAD_NOTES = 32,
	LOCK_RANK_PERCPU_COUNTER = 33,
	LOCK_RANK_PAGE_OWNER = 35,
};

/* --- memblock_array.c: the arrays --- */

/** memblock_first_ending_after() - index of the first region of @type whose end is above @addr; cnt when none. */
unsigned long memblock_first_ending_after(const struct memblock_type *type, phys_addr_t addr);

/** memblock_add_range() - the contract of memblock_add() on any array */
int memblock_add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid, unsigned int flags);

/** memblock_remove_range() - the contract of memblock_remove() on any array */
int memblock_remove_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size);

/**
 * memblock_isolate_range() - cut regions so that none crosses an end of the range
 * @first, @last: the regions within the range are [*first, *last) then
 */
int memblock_isolate_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, unsigned long *first,
			   unsigned long *last);

/** memblock_merge_regions() - join equal neighbours among regions [first - 1, last] */
void memblock_merge_regions(struct memblock_type *type, unsigned long first, unsigned long last);

/** memblock_remove_regions() - drop regions [@first, @last) */
void memblock_remove_regions(struct memblock_type *type, unsigned long first, unsigned long last);

/** memblock_confine_arrays() - from now on arrays grow within [@start, @end) only; (0, PHYS_ADDR_MAX) ends that */
void memblock_confine_arrays(phys_addr_t start, phys_addr_t end);

/** memblock_array_grown() - whether @type's array is no longer the static one, and where it lies: whole pages */
bool memblock_array_grown(const struct memblock_type *type, phys_addr_t *place, phys_addr_t *size);

/** memblock_retire_array() - @type gets its first, static array back, with nothing in it; its total_size stays */
void memblock_retire_array(struct memblock_type *type);

/** memblock_cap_size() - @size, cut so that @base + size does not pass the end of the address space */
phys_addr_t memblock_cap_size(phys_addr_t base, phys_addr_t size);

/* --- show_fdt.c --- */

/** show_fdt_set() - the tree that the prompt's `fdt` shows; @boot and its tree stay */
void show_fdt_set(const struct boot_info *boot);

/* --- claims.c --- */

#define CLAIM_BIT(kind) (1u << (kind))

/** claim_find() - the first claim of one of @kinds (CLAIM_BIT()s) that overlaps the range; NULL when none does */
const struct mem_claim *claim_find(phys_addr_t base, phys_addr_t size, unsigned int kinds);

/**
 * claim_next() - claim_find() that begins with claim number *@i, which becomes that of the claim behind the one found
 */
const struct mem_claim *claim_next(unsigned int *i, phys_addr_t base, phys_addr_t size, unsigned int kinds);

/** claims_set_fdt() - the tree whose nodes claims refer to */
void claims_set_fdt(const void *fdt);

/** claims_fdt() - that tree; it stays mapped for ever. Context: any, after discovery. */
const void *claims_fdt(void);

/** claim_own() - set how many bytes of RAM @claim, one of claim_get()'s, is the first to claim */
void claim_own(const struct mem_claim *claim, phys_addr_t bytes);

/** claim_owned() - what claim_own() set */
phys_addr_t claim_owned(const struct mem_claim *claim);

/** claim_lend() - the reserved claim of just this range becomes CLAIM_CMA: the page allocator has its memory */
void claim_lend(phys_addr_t base, phys_addr_t size);

/** claims_add_arrays() - claim what memblock's arrays have grown into, once no more can be added to them */
void claims_add_arrays(void);

/* --- show_map.c --- */

/** claims_print() - the claims of our own boot allocations, or all others, into the log */
void claims_print(bool metadata);

/* --- memblock.c --- */

/* Whether any region was ever said to be mirrored: until then, an allocation need not look for one. */
extern bool memblock_mirror_seen;

/* --- memblock_walk.c --- */

/**
 * memblock_cursor_from() - the cursor of a walk upwards over free memory that begins with the range that holds @addr
 */
u64 memblock_cursor_from(phys_addr_t addr);

/** memblock_cursor_below() - the cursor of a walk downwards that begins with the last range that begins below @addr */
u64 memblock_cursor_below(phys_addr_t addr);

/* --- memblock_alloc.c --- */

/** memblock_find_place() - a free place within [@start, @end) taken literally, mirrored memory first; 0 when none */
phys_addr_t memblock_find_place(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end);

/** memblock_alloc_range_nid() - find and reserve; 0 on failure */
phys_addr_t memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				     bool exact_nid);

/* --- page_alloc.c --- */

/** zonelist_of() - the zones to try for a request near @nid, a valid node; the end is NULL */
struct zone **zonelist_of(int nid, gfp_t gfp);

/* --- contig.c --- */

/**
 * alloc_contig_quietly() - alloc_contig_range() without a word
 * @busy: set to @end, or to the page frame that stands in the way when the result is -EBUSY for its sake
 */
int alloc_contig_quietly(unsigned long start, unsigned long end, enum migratetype migratetype, gfp_t gfp,
			 unsigned long *busy);

/**
 * alloc_contig_within() - alloc_contig_pages() within page frames [@start, @end), near this CPU
 * @align_order: the first one's page frame number is a multiple of 1 << @align_order
 * @gfp: __GFP_ZERO counts, nothing else. Return: NULL without a line.
 */
struct page *alloc_contig_within(unsigned long nr, unsigned int align_order, unsigned long start, unsigned long end,
				 gfp_t gfp);

/* --- discover_reserved.c --- */

/** cma_argument_claim() - the claim of the boot argument cma=, NULL without one */
const struct mem_claim *cma_argument_claim(void);

/* --- page_init.c --- */

/** count_kept_pages() - what of each zone's memory memblock has reserved, to its reserved and metadata pages */
void count_kept_pages(void);

/** hand_over_range() - page frames [@start, @end), which are memory of @nid and reserved by nobody, to its zones */
void hand_over_range(int nid, unsigned long start, unsigned long end);

/** hand_over_metadata() - the same of page frames that were counted as metadata at hand-over, whole pages of it */
void hand_over_metadata(int nid, unsigned long start, unsigned long end);

/**
 * zone_of_range() - the zone that page frames [@start, @end) lie in, all memory of one bank; NULL otherwise. Boot only.
 */
struct zone *zone_of_range(unsigned long start, unsigned long end);

/**
 * hand_over_cma() - whole pageblocks of @zone that were counted as reserved, as MIGRATE_CMA; nothing is written to them
 */
void hand_over_cma(struct zone *zone, unsigned long start, unsigned long end);

#endif
