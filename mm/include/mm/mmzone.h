/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections, zones and nodes.
 *
 *	node (pglist_data) ─┬─ zone DMA, DMA32, NORMAL, MOVABLE ── free_area[order].free_list[migratetype]
 *	                    └─ zonelist: all zones of all nodes, near before far, and within a node cheap before dear
 *	section (1 GiB)    ─── usage: one bit or nibble for each of its 256 pageblocks (4 MiB)
 *
 * Pages of a zone, at every moment:
 *
 *	spanned = zone_end_pfn - zone_start_pfn	(holes included)
 *	present = reserved + metadata + managed	(whole pages of memory)
 *	managed = free + per-CPU + allocated + bad	(what memblock handed over)
 *	free    = on free lists + deferred + deferred CMA
 *
 * zone_check() proves the last two by walking memmap and free lists. The terms of the second are memblock's counts at
 * hand-over; that they add up is checked too.
 *
 * Lock letters: (Z) zone->lock; (b) written by the boot CPU before hand-over, constant after; (a) atomic.
 */
#ifndef MM_MMZONE_H
#define MM_MMZONE_H

#include <lib/list.h>
#include <lib/spinlock.h>
#include <lib/types.h>

#include <mm/numa.h>
#include <mm/page.h>

/* The largest block the buddy allocator gives: 1 << 10 pages, 4 MiB. */
#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)

/*
 * A pageblock is the largest buddy block. So all buddies of a page lie in its pageblock, and one bit can say whether
 * the memmap of a whole pageblock has been written.
 */
#define PAGEBLOCK_ORDER	   MAX_PAGE_ORDER
#define PAGEBLOCK_NR_PAGES (1UL << PAGEBLOCK_ORDER)
#define PAGEBLOCK_SIZE	   (PAGEBLOCK_NR_PAGES << PAGE_SHIFT)

#define SECTION_SIZE_BITS      30
#define PFN_SECTION_SHIFT      (SECTION_SIZE_BITS - PAGE_SHIFT)
#define PAGES_PER_SECTION      (1UL << PFN_SECTION_SHIFT)
#define NR_MEM_SECTIONS	       (1UL << (MAX_PHYSMEM_BITS - SECTION_SIZE_BITS))
#define PAGEBLOCKS_PER_SECTION (PAGES_PER_SECTION / PAGEBLOCK_NR_PAGES)
#define PAGEBLOCK_MAP_WORDS    (PAGEBLOCKS_PER_SECTION / 64)

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_PCPTYPES,		       /* the types up to here have per-CPU caches */
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES, /* kept for urgent requests of more than a page */
	MIGRATE_CMA,			       /* of an area of <mm/cma.h>: lent to movable requests only */
	MIGRATE_ISOLATE,		       /* given to nobody */
	MIGRATE_TYPES,
};

/* The types that not every request may use. Their free pages are counted apart. */
#define MIGRATE_SPECIAL_TYPES (MIGRATE_TYPES - MIGRATE_PCPTYPES)

#define PAGEBLOCK_TYPE_BITS  4
#define PAGEBLOCK_TYPE_WORDS (PAGEBLOCKS_PER_SECTION * PAGEBLOCK_TYPE_BITS / 64)

/**
 * struct mem_section_usage - the pageblocks of a section, a bit or a nibble each
 * @present: (b) some of it is memory: its memmap has storage
 * @initialised: (Z) its struct pages have been written
 * @deferred: (Z) wholly free and not initialised: the zone takes it when it needs it. Its type is MIGRATE_CMA when it
 *	is of a CMA area, else it has none yet.
 * @shared: (b) more than one zone has memory in it
 * @type: (Z) its migratetype in 3 bits, and above them whether it is isolated
 * @deferred_nid: (b) of one that was deferred, the node that all of it belongs to
 */
struct mem_section_usage {
	u64 present[PAGEBLOCK_MAP_WORDS];
	u64 initialised[PAGEBLOCK_MAP_WORDS];
	u64 deferred[PAGEBLOCK_MAP_WORDS];
	u64 shared[PAGEBLOCK_MAP_WORDS];
	u64 type[PAGEBLOCK_TYPE_WORDS];
	u8 deferred_nid[PAGEBLOCKS_PER_SECTION];
};

/**
 * struct mem_section - one section
 * @usage: (b) NULL when the section has no memory
 */
struct mem_section {
	struct mem_section_usage *usage;
};

#define SECTIONS_PER_ROOT (PAGE_SIZE / sizeof(struct mem_section))
#define NR_SECTION_ROOTS  DIV_ROUND_UP(NR_MEM_SECTIONS, SECTIONS_PER_ROOT)

/* (b) Roots of one page each, NULL where no section of theirs has memory. */
extern struct mem_section *mem_section[NR_SECTION_ROOTS];

static inline unsigned long pfn_to_section_nr(unsigned long pfn)
{
	return pfn >> PFN_SECTION_SHIFT;
}

/** section_usage() - the usage map of section @nr, NULL when it has no memory or is out of range */
static inline struct mem_section_usage *section_usage(unsigned long nr)
{
	if (nr >= NR_MEM_SECTIONS || !mem_section[nr / SECTIONS_PER_ROOT])
		return NULL;
	return mem_section[nr / SECTIONS_PER_ROOT][nr % SECTIONS_PER_ROOT].usage;
}

/** pageblock_nr() - which pageblock of its section @pfn lies in */
static inline unsigned long pageblock_nr(unsigned long pfn)
{
	return (pfn & (PAGES_PER_SECTION - 1)) >> PAGEBLOCK_ORDER;
}

/** memmap_reserved_bytes() - RAM that holds struct pages, written or not. Context: any, after sparse_init(). */
u64 memmap_reserved_bytes(void);

/**
 * memmap_touched_bytes() - RAM of struct pages that have been written, whole pageblocks' worth. Context: any; a
 * moment's figure.
 */
u64 memmap_touched_bytes(void);

/**
 * sparse_init() - sections, usage maps and vmemmap for all memory in memblock
 *
 * Storage comes from the node whose memory it describes, in present pageblocks only, and is not touched.
 * Context: boot only, after the linear map. Panics when memory is short. Cost: O(sections).
 */
void sparse_init(void);

/**
 * enum zone_type - zones in the order of address, the dearest first: an allocation falls back downwards, from cheap to
 * dear
 */
enum zone_type {
	ZONE_DMA,
	ZONE_DMA32,
	ZONE_NORMAL,
	ZONE_MOVABLE,
	MAX_NR_ZONES,
};

enum zone_watermarks { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };

/**
 * enum zone_stat_item - what is counted up and down by <mm/vmstat.h>, in pages
 * @NR_SLAB_RECLAIMABLE: of slabs of caches with SLAB_RECLAIM_ACCOUNT
 * @NR_SLAB_UNRECLAIMABLE: of all other slabs, and of kmalloc()s too large for one
 */
enum zone_stat_item { NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE, NR_VM_ZONE_STAT_ITEMS };

struct free_area {
	struct list_head free_list[MIGRATE_TYPES];
	unsigned long nr_free;
};

/* Pageblocks that a zone may have written ahead of need; and the pfn that is none. */
#define DEFERRED_STOCK 8UL
#define NO_BLOCK       (~0UL)

/**
 * struct deferred_stock - deferred pageblocks whose struct pages have been written ahead of need (mm/deferred.c)
 * @pfn: (Z) their first page frames, the one written last at @nr - 1
 * @writing: (Z) of the block that an idle CPU is writing now, NO_BLOCK when none is
 * @nr: (Z) how many there are
 * @goal: (b) how many idle CPUs keep; 0: they keep none
 * @written: (a) the struct pages of @writing have been written
 * @wanted: (a) idle CPUs are to fill it up
 */
struct deferred_stock {
	unsigned long pfn[DEFERRED_STOCK];
	unsigned long writing;
	u32 nr;
	u32 goal;
	u32 written;
	u32 wanted;
};

/**
 * struct zone - a range of page frames of one node that serve the same kinds of request
 * @node: (b) its node
 * @name: (b) "DMA", "DMA32", "Normal", "Movable"
 * @idx: (b) enum zone_type
 * @zone_start_pfn: (b) first page frame
 * @spanned_pages: (b) page frames from first to last, holes included
 * @present_pages: (b) of these, memory
 * @reserved_pages: (b) of these, kept by the tree, the image or firmware
 * @metadata_pages: (b) of these, taken by our own boot allocations
 * @managed_pages: (b) of these, handed over to the buddy allocator
 * @watermark: (b) pages: below min only urgent requests are served
 * @lowmem_reserve: (b) pages kept from requests that could have been served by a higher zone, by that zone
 * @pcp: (b) its per-CPU page caches (a per-CPU cookie)
 * @stat: (b) its counters (a per-CPU cookie)
 * @stat_threshold: (b) the largest difference that a CPU keeps for itself
 * @vm_stat: (a) what the CPUs have folded, by item
 * @lock: covers what is marked (Z)
 * @free_area: (Z) free blocks by order and migratetype
 * @nr_free: (Z) free pages, deferred ones included
 * @nr_deferred: (Z) free pages whose memmap is not initialised, but for those of CMA areas
 * @deferred_pfn: (Z) none of their pageblocks lies below this, but for those of @stock
 * @stock: (Z) those that are written already
 * @nr_deferred_cma: (Z) free pages of CMA areas whose memmap is not initialised
 * @deferred_cma_pfn: (Z) none of their pageblocks lies below this
 * @nr_free_special: (Z) of nr_free, pages in the lists of each type from MIGRATE_PCPTYPES on (zone_free_special())
 * @nr_reserved_highatomic: (Z) pages of its MIGRATE_HIGHATOMIC pageblocks, free or not
 * @cma_pages: (b) pages of its CMA areas
 * @nr_allocs: (Z) blocks taken from the free lists
 * @nr_fallbacks: (Z) times a block of another migratetype was taken
 * @nr_bad: (Z) pages taken out of use for ever
 * @nr_bad_pending: (Z) pages that will be when they are freed
 * @bad_pages: (Z) the former, linked by page->private; NULL ends it
 * @bad_pending: (Z) notes of the latter (mm/page_pending.c)
 */
struct zone {
	struct pglist_data *node;
	const char *name;
	enum zone_type idx;
	unsigned long zone_start_pfn;
	unsigned long spanned_pages;
	unsigned long present_pages;
	unsigned long reserved_pages;
	unsigned long metadata_pages;
	unsigned long managed_pages;
	unsigned long watermark[NR_WMARK];
	unsigned long lowmem_reserve[MAX_NR_ZONES];
	struct per_cpu_pages *pcp;
	struct per_cpu_zonestat *stat;
	s32 stat_threshold;
	s64 vm_stat[NR_VM_ZONE_STAT_ITEMS];

	spinlock_t lock __aligned(64);
	unsigned long nr_free;
	unsigned long nr_deferred;
	unsigned long deferred_pfn;
	unsigned long nr_deferred_cma;
	unsigned long deferred_cma_pfn;
	unsigned long nr_free_special[MIGRATE_SPECIAL_TYPES];
	unsigned long nr_reserved_highatomic;
	unsigned long cma_pages;
	struct deferred_stock stock;
	unsigned long nr_allocs;
	unsigned long nr_fallbacks;
	unsigned long nr_bad;
	unsigned long nr_bad_pending;
	struct page *bad_pages;
	struct bad_note *bad_pending;
	struct free_area free_area[NR_PAGE_ORDERS];
};

/**
 * struct pglist_data - one node
 * @node_id: (b)
 * @node_zones: (b) by enum zone_type; those with spanned_pages 0 do not exist
 * @zonelist: (b) every populated zone of every node in the order an allocation tries them; NULL ends it
 * @zonelist_this: (b) the populated zones of this node only; NULL ends it
 * @node_start_pfn: (b) first page frame of its memory
 * @node_spanned_pages: (b) to its last one
 * @node_present_pages: (b) pages of memory
 */
typedef struct pglist_data {
	int node_id;
	unsigned long node_start_pfn;
	unsigned long node_spanned_pages;
	unsigned long node_present_pages;
	struct zone **zonelist;
	struct zone *zonelist_this[MAX_NR_ZONES + 1];
	struct zone node_zones[MAX_NR_ZONES];
} pg_data_t;

/* (b) By node id; NULL where there is no memory: a CPU of such a node allocates from node_for_alloc[] instead. */
extern pg_data_t *node_data[MAX_NUMNODES];

/*
 * (b) For each node id, the nearest node with managed pages, itself if it has some: memory that is all no-map or
 * reserved serves nobody. Until hand-over, the nearest node from which memblock can allocate. When there is none, the
 * nearest with memory.
 */
extern int node_for_alloc[MAX_NUMNODES];

#define NODE_DATA(nid) (node_data[nid])

static inline struct zone *page_zone(const struct page *page)
{
	return &NODE_DATA(page_to_nid(page))->node_zones[page_zonenum(page)];
}

static inline unsigned long zone_end_pfn(const struct zone *zone)
{
	return zone->zone_start_pfn + zone->spanned_pages;
}

/** zone_free_special() - pages in the free lists of @type, one of MIGRATE_PCPTYPES and above; a moment's figure */
static inline unsigned long zone_free_special(const struct zone *zone, enum migratetype type)
{
	return READ_ONCE(zone->nr_free_special[type - MIGRATE_PCPTYPES]);
}

/** zone_free_cma() - free pages of @zone's CMA areas; a moment's figure */
static inline unsigned long zone_free_cma(const struct zone *zone)
{
	return zone_free_special(zone, MIGRATE_CMA) + READ_ONCE(zone->nr_deferred_cma);
}

/** zone_deferred() - free pages whose memmap is not initialised, whosever they are; a moment's figure */
static inline unsigned long zone_deferred(const struct zone *zone)
{
	return READ_ONCE(zone->nr_deferred) + READ_ONCE(zone->nr_deferred_cma);
}

static inline bool populated_zone(const struct zone *zone)
{
	return zone->present_pages;
}

#define for_each_online_pgdat(nid, pgdat)              \
	for ((nid) = 0; (nid) < MAX_NUMNODES; (nid)++) \
		if (!((pgdat) = node_data[nid])) {     \
		} else

/**
 * for_each_populated_zone() - each zone that has memory, by node and address; @i is an int cursor
 */
#define for_each_populated_zone(i, zone)                                                                        \
	for ((i) = 0; (i) < MAX_NUMNODES * MAX_NR_ZONES; (i)++)                                                 \
		if (!node_data[(i) / MAX_NR_ZONES] ||                                                           \
		    !populated_zone((zone) = &node_data[(i) / MAX_NR_ZONES]->node_zones[(i) % MAX_NR_ZONES])) { \
		} else

/**
 * bootmem_init() - nodes and zones from memblock
 * @dma_limit: one past the last address that the most limited bus master reaches; 0 when no master is limited
 *
 * ZONE_DMA ends at @dma_limit, at 4 GiB at the most; ZONE_DMA32 at 4 GiB; the share that `movablecore=` asks for is
 * cut from the top of each node's highest zone and becomes ZONE_MOVABLE. Computes spanned, present, reserved and
 * metadata pages; watermarks follow after hand-over. Context: boot only, after sparse_init().
 */
void bootmem_init(phys_addr_t dma_limit);

/** set_movablecore() - ask for @bytes of ZONE_MOVABLE over all nodes; before bootmem_init() */
void set_movablecore(phys_addr_t bytes);

/** set_node_fallbacks() - node_for_alloc[] from managed pages. Context: boot only, after hand-over. */
void set_node_fallbacks(void);

/** setup_per_zone_wmarks() - watermarks and lowmem_reserve from managed pages. Context: boot only, after hand-over. */
void setup_per_zone_wmarks(void);

/**
 * zone_check() - prove a zone's equations by walking its memmap and free lists under its lock
 *
 * Exact whatever other CPUs do: only zone->lock moves pages in or out of the free ones. For tests and the account: cost
 * is O(initialised pages), interrupts masked for the whole of it.
 * Return: true, or false after a line that names zone, equation and both sides.
 */
bool zone_check(struct zone *zone);

/**
 * zone_allocated_pages() - pages in allocated blocks, by walking the memmap
 *
 * Cost as zone_check(). Exact while no CPU allocates or frees: a block moves between user and CPU cache without the
 * lock.
 */
unsigned long zone_allocated_pages(struct zone *zone);

/** zone_pcp_pages() - pages of @zone in all CPUs' caches, a moment's figure */
unsigned long zone_pcp_pages(struct zone *zone);

#endif
